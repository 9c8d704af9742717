import { checkLimitMs } from '../assertions/define.ts';
import type { AgentSettings } from '../model/agent.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { openToolSession, type ToolSession } from '../tools/tool-session.ts';

/** Opens what answers the tool calls of one cell. */
export function openTools(settings: AgentSettings): ToolSession {
  return openToolSession(settings, { deadline: (run) => runWithDeadline(run, checkLimitMs) });
}

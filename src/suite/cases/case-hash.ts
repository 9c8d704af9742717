import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { JsonObject, JsonValue } from '../../json/json.ts';
import type { AgentSettings, McpServer } from '../../model/suite/agent.ts';
import type { Case, Turn } from '../../model/suite/suite.ts';
import { compareText } from '../../text/compare-text.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { SpelledNumber } from '../../text/yaml/exact-numbers.ts';

/**
 * The hash of a case, `inputs.checks`. Two results are comparable if their hashes are equal. If only the second part
 * differs, a stored answer can be judged again by the new checks. Checks of a turn count as inputs, because records and
 * baselines keep only the last answer of a conversation.
 */
export function hashCase({ vars, turns, agent, workspace, checks, threshold }: Omit<Case, 'caseHash'>): string {
  const inputs = canonicalJson({
    turns: turns.map(describeTurn),
    vars: markSpelling(vars),
    ...describeAgent(agent),
    ...defined({ workspace: workspace?.map(({ path, sha256 }) => ({ path, sha256 })) }),
  });
  const judged = canonicalJson(checks.map(({ source }) => source));
  return `${shortHash(inputs)}.${shortHash(`${threshold ?? ''}\n${judged}`)}`;
}

function describeTurn(turn: Turn): JsonValue {
  const assert = turn.checks.map(({ source }) => source);
  switch (turn.kind) {
    case 'user':
      return { user: turn.content, assert };
    case 'toolResult': {
      const { kind, name, content } = turn;
      return { kind, name, content, ...defined({ assert: assert.length === 0 ? undefined : assert }) };
    }
    case 'first':
      return { assert };
  }
}

/** Describes the case's tools. Their results are sent to the model, so they are part of the input. */
function describeAgent(agent: AgentSettings | undefined): JsonObject {
  if (agent === undefined) return {};
  const { stubs, module, servers, maxSteps } = agent;
  const describe = ({ source, codeHash }: McpServer) => (codeHash === undefined ? source : `${source} ${codeHash}`);
  const serverSources = servers && [...new Set([...servers.values()].map(describe))].sort(compareText);
  return {
    tools: markSpelling(stubs),
    maxSteps,
    ...defined({ module: module?.hash, mcp: serverSources }),
  };
}

function shortHash(text: string): string {
  return sha256Hex(text).slice(0, 12);
}

/** Plain JSON in which a spelled number differs from its plain one, so that 1.0 and 1 give different hashes. */
export function markSpelling(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (value instanceof SpelledNumber) return { $number: value.source };
  if (Array.isArray(value)) return value.map(markSpelling);
  if (typeof value !== 'object') return null;
  const written = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(written.map(([key, item]) => [key, markSpelling(item)]));
}

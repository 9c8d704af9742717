import { checkLimitMs } from '../assertions/define.ts';
import type { AgentSettings } from '../model/agent.ts';
import type { CodeSource, ModuleJob } from '../model/own-code.ts';
import { ModuleWorker } from '../programs/module-worker.ts';
import { selectEnv } from '../programs/run-program.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { createModuleTools, type ModuleChild, toolMemoryMb } from '../tools/module-tools.ts';
import { openToolSession, type ToolSession } from '../tools/tool-session.ts';

/** More children at once would take more memory than a machine has, whatever `-j` says. */
const maxChildren = 16;

/** Opens what answers the tool calls of a cell: each module runs in a fresh child for it. */
export function createToolOpener(
  env: Readonly<Record<string, string | undefined>>,
): (settings: AgentSettings) => ToolSession {
  const childEnv = selectEnv(env, []);
  const waiting: (() => void)[] = [];
  let running = 0;

  async function takePlace(): Promise<void> {
    if (running < maxChildren) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function leavePlace(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  /** The child starts with its first job. */
  function startChild({ file = '' }: CodeSource): ModuleChild {
    let worker: ModuleWorker | undefined;
    async function run(job: ModuleJob): ReturnType<ModuleChild['run']> {
      if (worker === undefined) {
        await takePlace();
        if (job.signal?.aborted === true) {
          leavePlace();
          return { outcome: { fault: 'was stopped with the run' } };
        }
        worker = new ModuleWorker({ file, memoryMb: toolMemoryMb }, childEnv);
      }
      return worker.run(job);
    }
    return {
      run,
      close() {
        if (worker === undefined) return;
        worker.kill();
        leavePlace();
      },
    };
  }

  return (settings) =>
    openToolSession(settings, {
      deadline: (run) => runWithDeadline(run, checkLimitMs),
      startModule: (source) => createModuleTools(source, startChild(source)),
    });
}

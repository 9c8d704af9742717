import { checkLimitMs } from '../../assertions/define.ts';
import { defined } from '../../json/defined.ts';
import type { McpPorts } from '../../mcp/connect-server.ts';
import type { AgentSettings, McpServer, RecordSource, ToolsCode } from '../../model/suite/agent.ts';
import type { ModuleJob } from '../../model/suite/own-code.ts';
import { ModuleWorker } from '../../programs/module-worker.ts';
import { describeExit, describeUnfinished, openProgramRunner, selectEnv } from '../../programs/run-program.ts';
import { runWithDeadline } from '../../text/deadline.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { openToolSession, type ToolSession } from '../../tools/tool-session.ts';
import {
  createExecTools,
  createModuleTools,
  createRealServers,
  type ModuleChild,
  maxProgramBytes,
  type RealTools,
  type ToolProgramResult,
  type ToolServer,
  toolMemoryMb,
  toolTimeoutMs,
} from '../../tools/tool-sources.ts';
import { openToolServer } from './open-tool-server.ts';
import type { ToolRecorder } from './record-tools.ts';

/** The most child processes at once, whatever `-j` is. More would need too much memory. */
const maxChildren = 16;

interface OpenerOptions {
  /** Without it, no server is asked. */
  readonly mcp?: McpPorts;
  readonly recorder?: Pick<ToolRecorder, 'record'>;
}

/**
 * Opens the session that answers the tool calls of a cell. Each module runs in a child of its own, and each server gets
 * a connection of its own.
 */
export function createToolOpener(
  env: Readonly<Record<string, string | undefined>>,
  { mcp, recorder }: OpenerOptions = {},
): (settings: AgentSettings) => ToolSession {
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

  return (settings) => {
    // One place for everything that the cell starts. If cells held one place and waited for a second, they could
    // deadlock.
    let place: Promise<void> | undefined;
    const starter = createStarter(env, () => (place ??= takePlace()), mcp);
    const session = openToolSession(settings, {
      deadline: (run) => runWithDeadline(run, checkLimitMs),
      startModule: (source) => createModuleTools(source, starter.child(source)),
      startServer: starter.server,
      ...defined({ recording: recorder && { startReal: starter.real, record: recorder.record } }),
    });
    return {
      ...session,
      close() {
        session.close();
        void place?.then(leavePlace);
      },
    };
  };
}

/** Starts a cell's modules, programs and servers, each at its first call. */
function createStarter(
  env: Readonly<Record<string, string | undefined>>,
  takePlace: () => Promise<void>,
  mcp: McpPorts | undefined,
) {
  const server = (one: McpServer): ToolServer => openToolServer(one, mcp, takePlace);

  function child({ file = '', envNames = [], limits }: ToolsCode): ModuleChild {
    let worker: ModuleWorker | undefined;
    async function run(job: ModuleJob): ReturnType<ModuleChild['run']> {
      if (worker === undefined) {
        await takePlace();
        if (job.signal?.aborted === true) return { outcome: { fault: 'was stopped with the run' } };
        const memoryMb = limits?.memoryMb ?? toolMemoryMb;
        worker = new ModuleWorker({ file, memoryMb }, selectEnv(env, envNames));
      }
      return worker.run(job);
    }
    return { run, close: () => worker?.kill() };
  }

  /** Programs run one at a time for each cell, as modules do. */
  function real(source: RecordSource): RealTools {
    if (source.kind === 'module') return createModuleTools(source.code, child(source.code));
    if (source.kind === 'mcp') return createRealServers(source.servers, server);
    return createExecTools(source.argv.join(' '), async (input, signal) => {
      await takePlace();
      return runToolProgram(source, selectEnv(env, source.code.envNames ?? []), { input, signal });
    });
  }

  return { child, server, real };
}

/** Runs a program for one call, within the limits of its source. */
async function runToolProgram(
  { argv, code }: RecordSource & { readonly kind: 'exec' },
  env: Readonly<Record<string, string>>,
  { input, signal }: { readonly input: string; readonly signal: AbortSignal },
): Promise<ToolProgramResult> {
  const { timeoutMs = toolTimeoutMs, memoryMb = toolMemoryMb } = code.limits ?? {};
  const runner = openProgramRunner();
  const call = {
    argv,
    cwd: code.folder,
    env,
    input,
    maxOutputBytes: maxProgramBytes,
    maxMemoryBytes: memoryMb * 2 ** 20,
  };
  const result = await runner.run({ ...call, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  if (result.status !== 'ended') {
    const late = signal.aborted ? 'was stopped with the run' : `took longer than ${formatDuration(timeoutMs)}`;
    return { fault: describeUnfinished(result, { late, memoryMb, maxOutputBytes: maxProgramBytes }) };
  }
  const { exitCode, fault } = result;
  if (exitCode === null) return { fault: describeExit(result) };
  if (fault !== undefined) return { fault: `wrote a result that can't be read: ${fault}` };
  return { ...result, exitCode };
}

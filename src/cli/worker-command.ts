import { type OpenWork, openWork } from '../calls/work.ts';
import { defined } from '../json/defined.ts';
import { systemClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Problem } from '../model/problem.ts';
import { findForeignKeys } from '../plan/find-foreign-keys.ts';
import { loadProject } from '../project/load-project.ts';
import { maskFor } from '../project/mask-for.ts';
import { DurationError, parseDurationMs } from '../text/duration.ts';
import { findQueueSecrets, parseQueueUrl, type QueueUrl } from '../text/store-urls.ts';
import { describeBug } from './describe-bug.ts';
import { describeProblems } from './describe-problems.ts';
import { readEnvFile } from './env-file.ts';
import type { Io } from './io.ts';
import { maskUserError } from './mask-io.ts';
import { wantsColor } from './style.ts';
import { version } from './version.ts';

export interface WorkerFlags {
  readonly queue?: string;
  readonly concurrency?: string;
  readonly lease?: string;
  readonly drain?: string;
  readonly envFile?: string;
  readonly config?: string;
}

const shortestLeaseMs = 1000;

/** `llmcheck worker`: makes calls until a signal comes, then ends those in flight. */
export async function workerCommand(paths: readonly string[], flags: WorkerFlags, io: Io): Promise<number> {
  const fileEnv = readEnvFile(flags.envFile, io.cwd);
  const env = { ...fileEnv, ...io.env };
  const fileVariables = new Set(Object.keys(fileEnv).filter((name) => io.env[name] === undefined));
  const settings = readSettings(flags, env);
  const configPath = flags.config ?? env['LLMCHECK_CONFIG'];
  const { project, warnings: loadWarnings } = await loadProject({
    paths,
    cwd: io.cwd,
    ...defined({ configPath }),
  });
  const warnings = [...loadWarnings, ...findForeignKeys(project, { env, fileVariables })];
  const mask = maskFor(project, env, findQueueSecrets(flags.queue ?? env['LLMCHECK_QUEUE']));
  const id = `w-${Math.floor(io.random() * 2 ** 32).toString(36)}`;
  const log = (message: string) => io.stderr.write(mask(`${io.now().toISOString()} ${id} ${message}\n`));
  if (warnings.length > 0)
    io.stderr.write(mask(describeProblems(warnings, { color: wantsColor(io.stderr, env, true) })));
  let bugs = 0;
  const ports = {
    env,
    clock: systemClock,
    mask,
    log,
    onBug(bug: unknown) {
      bugs += 1;
      io.stderr.write(mask(describeBug(bug, ['worker'])));
    },
  };
  const signal = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    // Listened to until the end: whoever sends a second one does not want to wait.
    io.onSignal(resolve);
  });
  const work = await open({ project, toolVersion: version, id, ...settings }, ports);
  const { address, concurrency, drainMs } = settings;
  const serves = work.serves.length === 0 ? 'no provider: no suite has one whose key is set' : work.serves.join(', ');
  log(`ready at ${address.shown}, ${concurrency} ${concurrency === 1 ? 'call' : 'calls'} at once, for ${serves}`);
  const received = await signal;
  log(`${received}: takes no further call, ends those in flight (a second signal ends at once)`);
  const returned = await work.drain(drainMs);
  await work.close();
  log(`ended: ${work.answered} answered, ${returned} ended early and given back to the queue`);
  if (bugs > 0) return exitCodes.bug;
  if (returned === 0) return exitCodes.passed;
  return received === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
}

async function open(options: Parameters<typeof openWork>[0], ports: Parameters<typeof openWork>[1]): Promise<OpenWork> {
  try {
    return await openWork(options, ports);
  } catch (error) {
    if (error instanceof UserError) throw maskUserError(error, ports.mask);
    throw error;
  }
}

interface Settings {
  readonly address: QueueUrl;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly drainMs: number;
}

function readSettings(flags: WorkerFlags, env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: Problem[] = [];
  const refuse = (message: string, hint?: string) =>
    problems.push({ code: 'usage', severity: 'error', message, ...defined({ hint }) });
  const readDuration = (name: string, text: string): number => {
    try {
      return parseDurationMs(text);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      refuse(`${name}: ${error.message}`);
      return 0;
    }
  };
  const text = flags.queue ?? env['LLMCHECK_QUEUE'] ?? '';
  const address = text === '' ? { reason: 'is missing' } : parseQueueUrl(text);
  if ('reason' in address) {
    refuse(`--queue: the address ${address.reason}`, 'write --queue redis://127.0.0.1:6379/0, or set LLMCHECK_QUEUE');
  }
  const concurrency = Number(flags.concurrency ?? 8);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 10_000) {
    refuse(`--concurrency: "${flags.concurrency ?? ''}" is no number of calls`, 'write -j 8');
  }
  const leaseMs = readDuration('--lease', flags.lease ?? '15s');
  const isLeaseRead = !problems.some(({ message }) => message.startsWith('--lease'));
  if (isLeaseRead && leaseMs < shortestLeaseMs) {
    refuse(`--lease: ${flags.lease ?? ''} is shorter than ${shortestLeaseMs / 1000} s, in which nobody can be sure`);
  }
  const drainMs = readDuration('--drain', flags.drain ?? '25s');
  if (problems.length > 0 || 'reason' in address) throw new UserError(problems);
  return { address, concurrency, leaseMs, drainMs };
}

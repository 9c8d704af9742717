import { openWork } from '../../../calls/serve-queue.ts';
import { defined } from '../../../json/defined.ts';
import { systemClock } from '../../../model/clock.ts';
import { exitCodeOfSignal, exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError } from '../../../model/problem.ts';
import { findMisdirectedKeys } from '../../../plan/check-providers.ts';
import { loadProject } from '../../../project/load-project.ts';
import { maskFor } from '../../../project/mask-for.ts';
import { findQueueSecrets, parseQueueUrl, type QueueUrl } from '../../../text/addresses/store-urls.ts';
import { formatCount } from '../../../text/format-amount.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import { readEnvironment } from '../../flags/resolve-run.ts';
import type { Io } from '../../io.ts';
import { maskError, maskSink } from '../../output/mask.ts';
import { describeBug, printProblems } from '../../output/problems.ts';
import { version } from '../../version.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly queue?: string;
  readonly concurrency?: string;
  readonly lease?: string;
  readonly drain?: string;
  readonly envFile?: string;
  readonly config?: string;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suites whose providers it serves (default: evals/**/*.eval.yaml)')
    .option('--queue <url>', 'redis://host:6379/0 or rediss://…, Redis 6.2 or Valkey (or LLMCHECK_QUEUE)')
    .option('-j, --concurrency <n>', 'calls in flight at most (default: 8)')
    .option('--lease <duration>', 'a worker without a sign of life for this long counts as dead (default: 15s)')
    .option('--drain <duration>', 'time for calls in flight after SIGTERM (default: 25s)')
    .option('--env-file <file>', 'read variables from a file; those already set win')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Start it in a checkout of the same commit as the run, with the keys of the providers in its environment. It leaves calls
that it would send differently than the run to other workers, and reports them. Needs the packages bullmq and ioredis.

Examples:
  $ llmcheck worker --queue redis://127.0.0.1:6379/0
  $ LLMCHECK_QUEUE=rediss://:password@redis.example/0 llmcheck worker -j 32 --env-file .env
  $ llmcheck run --queue redis://127.0.0.1:6379/0    the run whose calls it makes

Exit codes: 0 after SIGTERM or SIGINT with every call ended; 143/130 where some were given back to the queue or the
signal came twice; 2 usage (also: no connection at the start); 70 a bug.`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await work(paths, flags, io)));
};

/** Makes calls until a signal arrives, then waits for calls in flight. */
async function work(paths: readonly string[], flags: Flags, givenIo: Io): Promise<number> {
  const { env, fileVariables } = readEnvironment(flags.envFile, givenIo);
  const settings = readSettings(flags, env);
  const configPath = flags.config ?? env['LLMCHECK_CONFIG'];
  const { project, warnings } = await loadProject({ paths, cwd: givenIo.cwd, ...defined({ configPath }) });
  const mask = maskFor(project, env, findQueueSecrets(flags.queue ?? env['LLMCHECK_QUEUE']));
  const io: Io = { ...givenIo, env, stderr: maskSink(givenIo.stderr, mask) };
  const id = `w-${Math.floor(io.random() * 2 ** 32).toString(36)}`;
  const log = (message: string) => io.stderr.write(`${io.now().toISOString()} ${id} ${message}\n`);
  printProblems([...warnings, ...findMisdirectedKeys(project, { env, fileVariables })], io);
  let bugs = 0;
  const onBug = (bug: unknown) => {
    bugs += 1;
    io.stderr.write(describeBug(bug, ['worker']));
  };
  const stopped = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    // The listener stays, so that a second signal ends the process at once.
    io.onSignal(resolve);
  });
  const opened = await openWork(
    { project, toolVersion: version, id, ...settings },
    { env, clock: systemClock, mask, log, onBug, stopped },
  ).catch((error: unknown) => {
    throw maskError(error, mask);
  });
  const { address, concurrency, drainMs } = settings;
  const serves =
    opened.serves.length === 0 ? 'no provider: no suite has one whose key is set' : opened.serves.join(', ');
  log(`ready at ${address.shown}, ${formatCount(concurrency, 'call')} at once, for ${serves}`);
  const received = await stopped;
  log(`${received}: takes no further call, ends those in flight (a second signal ends at once)`);
  const returned = await opened.drain(drainMs);
  await opened.close();
  log(`ended: ${opened.answered} answered, ${returned} ended early and given back to the queue`);
  if (bugs > 0) return exitCodes.bug;
  if (returned === 0) return exitCodes.passed;
  return exitCodeOfSignal(received);
}

interface Settings {
  readonly address: QueueUrl;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly drainMs: number;
}

const shortestLeaseMs = 1000;

function readSettings(flags: Flags, env: Io['env']): Settings {
  const { lease = '15s', drain = '25s' } = flags;
  const reader = openFlagReader();
  const text = flags.queue ?? env['LLMCHECK_QUEUE'] ?? '';
  const address = text === '' ? { reason: 'is missing' } : parseQueueUrl(text);
  if ('reason' in address) {
    const hint = 'write --queue redis://127.0.0.1:6379/0, or set LLMCHECK_QUEUE';
    reader.refuse(`--queue: the address ${address.reason}`, hint);
  }
  const concurrency = Number(flags.concurrency ?? 8);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 10_000) {
    reader.refuse(`--concurrency: "${flags.concurrency ?? ''}" is no number of calls`, 'write -j 8');
  }
  const leaseMs = reader.readDuration('--lease', lease);
  if (leaseMs < shortestLeaseMs) {
    reader.refuse(
      `--lease: ${lease} is shorter than ${shortestLeaseMs / 1000} s, and a live worker could count as dead`,
    );
  }
  const drainMs = reader.readDuration('--drain', drain);
  if ('reason' in address || reader.problems.length > 0) throw new UserError(reader.problems);
  return { address, concurrency, leaseMs, drainMs };
}

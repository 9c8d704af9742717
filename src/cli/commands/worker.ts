import type { WorkerFlags } from '../worker-command.ts';
import type { AddCommand } from './add-command.ts';

export const addWorker: AddCommand = (program, io, setExitCode) => {
  program
    .command('worker')
    .description('Make the calls of runs that share a queue (llmcheck run --queue), until it is stopped.')
    .argument('[paths...]', 'suites whose providers it serves (default: evals/**/*.eval.yaml)')
    .option('--queue <url>', 'redis://host:6379/0 or rediss://…, Redis 6.2 or Valkey (or LLMCHECK_QUEUE)')
    .option('-j, --concurrency <n>', 'calls in flight at most (default: 8)')
    .option('--lease <duration>', 'counts as dead when not heard of for so long (default: 15s)')
    .option('--drain <duration>', 'time for calls in flight after SIGTERM (default: 25s)')
    .option('--env-file <file>', 'read variables from a file; those already set win')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
It runs in a checkout of the same state as the run's, with the keys of the providers in its own environment. What it
would send otherwise than the run means it, it leaves to others and says so. Needs the packages bullmq and ioredis.

Examples:
  $ llmcheck worker --queue redis://127.0.0.1:6379/0
  $ LLMCHECK_QUEUE=rediss://:password@redis.example/0 llmcheck worker -j 32 --env-file .env
  $ llmcheck run --queue redis://127.0.0.1:6379/0    the run whose calls it makes

Exit codes: 0 after SIGTERM or SIGINT with every call ended; 143/130 where some were given back to the queue or the
signal came twice; 2 usage (also: no connection at the start); 70 a bug.`,
    )
    .action(async (paths: string[], flags: WorkerFlags) => {
      const { workerCommand } = await import('../worker-command.ts');
      setExitCode(await workerCommand(paths, flags, io));
    });
};

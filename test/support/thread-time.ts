import { existsSync, readFileSync } from 'node:fs';

const schedulerFile = '/proc/thread-self/schedstat';
const hasScheduler = existsSync(schedulerFile);

/** What this thread has computed so far, in milliseconds: other work of the machine does not count. Off Linux a clock. */
export function threadMs(): number {
  if (!hasScheduler) return performance.now();
  return Number(readFileSync(schedulerFile, 'utf8').split(' ')[0]) / 1e6;
}

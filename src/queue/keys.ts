/** Every key begins with it. */
export const prefix = 'llmcheck';

export const keys = {
  /** Hash: the server's own id of its present life, and since when. */
  server: `${prefix}:server`,
  /** Sorted set of run ids by the time at which they count as dead. */
  runs: `${prefix}:runs`,
  /** Sorted set of descriptions of workers by the time at which they count as dead. */
  workers: `${prefix}:workers`,
  /** Hash of workers: the life of the server in which they were last heard of. */
  seen: `${prefix}:seen`,
  /** Hash: the process that leads the run, its version and what it needs. */
  run: (runId: string) => `${prefix}:run:${runId}`,
  /** Hash of answers by call, until the run has recorded them. */
  answers: (runId: string) => `${prefix}:answers:${runId}`,
  /** List of calls that were answered, for the process that leads the run. */
  inbox: (session: string) => `${prefix}:inbox:${session}`,
  /** Sorted set of calls in flight by the time at which they count as dead. */
  leases: (lane: string) => `${prefix}:leases:${lane}`,
  /** Hash of sums by second. */
  requests: (lane: string) => `${prefix}:requests:${lane}`,
  tokens: (lane: string) => `${prefix}:tokens:${lane}`,
} as const;

/** The queue of a provider: a worker that would treat its calls otherwise has another stamp, and never sees them. */
export function queueName(stamp: string): string {
  return `calls-${stamp}`;
}

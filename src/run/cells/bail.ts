import type { Stop } from '../../calls/stop.ts';
import type { CompletionRequest } from '../../model/run/completion.ts';

/** Holds back the first requests of cells once enough cells have failed (`--bail`). */
export interface BailStop {
  /** Marks the first request of a cell. A running cell may still ask its judges and take its next turns. */
  markFirst(request: CompletionRequest): void;
  /** Called when a call has its slot, before its first attempt. Resolves to false if no further cell may begin. */
  readonly mayBegin: (request: CompletionRequest) => Promise<boolean>;
}

export function createBailStop(stop: Pick<Stop, 'reason'>): BailStop {
  const firstRequests = new WeakSet<CompletionRequest>();
  return {
    markFirst(request) {
      firstRequests.add(request);
    },
    async mayBegin(request) {
      // The call that freed the slot has an answer, but its cell is not judged yet.
      await new Promise((resolve) => setImmediate(resolve));
      return stop.reason() === undefined || !firstRequests.has(request);
    },
  };
}

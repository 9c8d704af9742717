import { setMaxListeners } from 'node:events';
import type { StopReason } from '../model/run/cell.ts';
import type { RunPorts } from '../plan/run-options.ts';

/** Ends a run before its plan, for any reason but --max-cost and --early, which abort no call. */
export interface Stop {
  /** Starts nothing new. Calls in flight may finish. */
  readonly soft: (reason: StopReason) => void;
  /** Starts nothing new, and aborts the calls in flight. */
  readonly hard: (reason: StopReason) => void;
  readonly reason: () => StopReason | undefined;
  /** True if nothing more may be done for the cells in flight. */
  readonly isHard: () => boolean;
  /** True if the time for what is left to do after the deadline is over too. */
  readonly isOverdue: () => boolean;
  readonly signal: AbortSignal;
  /** Ends the run at a signal of the system and at a deadline, until the returned function is called. */
  readonly listen: (ports: Pick<RunPorts, 'onSignal' | 'clock'>, deadlineMs?: number) => () => void;
  /** The signal that ended the run, if one did. */
  readonly interrupted: () => 'SIGINT' | 'SIGTERM' | undefined;
}

/**
 * The whole time of a run with a deadline. What is left to do after it, such as reports, may take half as long again, and
 * at least ten seconds.
 */
export function wholeTimeMs(deadlineMs: number): number {
  return deadlineMs + Math.max(10_000, deadlineMs / 2);
}

export function createStop(): Stop {
  const controller = new AbortController();
  // Every call in flight listens to it, and Node warns of a leak from the eleventh listener on.
  setMaxListeners(0, controller.signal);
  let first: StopReason | undefined;
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  /** Ends the run if its deadline is over: a timer waits for its turn behind long work of this process. */
  let checkDeadline = () => {};
  let isOverdue = () => false;
  const stop: Stop = {
    signal: controller.signal,
    reason() {
      checkDeadline();
      return first;
    },
    isHard() {
      checkDeadline();
      return controller.signal.aborted;
    },
    isOverdue: () => isOverdue(),
    soft(reason) {
      first ??= reason;
    },
    hard(reason) {
      // A user who interrupts a run that is already ending expects to see that as the reason.
      first = reason === 'interrupted' ? reason : (first ?? reason);
      controller.abort(new DOMException(`the run was stopped: ${reason}`, 'AbortError'));
    },
    interrupted: () => interrupted,
    listen({ onSignal, clock }, deadlineMs) {
      const stopListening = onSignal((name) => {
        interrupted ??= name;
        stop.hard('interrupted');
      });
      const startMs = clock.now();
      const endMs = startMs + (deadlineMs ?? Number.POSITIVE_INFINITY);
      if (deadlineMs !== undefined) isOverdue = () => clock.now() >= startMs + wholeTimeMs(deadlineMs);
      checkDeadline = () => {
        if (!controller.signal.aborted && clock.now() >= endMs) stop.hard('deadline');
      };
      const stopTimer =
        deadlineMs === undefined ? undefined : clock.startTimer(deadlineMs, () => stop.hard('deadline'));
      return () => {
        checkDeadline = () => {};
        stopTimer?.();
        stopListening();
      };
    },
  };
  return stop;
}

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
  readonly signal: AbortSignal;
  /** Ends the run at a signal of the system and at a deadline, until the returned function is called. */
  readonly listen: (ports: Pick<RunPorts, 'onSignal' | 'clock'>, deadlineMs?: number) => () => void;
  /** The signal that ended the run, if one did. */
  readonly interrupted: () => 'SIGINT' | 'SIGTERM' | undefined;
}

export function createStop(): Stop {
  const controller = new AbortController();
  // Every call in flight listens to it, and Node warns of a leak from the eleventh listener on.
  setMaxListeners(0, controller.signal);
  let first: StopReason | undefined;
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  /** Ends the run if its deadline is over: a timer waits for its turn behind long work of this process. */
  let checkDeadline = () => {};
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
      const endMs = clock.now() + (deadlineMs ?? Number.POSITIVE_INFINITY);
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

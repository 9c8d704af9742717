import type { RunProvenance } from './record.ts';

/** A variant of a run beside its pinned reference. */
export interface ErosionFinding {
  readonly kind: 'erosion';
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  /** `eroded`: below the reference by more than the margin, beyond chance. `silent`: the reference can't be compared with. */
  readonly outcome: 'held' | 'eroded' | 'silent';
  /** What was read, in words. */
  readonly source: string;
  /** ISO 8601: runs that began later are those since the pin. */
  readonly until: string;
  /** Cases with the same content and checks on both sides, and a verdict on both. */
  readonly cases: number;
  /** Cases of the reference. */
  readonly of: number;
  readonly passRate: {
    readonly reference: number | null;
    readonly candidate: number | null;
    readonly delta: number | null;
  };
  /** The tolerated drop. */
  readonly margin: number;
  /** Standard score of the difference over cases; null where it has no spread. */
  readonly z: number | null;
  readonly message: string;
  /** Stored runs since the pin, the oldest first, this run last; only where it is eroded. */
  readonly since: readonly RunSincePin[];
}

export interface RunSincePin extends RunProvenance {
  readonly run: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly passRate: number | null;
}

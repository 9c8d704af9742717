import * as z from 'zod';
import { magnitude, type Stored, share, wholeNumber } from '../../json/stored.ts';

const failOrWarn = z.enum(['fail', 'warn']);

/** Fractions, whether written so or in percent. */
const limit = magnitude.exactOptional();

export const metricLimitsSchema = z.object({
  min: limit,
  max: limit,
  maxDrop: limit,
  maxIncrease: limit,
  p95MaxMs: limit,
  /** The limit on the time to the first token. */
  firstTokenP95MaxMs: limit,
});

export type MetricLimits = Stored<typeof metricLimitsSchema>;

const limits = metricLimitsSchema.default({});

/** Limits on a slice, which is all cases with one tag. Each slice has its own pass rate. */
const sliceLimitsSchema = z.object({ passRate: metricLimitsSchema.pick({ min: true, maxDrop: true }) });

export type SliceLimits = Stored<typeof sliceLimitsSchema>;

/** Calls that fresh trials may make: a share of the planned ones, or `least` if that is more; or a number of calls. */
const confirmBudgetSchema = z.union([
  z.strictObject({ share: magnitude, least: wholeNumber.exactOptional() }),
  z.strictObject({ calls: wholeNumber }),
  // Older records hold a share alone.
  magnitude.transform((planned): { share: number; least?: number } => ({ share: planned })),
]);

export type ConfirmBudget = Stored<typeof confirmBudgetSchema>;

/** True for a budget that pays for nothing. */
export function isNoBudget(budget: ConfirmBudget): boolean {
  return 'calls' in budget ? budget.calls < 1 : budget.share === 0 && (budget.least ?? 0) < 1;
}

/** The policy of a suite's gate. A member that is missing, as in an older record, has the value of a suite that writes none. */
export const gatePolicySchema = z.object({
  alpha: share.default(0.05),
  scope: z.enum(['population', 'suite']).default('population'),
  cases: z
    .object({
      broken: failOrWarn.default('fail'),
      drifted: failOrWarn.default('fail'),
      added: failOrWarn.default('fail'),
      /** A case that passes under edited checks alone; `warn` if absent. A must-pass case always fails. */
      loosened: failOrWarn.exactOptional(),
    })
    .prefault({}),
  confirm: z
    .object({
      /** The number of confirmed broken cases at which confirmation stops. */
      cases: wholeNumber.default(10),
      budget: confirmBudgetSchema.default({ share: 2, least: 200 }),
    })
    .prefault({}),
  /** What a failure does that fresh trials neither confirmed nor cleared; `fail` if absent. A must-pass case always fails. */
  unsettled: failOrWarn.exactOptional(),
  /** True if the gate requires a certain outcome. */
  certify: z.boolean().default(false),
  /** A drop against the pinned reference; `warn` if absent. */
  erosion: failOrWarn.exactOptional(),
  /** The limits that the user wrote. The gate adds the defaults. */
  passRate: limits,
  score: limits,
  cost: limits,
  latency: limits,
  /** Limits on an agent's answers; absent if none is set. */
  steps: metricLimitsSchema.pick({ max: true, maxIncrease: true }).exactOptional(),
  /** Limits on the cases that have a tag, by the tag; absent if none is gated. */
  slices: z.record(z.string(), sliceLimitsSchema).exactOptional(),
});

export type GatePolicy = Stored<typeof gatePolicySchema>;

/** The policy of a suite that writes none. */
export const defaultGate: GatePolicy = gatePolicySchema.parse({});

import type { ComparedCase, ComparedVariant } from '../../model/comparison/comparison.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { defaultMaxDrop } from '../default-margins.ts';
import { type AskedClaim, isDriftTested, testDrift } from './flag-averages.ts';
import type { Suspicions } from './flag-cases.ts';
import type { CaseVerdict } from './gate-cases.ts';
import type { GatedComparison } from './gated-comparison.ts';
import { type OwnDrop, rounding } from './wording.ts';

/** What fails with the accepted prompt too. */
export interface VariantDrift {
  /** Ids of drifted cases. */
  readonly cases: readonly string[];
  /** Compared cases of the suite. */
  readonly of: number;
  /** The fall of the accepted prompt between its accepted and its fresh trials, if a test shows one. */
  readonly drop: OwnDrop | undefined;
  /** True if more drifted than the gate tolerates. */
  readonly isBeyondMargin: boolean;
}

export const noDrift: VariantDrift = { cases: [], of: 0, drop: undefined, isBeyondMargin: false };

/** What drifted in each comparison. The share of drifted cases is that of the suite, whichever variants they drift on. */
export function findDrifts(
  gated: readonly GatedComparison[],
  verdictsOf: (comparison: GatedComparison) => readonly CaseVerdict[],
  claims: Suspicions['claims'],
): ReadonlyMap<GatedComparison, VariantDrift> {
  const drifted = new Map(
    gated.map((comparison) => [
      comparison,
      verdictsOf(comparison).flatMap(({ kind, caseId }) => (kind === 'drifted' ? [caseId] : [])),
    ]),
  );
  // Each flagged average is tested, and a flagged one may have had a lucky baseline.
  const tests = [...claims.values()].flat().filter(isAskedAverage).length;
  return new Map(
    gated.map((comparison) => {
      const { suite, compared, otherCases = 0 } = comparison;
      const ofSuite = gated.filter((other) => other.suite === suite);
      const compareds = ofSuite.flatMap((other) => [...other.compared.cases.values()].filter(hasBothSides));
      // Cases of other shards belong to the suite too.
      const all = new Set(compareds.map(({ caseId }) => caseId)).size + otherCases;
      const cases = new Set(ofSuite.flatMap((other) => drifted.get(other) ?? []));
      const margin = suite.recorded.gate.passRate.maxDrop ?? defaultMaxDrop;
      const drop = findOwnDrop(compared, claims.get(comparison.variant) ?? [], { ...suite.recorded.gate, tests });
      const ofVariant = drifted.get(comparison) ?? [];
      const isShareBeyond = ofVariant.length > 0 && cases.size > margin * all + rounding;
      return [comparison, { cases: ofVariant, of: all, drop, isBeyondMargin: drop !== undefined || isShareBeyond }];
    }),
  );
}

function hasBothSides({ baseline, candidate, change }: ComparedCase): boolean {
  return baseline !== undefined && candidate !== undefined && change !== 'unjudged';
}

function isAskedAverage({ hypothesis: { metric }, average }: AskedClaim): boolean {
  return average?.asksAccepted === true && isDriftTested(metric);
}

/**
 * The fall of an average of the accepted prompt between its accepted and its fresh trials, if a test shows one beyond the
 * margin: of the whole, a slice or a class.
 */
function findOwnDrop(
  compared: ComparedVariant,
  claims: readonly AskedClaim[],
  gate: GatePolicy & { readonly tests: number },
): OwnDrop | undefined {
  for (const { hypothesis, average } of claims.filter(isAskedAverage)) {
    const tested = average && testDrift(hypothesis, average.cases, compared.cases, gate);
    const isShown = tested !== undefined && tested.p <= gate.alpha / 2 / gate.tests;
    if (isShown && tested.drop > hypothesis.margin) return { hypothesis, by: tested.drop };
  }
  return undefined;
}

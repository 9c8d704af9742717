import type { ComparedSide, ComparedVariant } from '../../src/model/comparison/comparison.ts';
import { firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { RecordedVariant } from '../../src/model/run/record.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import { caseStatusOf } from '../../src/record/case-summaries.ts';
import { type CompareVariantsOptions, compareVariants } from '../../src/verdict/compare-variants.ts';
import { openGate } from './build-case.ts';
import { buildRowSummary, buildVariant } from './build-summary.ts';

const letters = { p: 'passed', f: 'failed', e: 'errored', s: 'skipped' } as const;

export interface CaseOptions extends Partial<Pick<CaseSummary, 'mustPass' | 'group' | 'caseHash' | 'observe'>> {
  /** Of each row, planned or fresh. */
  readonly row?: Partial<RowSummary>;
}

/**
 * `ppf+fp|pp`: the planned trials by letter (passed, failed, errored, skipped), behind the plus the fresh trials, and
 * behind the bar those of the accepted prompt.
 */
export function buildCaseSummary(caseId: string, outcomes: string, options: CaseOptions = {}): CaseSummary {
  const { mustPass = false, group, caseHash = 'caseHash', observe = false, row = {} } = options;
  const [ofCandidate = '', ofAccepted = ''] = outcomes.split('|');
  const [planned = '', fresh = ''] = ofCandidate.split('+');
  const rows = (word: string, firstTrial: number, kind: Partial<RowSummary> = {}) =>
    word.split('').map((letter, index) => {
      const status = letters[letter as keyof typeof letters];
      const trial = firstTrial + index;
      return buildRowSummary({ caseId, trial, status, mustPass, group, caseHash, ...kind, ...row });
    });
  const trials = rows(planned, 0);
  const confirmations = rows(fresh, planned.length, { confirmation: true });
  const accepted = rows(ofAccepted, firstAcceptedTrial, { confirmation: true, side: 'accepted' });
  return { caseId, status: caseStatusOf(trials), observe, mustPass, group, caseHash, trials, confirmations, accepted };
}

/** Cases by id, each as its outcomes or whole. */
export function buildSide(
  cases: Readonly<Record<string, string | CaseSummary>>,
  recorded: Partial<RecordedVariant> = {},
): ComparedSide {
  const summaries = Object.entries(cases).map(([id, found]) =>
    typeof found === 'string' ? buildCaseSummary(id, found) : found,
  );
  return {
    source: 'test',
    kind: 'stored',
    recorded: buildVariant(summaries.length, recorded),
    cases: new Map(summaries.map((found) => [found.caseId, found])),
    models: [],
    checksOf: () => [],
    answerOf: () => undefined,
  };
}

/** So many cases of the same outcomes. */
export function repeatCase(count: number, outcomes: string, prefix = 'case'): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}-${String(index).padStart(3, '0')}`, outcomes]),
  );
}

export function compareSides(
  baseline: ComparedSide,
  candidate: ComparedSide,
  options: Partial<CompareVariantsOptions> = {},
): ComparedVariant {
  return compareVariants(baseline, candidate, {
    gate: openGate,
    margin: 0.05,
    redefined: new Set(),
    latencyComparable: false,
    isWhole: true,
    ...options,
  });
}

import type { ComparedCase } from '../../model/comparison.ts';
import { type Loosened, type LoosenedCases, loosenedCases, type RunSettings } from '../../model/record.ts';
import type { RunSummary } from '../../model/summary.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import type { JudgedComparison } from './judge-comparisons.ts';

type Compared = Pick<JudgedComparison, 'variant' | 'compared'>;

/** One sentence for each setting and each kind of case that a change takes out of the gate. */
export function describeLoosened(
  { loosened = [], baseline }: RunSettings,
  { suites }: Pick<RunSummary, 'suites'>,
  comparisons: readonly Compared[],
): readonly string[] {
  // Only a commit shows what the change did: a file beside the suite is the change's own.
  const isOfCommit = typeof baseline === 'object' && baseline.source.startsWith('git:');
  const suiteOf = new Map(suites.flatMap(({ recorded, variants }) => variants.map((one) => [one, recorded.suite])));
  const ofBaselines = isOfCommit ? comparisons.flatMap((one) => findCases(one, suiteOf.get(one.variant) ?? '')) : [];
  const ofCases = loosened.flatMap(({ suite = '', key, cases }) =>
    cases === undefined ? [] : [{ suite, key, cases }],
  );
  const settings = loosened.filter(({ cases }) => cases === undefined);
  return [...settings.map(describeSetting), ...describeCases([...ofCases, ...ofBaselines])];
}

function describeSetting({ suite, key, old, new: now }: Loosened): string {
  if (key === 'suite') return `this change removes the suite ${suite ?? ''} (${old})`;
  return `${suite === undefined ? '' : `${suite}: `}this change loosens ${key}: ${old} → ${now}`;
}

interface FoundCases {
  readonly suite: string;
  readonly key: string;
  readonly cases: readonly string[];
}

/** The suite's files and its baseline may both show a case. */
function describeCases(found: readonly FoundCases[]): readonly string[] {
  const suites = [...new Set(found.map(({ suite }) => suite))];
  return suites.flatMap((suite) =>
    loosenedCases.flatMap((kind) => {
      const own = found.filter((one) => one.suite === suite && one.key === kind);
      const cases = [...new Set(own.flatMap((one) => one.cases))];
      if (cases.length === 0) return [];
      const names = listFirst(cases, maxNamed);
      return [`${suite}: this change ${words[kind](formatCount(cases.length, 'case'))}: ${names}`];
    }),
  );
}

const maxNamed = 5;

const words: Readonly<Record<LoosenedCases, (cases: string) => string>> = {
  removed: (cases) => `removes ${cases} with mustPass`,
  mustPass: (cases) => `drops mustPass of ${cases}`,
  observe: (cases) => `only observes ${cases}`,
  skip: (cases) => `skips ${cases}`,
  trials: (cases) => `asks ${cases} fewer times`,
};

/** What a baseline shows, also of suites that a commit can't show. */
function findCases({ variant, compared }: Compared, suite: string): readonly FoundCases[] {
  const before = [...compared.baseline.cases.values()];
  const select = (key: LoosenedCases, isIt: (one: Before) => boolean): FoundCases => {
    return { suite, key, cases: before.filter(isIt).map(({ caseId }) => caseId) };
  };
  const now = ({ caseId }: Before) => compared.cases.get(caseId);
  return [
    select('removed', (one) => one.mustPass && now(one)?.change === 'removed'),
    select('mustPass', (one) => one.mustPass && now(one)?.candidate?.mustPass === false),
    select('observe', ({ caseId }) => variant.cases.get(caseId)?.observe === true),
    select('skip', ({ caseId }) => isSkipped(variant.cases.get(caseId)?.trials ?? [])),
  ];
}

type Before = ComparedCase['baseline'] & object;

function isSkipped(trials: Before['trials']): boolean {
  return trials.length > 0 && trials.every(({ status, skipReason }) => status === 'skipped' && skipReason === 'case');
}

import type { ComparedCase } from '../../model/comparison.ts';
import type { Loosened, RunSettings } from '../../model/record.ts';
import type { RunSummary, VariantSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { JudgedComparison } from './judge-comparisons.ts';

/** One sentence for each setting and each kind of case that a change takes out of the gate. */
export function describeLoosened(
  { loosened = [], baseline }: RunSettings,
  { suites }: Pick<RunSummary, 'suites'>,
  comparisons: readonly Pick<JudgedComparison, 'variant' | 'compared'>[],
): readonly string[] {
  // Only a commit shows what the change did: a file beside the suite is the change's own.
  const isOfCommit = typeof baseline === 'object' && baseline.source.startsWith('git:');
  const suiteOf = new Map(suites.flatMap(({ recorded, variants }) => variants.map((one) => [one, recorded.suite])));
  const ofCases = isOfCommit ? comparisons.flatMap((one) => describeCases(one, suiteOf.get(one.variant) ?? '')) : [];
  return [...loosened.map(describeSetting), ...new Set(ofCases)];
}

function describeSetting({ suite, key, old, new: now }: Loosened): string {
  if (key === 'suite') return `this change removes the suite ${suite ?? ''} (${old})`;
  return `${suite === undefined ? '' : `${suite}: `}this change loosens ${key}: ${old} → ${now}`;
}

function describeCases(
  { variant, compared }: Pick<JudgedComparison, 'variant' | 'compared'>,
  suite: string,
): readonly string[] {
  return kinds.flatMap(({ words, isIt }) => {
    const found = [...compared.baseline.cases.values()]
      .filter((before) => isIt(before, compared.cases.get(before.caseId), variant))
      .map(({ caseId }) => caseId);
    if (found.length === 0) return [];
    const more = found.length - maxNamed;
    const names = `${found.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    return [`${suite}: ${words(formatCount(found.length, 'case'))}: ${names}`];
  });
}

const maxNamed = 5;

type Before = ComparedCase['baseline'] & object;

const kinds: readonly {
  readonly words: (cases: string) => string;
  readonly isIt: (before: Before, compared: ComparedCase | undefined, variant: VariantSummary) => boolean;
}[] = [
  {
    words: (cases) => `this change removes ${cases} that must pass`,
    isIt: ({ mustPass }, compared) => mustPass && compared?.change === 'removed',
  },
  {
    words: (cases) => `this change no longer says of ${cases} that it must pass`,
    isIt: ({ mustPass }, compared) => mustPass && compared?.candidate?.mustPass === false,
  },
  {
    words: (cases) => `this change only observes ${cases}`,
    isIt: ({ caseId }, _, { cases }) => cases.get(caseId)?.observe === true,
  },
  {
    words: (cases) => `this change skips ${cases}`,
    isIt: ({ caseId }, _, { cases }) => isSkipped(cases.get(caseId)?.trials ?? []),
  },
];

function isSkipped(trials: Before['trials']): boolean {
  return trials.length > 0 && trials.every(({ status, skipReason }) => status === 'skipped' && skipReason === 'case');
}

import type { Report, SuiteReport, VariantReport } from '../model/report.ts';
import type { VariantName } from './cases/failed-cases.ts';
import { changeWords } from './comparison.ts';
import { describeNote } from './run-facts.ts';

/** What comparisons with a baseline say besides their figures, once for all variants of which the same is true. */
export interface Remark {
  readonly label: string;
  readonly variants: readonly VariantName[];
  /** A sentence, or the names of cases. */
  readonly text?: string;
  readonly caseNames?: readonly string[];
  /** What would settle an open comparison. */
  readonly isAdvice?: true;
}

export interface RemarkOptions {
  /** With the lists of cases that are shown by themselves, and what is said of comparisons that found nothing. */
  readonly isVerbose: boolean;
}

export function listRemarks(report: Report, suite: SuiteReport, { isVerbose }: RemarkOptions): readonly Remark[] {
  const warnings = new Set(report.decision.warnings);
  const remarks = new Map<string, { readonly remark: Omit<Remark, 'variants'>; readonly variants: VariantReport[] }>();
  for (const variant of suite.variants) {
    for (const remark of remarksOf(suite, variant, { warnings, isVerbose })) {
      const key = JSON.stringify(remark);
      const same = remarks.get(key);
      if (same === undefined) remarks.set(key, { remark, variants: [variant] });
      else same.variants.push(variant);
    }
  }
  return [...remarks.values()].map(({ remark, variants }) => ({ ...remark, variants }));
}

function remarksOf(
  suite: SuiteReport,
  variant: VariantReport,
  { warnings, isVerbose }: { readonly warnings: ReadonlySet<string> } & RemarkOptions,
): readonly Omit<Remark, 'variants'>[] {
  const { comparison, replacedBy } = variant;
  if (replacedBy !== undefined) return [{ label: 'not gated', text: `${replacedBy} replaces it in this run` }];
  if (comparison === undefined) return [];
  const { accepted, cases, residue, advice, notes, outcome, certainty } = comparison;
  const isQuiet = !isVerbose && outcome === 'passed' && certainty.kind === 'unchanged';
  const list = (label: string, caseNames: readonly string[]) => (caseNames.length === 0 ? [] : [{ label, caseNames }]);
  return [
    ...list('accepted in this change', isVerbose ? accepted : accepted.filter((name) => !isShownByItself(name))),
    ...(isVerbose ? allChanges : shortChanges).flatMap((change) => list(changeWords[change], cases[change])),
    ...residue.map((text) => ({ label: 'also differs', text })),
    ...notes.flatMap((text) => {
      const isWarning = warnings.has(describeNote(suite, variant, text));
      return isWarning || !isQuiet ? [{ label: isWarning ? ('warning' as const) : 'note', text }] : [];
    }),
    ...(isVerbose || outcome !== 'passed' ? advice : []).map((text) => ({
      label: 'to settle it',
      text,
      isAdvice: true as const,
    })),
  ];
}

/** A regression that a change accepts is shown with both of its answers. */
function isShownByItself(name: string): boolean {
  return name.endsWith(' (regressed)');
}

const allChanges = Object.keys(changeWords) as (keyof typeof changeWords)[];
const shortChanges = ['fixed', 'flaky', 'drifted', 'added', 'removed', 'redefined'] as const;

import type { Report, SuiteReport, VariantComparison, VariantReport } from '../model/report.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { describeBareLimit, describeInconclusive, findUncompared, notesBesideWarnings } from './describe-decision.ts';
import { describeMetrics } from './describe-metrics.ts';
import { indentText, type Paint } from './paint.ts';
import { promptSides } from './prompt-sides.ts';
import { renderDiff } from './render-diff.ts';

/** What changed against the baseline, in words: numbers with their intervals, the cases by name, the prompts. */
export function renderComparison(report: Report, suite: SuiteReport, variant: VariantReport, paint: Paint): string[] {
  const { comparison } = variant;
  const name = variantName(variant);
  if (variant.replacedBy !== undefined) {
    return indentText(`${name} is replaced by ${toSafeLine(variant.replacedBy)}: shown, not gated`, paint, 2);
  }
  if (comparison === undefined) return [];
  const { against, cases, residue, advice, accepted } = comparison;
  const source = `${toSafeLine(against.source)}${against.prompt === variant.prompt ? '' : ` (${toSafeLine(against.prompt)})`}`;
  return [
    ...indentText(`${name} against ${source}: ${paintOutcome(comparison, paint)}`, paint, 2),
    ...describeMetrics(comparison).flatMap(({ label, text }) => indentText(`${label.padEnd(9)}  ${text}`, paint, 4)),
    ...renderNames('accepted in this change', accepted, paint),
    ...caseLists.flatMap(([key, words]) => renderNames(words, cases[key], paint)),
    ...residue.flatMap((line) => indentText(`also differs: ${toSafeLine(line)}`, paint, 4)),
    ...notesBesideWarnings(report, suite, variant).flatMap((line) => indentText(`note: ${toSafeLine(line)}`, paint, 4)),
    ...advice.flatMap((line) => indentText(`to settle it: ${toSafeLine(line)}`, paint, 4)),
    ...renderPrompts(variant, comparison, paint),
  ];
}

/** A missing baseline is worth a word, and no more: the suite is judged without one. */
export function renderMissingBaselines({ run }: Report, suite: SuiteReport, paint: Paint): string[] {
  const { variants, isWholeSuite } = findUncompared(suite);
  // Who asked for no baseline knows that there is none.
  if (variants.length === 0 || run.baseline === 'none') return [];
  const text = isWholeSuite
    ? `no baseline yet: the suite ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`
    : `no baseline yet of ${variants.map(variantName).join(', ')}: ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`;
  return indentText(text, paint, 2).map((line) => paint.colors.dim(line));
}

const caseLists: readonly (readonly [keyof VariantComparison['cases'], string])[] = [
  ['regressed', 'regressed'],
  ['flaky', 'flaky'],
  ['fixed', 'fixed'],
  ['stillFailing', 'still failing'],
  ['added', 'added'],
  ['removed', 'removed'],
  ['redefined', 'redefined'],
];

const maxNames = 20;

function variantName({ prompt, provider }: VariantReport): string {
  return `${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
}

function paintOutcome({ outcome, accepted, cases, unsettled }: VariantComparison, { colors }: Paint): string {
  switch (outcome) {
    case 'passed':
      return colors.green(accepted.length > 0 ? 'its differences are accepted in this change' : 'not regressed');
    case 'failed':
      return colors.red('regressed');
    case 'inconclusive':
      return colors.yellow(`inconclusive: ${describeInconclusive(cases.regressed.length, unsettled)}`);
  }
}

function renderNames(words: string, names: readonly string[], paint: Paint): string[] {
  if (names.length === 0) return [];
  const shown = paint.verbose ? names : names.slice(0, maxNames);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return indentText(`${words} (${names.length}): ${shown.map(toSafeLine).join(', ')}${more}`, paint, 4);
}

function renderPrompts(variant: VariantReport, { prompts, against }: VariantComparison, paint: Paint): string[] {
  if (prompts === undefined) return [];
  const style = { colors: paint.colors, width: paint.width - 6, maxLines: paint.verbose ? 200 : 12 };
  const isOther = against.prompt !== variant.prompt;
  const ids = isOther ? ` (${toSafeLine(against.prompt)} → ${toSafeLine(variant.prompt)})` : '';
  return [
    ...indentText(`prompt${ids}:`, paint, 4),
    ...renderDiff(promptSides(prompts), style).map((line) => `      ${line}`),
  ];
}

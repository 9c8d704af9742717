import { defined } from '../../json/defined.ts';
import type { PagePromptChange, PageRemark } from '../../model/page.ts';
import type { Report, SuiteReport } from '../../model/report.ts';
import { clipText } from '../../text/shorten.ts';
import type { VariantName } from '../cases/failed-cases.ts';
import { nameVariants } from '../cases/name-cases.ts';
import { promptSides } from '../comparison.ts';
import { listRemarks } from '../list-remarks.ts';

/** A prompt that several providers are asked with differs once. */
export function buildPrompts({ variants }: SuiteReport): readonly PagePromptChange[] {
  const found = new Map<string, PagePromptChange>();
  for (const { prompt, comparison } of variants) {
    if (comparison?.prompts === undefined) continue;
    const { expected, found: candidate } = promptSides(comparison.prompts);
    const from = comparison.against.prompt;
    found.set(JSON.stringify([from, prompt, expected, candidate]), {
      name: from === prompt ? prompt : `${from} → ${prompt}`,
      baseline: clipText(expected, maxPromptChars),
      candidate: clipText(candidate, maxPromptChars),
    });
  }
  return [...found.values()];
}

const maxPromptChars = 65_536;

/** The lists of cases are left out: the table of cases has them. */
export function buildRemarks(report: Report, suite: SuiteReport): readonly PageRemark[] {
  return listRemarks(report, suite, { isVerbose: true }).flatMap((remark) => {
    const { label, text, caseNames = [], variants, isAdvice } = remark;
    if (text === undefined && !namedInText.has(label)) return [];
    if (isAdvice === true && variants.every((variant) => hasPassed(suite, variant))) return [];
    const more = caseNames.length > maxNames ? ` and ${caseNames.length - maxNames} more` : '';
    return [
      {
        label,
        text: clipText(text ?? `${caseNames.slice(0, maxNames).join(', ')}${more}`, maxTextChars),
        ...defined({ variants: suite.variants.length > 1 ? nameVariants(variants, suite, (name) => name) : undefined }),
      },
    ];
  });
}

/** Nobody has to settle such a comparison. */
function hasPassed({ variants }: SuiteReport, { prompt, provider }: VariantName): boolean {
  const variant = variants.find((one) => one.prompt === prompt && one.provider === provider);
  return variant?.comparison?.outcome === 'passed';
}

/** These cases have no row in the table, or their row does not say it. */
const namedInText: ReadonlySet<string> = new Set(['accepted in this change', 'removed']);
const maxNames = 20;
const maxTextChars = 4000;

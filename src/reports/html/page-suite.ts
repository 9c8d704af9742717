import { defined } from '../../json/defined.ts';
import type { VariantTrend } from '../../model/history.ts';
import type { PageComparison, PageLatencies, PagePromptChange, PageRemark, PageVariant } from '../../model/page.ts';
import type { Report, SuiteReport, VariantComparison, VariantReport } from '../../model/report.ts';
import { quantile } from '../../stats/means.ts';
import { clipText } from '../../text/shorten.ts';
import type { VariantName } from '../cases/failed-cases.ts';
import { nameVariants } from '../cases/name-cases.ts';
import { describeClasses } from '../classes.ts';
import { describeComparison, describeMetrics, promptSides } from '../comparison.ts';
import { listRemarks } from '../run-facts.ts';

/** The changed prompts, each once for all of its providers. */
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

/** Remarks without most lists of cases, since the table of cases shows them. */
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

/** A comparison that passed needs no advice. */
function hasPassed({ variants }: SuiteReport, { prompt, provider }: VariantName): boolean {
  const variant = variants.find((one) => one.prompt === prompt && one.provider === provider);
  return variant?.comparison?.outcome === 'passed';
}

/** Lists whose cases have no row in the table, or a row that does not say it. */
const namedInText: ReadonlySet<string> = new Set(['accepted in this change', 'removed']);
const maxNames = 20;
const maxTextChars = 4000;

/** A variant with its figures, its comparison and the data of its charts. */
export function buildPageVariant(variant: VariantReport, trend: VariantTrend | undefined): PageVariant {
  const {
    comparison,
    latencies,
    classes: _classes,
    slices: _slices,
    spentUsd: _spentUsd,
    spentApartUsd: _spentApartUsd,
    // The page has the cases themselves.
    failedCases: _failedCases,
    erroredCases: _erroredCases,
    ...counts
  } = variant;
  return {
    ...counts,
    ...defined({
      byClass: describeClasses(variant),
      comparison: comparison && buildComparison(comparison),
      latencies: latencies && binLatencies(latencies()),
      trend: trend?.points.length === 0 ? undefined : trend?.points,
    }),
  };
}

function buildComparison(comparison: VariantComparison): PageComparison {
  const { outcome, against, cases } = comparison;
  return {
    outcome,
    against,
    text: describeComparison(comparison),
    metrics: describeMetrics(comparison).flatMap(({ key, label, text }) => {
      const metric = comparison[key];
      return metric === undefined ? [] : [{ key, label, text, ...metric }];
    }),
    counts: {
      regressed: cases.regressed.length,
      drifted: cases.drifted.length,
      fixed: cases.fixed.length,
      stillFailing: cases.stillFailing.length,
      flaky: cases.flaky.length,
      added: cases.added.length,
      removed: cases.removed.length,
      redefined: cases.redefined.length,
    },
  };
}

/** Counts in bins of equal ratio, since latencies differ by orders of magnitude; undefined where nothing was timed. */
function binLatencies(samples: {
  readonly candidate: readonly number[];
  readonly baseline: readonly number[];
}): PageLatencies | undefined {
  const { candidate, baseline } = samples;
  if (candidate.length === 0) return undefined;
  const low = Math.max(1, minOf(candidate, baseline));
  const high = Math.max(low * 1.2, maxOf(candidate, baseline));
  const ratio = Math.log(high / low);
  const bins = Math.min(maxBins, Math.max(minBins, 2 * Math.round(Math.sqrt(candidate.length))));
  const edgesMs = Array.from({ length: bins + 1 }, (_, index) => Math.round(low * Math.exp((ratio * index) / bins)));
  const count = (values: readonly number[]): number[] => {
    const counts = Array.from({ length: bins }, () => 0);
    for (const value of values) {
      const place = Math.floor((Math.log(Math.max(value, low) / low) / ratio) * bins);
      const bin = Math.min(bins - 1, Math.max(0, place));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return {
    edgesMs,
    candidate: count(candidate),
    candidateMs: median(candidate),
    ...(baseline.length > 0 && { baseline: count(baseline), baselineMs: median(baseline) }),
  };
}

/** An even number: a chart names the edge in the middle. */
const minBins = 8;
const maxBins = 24;

/** Spreading a list of 100,000 values into `Math.min` could overflow the stack. */
function minOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((least, list) => list.reduce((a, b) => Math.min(a, b), least), Number.POSITIVE_INFINITY);
}

function maxOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((most, list) => list.reduce((a, b) => Math.max(a, b), most), 0);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5) ?? 0;
}

import type { JudgedMargin, MetricEvidence } from '../../model/comparison/comparison.ts';
import { formatCount, formatUsd, percentOf, signed } from '../../text/format-amount.ts';
import { quote } from '../../text/shorten.ts';
import { type GatedMetric, type Hypothesis, isFromNothing, isOfTotals } from './judge-metrics.ts';

/** Floating-point error must not fail a gate that is met exactly. */
export const rounding = 1e-9;

/** `66.7 %`, `90 %`: rounded as in every table, without a trailing zero. */
export function percent(fraction: number, digits = 1): string {
  return `${Number(percentOf(fraction, digits))} %`;
}

/** `66.67 % is below 66.7 %`: with as many digits as it takes to tell them apart. */
export function describeBelow(fraction: number, limit: number): string {
  let digits = 1;
  while (digits < maxDigits && percent(fraction, digits) === percent(limit, digits)) digits += 1;
  return `${percent(fraction, digits)} is below ${percent(limit, digits)}`;
}

const maxDigits = 8;

/** `pass rate fell: -8.0 pts [-12.0, -4.0], which is more than the 5 pts that are tolerated`. */
export function describeWorse(hypothesis: Hypothesis): string {
  if (isFromNothing(hypothesis)) return `cost rose from nothing to ${formatUsd(hypothesis.evidence.candidate ?? 0)}`;
  if (isBeyondMargin(hypothesis)) {
    return `${describeChange(hypothesis)}, which is more than the ${describeMargin(hypothesis)} that are tolerated`;
  }
  const { everyCaseRose, n, delta } = hypothesis.evidence;
  if (everyCaseRose === true) {
    const cases = n === 1 ? 'the only case' : `each of ${formatCount(n, 'case')}`;
    return `${nameMetric(hypothesis)} rose: ${signed((delta ?? 0) * 100, 1)} %, in ${cases} by more than the ${describeMargin(hypothesis)} that are tolerated`;
  }
  const noun = hypothesis.isRatio ? 'an increase' : 'a drop';
  return `${describeChange(hypothesis)}${describeRankTest(hypothesis)}, and ${noun} beyond ${describeMargin(hypothesis)} is not excluded`;
}

/** Names the test that shows that totals rose if their interval does not. */
function describeRankTest(hypothesis: Hypothesis): string {
  const { low, p } = hypothesis.evidence;
  if (!isOfTotals(hypothesis) || p === null || (low !== null && low > 0)) return '';
  return ` (signed rank test over cases: ${p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`})`;
}

/** True where the whole interval is beyond the margin. */
function isBeyondMargin({ evidence: { low, high }, isRatio, margin }: Hypothesis): boolean {
  return isRatio ? low !== null && low > margin : high !== null && high < -margin;
}

export function describeWithin(hypothesis: Hypothesis): string {
  return `${describeChange(hypothesis)}, which is within the ${describeMargin(hypothesis)} that are tolerated`;
}

function describeChange(hypothesis: Hypothesis): string {
  const { evidence, isRatio } = hypothesis;
  const { delta, low, high } = evidence;
  const side = (value: number | null) => (value === null ? '?' : signed(value * 100, 1));
  const [verb, unit] = isRatio ? ['rose', '%'] : ['fell', 'pts'];
  const interval = low === null && high === null ? '' : ` [${side(low)}, ${side(high)}]`;
  return `${nameMetric(hypothesis)} ${verb}: ${side(delta)} ${unit}${interval}`;
}

/** `the accepted prompt's own pass rate fell by 12 pts`. */
export function describeOwnDrop({ hypothesis, by }: OwnDrop): string {
  return `the accepted prompt's own ${nameMetric(hypothesis)} fell by ${points(by)}`;
}

/** `score`, `pass rate of slice german`, `recall of class legal`. */
export function nameMetric({ metric, slice, class: ofClass }: NamedMetric): string {
  const name = metricNames[metric] ?? metric;
  if (slice !== undefined) return `${name} of ${nameSlice(slice)}`;
  return ofClass === undefined ? name : `${name} of ${nameClass(ofClass)}`;
}

type NamedMetric = Pick<Hypothesis, 'slice' | 'class'> & { readonly metric: GatedMetric | 'precision' };

const metricNames: { readonly [Metric in NamedMetric['metric']]?: string } = { passRate: 'pass rate', f1: 'macro F1' };

export function nameClass(name: string): string {
  return `class ${name}`;
}

export function nameSlice(slice: string): string {
  return `slice ${slice}`;
}

/** How far an average of the accepted prompt fell between its accepted and its fresh trials. */
export interface OwnDrop {
  readonly hypothesis: Hypothesis;
  /** As a share: 0.1 is ten points. */
  readonly by: number;
}

/** `5 pts`, `10 %`, `3.4 pts of the judge's verdicts`. */
export function describeMargin({ margin, isRatio, isOfVerdicts }: Hypothesis): string {
  if (isRatio) return `${Math.round(margin * 1000) / 10} %`;
  return `${points(margin)}${isOfVerdicts === true ? " of the judge's verdicts" : ''}`;
}

export function points(fraction: number): string {
  return `${Math.round(fraction * 1000) / 10} pts`;
}

/** A provider that queues calls, or gets slower meanwhile, makes latencies those of a place in the run. */
export function describeOrder(later: number, { delta }: Pick<MetricEvidence, 'delta'>): string {
  const change = `${percent(Math.abs(later))} ${later > 0 ? 'longer' : 'less'}`;
  const ofSides = delta === null ? '' : `, and the prompts differ by ${percent(Math.abs(delta))}`;
  return `latency depends more on the order of the calls than on the prompt: the later answer to a case took ${change}${ofSides}`;
}

/** Says which drop is tolerated in cases that judges decide, and why. */
export function describeJudgedMargin({ maxDrop, margin, judged, least, unmeasured }: JudgedMargin): string {
  const missing =
    unmeasured.length === 0
      ? ''
      : `how often ${unmeasured.map((judge) => `judge ${quote(judge)}`).join(' and ')} is right is not known (llmcheck judge check)`;
  if (least === undefined) return `the margin is ${points(maxDrop)} of the judge's verdicts: ${missing}`;
  const share = judged === 1 ? '' : `only judges decide ${percent(judged)} of the failures, and `;
  const shown = Math.max(0, least.youdenLow).toFixed(2);
  const why = `${share}judge ${quote(least.judge)} shows at least ${shown} of a true drop (Youden's J, ${formatCount(least.labels, 'label')})`;
  const also = missing === '' ? '' : `; ${missing}`;
  return `the margin of ${points(maxDrop)} is ${points(margin)} of the judge's verdicts: ${why}${also}`;
}

/** Names the first of the limits that nothing has decided. */
export function describeOpen([example, ...others]: readonly string[]): string {
  if (example === undefined) return '';
  return `; undecided: ${example}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

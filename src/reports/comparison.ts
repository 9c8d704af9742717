import type { MetricComparison } from '../model/comparison/comparison.ts';
import type { Certainty, UnseenSlice } from '../model/comparison/gate.ts';
import type { ErosionFinding, RunSincePin } from '../model/report/history.ts';
import type {
  AcceptedDifference,
  PromptText,
  Report,
  SuiteReport,
  VariantComparison,
  VariantReport,
} from '../model/report/report.ts';
import type { RateEstimate } from '../model/run/summary.ts';
import {
  formatChange,
  formatCount,
  formatDuration,
  formatPercent,
  formatPoints,
  formatUsd,
  percentOf,
  signed,
} from '../text/format-amount.ts';
import { groupBy } from '../text/group-by.ts';

/** The result of a comparison with the baseline, in a few words. */
export function describeComparison(comparison: VariantComparison): string {
  const { outcome, certainty, accepted, cases, unsettled } = comparison;
  switch (outcome) {
    case 'passed':
      if (comparison.isFirst === true) return 'its cases are accepted in this change';
      return accepted.length > 0 ? 'its differences are accepted in this change' : describeCertainty(certainty);
    case 'failed':
      return 'regressed';
    case 'inconclusive':
      return certainty.cases === 0
        ? 'no case could be compared'
        : comparison.isOpenByErrors === true
          ? 'nothing looks worse, and errored trials could hide a regression'
          : describeInconclusive(cases.regressed.length, unsettled);
  }
}

/** How certain a pass is, with both pass rates if they are known: `no case broke; with 42 cases a drop of up to 8 points could go unnoticed`. */
export function describeCertainty({ kind, cases, drop = null, slice, uncompared }: Certainty, rate?: string): string {
  const all = formatCount(cases, 'case');
  switch (kind) {
    case 'unchanged':
      return `unchanged: ${cases === 1 ? 'the case asks and answers' : `all ${all} ask and answer`} as on the baseline`;
    case 'certain':
      return `certain: a larger drop than the gate tolerates is excluded${rate === undefined ? '' : `; ${rate}`}`;
    case 'unseen': {
      const points = drop === null ? 'a drop of any size' : `a drop of up to ${Math.ceil(drop * 100)} points`;
      const others =
        uncompared === undefined
          ? ''
          : `; ${formatCount(uncompared, 'variant')} ${uncompared === 1 ? 'is' : 'are'} compared with nothing`;
      return `no case broke${rate === undefined ? '' : `; ${rate}`}; with ${all} ${points} could go unnoticed${slice === undefined ? '' : describeUnseenSlice(slice)}${others}`;
    }
  }
}

function describeUnseenSlice({ name, isClass, cases, drop }: UnseenSlice): string {
  const place = `${isClass === true ? 'class' : 'slice'} ${name}`;
  const size = drop === null ? 'of any size' : `of up to ${Math.ceil(drop * 100)} points`;
  return cases === 0
    ? `, and any in ${place}, whose cases can't be compared`
    : `, and one ${size} in the ${formatCount(cases, 'case')} of ${place}`;
}

/** Describes the possible drops that are not settled. */
function describeInconclusive(regressedCases: number, unsettled = 0): string {
  if (unsettled > 0) {
    return `${formatCount(unsettled, 'failure')} ${unsettled === 1 ? 'is' : 'are'} not settled`;
  }
  if (regressedCases === 0) return 'an average looks worse, and is not settled';
  const [noun, verb, be] = regressedCases === 1 ? ['case', 'fails', 'is'] : ['cases', 'fail', 'are'];
  return `${regressedCases} ${noun} that passed before ${verb} now, and ${be} not settled`;
}

export interface MetricText {
  readonly key: 'passRate' | 'score' | 'costUsd' | 'steps' | 'latencyMs';
  readonly label: string;
  /** `−2.0 pts [−7.6, +2.8]`; undefined if the two sides are not comparable. */
  readonly change: string | undefined;
  /** `98.0 % → 96.0 %, −2.0 pts [−7.6, +2.8]`. */
  readonly text: string;
}

/** The metrics of a comparison that have a value on both sides. */
export function describeMetrics(comparison: VariantComparison): readonly MetricText[] {
  return metrics.flatMap(({ key, label, formatValue, formatDelta }): readonly MetricText[] => {
    const metric = comparison[key];
    if (metric === undefined) return [];
    const { baseline, candidate, delta } = metric;
    if (delta === null) {
      if (baseline === null || candidate === null) return [];
      if (key === 'costUsd' && baseline !== candidate) return [describeFirstCost(label, baseline, candidate)];
      if (key !== 'latencyMs') return [];
      const sides = `${formatValue(baseline)} → ${formatValue(candidate)}`;
      return [
        {
          key,
          label,
          change: undefined,
          text: `p50 ${sides}; not comparable: both sides must run now, uncached (--rerun-baseline)`,
        },
      ];
    }
    const change = `${formatDelta(delta)}${formatInterval(metric)}`;
    if (baseline === null || candidate === null) return [{ key, label, change, text: change }];
    const sides = `${formatValue(baseline)} → ${formatValue(candidate)}`;
    // The gate judges the change of each case. The medians of all answers may move in the other direction.
    const text = key === 'latencyMs' ? `p50 ${sides}; case by case ${change}` : `${sides}, ${change}`;
    return [{ key, label, change, text }];
  });
}

export interface SliceText {
  readonly slice: string;
  /** `100.0 % → 62.5 %, −37.5 pts [−69.8, −2.1] in 8 cases`, or only the rate without a comparison. */
  readonly text: string;
}

export function describeSlices({ slices = [], comparison }: VariantReport): readonly SliceText[] {
  return slices.map(({ slice, passRate }) => {
    const compared = comparison?.slices?.find((one) => one.slice === slice);
    const change = compared && describeRateChange(compared.passRate);
    if (compared === undefined || change === undefined) {
      return { slice, text: `${formatRate(passRate)} in ${formatCount(passRate.n, 'case')}` };
    }
    return { slice, text: `${change} in ${formatCount(compared.cases, 'case')}` };
  });
}

/** `100.0 % → 62.5 %, −37.5 pts [−69.8, −2.1]`; undefined if nothing was compared. */
export function describeRateChange(metric: MetricComparison): string | undefined {
  const { baseline, candidate, delta } = metric;
  if (baseline === null || candidate === null || delta === null) return undefined;
  return `${formatPercent(baseline)} → ${formatPercent(candidate)}, ${formatPoints(delta)}${formatInterval(metric)}`;
}

const metrics = [
  { key: 'passRate', label: 'pass rate', formatValue: formatPercent, formatDelta: formatPoints },
  { key: 'score', label: 'score', formatValue: (score: number) => score.toFixed(3), formatDelta: formatPoints },
  { key: 'costUsd', label: 'cost', formatValue: formatUsd, formatDelta: formatChange },
  { key: 'steps', label: 'steps', formatValue: (steps: number) => steps.toFixed(1), formatDelta: formatChange },
  { key: 'latencyMs', label: 'latency', formatValue: formatDuration, formatDelta: formatChange },
] as const;

/** A cost change from zero has no ratio. */
function describeFirstCost(label: string, baseline: number, candidate: number): MetricText {
  const change = `${candidate < baseline ? '−' : '+'}${formatUsd(Math.abs(candidate - baseline))}`;
  const text = `${formatUsd(baseline)} → ${formatUsd(candidate)}, ${change} (no ratio to nothing)`;
  return { key: 'costUsd', label, change, text };
}

/** `−62.0 % [−64.1, −60.2]`, for a ratio minus 1; undefined if it can't be computed. */
export function describeRatio(metric: MetricComparison): string | undefined {
  const { delta, low, high } = metric;
  if (delta === null) return undefined;
  // The same ratio in every case has no interval.
  return `${formatChange(delta)}${low === delta && high === delta ? '' : formatInterval(metric)}`;
}

/** A question mark stands for an unbounded side. */
function formatInterval({ low, high }: MetricComparison): string {
  if (low === null && high === null) return '';
  const bound = (side: number | null): string => (side === null ? '?' : signed(side * 100, 1));
  return ` [${bound(low)}, ${bound(high)}]`;
}

/** `85.0 % [64.0–94.8]`. */
export function formatRate({ value, low, high }: RateEstimate): string {
  if (value === null) return '–';
  if (low === null && high === null) return formatPercent(value);
  const bound = (side: number | null): string => (side === null ? '?' : percentOf(side));
  return `${formatPercent(value)} [${bound(low)}–${bound(high)}]`;
}

export function formatCost(costUsd: number | null): string {
  return costUsd === null ? 'unknown' : formatUsd(costUsd);
}

export function formatLatency(latencyMs: number | null): string {
  return latencyMs === null ? '–' : formatDuration(latencyMs);
}

/** The words for a comparison's lists of cases, in the order of display. */
export const changeWords: Readonly<Record<keyof VariantComparison['cases'], string>> = {
  regressed: 'regressed',
  drifted: 'drifted',
  flaky: 'flaky',
  fixed: 'fixed',
  stillFailing: 'still failing',
  added: 'added',
  removed: 'removed',
  redefined: 'redefined',
};

/** Maps each list of cases of a comparison. */
export function mapChanges<T>(cases: VariantComparison['cases'], map: (caseIds: readonly string[]) => T) {
  const mapped = Object.entries(cases).map(([change, caseIds]) => [change, map(caseIds)]);
  return Object.fromEntries(mapped) as Readonly<Record<keyof VariantComparison['cases'], T>>;
}

/** The changed prompts of a suite, each once for all of its providers. */
export function listPromptChanges({ variants }: SuiteReport) {
  const changes = variants.flatMap(({ prompt, comparison }) => {
    if (comparison?.prompts === undefined) return [];
    const from = comparison.against.prompt;
    return [{ name: from === prompt ? prompt : `${from} → ${prompt}`, ...promptSides(comparison.prompts) }];
  });
  return [...groupBy(changes, (change) => JSON.stringify(change)).values()].map(([change]) => change);
}

/** Each prompt as one text, so that a text diff shows added messages too. */
function promptSides({ baseline, candidate }: NonNullable<VariantComparison['prompts']>) {
  const text = (messages: readonly PromptText[]): string =>
    messages
      .map(({ role, content, attach = [] }) => {
        const files = attach.map((path) => `with the file ${path}\n`);
        return `${role}:\n${content.replace(/\n+$/, '')}\n${files.join('')}`;
      })
      .join('');
  return { expected: text(baseline), found: text(candidate) };
}

/** Gated variants without a comparison. */
export function findUncompared({ variants }: SuiteReport): {
  readonly variants: readonly VariantReport[];
  readonly isWholeSuite: boolean;
} {
  const gated = variants.filter(({ replacedBy, planned }) => replacedBy === undefined && planned > 0);
  const uncompared = gated.filter(({ comparison }) => comparison === undefined);
  return { variants: uncompared, isWholeSuite: uncompared.length === gated.length };
}

/** The limit on variants without a comparison. */
export function describeBareLimit({ passRateMin = 1 }: SuiteReport): string {
  return passRateMin === 1 ? 'must pass whole' : `must reach a pass rate of ${formatPercent(passRateMin)}`;
}

/** `refund (regressed)`, or a metric's own words. */
export function nameAccepted(difference: AcceptedDifference): string {
  return 'metric' in difference ? difference.metric : `${difference.caseId} (${difference.change})`;
}

/** Numbers of cases that a change accepts through its own baseline. */
export interface AcceptedChanges {
  readonly regressions: number;
  readonly mustPass: number;
  /** New, redefined or fixed cases. */
  readonly others: number;
}

export function countAccepted({ suites }: Report): AcceptedChanges {
  const regressions = new Map<string, boolean>();
  const others = new Set<string>();
  for (const { suite, variants } of suites) {
    for (const { comparison, failedCases = [] } of variants) {
      const mustPass = new Set(failedCases.filter((one) => one.mustPass).map(({ caseId }) => caseId));
      for (const difference of comparison?.accepted ?? []) {
        const isMetric = 'metric' in difference;
        const key = JSON.stringify([suite, isMetric ? difference.metric : difference.caseId]);
        if (isMetric || difference.change !== 'regressed') others.add(key);
        else regressions.set(key, mustPass.has(difference.caseId) || regressions.get(key) === true);
      }
    }
  }
  const critical = [...regressions.values()].filter(Boolean).length;
  return { regressions: regressions.size, mustPass: critical, others: others.size };
}

/**
 * Cases of suites whose first baseline this change adds. `failing` are the cases that it accepts although they fail.
 */
export interface FirstBaselines {
  readonly cases: number;
  readonly failing: readonly string[];
}

/** Undefined if this change adds no first baseline. */
export function findFirstBaselines({ suites }: Report): FirstBaselines | undefined {
  const first = suites.map(({ variants }) =>
    variants.flatMap(({ comparison }) => (comparison?.isFirst ? [comparison] : [])),
  );
  if (first.flat().length === 0) return undefined;
  const failing = first.map((variants) => [...new Set(variants.flatMap(({ cases }) => cases.stillFailing))]);
  const cases = first.map((variants) => Math.max(0, ...variants.map(({ certainty }) => certainty.cases)));
  return { cases: cases.reduce((sum, count) => sum + count, 0), failing: failing.flat() };
}

/** The variants of a suite that fell below their pinned reference. */
export function listErosion({ erosion = [] }: Report, suite: string): readonly ErosionFinding[] {
  return erosion.filter((finding) => finding.suite === suite && finding.outcome === 'eroded');
}

/** The columns of a run since the pin: `2026-11-24`, `97.0 %`, `#12 feature/tone`, `1a2b3c4d`. */
export function describeRunSince({ run, startedAt, passRate, commit, branch, pullRequest }: RunSincePin): {
  readonly date: string;
  readonly rate: string;
  readonly change: string;
  readonly commit: string;
  readonly run: string;
} {
  const parts = [...(pullRequest === undefined ? [] : [`#${pullRequest}`]), ...(branch === undefined ? [] : [branch])];
  return {
    date: startedAt.slice(0, 10),
    rate: passRate === null ? '–' : formatPercent(passRate),
    change: parts.length === 0 ? '–' : parts.join(' '),
    commit: commit?.slice(0, 8) ?? '–',
    run,
  };
}

/** Text reports show this many of the latest runs since a pin. */
export const maxRunsSince = 30;

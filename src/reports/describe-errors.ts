import type { Breach } from '../model/gate.ts';
import type { Report, SuiteReport } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { clipText } from '../text/shorten.ts';
import { describeErrored } from './cases/failed-cases.ts';
import { type HeadlineStyle, nameVariants } from './cases/name-cases.ts';

/** Why a run could not be judged, in the words of a person. */
export function describeErrors(report: Report, style: HeadlineStyle): string {
  const { breaches } = report.decision;
  const { suites, totals } = report;
  const untimed = breaches.filter(({ code }) => code === 'untimed');
  const isUnpriced = breaches.some(({ code }) => code === 'unpriced');
  if (breaches.some(({ code }) => code === 'errors-exceeded') || (untimed.length === 0 && !isUnpriced)) {
    return totals.errored === 0 ? 'what failed could not be confirmed' : describeUnjudged(report, style);
  }
  const count = countUntimed(suites, untimed);
  const answers = count === 0 ? 'some answers' : formatCount(count, 'answer');
  return [
    ...(untimed.length > 0 ? [`a latency limit can't be judged because the latency of ${answers} is unknown`] : []),
    ...(isUnpriced ? ["a cost limit can't be judged because the cost of some answers is unknown"] : []),
  ].join(', and ');
}

/** `42 tickets cases could not be judged with all 6 variants, the first because …`. */
function describeUnjudged({ suites }: Report, style: HeadlineStyle): string {
  const parts = suites.flatMap((suite) => {
    const variants = suite.variants.filter(({ errored }) => errored > 0);
    if (variants.length === 0) return [];
    const count = Math.max(...variants.map(({ erroredCases = 0 }) => erroredCases));
    const cases = `${count} ${style.name(suite.suite)} ${count === 1 ? 'case' : 'cases'}`;
    return [
      `${cases} could not be judged with ${nameVariants(variants, suite, style.name)}${firstError(suite, style)}`,
    ];
  });
  const shown = parts.slice(0, maxParts);
  if (parts.length > shown.length) shown.push(`and more in ${formatCount(parts.length - shown.length, 'other suite')}`);
  return shown.join('; ');
}

/** `: the recorded answer at … is stale`, from the first one. */
function firstError(suite: SuiteReport, style: HeadlineStyle): string {
  for (const entry of suite.cases({ statuses: ['errored'] })) {
    // The kind, and the name of a check, come before the reason, and more than a reason after it.
    const { own, shared } = describeErrored(suite, entry);
    const isAlone = suite.variants.reduce((sum, { errored }) => sum + errored, 0) === 1;
    const message = (isAlone ? own : shared).replace(notSent, '');
    const [, clause] = /^(?:check: (?:[^:]*: )?|\w+: )?(.+?)(?:[;:] .*)?$/s.exec(message) ?? [];
    return clause === undefined ? '' : `: ${style.sentence(clipText(clause, maxClause))}`;
  }
  return '';
}

/** What stopped the provider is the reason (calls/with-breaker.ts). */
const notSent = 'not sent, since the provider was stopped: ';
const maxClause = 160;
const maxParts = 2;

/** Judged answers without a latency, of the variants that these breaches name. */
function countUntimed(suites: readonly SuiteReport[], breaches: readonly Breach[]): number {
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.filter(({ prompt, provider }) =>
      breaches.some((breach) => breach.suite === suite && breach.prompt === prompt && breach.provider === provider),
    ),
  );
  return variants.reduce((sum, { passed, failed, latencies }) => {
    return latencies === undefined ? sum : sum + passed + failed - latencies().candidate.length;
  }, 0);
}

import type { Report, SuiteReport } from '../model/report/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { clipText } from '../text/shorten.ts';
import { describeErrored } from './cases/failed-cases.ts';
import { type HeadlineStyle, nameVariants } from './cases/name-cases.ts';

/** `42 tickets cases could not be judged with all 6 variants, the first because …`. */
export function describeUnjudged({ suites }: Report, style: HeadlineStyle): string {
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
    // The message begins with its kind or check, and ends with details. The headline needs only the reason.
    const { own, shared } = describeErrored(suite, entry);
    const isAlone = suite.variants.reduce((sum, { errored }) => sum + errored, 0) === 1;
    const message = (isAlone ? own : shared).replace(notSent, '');
    const [, clause] = /^(?:check: (?:[^:]*: )?|\w+: )?(.+?)(?:[;:] .*)?$/s.exec(message) ?? [];
    return clause === undefined ? '' : `: ${style.sentence(clipText(clause, maxClause))}`;
  }
  return '';
}

/** The reason follows this prefix, which calls/with-breaker.ts writes. */
const notSent = 'not sent, since the provider was stopped: ';
const maxClause = 160;
const maxParts = 2;

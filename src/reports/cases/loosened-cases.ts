import { defined } from '../../json/defined.ts';
import type { LoosenedCase } from '../../model/comparison/gate.ts';
import type { PageFailures, PageLoosened } from '../../model/report/page.ts';
import type { Report } from '../../model/report/report.ts';
import { groupBy } from '../../text/group-by.ts';
import { nameCases, nameVariants, type WriteName } from './name-cases.ts';

/**
 * Cases that pass under edited checks alone, with the checks before and after. Reports show this list before everything
 * else, because a change that makes itself pass must be seen.
 */
export function listLoosened({ decision, suites }: Report, write: WriteName): PageFailures['loosened'] {
  const { loosenedCases = [] } = decision;
  const groups = [...groupBy(loosenedCases, describeAlike).values()].toSorted(
    ([a], [b]) => Number(b.mustPass) - Number(a.mustPass),
  );
  const entries = groups.slice(0, maxEntries).map((group): PageLoosened => {
    const [{ suite: name, mustPass, before, after, reason }] = group;
    const suite = suites.find((other) => other.suite === name);
    const caseIds = [...new Set(group.map(({ caseId }) => caseId))];
    const variants =
      suite === undefined || suite.variants.length < 2 ? '' : ` with ${nameVariants(group, suite, write)}`;
    const place = [
      ...(mustPass ? ['must-pass'] : []),
      `${caseIds.length === 1 ? 'case' : 'cases'} ${nameCases(caseIds, write)}`,
      ...(suites.length > 1 ? [`in ${write(name)}`] : []),
    ].join(' ');
    return {
      place: `${place}${variants}`,
      change: `${listChecks(before, write)} → ${listChecks(after, write)}`,
      ...defined({ reason: reason === undefined ? undefined : write(reason) }),
    };
  });
  return { entries, hidden: groups.length - entries.length };
}

const maxEntries = 10;
const maxChecks = 5;

function describeAlike({ suite, mustPass, before, after, reason }: LoosenedCase): string {
  return JSON.stringify([suite, mustPass, before, after, reason]);
}

function listChecks(checks: readonly string[], write: WriteName): string {
  const more = checks.length - maxChecks;
  return `${checks.slice(0, maxChecks).map(write).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

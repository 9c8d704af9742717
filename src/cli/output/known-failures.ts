import type { AcceptedBaseline } from '../../baseline/accept-baseline.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { quote } from '../../text/shorten.ts';

const maxNames = 10;

/** Lists the failing cases of the accepted run. `isWhole` names each with its reason; otherwise one line names the first. */
export function describeKnownFailures(accepted: AcceptedBaseline, isWhole: boolean): string {
  return describeKnown(accepted, isWhole) + describeExpected(accepted);
}

/** Cases that failed in the accepted run without becoming known failures, because most of their trials pass. */
function describeExpected({ suite, stillExpected }: AcceptedBaseline): string {
  if (stillExpected.length === 0) return '';
  const names = listFirst(stillExpected.map(nameOf), maxNames);
  const [pass, their] = stillExpected.length === 1 ? ['passes', 'its'] : ['pass', 'their'];
  return `  ${formatCount(stillExpected.length, 'case')} of ${toSafeLine(suite)} failed in this run and ${pass} in most of ${their} accepted trials, so a failure still counts (--known-failures makes it known): ${names}\n`;
}

function describeKnown({ suite, knownFailures }: AcceptedBaseline, isWhole: boolean): string {
  if (knownFailures.length === 0) return '';
  const names = knownFailures.map(nameOf);
  const head = `  ${formatCount(knownFailures.length, 'failing case')} of ${toSafeLine(suite)} ${knownFailures.length === 1 ? 'is a known failure' : 'are known failures'} from now on`;
  if (isWhole) {
    const reasons = knownFailures.map(({ reason }) => toSafeLine(quote(reason, 200)));
    return `${head}:\n${names.map((name, index) => `    ${name}: ${reasons[index] ?? ''}\n`).join('')}`;
  }
  const more = names.length > maxNames ? ' (--known-failures names each)' : '';
  return `${head}: ${listFirst(names, maxNames)}${more}\n`;
}

function nameOf({ caseId, prompt, provider }: AcceptedBaseline['knownFailures'][number]): string {
  return toSafeLine(`${caseId} · ${prompt} × ${provider}`);
}

import type { AcceptedBaseline } from '../../baseline/accept-baseline.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { quote } from '../../text/shorten.ts';

const maxNames = 10;

/** The failing cases that were accepted: `isWhole` names each with its reason, else the first ones in one line. */
export function describeKnownFailures({ suite, knownFailures }: AcceptedBaseline, isWhole: boolean): string {
  if (knownFailures.length === 0) return '';
  const names = knownFailures.map(({ caseId, prompt, provider }) => toSafeLine(`${caseId} · ${prompt} × ${provider}`));
  const head = `  ${formatCount(knownFailures.length, 'failing case')} of ${toSafeLine(suite)} ${knownFailures.length === 1 ? 'is a known failure' : 'are known failures'} from now on`;
  if (isWhole) {
    const reasons = knownFailures.map(({ reason }) => toSafeLine(quote(reason, 200)));
    return `${head}:\n${names.map((name, index) => `    ${name}: ${reasons[index] ?? ''}\n`).join('')}`;
  }
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more (--known-failures names each)` : '';
  return `${head}: ${names.slice(0, maxNames).join(', ')}${more}\n`;
}

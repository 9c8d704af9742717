import type { AffectedSuite, AffectedSuites } from '../changes/find-affected.ts';
import { toSafeLine } from '../text/sanitize.ts';

/** A line for every suite: why it runs, or that nothing it hangs on changed. */
export function describeAffected({ since, suites, removed }: AffectedSuites): string {
  const running = suites.filter(({ reasons }) => reasons.length > 0).length;
  const width = Math.max(0, ...suites.map(({ suite }) => suite.id.length));
  const lines = [
    `${running} of ${count(suites.length, 'suite')} changed since ${since}`,
    ...suites.map((entry) => {
      const mark = entry.reasons.length > 0 ? 'run ' : 'skip';
      return `  ${mark}  ${entry.suite.id.padEnd(width)}  ${describeReason(entry)}`;
    }),
    ...removed.map((path) => `  gone  ${path} was deleted`),
  ];
  return lines.map((line) => `${toSafeLine(line)}\n`).join('');
}

/** The same in a sentence, for the report. */
export function summarizeAffected({ since, suites }: AffectedSuites): string {
  const skipped = suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [suite.id] : []));
  const lead = `--changed: ${suites.length - skipped.length} of ${count(suites.length, 'suite')} changed since ${since}`;
  if (skipped.length === 0) return lead;
  const more = skipped.length - maxNamed;
  return `${lead}; not run: ${skipped.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const maxNamed = 20;
const maxReasons = 3;

function describeReason({ reasons, fileCount }: AffectedSuite): string {
  if (reasons.length === 0) return `none of its ${count(fileCount, 'file')} changed`;
  const more = reasons.length - maxReasons;
  return `${reasons.slice(0, maxReasons).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

import type { Outcome } from './run-audit.ts';

/** A line for each way with a fault, its exit code in each mode, and a last line with counts. */
export function describeOutcomes(
  outcomes: readonly Outcome[],
  { ways, isVerbose }: { readonly ways: number; readonly isVerbose: boolean },
): string {
  const faults = outcomes.filter(({ fault }) => fault !== undefined);
  const lines: string[] = [];
  for (const title of new Set(faults.map(titleOf))) {
    const own = faults.filter((outcome) => titleOf(outcome) === title);
    lines.push(title, `    ${own.map(({ mode, code }) => `${mode}: ${code ?? '–'}`).join(', ')}`);
    if (isVerbose) lines.push(...own.map(({ mode, output }) => `--- ${mode}\n${output}`));
  }
  const planted = outcomes.filter(({ isPlanted }) => isPlanted).length;
  const counts = `${ways} ways, ${planted} planted failures, ${outcomes.length - planted} controls`;
  return `${[...lines, `${counts}: ${faults.length} wrong`].join('\n')}\n`;
}

function titleOf({ way, isPlanted, fault }: Outcome): string {
  return `${way}${isPlanted ? '' : ' (control)'}: ${fault ?? ''}`;
}

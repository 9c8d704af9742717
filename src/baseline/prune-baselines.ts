import { withFileLock } from '../files/file-lock.ts';
import type { Baseline, BaselineContent } from '../model/comparison/baseline.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import { countCases, keepCases } from './baseline-cases.ts';
import { openBaselineBeside } from './open-baseline.ts';
import { writeBaseline } from './write-baseline.ts';

interface PrunedBaseline {
  readonly suite: string;
  readonly file: string;
  readonly removed: number;
}

/** Removes rows of cases, prompts and providers that the suite no longer has. */
export function pruneBaselines(
  { suites, root }: Pick<Project, 'suites' | 'root'>,
  cwd: string,
): readonly PrunedBaseline[] {
  return suites.flatMap((suite) => {
    const { path, baseline: found } = openBaselineBeside(suite, { root, cwd });
    if (found === undefined) return [];
    return withFileLock(path, () => {
      const { file, baseline } = openBaselineBeside(suite, { root, cwd });
      if (baseline === undefined) return [];
      const kept = pruneBaseline(baseline, suite);
      const removed = countCases(baseline).rows - countCases(kept).rows;
      writeBaseline(path, kept);
      return [{ suite: suite.id, file, removed }];
    });
  });
}

function pruneBaseline(baseline: Baseline, suite: Suite): BaselineContent {
  const cases = new Set(Array.from(suite.cases(), ({ id }) => id));
  const prompts = new Set(suite.prompts.map(({ id }) => id));
  const providers = new Set(suite.providers.map(({ id }) => id));
  const isKnown = (row: { prompt: string; provider: string }) => prompts.has(row.prompt) && providers.has(row.provider);
  return {
    suite: baseline.suite,
    variants: baseline.variants.filter(isKnown),
    cases: baseline.cases.filter(isKnown).map((rows) => keepCases(rows, (caseId) => cases.has(caseId))),
    checksOf: (hash) => baseline.checksOf(hash),
  };
}

import { relative } from 'node:path';
import type { Project } from '../model/suite/suite.ts';
import { refuseOutside } from '../project/project-paths.ts';
import { countCases, countTrials, readCases } from './baseline-cases.ts';
import { openReferenceBeside } from './find-baselines.ts';
import { openBaselineBeside, openBaselineFile } from './open-baseline.ts';

/** A row of `baseline list` and `baseline show`. */
type ListedRow = Readonly<Record<string, string | number | readonly string[] | null>>;

/** One row for each suite: the path and content of its baseline. `orphans` are paths of baselines without a suite. */
export function listBaselines(
  { suites, root }: Project,
  orphans: readonly string[],
  cwd: string,
): readonly ListedRow[] {
  const ofSuites = suites.map((suite) => ({
    suite: suite.id,
    ...openBaselineBeside(suite, { root, cwd }),
    pinned: openReferenceBeside(suite, { root, cwd })?.source ?? null,
  }));
  const ofNone = orphans.map((path) => {
    refuseOutside(path, { root, cwd });
    const file = relative(cwd, path);
    return { suite: 'none: removed or renamed', file, baseline: openBaselineFile(path, file), pinned: null };
  });
  return [...ofSuites, ...ofNone].map(({ suite, file, baseline, pinned }) => ({
    suite,
    baseline: baseline === undefined ? 'none yet' : file,
    pinned,
    variants: baseline?.variants.map(({ prompt, provider }) => `${prompt} × ${provider}`) ?? [],
    cases: baseline === undefined ? 0 : countCases(baseline).ids,
  }));
}

/** Lists one row for each case and variant of the accepted baselines, or of the pinned references. */
export function showBaselines({ suites, root }: Project, cwd: string, isPinned: boolean): readonly ListedRow[] {
  return suites.flatMap((suite) => {
    const place = { root, cwd };
    const { baseline } = isPinned ? (openReferenceBeside(suite, place) ?? {}) : openBaselineBeside(suite, place);
    return Array.from(readCases(baseline ?? { cases: [] }), (row) => {
      const { caseId, prompt, provider, trials } = row;
      const pooled = countTrials(row);
      const judged = pooled?.trials ?? 0;
      return {
        suite: suite.id,
        case: caseId,
        prompt,
        provider,
        passed: `${judged - (pooled?.failures ?? 0)} of ${judged}`,
        runs: pooled?.runs ?? 0,
        answer: trials[0]?.output?.slice(0, 80) ?? trials[0]?.answerHash ?? null,
      };
    });
  });
}

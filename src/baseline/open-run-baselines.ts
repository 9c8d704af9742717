import { defined } from '../json/defined.ts';
import type { FindBaseline, FindReference } from '../model/comparison/baseline.ts';
import { createProviderDescriber } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { GitRef } from '../project/git/git-files.ts';
import { addBaselinePrompts } from './accepted-prompts.ts';
import { checkBaselines, openBaselines, openComparedRef, openReferences, promptIdsOf } from './find-baselines.ts';

/** The baselines that a run is compared with. */
export interface RunBaselines {
  /** The project. With `--rerun-baseline`, it contains the baselines' own prompts. */
  readonly project: RunOptions['project'];
  /** The commit that the run is compared with, if it is one. */
  readonly ref: GitRef | undefined;
  readonly findBaseline: FindBaseline;
  readonly findReference: FindReference;
  /** Why baselines are not read, a sentence each. */
  readonly refusedBaselines: readonly string[];
}

/** Opens the baseline and the reference of every suite, so that a damaged one is reported before the first call. */
export async function openRunBaselines(
  {
    project,
    settings,
    selection,
    rerunBaseline,
  }: Pick<RunOptions, 'project' | 'settings' | 'selection' | 'rerunBaseline'>,
  { cwd, env }: Pick<RunPorts, 'cwd' | 'env'>,
): Promise<RunBaselines> {
  const { root, suites } = project;
  const ref = openComparedRef(settings.baseline, { root, env });
  const place = { root, cwd, env, ...defined({ ref }) };
  const refusedBaselines: string[] = [];
  const findBaseline = openBaselines(settings.baseline, {
    ...place,
    promptIds: promptIdsOf(suites),
    onRefused: (why) => void refusedBaselines.push(why),
  });
  const findReference = openReferences(settings.baseline, place);
  checkBaselines(suites, findBaseline, findReference);
  const withPrompts = rerunBaseline
    ? await addBaselinePrompts(project, findBaseline, {
        selection,
        describe: createProviderDescriber({ env, projectRoot: root }),
        onLeftOut: (why) => void refusedBaselines.push(why),
      })
    : project;
  return { project: withPrompts, ref, findBaseline, findReference, refusedBaselines };
}

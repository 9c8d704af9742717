import { type AcceptedPrompt, addBaselinePrompts } from '../baseline/accepted-prompts.ts';
import {
  checkBaselines,
  type FindBaseline,
  type FindReference,
  openBaselines,
  openComparedRef,
  openReferences,
  promptIdsOf,
} from '../baseline/find-baselines.ts';
import { defined } from '../json/defined.ts';
import { providerKey } from '../plan/build-plan.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { GitRef } from '../project/git/git-files.ts';
import { findAcceptedPrompts } from './find-accepted-prompts.ts';

/** What a run will do, and what it will be compared with. */
export interface Planning {
  /** With the baselines' own prompts in the project, where `--rerun-baseline` wants them. */
  readonly options: RunOptions;
  readonly planned: PlannedRun;
  /** The commit that the run is compared with, where it is one. */
  readonly ref: GitRef | undefined;
  readonly findBaseline: FindBaseline;
  readonly findReference: FindReference;
  /** What the variants are compared with, by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
  /** Why baselines are not read, a sentence each. */
  readonly refusedBaselines: readonly string[];
}

/** A plan over the suites, with the baselines' own prompts where `--rerun-baseline` wants them. */
export async function planWithBaselines(
  given: RunOptions,
  ports: Pick<RunPorts, 'cwd' | 'env' | 'mask'>,
): Promise<Planning> {
  const { project, settings, selection } = given;
  const ref = openComparedRef(settings.baseline, { root: project.root, env: ports.env });
  const place = { root: project.root, cwd: ports.cwd, env: ports.env, ...defined({ ref }) };
  const refusedBaselines: string[] = [];
  const onRefused = (why: string) => void refusedBaselines.push(why);
  const findBaseline = openBaselines(settings.baseline, {
    ...place,
    promptIds: promptIdsOf(project.suites),
    onRefused,
  });
  const findReference = openReferences(settings.baseline, place);
  // A damaged baseline is reported before the first call.
  checkBaselines(project.suites, findBaseline, findReference);
  const options = given.rerunBaseline
    ? { ...given, project: await addBaselinePrompts(project, findBaseline, selection) }
    : given;
  const planned = await planRun(options, ports);
  const acceptedPrompts = await findAcceptedPrompts(planned, { options, findBaseline, mask: ports.mask });
  // The accepted prompt may have been asked on another model.
  const providers = new Map(planned.providers);
  for (const { variant } of acceptedPrompts.values()) {
    if (variant !== undefined) providers.set(providerKey(variant.provider), variant.provider);
  }
  const run = { ...planned, providers };
  return { options, ref, findBaseline, findReference, acceptedPrompts, refusedBaselines, planned: run };
}

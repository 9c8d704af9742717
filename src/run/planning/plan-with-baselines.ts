import type { AcceptedPrompt } from '../../baseline/accepted-prompts.ts';
import { openRunBaselines, type RunBaselines } from '../../baseline/open-run-baselines.ts';
import { providerKey } from '../../plan/build-plan.ts';
import { type PlannedRun, planRun } from '../../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findAcceptedPrompts } from './find-accepted-prompts.ts';

/** What a run will do, and what it will be compared with. */
export interface Planning extends Omit<RunBaselines, 'project'> {
  /** With the baselines' own prompts in the project, where `--rerun-baseline` wants them. */
  readonly options: RunOptions;
  readonly planned: PlannedRun;
  /** What the variants are compared with, by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
}

/** A plan over the suites, with the baselines' own prompts where `--rerun-baseline` wants them. */
export async function planWithBaselines(
  given: RunOptions,
  ports: Pick<RunPorts, 'cwd' | 'env' | 'mask'>,
): Promise<Planning> {
  const { project, ...baselines } = await openRunBaselines(given, ports);
  const options = { ...given, project };
  const planned = await planRun(options, ports);
  const acceptedPrompts = await findAcceptedPrompts(planned, {
    options,
    findBaseline: baselines.findBaseline,
    mask: ports.mask,
  });
  // The accepted prompt may have been asked on another model.
  const providers = new Map(planned.providers);
  for (const { variant } of acceptedPrompts.values()) {
    if (variant !== undefined) providers.set(providerKey(variant.provider), variant.provider);
  }
  return { ...baselines, options, acceptedPrompts, planned: { ...planned, providers } };
}

import type { AcceptedPrompt } from '../../baseline/accepted-prompts.ts';
import { openRunBaselines, type RunBaselines } from '../../baseline/open-run-baselines.ts';
import { providerKey } from '../../plan/build-plan.ts';
import { type PlannedRun, planRun } from '../../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findAcceptedPrompts } from './find-accepted-prompts.ts';

/** The plan of a run, and the baselines and prompts to compare with. */
export interface Planning extends Omit<RunBaselines, 'project'> {
  /** The options. With `--rerun-baseline`, the project contains the baselines' own prompts. */
  readonly options: RunOptions;
  readonly planned: PlannedRun;
  /** The prompts that variants are compared with, by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
}

/** Plans the suites. With `--rerun-baseline`, the plan contains the baselines' own prompts. */
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
  // The accepted prompt may use another model.
  const providers = new Map(planned.providers);
  for (const { variant } of acceptedPrompts.values()) {
    if (variant !== undefined) providers.set(providerKey(variant.provider), variant.provider);
  }
  return { ...baselines, options, acceptedPrompts, planned: { ...planned, providers } };
}

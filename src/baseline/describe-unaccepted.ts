import type { Plan, PlannedSuite, PlannedVariant } from '../plan/build-plan.ts';
import type { FindBaseline } from './find-baselines.ts';

/**
 * Names each variant that a run is going to judge while its suite's baseline file has no case of it, nor of the version
 * that it replaces: a file that lost its cases would otherwise be passed without a comparison and without a word.
 */
export function describeUnaccepted({ suites }: Pick<Plan, 'suites'>, findBaseline: FindBaseline): readonly string[] {
  return suites.flatMap((planned) => {
    const found = findBaseline(planned.suite);
    if (found?.kind !== 'file') return [];
    const { source, baseline } = found;
    return planned.variants
      .filter((variant) => isComparedWithFile(variant, planned))
      .filter(({ prompt: { id, replaces }, provider }) =>
        [id, replaces].every(
          (prompt) => prompt === undefined || baseline.casesOf({ prompt, provider: provider.id }).size === 0,
        ),
      )
      .map(
        ({ prompt, provider }) =>
          `the baseline ${source} has no case of ${prompt.id} on ${provider.id}: nothing there is compared until a run is accepted`,
      );
  });
}

/** False where another variant of the same run is the other side, or stands in its place. */
function isComparedWithFile({ prompt, provider, planned }: PlannedVariant, { variants }: PlannedSuite): boolean {
  if (planned === 0 || prompt.baselineOf !== undefined) return false;
  return !variants.some(
    (other) =>
      other.planned > 0 &&
      other.provider.id === provider.id &&
      (other.prompt.replaces === prompt.id ||
        other.prompt.id === prompt.replaces ||
        other.prompt.baselineOf === prompt.id),
  );
}

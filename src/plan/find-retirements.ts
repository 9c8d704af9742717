import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import { findRetirement, type Retirement } from '../providers/retirement/find-retirement.ts';
import type { PlannedRun } from './plan-run.ts';

const dayMs = 86_400_000;
const noticeDays = 60;

export interface RetirementOptions {
  readonly planned: Pick<PlannedRun, 'plan' | 'endpointOf'>;
  /** True where a suite's answers are recorded, so that a model's end does not touch it. */
  readonly isHermetic: (suite: Suite) => boolean;
  readonly now: Date;
}

/** Names each model of a plan that its vendor shuts down within 60 days, or has shut down. */
export function findRetirements({ planned, isHermetic, now }: RetirementOptions): readonly Problem[] {
  const problems = new Map<string, Problem>();
  for (const { suite, variants } of planned.plan.suites) {
    if (isHermetic(suite)) continue;
    const asked = variants.filter((variant) => variant.planned + variant.observed > 0).map(({ provider }) => provider);
    for (const provider of [...asked, ...suite.askedModels]) {
      const endpoint = planned.endpointOf(provider);
      const retirement = endpoint.sends
        ? findRetirement({ ...provider, ...pricedBy(endpoint.priceProvider) })
        : undefined;
      const message = retirement === undefined ? undefined : describeRetirement(provider, retirement, now);
      if (retirement === undefined || message === undefined) continue;
      problems.set(`${provider.id} ${provider.model}`, {
        code: 'retired-model',
        severity: 'warning',
        message,
        hint: `choose another model: ${retirement.source} (as known on ${retirement.asOf})`,
        ...defined({ at: provider.at }),
      });
    }
  }
  return [...problems.values()];
}

/** The same as remarks of a run. */
export function describeRetirements(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ message, hint }) => (hint === undefined ? message : `${message}; ${hint}`));
}

function pricedBy(priceProvider: string | undefined): { readonly priceProvider?: string } {
  return priceProvider === undefined ? {} : { priceProvider };
}

/** Undefined where the end is further away than the notice. */
function describeRetirement(
  { id, model }: ProviderConfig,
  { date, isEarliest }: Retirement,
  now: Date,
): string | undefined {
  const daysLeft = Math.ceil((Date.parse(date) - now.getTime()) / dayMs);
  if (daysLeft > noticeDays) return undefined;
  const subject = `provider ${id}: the model ${model}`;
  if (isEarliest) return `${subject} may be shut down by its vendor at any time from ${date} on`;
  if (daysLeft > 0)
    return `${subject} is shut down by its vendor on ${date}, in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
  return `${subject} was to be shut down by its vendor on ${date}: where that came about, calls to it fail`;
}

import type { QueuedLimits } from '../model/queue.ts';
import type { ProviderLimits } from '../model/suite.ts';

/** What workers hold to: a provider's own limits, and the largest of those that share its key. */
export function describeLimits(
  { concurrency, rpm, tpm }: ProviderLimits,
  all: readonly ProviderLimits[],
): QueuedLimits {
  const accountRpm = largest(all.map((own) => own.rpm));
  const accountTpm = largest(all.map((own) => own.tpm));
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rpm === undefined ? {} : { rpm }),
    ...(tpm === undefined ? {} : { tpm }),
    ...(accountRpm === undefined ? {} : { accountRpm }),
    ...(accountTpm === undefined ? {} : { accountTpm }),
  };
}

function largest(limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined);
  return set.length === 0 ? undefined : Math.max(...set);
}

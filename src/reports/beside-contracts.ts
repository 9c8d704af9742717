import { describeContractWarnings } from '../model/finding.ts';
import type { Report } from '../model/report.ts';

/** The warnings of a run that are not those of its contracts, which are shown with their findings. */
export function warningsBesideContracts({ decision, contracts = [] }: Report): readonly string[] {
  const shown = new Set(contracts.flatMap(describeContractWarnings));
  return decision.warnings.filter((warning) => !shown.has(warning));
}

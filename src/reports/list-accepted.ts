import type { Report } from '../model/report.ts';

/** What a change accepts by the baseline that it brings along, in cases. */
export interface AcceptedChanges {
  readonly regressions: number;
  /** Those of them that must pass. */
  readonly mustPass: number;
  /** New, redefined or fixed cases. */
  readonly others: number;
}

export function countAccepted({ suites }: Report): AcceptedChanges {
  const regressions = new Map<string, boolean>();
  const others = new Set<string>();
  for (const { suite, variants } of suites) {
    for (const { comparison, failedCases = [] } of variants) {
      const mustPass = new Set(failedCases.filter((one) => one.mustPass).map(({ caseId }) => caseId));
      for (const name of comparison?.accepted ?? []) {
        const [, caseId = name, change] = /^(.*) \((\w+)\)$/s.exec(name) ?? [];
        const key = JSON.stringify([suite, caseId]);
        if (change === 'regressed') regressions.set(key, mustPass.has(caseId) || regressions.get(key) === true);
        else others.add(key);
      }
    }
  }
  const critical = [...regressions.values()].filter(Boolean).length;
  return { regressions: regressions.size, mustPass: critical, others: others.size };
}

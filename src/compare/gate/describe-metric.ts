import type { MetricEvidence } from '../../model/comparison.ts';
import type { MetricComparison } from '../../model/report.ts';

export function describeMetric({ baseline, candidate, delta, low, high, p }: MetricEvidence): MetricComparison {
  return { baseline, candidate, delta, low, high, p };
}

/** Of a variant that ended early. */
export function describeWithoutInterval({ baseline, candidate, delta }: MetricEvidence): MetricComparison {
  return { baseline, candidate, delta, low: null, high: null, p: null };
}

import type { MetricEvidence } from '../../model/comparison.ts';
import type { MetricComparison } from '../../model/report.ts';

export function describeMetric({ baseline, candidate, delta, low, high, p }: MetricEvidence): MetricComparison {
  return { baseline, candidate, delta, low, high, p };
}

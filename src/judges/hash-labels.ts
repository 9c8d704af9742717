import { canonicalJson } from '../json/canonical-json.ts';
import type { Criterion, LabelledAnswer } from '../model/suite.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { sha256Hex } from '../text/sha256.ts';

/** What a judge is measured on by one criterion, whatever the order of the rows; another label is another measurement. */
export function hashLabels(labels: readonly LabelledAnswer[], { judge, stamp }: Criterion): string {
  const rows = labels
    .filter(({ criterion }) => criterion.judge.id === judge.id && criterion.stamp === stamp)
    .map(({ id, vars, answer, other, label }) => canonicalJson(plainNumbers([id, vars, answer, other ?? null, label])));
  return sha256Hex(rows.toSorted().join('\n')).slice(0, 12);
}

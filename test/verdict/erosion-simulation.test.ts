import { expect, test } from 'vitest';
import { mergeBaseline } from '../../src/baseline/baseline-cases.ts';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineContent, FindReference } from '../../src/model/comparison/baseline.ts';
import { createRandom } from '../../src/text/random.ts';
import { judgeErosion } from '../../src/verdict/judge-erosion.ts';
import { contentOf } from '../support/baseline-rows.ts';
import {
  buildHeader,
  buildRecord,
  buildRecordedSuite,
  buildRowSummary,
  buildVariant,
} from '../support/build-summary.ts';

const cases = 100;
const pooledRuns = 5;
const ids = Array.from({ length: cases }, (_, index) => `c${String(index).padStart(2, '0')}`);

/** Most cases never fail, and some fail at times, as in real suites. */
function drawChances(random: () => number): number[] {
  return ids.map(() => (random() < 0.7 ? 1 : 1 - 0.3 * random()));
}

function buildRun(run: number, outcomes: readonly boolean[]): BaselineContent {
  const { planned: _planned, observed: _observed, ...variant } = buildVariant(cases);
  const { prompt, provider } = variant;
  return contentOf({
    suite: 'triage',
    variants: [{ type: 'variant', ...variant, models: [] }],
    cases: outcomes.map((isPassed, index) => ({
      type: 'case',
      prompt,
      provider,
      caseId: ids[index] ?? '',
      caseHash: 's',
      trials: [
        { trial: 0, status: isPassed ? 'passed' : 'failed', checks: [], answerHash: 'h', answerId: `${run}.${index}` },
      ],
    })),
  });
}

/** A reference of five accepted runs. */
function pin(chances: readonly number[], random: () => number): FindReference {
  let content: BaselineContent | undefined;
  for (let run = 0; run < pooledRuns; run += 1) {
    const outcomes = chances.map((chance) => random() < chance);
    content = mergeBaseline(content, buildRun(run, outcomes), { isFull: true });
  }
  if (content === undefined) throw new Error('no run was pooled');
  const until = '2026-11-01T00:00:00.000Z';
  const text = [...renderBaseline({ ...content, pin: { until } })].join('');
  const baseline = openBaselineText(text, 'evals/triage.reference.jsonl');
  return () => ({ source: 'evals/triage.reference.jsonl', baseline, pin: { until } });
}

function judge(chances: readonly number[], random: () => number, findReference: FindReference): string {
  const header = buildHeader([buildRecordedSuite([buildVariant(cases)])]);
  const rows = chances.map((chance, rowIndex) => {
    const status = random() < chance ? 'passed' : 'failed';
    return buildRowSummary({ caseId: ids[rowIndex] ?? '', caseHash: 's', status, rowIndex });
  });
  const record = buildRecord(header, rows);
  return judgeErosion(record, findReference).findings[0]?.outcome ?? 'none';
}

/** Takes half a point of the pass rate: case after case loses its chance to pass. */
function erode(chances: number[], random: () => number): void {
  for (let rest = 0.005 * cases; rest > 1e-9; ) {
    const index = Math.floor(random() * cases);
    const taken = Math.min(rest, chances[index] ?? 0);
    chances[index] = (chances[index] ?? 0) - taken;
    rest -= taken;
  }
}

test('half a point a change is named by the 20th in the median; 100 changes without a drop give at most 2 alarms', {
  tags: 'slow',
}, () => {
  const named: number[] = [];
  for (let seed = 1; seed <= 15; seed += 1) {
    const random = createRandom(seed);
    const chances = drawChances(random);
    const findReference = pin(chances, random);
    const same = Array.from({ length: 100 }, () => judge(chances, random, findReference));
    expect(new Set(same)).toContain('held');
    expect(same.filter((outcome) => outcome === 'eroded').length).toBeLessThanOrEqual(2);
    let change = 0;
    do {
      erode(chances, random);
      change += 1;
    } while (judge(chances, random, findReference) !== 'eroded' && change < 50);
    named.push(change);
  }
  named.sort((a, b) => a - b);
  expect(named[7]).toBeLessThanOrEqual(20);
  // Not at once either: it is the sum of many changes that is named.
  expect(named[0]).toBeGreaterThan(3);
});

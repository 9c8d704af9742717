import { expect, test } from 'vitest';
import { createRandom } from '../../../src/text/random.ts';
import type { AverageVerdict } from '../../../src/verdict/confirm/judge-average.ts';
import type { RetriedVerdict } from '../../../src/verdict/confirm/judge-case.ts';
import { settleSuspicions } from '../../../src/verdict/confirm/settle-suspicions.ts';
import { shortenVerdict } from '../../support/build-retried.ts';
import { buildAverage, buildSuspicions } from '../../support/build-suspicions.ts';

/**
 * Verdicts on suspicions drawn at random, as they were before. A change of the rules shows up here:
 * `vitest run test/compare/confirm/generated-suspicions.test.ts -u` accepts it.
 */
function settleDrawn(seed: number): string {
  const random = createRandom(seed);
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const word = (length: number, failures: number) =>
    Array.from({ length }, () => (random() < failures ? 'f' : pick('p', 'p', 'e'))).join('');
  // Some runs could not ask at all.
  const isUnasked = random() < 0.08;
  const outcomes = () =>
    isUnasked
      ? pick('f', 'ff')
      : `${pick('f', 'ff')}+${word(upTo(7), pick(1, 0.9))}|${word(upTo(6), pick(0, 0.1, 0.8))}`;
  const retried = (most: number, prefix: string) =>
    Object.fromEntries(Array.from({ length: upTo(most) }, (_, index) => [`${prefix}${index}`, outcomes()]));
  const averages = Array.from({ length: pick(0, 1, 2, 3) }, (_, index) =>
    buildAverage(pick(4, 10, 12, 25), {
      id: `a${index}`,
      outcomes: isUnasked ? 'p' : `p+${word(upTo(2), 0.1)}|${word(upTo(2), 0.1)}`,
      p: pick(0.01, 0.01, 0.1, 0.2, null),
      look: pick(0.001, 0.012, 0.05, 0.3, 0.5, null),
    }),
  );
  // Of one variant: they share their cases.
  const [first] = averages;
  const shared = averages.map((one) => (first === undefined || random() < 0.5 ? one : { ...one, cases: first.cases }));
  const options = {
    suspects: retried(pick(1, 4, 4, 9), 's'),
    mustPass: retried(2, 'm'),
    added: retried(3, 'n'),
    averages: shared,
    maxRetrials: pick(1, 2, 3, 5, 9, 10, 11, 18, 20, 24, 40, 48, 100, 1000),
    shards: pick(1, 1, 1, 3),
    mergedShards: pick(undefined, undefined, 2, 4),
    isStopped: random() < 0.2,
    storedAverages: pick(0, 0, 2),
    askedShare: pick(1, 1, 0.5),
    suspect: { failures: pick(3, 5), maxConfirmed: pick(1, 2, 10), averages: pick(['a0'], ['a0', 'a1'], []) },
    addedCase: { maxConfirmed: pick(1, 10) },
  };
  const drawn = buildSuspicions(options);
  const input = {
    ...drawn,
    suspects: drawn.suspects.map((one) => ({
      ...one,
      asksAccepted: random() < 0.8,
      isGated: random() < 0.8,
      suite: pick('triage', 'triage', 'other'),
    })),
  };
  const isFinal = random() < 0.6;
  const { cases, averages: judged } = settleSuspicions(input, isFinal);
  const { suspects, mustPass, added, averages: _averages, suspect: _suspect, addedCase: _case, ...rest } = options;
  return [
    `== ${seed} ${JSON.stringify({ isFinal, ...rest })}`,
    ...[...cases].map(([id, verdict]) => {
      const own = { ...suspects, ...mustPass, ...added }[id] ?? '';
      return `${id} ${own}: ${shortenVerdict(verdict)}${describeBroken(verdict)}`;
    }),
    ...[...judged].map(([id, verdict]) => `${id}: ${describeAverage(verdict)}`),
  ].join('\n');
}

function describeBroken(verdict: RetriedVerdict): string {
  return verdict.kind === 'broken' && verdict.acceptedTrials === 0 ? ` ${verdict.acceptedFailures}/0` : '';
}

function describeAverage(verdict: AverageVerdict): string {
  if (verdict.kind !== 'open') return JSON.stringify(verdict);
  const wanted = verdict.wanted.flat();
  const sides = (['accepted', 'candidate'] as const).map((side) => {
    return wanted.reduce((sum, one) => sum + (one.side === side ? one.count : 0), 0);
  });
  return `ask ${sides.join(' + ')} of ${verdict.wanted.length} cases, at least ${verdict.least}`;
}

test('suspicions that are drawn at random are settled as before', { tags: 'slow' }, async () => {
  const seeds = Array.from({ length: 500 }, (_, index) => index + 1);
  await expect(`${seeds.map(settleDrawn).join('\n')}\n`).toMatchFileSnapshot('../snapshots/generated-suspicions.txt');
});

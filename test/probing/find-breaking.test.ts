import { expect, test } from 'vitest';
import { findBreaking, findEnd, linkHunks, type SearchPorts } from '../../src/probing/find-breaking.ts';
import type { AskedCell, ProbeTrial } from '../../src/probing/open-prober.ts';
import { leadFor, mostTrials, type ProbeAnswer, probeCase, stopCauseOf } from '../../src/probing/probe-case.ts';

const stopped: ProbeAnswer = {
  is: 'stopped',
  why: { cause: 'budget', message: '--max-cost is used up' },
  passed: 0,
  failed: 0,
};

interface Fault {
  /** Sets of hunks each of which breaks the case. */
  readonly breaks: readonly (readonly number[])[];
  readonly isValid?: (own: ReadonlySet<number>) => boolean;
  /** What a probe says in the place of passing or failing. */
  readonly answer?: (own: ReadonlySet<number>, probe: number) => ProbeAnswer | undefined;
}

const listed = (own: ReadonlySet<number>) => [...own].sort((a, b) => a - b).join(' ') || '–';

function watch({ breaks, isValid = () => true, answer }: Fault) {
  const asked: string[] = [];
  let probes = 0;
  const known = new Map<string, ProbeAnswer>();
  const ports: SearchPorts = {
    isValid,
    probe(own) {
      probes += 1;
      // A search that never ends fails here, and does not keep the test waiting.
      if (probes > 200) throw new Error('the search goes on and on');
      const key = listed(own);
      const fails = breaks.some((set) => set.every((hunk) => own.has(hunk)));
      const found =
        known.get(key) ??
        answer?.(own, known.size) ??
        ({ is: fails ? 'fails' : 'passes', passed: 1, failed: 2 } as const);
      if (!known.has(key)) asked.push(`${key}: ${found.is}`);
      known.set(key, found);
      return Promise.resolve(found);
    },
  };
  return { asked, ports };
}

const single = (count: number) => Array.from({ length: count }, (_, hunk) => [hunk]);
const pairOf = (a: number, b: number) => (own: ReadonlySet<number>) => own.has(a) === own.has(b);

const searches: readonly (readonly [
  name: string,
  groups: readonly (readonly number[])[],
  fault: Fault,
  known?: readonly (readonly number[])[],
])[] = [
  ['no hunk', [], { breaks: [] }],
  ['one hunk', single(1), { breaks: [[0]] }],
  ['the first of eight', single(8), { breaks: [[0]] }],
  ['the last of eight', single(8), { breaks: [[7]] }],
  ['one in the middle of seven', single(7), { breaks: [[3]] }],
  ['two that break alone', single(6), { breaks: [[1], [4]] }],
  ['three together', single(9), { breaks: [[0, 4, 8]] }],
  [
    'two sets of two',
    single(8),
    {
      breaks: [
        [0, 1],
        [6, 7],
      ],
    },
  ],
  [
    'sets that share a hunk',
    single(5),
    {
      breaks: [
        [0, 2],
        [2, 4],
      ],
    },
  ],
  ['groups of hunks', [[0, 3], [1], [2]], { breaks: [[0, 3]], isValid: pairOf(0, 3) }],
  ['a group of which one breaks', [[0, 3], [1], [2]], { breaks: [[3]] }],
  ['hunks that stand only together', single(4), { breaks: [[1]], isValid: pairOf(1, 2) }],
  ['a known set', single(8), { breaks: [[2, 5]] }, [[2, 5]]],
  ['a known set that is larger than needed', single(8), { breaks: [[5]] }, [[2, 5]]],
  ['a known set in one group', [[0, 3], [1], [2]], { breaks: [[0, 3]], isValid: pairOf(0, 3) }, [[0, 3]]],
  ['a known set that does not break', single(4), { breaks: [[1]] }, [[3]]],
  ['known sets of which one is not there', single(4), { breaks: [[1], [2]] }, [[9], [2], [1]]],
  [
    'a budget that ends at once',
    single(4),
    { breaks: [[1]], answer: (_own, probe) => (probe === 0 ? stopped : undefined) },
  ],
  [
    'a budget that ends with the set alone',
    single(4),
    { breaks: [[1]], answer: (own) => (listed(own) === '1' ? stopped : undefined) },
  ],
  [
    'a budget that ends with the last member of a set',
    single(4),
    { breaks: [[0, 2]], answer: (own) => (listed(own) === '2' ? stopped : undefined) },
  ],
  [
    'a budget that ends at once, with a group of hunks',
    [[0, 3], [1], [2]],
    { breaks: [[2]], answer: (_own, probe) => (probe === 0 ? stopped : undefined) },
  ],
  [
    'a budget that ends with the change without the set',
    single(4),
    { breaks: [[1]], answer: (own) => (listed(own) === '0 2 3' ? stopped : undefined) },
  ],
  [
    'a budget that ends with a known set',
    single(4),
    { breaks: [[1]], answer: (own) => (listed(own) === '1' ? stopped : undefined) },
    [[1]],
  ],
  [
    'a budget that ends while a set becomes smaller',
    single(4),
    { breaks: [[1]], answer: (own) => (listed(own) === '2' ? stopped : undefined) },
    [[1, 2]],
  ],
  [
    'a flaky middle',
    single(6),
    {
      breaks: [[4]],
      answer: (own) =>
        listed(own) === '0 1 2'
          ? { is: 'unresolved', why: 'it fails 5 of 15 trials', passed: 10, failed: 5 }
          : undefined,
    },
  ],
  [
    'flaky probes only',
    single(5),
    { breaks: [[2]], answer: () => ({ is: 'unresolved', why: 'it fails 5 of 15 trials', passed: 10, failed: 5 }) },
  ],
  [
    'a change without the set that is flaky',
    single(4),
    {
      breaks: [[1]],
      answer: (own) =>
        listed(own) === '0 2 3'
          ? { is: 'unresolved', why: 'it fails 5 of 15 trials', passed: 10, failed: 5 }
          : undefined,
    },
  ],
  ['a hunk that passes alone after it failed', single(1), { breaks: [] }],
];

test('the sets of hunks that break a case are found by the fewest probes', async () => {
  const lines: string[] = [];
  for (const [name, groups, fault, known] of searches) {
    const { asked, ports } = watch(fault);
    const found = await findBreaking(groups, ports, known);
    lines.push(name, ...asked.map((line) => `  ${line}`), `  = ${JSON.stringify(found)}`);
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/searches.txt');
});

test('the end of a search lies between a beginning that passes and one that fails', async () => {
  const { asked, ports } = watch({ breaks: [[5]], isValid: (own) => own.size !== 4 });
  expect(await findEnd(single(8), [], ports)).toEqual({ passing: 5, failing: 6 });
  expect(asked).toEqual(['0 1 2: passes', '0 1 2 3 4: passes', '0 1 2 3 4 5: fails']);
  expect(await findEnd(single(1), [[3]], ports)).toEqual({ passing: 0, failing: 1 });
});

test.each<[string, number, SearchPorts['isValid'], readonly (readonly number[])[]]>([
  ['all that stand alone', 3, () => true, [[0], [1], [2]]],
  ['the two ends of a block', 4, pairOf(0, 2), [[0, 2], [1], [3]]],
  [
    'two blocks',
    4,
    (own) => pairOf(0, 3)(own) && pairOf(1, 2)(own),
    [
      [0, 3],
      [1, 2],
    ],
  ],
  ['what has no partner', 3, (own) => !own.has(1) || own.size > 1, [[0], [1], [2]]],
  ['one that needs another', 3, (own) => !own.has(0) || own.has(1), [[0, 1], [2]]],
  [
    'what could be in two pairs',
    4,
    (own) => own.size % 2 === 0 && own.size > 0 && !['0 1', '2 3'].includes(listed(own)),
    [
      [0, 2],
      [1, 3],
    ],
  ],
  ['nothing', 0, () => true, []],
])('the groups of %s are found', (_, count, isValid, groups) => {
  expect(linkHunks(count, isValid)).toEqual(groups);
});

const asked = {} as AskedCell;

/** Answers trials by a text: p passes, f fails, e errors, b is refused, s is stopped, m has no money. */
function answerBy(script: string) {
  const numbers: number[] = [];
  const answers: Readonly<Record<string, ProbeTrial>> = {
    p: { is: 'passed', answer: 'yes' },
    f: { is: 'failed', answer: 'no' },
    e: { is: 'errored', failure: { kind: 'server', message: 'it is down' } },
    b: { is: 'errored', failure: { kind: 'badRequest', message: 'it is refused' } },
    s: { is: 'stopped', reason: 'SIGINT' } as unknown as ProbeTrial,
    m: { is: 'stopped', reason: 'budget' },
  };
  const prober = {
    ask(_cell: unknown, _made: unknown, trial: number): Promise<ProbeTrial> {
      numbers.push(trial);
      if (numbers.length > 100) throw new Error('the search goes on and on');
      return Promise.resolve(answers[script.charAt(trial)] ?? { is: 'passed', answer: '' });
    },
  };
  return { numbers, prober };
}

test.each<[script: string, left: number, answer: unknown, trials: number]>([
  ['ppp', 99, { is: 'passes', passed: 3, failed: 0 }, 3],
  ['fff', 99, { is: 'fails', passed: 0, failed: 3 }, 3],
  ['fffp', 3, { is: 'fails', passed: 0, failed: 3 }, 3],
  ['pfpffff', 99, { is: 'fails', passed: 2, failed: 5 }, 7],
  ['pfppp', 99, { is: 'passes', passed: 4, failed: 1 }, 5],
  ['pfpfpfpfpfpfpfpfp', 99, { is: 'unresolved', why: 'it fails 7 of 15 trials', passed: 8, failed: 7 }, 15],
  [
    'ppf',
    3,
    { is: 'stopped', why: { cause: 'limit', message: 'the search has made its most trials' }, passed: 2, failed: 1 },
    3,
  ],
  [
    '',
    2,
    { is: 'stopped', why: { cause: 'limit', message: 'the search has made its most trials' }, passed: 0, failed: 0 },
    0,
  ],
  ['pepp', 99, { is: 'passes', passed: 3, failed: 0 }, 4],
  ['eep', 99, { is: 'stopped', why: { cause: 'provider', message: 'it is down' }, passed: 1, failed: 0 }, 3],
  ['bbp', 99, { is: 'unresolved', why: 'it is refused', passed: 1, failed: 0 }, 3],
  [
    'psf',
    99,
    { is: 'stopped', why: { cause: 'interrupted', message: 'the search was stopped (SIGINT)' }, passed: 1, failed: 1 },
    3,
  ],
  ['mff', 99, { is: 'stopped', why: { cause: 'budget', message: '--max-cost is used up' }, passed: 0, failed: 2 }, 3],
])('trials %j of at most %i give %j', async (script, left, answer, trials) => {
  const { numbers, prober } = answerBy(script);
  expect(await probeCase(prober, asked, { lead: 3, left })).toEqual(answer);
  expect(numbers).toEqual(Array.from({ length: trials }, (_, trial) => trial));
});

test('the lead that decides grows with the number of prompts that are asked', () => {
  expect([1, 6, 7, 25, 26, 100, 10_000].map((probes) => leadFor(probes, 0.1))).toEqual([3, 3, 4, 4, 5, 5, 9]);
  expect([3, 4].map(mostTrials)).toEqual([15, 20]);
  expect(stopCauseOf({ is: 'passed', answer: '' })).toBeUndefined();
  expect(stopCauseOf({ is: 'failed', answer: '' })).toBeUndefined();
});

import { expect, test } from 'vitest';
import type { Case } from '../../src/model/suite/suite.ts';
import {
  type CoverPorts,
  coverInstruction,
  coverLimits,
  orderByRelevance,
  type SensingCase,
} from '../../src/probing/cover-instruction.ts';
import type { AskedCell, ProbeTrial } from '../../src/probing/open-prober.ts';

const caseOf = (id: string, more: Partial<Case> = {}) =>
  ({ id, vars: {}, turns: [], checks: [], ...more }) as unknown as Case;
const cellOf = (name: string) => ({ name }) as unknown as AskedCell;
const nameOf = (asked: AskedCell) => (asked as unknown as { readonly name: string }).name;

/** Trials of one side of a case: p passes, f fails, e errors, b is refused, m has no money; the last one goes on. Or answers. */
type Script = string | ((trial: number) => string);

interface Sides {
  readonly whole: Script;
  /** Undefined where the prompt without the instruction is not valid. */
  readonly without: Script | undefined;
}

function trialBy(script: Script, trial: number): ProbeTrial {
  if (typeof script !== 'string') return { is: 'passed', answer: script(trial) };
  switch (script.charAt(Math.min(trial, script.length - 1))) {
    case 'p':
      return { is: 'passed', answer: 'yes' };
    case 'f':
      return { is: 'failed', answer: 'no', reason: `reason ${trial}` };
    case 'g':
      return { is: 'failed', answer: 'no' };
    case 'm':
      return { is: 'stopped', reason: 'budget' };
    case 'b':
      return { is: 'errored', failure: { kind: 'badRequest', message: 'it is refused' } };
    default:
      return { is: 'errored', failure: { kind: 'server', message: 'it is down' } };
  }
}

async function cover(cases: Readonly<Record<string, Sides>>, limits: Partial<CoverPorts['limits']> = {}) {
  const asked = new Map<string, number[]>();
  const ports: CoverPorts = {
    limits: { lead: 3, confirmations: 24, whole: 30, ...limits },
    without: ({ id }) => (cases[id]?.without === undefined ? undefined : cellOf(`${id} without`)),
    ask(cell, trial) {
      const name = nameOf(cell);
      // A search that never ends fails here, and does not keep the test waiting.
      if (trial > 100) throw new Error('the search goes on and on');
      asked.set(name, [...(asked.get(name) ?? []), trial]);
      const [id = '', side] = name.split(' ');
      const script = side === undefined ? cases[id]?.whole : cases[id]?.without;
      return Promise.resolve(trialBy(script ?? '', trial));
    },
  };
  const sensing = Object.keys(cases).map((id): SensingCase => ({ testCase: caseOf(id), hash: id, whole: cellOf(id) }));
  const found = await coverInstruction(sensing, ports);
  return [found, Object.fromEntries([...asked].map(([name, trials]) => [name, trials.join(' ')]))];
}

const words = (text: string) => () => text;
const inTurn =
  (...texts: readonly string[]) =>
  (trial: number) =>
    texts[trial % texts.length] ?? '';

test.each<[name: string, cases: Readonly<Record<string, Sides>>, limits?: Partial<CoverPorts['limits']>]>([
  ['no case', {}],
  ['a case that fails with the whole prompt', { a: { whole: 'f', without: 'p' } }],
  ['a case that passes once of two', { a: { whole: 'fp', without: 'f' } }],
  ['a prompt that is not valid without it', { a: { whole: 'p', without: undefined } }],
  ['a prompt that the API refuses without it', { a: { whole: 'p', without: 'b' } }],
  ['a provider that is down', { a: { whole: 'e', without: 'p' } }],
  ['a second trial without money', { a: { whole: 'pm', without: 'p' } }],
  ['a provider that is down without it', { a: { whole: 'p', without: 'e' } }],
  ['a guard', { a: { whole: 'p', without: 'f' } }],
  ['a guard without reasons', { a: { whole: 'p', without: 'g' } }],
  ['a guard that is second', { a: { whole: 'p', without: 'p' }, b: { whole: 'p', without: 'f' } }],
  ['a guard that flakes', { a: { whole: 'pppfpppp', without: 'fpffff' } }],
  ['a flake', { a: { whole: 'p', without: 'fp' } }],
  ['a case that fails with it as well', { a: { whole: 'ppf', without: 'f' } }],
  ['confirmations that are used up', { a: { whole: 'p', without: 'ffpfpfpfpfpf' } }, { confirmations: 4 }],
  ['confirmations that just do', { a: { whole: 'p', without: 'f' } }, { confirmations: 3 }],
  ['confirmations without money', { a: { whole: 'p', without: 'ffm' } }],
  ['a whole prompt without money', { a: { whole: 'ppm', without: 'f' } }],
  ['a whole prompt that never leads', { a: { whole: 'ppfpfpfpfpfpfpfpfpfpfpf', without: 'f' } }],
  ['a whole prompt that leads too little', { a: { whole: 'pppfpfpfpfpfpfpfpfpfpfp', without: 'f' } }],
  ['answers that are the same', { a: { whole: words('one two'), without: words('one two') } }],
  ['answers that differ', { a: { whole: words('one two'), without: words('one three') } }],
  ['answers that differ by chance', { a: { whole: inTurn('a', 'b'), without: inTurn('b', 'c', 'a') } }],
  [
    'the cases whose answers change most',
    {
      a: { whole: words('one'), without: words('one') },
      b: { whole: words('one two'), without: words('two one') },
      c: { whole: inTurn('q r', 'q s'), without: inTurn('q r x', 'q s') },
      d: { whole: inTurn('q r', 'q s'), without: inTurn('q', 'q s', 'q r') },
      e: { whole: words('red'), without: words('green') },
      f: { whole: words('red fish'), without: words('green bird') },
      g: { whole: inTurn('a b', 'a c'), without: words('a d') },
    },
  ],
  [
    'four cases whose first answers change, and no more',
    Object.fromEntries(
      [
        ['a', 'x y', 'x y'],
        ['b', 'x y', 'y x'],
        ['c', 'x y z', 'x y'],
        ['d', 'x y', 'x y rare'],
        ['e', 'x y other words', 'more come here instead'],
        ['f', 'x y z', 'z'],
        ['g', 'q', 'r s t u v w'],
        ['h', 'x y', 'x x y'],
      ].map(([id = '', whole = '', without = '']): [string, Sides] => [
        id,
        {
          whole: inTurn(`${whole} odd`, `${whole} even`),
          without: (trial) => (trial === 0 ? without : `${whole} ${trial % 2 === 0 ? 'odd' : 'even'}`),
        },
      ]),
    ),
  ],
  ['no money to compare answers', { a: { whole: 'ppm', without: words('other') } }],
])('%s', async (name, cases, limits) => {
  const [found, asked] = await cover(cases, limits);
  await expect(`${JSON.stringify({ found, asked }, null, 1)}\n`).toMatchFileSnapshot(
    `snapshots/cover/${name.replaceAll(' ', '-')}.txt`,
  );
});

test('the limits of a search grow with its cases', () => {
  expect([0, 1, 10, 1000].map(coverLimits)).toEqual([
    { lead: 3, confirmations: 24, whole: 22 },
    { lead: 3, confirmations: 24, whole: 22 },
    { lead: 4, confirmations: 32, whole: 22 },
    { lead: 8, confirmations: 64, whole: 42 },
  ]);
});

test('cases that share rare words with an instruction come first, others in their order', () => {
  const sensing = (id: string, more: Partial<Case>): SensingCase => ({
    testCase: caseOf(id, more),
    hash: id,
    whole: cellOf(id),
  });
  const cases = [
    sensing('none', { vars: { mail: 'hello' } }),
    sensing('common', { vars: { mail: 'a refund for the bill' } }),
    sensing('rare', { vars: { mail: 'the Lawyer wrote' } }),
    sensing('turn', { turns: [{ prompt: 'a lawyer and a refund' }] as unknown as Case['turns'] }),
    sensing('check', { checks: [{ source: { contains: 'refund' } }] as unknown as Case['checks'] }),
  ];
  const order = (text: string) => orderByRelevance(text, cases).map(({ testCase }) => testCase.id);
  expect(order('Refunds?')).toEqual(['none', 'common', 'rare', 'turn', 'check']);
  expect(order('Send a REFUND to the lawyer.')).toEqual(['common', 'turn', 'rare', 'check', 'none']);
  expect(order('hello')).toEqual(['none', 'common', 'rare', 'turn', 'check']);
  expect(order('')).toEqual(['none', 'common', 'rare', 'turn', 'check']);
});

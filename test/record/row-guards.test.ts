import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import {
  isCellRow,
  isCount,
  isEndRow,
  isMagnitude,
  isResumeRow,
  isRowClass,
  isRowHead,
  isRunHeader,
  isShare,
  isTrialNumber,
} from '../../src/record/row-guards.ts';

type Guard = (row: unknown) => boolean;

/** Which of these values a guard lets a member of a good row have; undefined leaves it out. */
function taken(guard: Guard, good: object, path: readonly string[], values: readonly unknown[]): unknown[] {
  return values.filter((value) => guard(withMember(good, path, value)));
}

function withMember(value: unknown, [key, ...rest]: readonly string[], member: unknown): unknown {
  if (key === undefined) return member;
  const inner = withMember(Reflect.get(Object(value), key), rest, member);
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? inner : item));
  const entries = Object.entries({ ...Object(value), [key]: inner }).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries);
}

const anything = [
  undefined,
  null,
  '',
  'x',
  true,
  0,
  1,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  [],
  [1],
  ['x'],
  {},
];
const texts = ['', 'x'];
const optionalTexts = [undefined, ...texts];
const maps = [{}];
const optionalMaps = [undefined, {}];
const listsOfTexts = [[], ['x']];
const numbers = [0, 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
const magnitudes = [undefined, 0, 1, 0.5];
const amounts = [undefined, null, 0, 1, -1, 0.5];

type Members = readonly (readonly [path: string, values: readonly unknown[]])[];

const head = {
  type: 'cell',
  suite: 's',
  prompt: 'p',
  provider: 'v',
  caseId: 'c',
  trial: 0,
  caseHash: 'h',
  status: 'passed',
  cached: false,
};

const headMembers: Members = [
  ['type', []],
  ['suite', texts],
  ['prompt', texts],
  ['provider', texts],
  ['caseId', texts],
  ['caseHash', ['x']],
  ['trial', [0, 1]],
  ['status', []],
  ['cached', [true]],
  ['group', optionalTexts],
  ['slices', [undefined, ...listsOfTexts]],
  ['classified', [undefined]],
  ['side', [undefined]],
  ['score', [undefined, 0, 1, 0.5]],
  ['latencyMs', magnitudes],
  ['firstTokenMs', magnitudes],
  ['position', [undefined, 0, 1]],
  ['costUsd', amounts],
  ['spentUsd', amounts],
  ['judgeCostUsd', amounts],
  ['answerHash', optionalTexts],
  ['answerId', optionalTexts],
  ['usage', [undefined]],
  ['usage.inputTokens', [0, 1, 0.5]],
  ['usage.outputTokens', [0, 1, 0.5]],
  ['model', optionalTexts],
  ['skip', optionalMaps],
];
const fullHead = { ...head, usage: { inputTokens: 1, outputTokens: 1 } };

const check = { assertion: 'a', pass: true, score: 1, reason: 'r' };
const asked = { messages: [{ role: 'user', content: 'x' }], turns: [{ role: 'user', content: 'y' }] };
const cell = { ...fullHead, cellHash: 'i', at: {}, checks: [check], calls: [{}], attempts: 1, asked };
const cellMembers: Members = [
  ...headMembers,
  ['cellHash', texts],
  ['at', maps],
  ['checks', [[]]],
  ['checks.0', []],
  ['checks.0.assertion', texts],
  ['checks.0.pass', [true]],
  ['checks.0.score', [0, 1, 0.5]],
  ['checks.0.reason', texts],
  ['checks.0.weight', magnitudes],
  ['calls', [[]]],
  ['calls.0', maps],
  ['attempts', numbers],
  ['output', optionalTexts],
  ['reasoning', optionalTexts],
  ['refusal', optionalTexts],
  ['finishReason', optionalTexts],
  ['systemFingerprint', optionalTexts],
  ['error', optionalMaps],
  ['asked', [undefined]],
  ['asked.messages', [[]]],
  ['asked.messages.0', []],
  ['asked.messages.0.role', texts],
  ['asked.messages.0.content', texts],
  ['asked.turns', [undefined, []]],
  ['asked.turns.0', []],
  ['asked.tags', [undefined, ...listsOfTexts]],
  ['asked.description', optionalTexts],
  ['toolCalls', [undefined, [], [1], ['x']]],
  ['trajectory', [undefined, [], [1], ['x']]],
];

const variant = { prompt: 'p', provider: 'v', planned: 1 };
const loosened = { key: 'k', old: 'o', new: 'n' };
const header = {
  type: 'run',
  format: 1,
  id: 'i',
  startedAt: 't',
  tool: {},
  settings: { maxErrors: {}, loosened: [loosened], emptySelections: [{ message: 'm' }] },
  suites: [{ suite: 's', path: 'p', variants: [variant] }],
};
const headerMembers: Members = [
  ['type', []],
  // Of another format nothing else can be expected.
  ['format', anything.slice(1)],
  ['id', texts],
  ['startedAt', texts],
  ['tool', maps],
  ['settings', []],
  ['settings.maxErrors', maps],
  ['settings.loosened', [undefined, []]],
  ['settings.loosened.0', []],
  ['settings.loosened.0.key', texts],
  ['settings.loosened.0.old', texts],
  ['settings.loosened.0.new', texts],
  ['settings.loosened.0.suite', optionalTexts],
  ['settings.loosened.0.cases', [undefined, ...listsOfTexts]],
  ['settings.emptySelections', [undefined, []]],
  ['settings.emptySelections.0', []],
  ['settings.emptySelections.0.message', texts],
  ['suites', [[]]],
  ['suites.0', []],
  ['suites.0.suite', texts],
  ['suites.0.path', texts],
  ['suites.0.variants', [[]]],
  ['suites.0.variants.0', []],
  ['suites.0.variants.0.prompt', texts],
  ['suites.0.variants.0.provider', texts],
  ['suites.0.variants.0.planned', numbers],
];

const rows: readonly (readonly [name: string, guard: Guard, good: object, members: Members])[] = [
  ['the head of a row', isRowHead, fullHead, headMembers],
  ['a row', isCellRow, cell, cellMembers],
  ['the header of a run', isRunHeader, header, headerMembers],
  [
    'the row of a resumed run',
    isResumeRow,
    { type: 'resume', startedAt: 't' },
    [
      ['type', []],
      ['startedAt', texts],
    ],
  ],
  [
    'the row of an end',
    isEndRow,
    { type: 'end', durationMs: 1, notes: ['n'] },
    [
      ['type', []],
      ['durationMs', numbers],
      ['stopReason', optionalTexts],
      ['notes', listsOfTexts],
    ],
  ],
  [
    'a class',
    isRowClass,
    { truth: 't', by: 'b' },
    [
      ['truth', texts],
      ['by', texts],
      ['found', [undefined, null, ...texts]],
    ],
  ],
];

test.each(
  rows.flatMap(([name, guard, good, members]) =>
    members.map(([path, values]) => ({ name, path, guard, good, values })),
  ),
)('the member $path of $name takes what it may be, and nothing else', ({ path, guard, good, values }) => {
  expect(guard(good)).toBe(true);
  const wanted = anything.filter((value) => values.some((one) => isDeepStrictEqual(one, value)));
  expect(taken(guard, good, path.split('.'), anything)).toEqual(wanted);
});

test.each(rows)('what is no map is not %s', (_name, guard) => {
  expect(anything.filter(guard)).toEqual([]);
});

test('a row may have the marks that it can have', () => {
  const statuses = ['passed', 'failed', 'errored', 'skipped', 'running'];
  expect(statuses.map((status) => isRowHead({ ...head, status }))).toEqual([true, true, true, true, false]);
  expect(['accepted', 'refused'].map((side) => isRowHead({ ...head, side }))).toEqual([true, false]);
  const classified = { truth: 't', by: 'b', found: null };
  expect(isRowHead({ ...head, classified })).toBe(true);
  expect(isRowHead({ ...head, classified: { ...classified, by: 1 } })).toBe(false);
});

test('numbers are in their bounds', () => {
  expect([0, 0xffff_ffff, 0x1_0000_0000, -1, 0.5, '0'].map(isTrialNumber)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect([0, 2 ** 53 - 1, 2 ** 53, -1, 0.5, '0'].map(isCount)).toEqual([true, true, false, false, false, false]);
  expect([0, 1, -0.1, 1.1, Number.NaN, '0'].map(isShare)).toEqual([true, true, false, false, false, false]);
  expect([0, 1e300, -1, Number.POSITIVE_INFINITY, Number.NaN, '0'].map(isMagnitude)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

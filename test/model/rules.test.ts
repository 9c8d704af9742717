import { expect, test } from 'vitest';
import { StorageError } from '../../src/files/write-files.ts';
import { besideKey, comparedKeys, isReplacedBy } from '../../src/model/comparison/baseline.ts';
import { exitCodeFor } from '../../src/model/comparison/exit-code.ts';
import { describeContractWarnings, isBreak } from '../../src/model/comparison/finding.ts';
import type { Decision } from '../../src/model/comparison/gate.ts';
import { UserError } from '../../src/model/problem.ts';
import { isJudged, judgedLatencies } from '../../src/model/run/cell.ts';
import { refusalOf, storageProblem, withRefusal } from '../../src/model/storage-problem.ts';
import { fillReferences, findReferences } from '../../src/model/suite/agent.ts';
import { nameClass } from '../../src/model/suite/classes.ts';
import { defaultGate } from '../../src/model/suite/gate-policy.ts';
import { isPlugin, pluginsOf } from '../../src/model/suite/plugin.ts';
import {
  hasWorkspace,
  mergeContracts,
  providersOf,
  renderMessages,
  slicesOf,
  writeMessage,
} from '../../src/model/suite/suite.ts';
import { compileTemplate } from '../../src/templates/template.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { buildFinding } from '../support/build-contracts.ts';

test('variables of the environment are found and filled in; what is missing stays as written', () => {
  const text = 'Bearer ${A} ${B_2}${A} $C ${1} ${}';
  expect(findReferences(text)).toEqual(['A', 'B_2', 'A']);
  expect(fillReferences(text, { A: 'x', B_2: '' })).toBe('Bearer x x $C ${1} ${}');
  expect(fillReferences(text, {})).toBe(text);
});

test('a variant is compared with its own answers, else with those of the variant that it replaces', () => {
  const own = { prompt: 'p', provider: 'm' };
  expect(comparedKeys(own)).toEqual([own]);
  expect(comparedKeys({ ...own, replaces: 'o' })).toEqual([own, { prompt: 'o', provider: 'm' }]);
  expect(comparedKeys({ ...own, replacesProvider: 'n' })).toEqual([own, { prompt: 'p', provider: 'n' }]);
  const both = { ...own, replaces: 'o', replacesProvider: 'n' };
  expect(comparedKeys(both)).toEqual([
    own,
    { prompt: 'p', provider: 'n' },
    { prompt: 'o', provider: 'm' },
    { prompt: 'o', provider: 'n' },
  ]);
  expect([besideKey(own), besideKey(both)]).toEqual([own, { prompt: 'o', provider: 'n' }]);
  expect(
    [
      { prompt: 'p2', provider: 'm', replaces: 'p' },
      { prompt: 'p2', provider: 'n', replaces: 'p' },
      { prompt: 'p2', provider: 'm', replaces: 'q' },
      { prompt: 'p', provider: 'n', replacesProvider: 'm' },
      { prompt: 'q', provider: 'n', replacesProvider: 'm' },
      { prompt: 'p', provider: 'n', replacesProvider: 'o' },
      own,
    ].map((other) => isReplacedBy(own, other)),
  ).toEqual([true, false, false, true, false, false, false]);
});

test('trials with a verdict alone have a latency that counts', () => {
  const trials = (['passed', 'failed', 'errored', 'skipped'] as const).map((status, index) => ({
    status,
    latencyMs: index,
  }));
  expect(trials.map(isJudged)).toEqual([true, true, false, false]);
  expect(judgedLatencies([...trials, { status: 'passed' }])).toEqual([0, 1]);
});

test('a class is a text, a number or a truth value, without blanks around it', () => {
  const values = [' a ', '', '  ', 0, true, null, undefined, [], {}, new SpelledNumber(1, '1.0')];
  expect(values.map(nameClass)).toEqual([
    'a',
    undefined,
    undefined,
    '0',
    'true',
    undefined,
    undefined,
    undefined,
    undefined,
    '1.0',
  ]);
});

test('an exit code says how a run ended, and an interruption comes first', () => {
  const code = (rest: Partial<Decision>) => exitCodeFor({ outcome: 'passed', ...rest } as Decision);
  expect([
    code({}),
    code({ outcome: 'inconclusive' }),
    code({ outcome: 'failed' }),
    code({ outcome: 'incomplete' }),
    code({ outcome: 'incomplete', incompleteBecause: 'errors' }),
    code({ outcome: 'failed', interrupted: 'SIGINT' }),
    code({ outcome: 'incomplete', interrupted: 'SIGTERM' }),
  ]).toEqual([0, 4, 1, 4, 3, 130, 143]);
});

test('twenty doubtful changes of a contract are named, and answers that were refused', () => {
  const doubtful = (count: number) =>
    Array.from({ length: count }, (_, index) => buildFinding({ severity: 'warn', path: `/${index}`, message: 'M.' }));
  const observed = { answers: 'new', schema: 'old', total: 1, offenders: [], message: 'seen' } as const;
  const warn = (findings: ReturnType<typeof doubtful>, ...seen: object[]) =>
    describeContractWarnings({ suite: 's', prompt: 'p', against: 'b', findings, observed: seen as never });
  expect(warn([buildFinding(), ...doubtful(1), buildFinding({ severity: 'warn', approved: true })])).toEqual([
    's: contract of p, enum-value-added at /0: M.',
  ]);
  expect(warn(doubtful(20))).toHaveLength(20);
  expect(warn(doubtful(22)).slice(19)).toEqual([
    's: contract of p, enum-value-added at /19: M.',
    's: contract of p: and 2 more warnings',
  ]);
  expect(
    warn([], { ...observed, rejected: 0 }, { ...observed, rejected: 1 }, { ...observed, rejected: 0, unjudged: 1 }),
  ).toEqual(['s: contract of p: seen', 's: contract of p: seen']);
  expect(
    [buildFinding(), buildFinding({ approved: true }), buildFinding({ severity: 'warn' })].map((finding) =>
      isBreak(finding),
    ),
  ).toEqual([true, false, false]);
});

test('a plug-in has a kind that is known, a name and a summary', () => {
  const plugin = { kind: 'reporter', name: 'n', summary: 's' };
  expect(
    [
      plugin,
      { ...plugin, kind: 'assertion' },
      { ...plugin, kind: 'provider' },
      { ...plugin, kind: 'x' },
      { ...plugin, name: 5 },
      { ...plugin, summary: 5 },
      { kind: 'reporter', name: 'n' },
      { kind: 'reporter', summary: 's' },
      {},
      null,
      'reporter',
    ].map(isPlugin),
  ).toEqual([true, true, true, false, false, false, false, false, false, false, false]);
});

test('plug-ins are chosen by their kind, and providers by the names that a version has', () => {
  const loaded = ['reporter', 'provider', 'reporter'].map((kind, index) => ({ plugin: { kind, name: `p${index}` } }));
  expect(pluginsOf(loaded as never, 'reporter')).toEqual([loaded[0], loaded[2]]);
  expect(pluginsOf([], 'reporter')).toEqual([]);
  const providers = [{ id: 'a' }, { id: 'b' }] as never;
  const idsOf = (only: object) =>
    providersOf({ providers }, { id: 'p', params: {}, messages: [], ...only }).map(({ id }) => id);
  expect([idsOf({}), idsOf({ providers: ['b'] }), idsOf({ providers: [] })]).toEqual([['a', 'b'], ['b'], []]);
});

test('a mistake of the user holds every problem, or the only one as an error', () => {
  const details = { code: 'usage', message: 'one', hint: 'h' } as const;
  const warning = { code: 'usage', message: 'two', severity: 'warning' } as const;
  const cause = new Error('why');
  const single = new UserError(details, { cause });
  expect([single.name, single.message, single.problems]).toEqual([
    'UserError',
    'one',
    [{ ...details, severity: 'error' }],
  ]);
  expect(single.cause).toBe(cause);
  const both = new UserError([{ ...details, severity: 'error' }, warning]);
  expect([both.message, both.problems]).toEqual(['one\ntwo', [{ ...details, severity: 'error' }, warning]]);
});

test('a refusal of the disk is a mistake that the user can fix; another error stays what it is', () => {
  const refused = (code: string) => new StorageError('Writing', '/x', code);
  expect(storageProblem(refused('ENOSPC'))).toEqual({
    code: 'environment',
    severity: 'error',
    message: 'Writing /x failed: no space is left on the disk (ENOSPC).',
    hint: 'make room on the disk',
  });
  expect(storageProblem(refused('EIO'))).toEqual({
    code: 'environment',
    severity: 'error',
    message: 'Writing /x failed: the disk reports an error (EIO).',
  });
  expect(storageProblem(refused('EACCES'), 'own hint').hint).toBe('own hint');
  expect(withRefusal(() => 5)).toBe(5);
  const fail = (error: Error) => () =>
    withRefusal(() => {
      throw error;
    });
  expect(fail(refused('EROFS'))).toThrow(UserError);
  expect(fail(new TypeError('bug'))).toThrow(TypeError);
});

test('a refusal is of the disk or of the user; a bug is thrown again', () => {
  const refusals = [new StorageError('Writing', '/x', 'ENOSPC'), new UserError([])];
  expect(refusals.map(refusalOf)).toEqual(refusals);
  const bug = new TypeError('bug');
  expect(() => refusalOf(bug)).toThrow(bug);
});

test('messages are written as templates and rendered with their files', () => {
  const message = {
    role: 'user',
    template: compileTemplate('Hi {{ a }}'),
    attach: [compileTemplate('{{ a }}.png')],
  } as const;
  const plain = { role: 'user', template: compileTemplate('x') } as const;
  expect([message, plain].map(writeMessage)).toEqual([
    { role: 'user', content: 'Hi {{ a }}', attach: ['{{ a }}.png'] },
    { role: 'user', content: 'x' },
  ]);
  expect(renderMessages({ id: 'p', params: {}, messages: [message, plain] }, { a: 'A' })).toEqual([
    { role: 'user', content: 'Hi A', attach: ['A.png'] },
    { role: 'user', content: 'x', attach: [] },
  ]);
});

test('a version that expands its own messages is asked for them', () => {
  const expand = (vars: object) => [{ role: 'user', content: JSON.stringify(vars), attach: [] }] as const;
  expect(renderMessages({ id: 'p', params: {}, messages: [], expand }, { a: 1 })).toEqual([
    { role: 'user', content: '{"a":1}', attach: [] },
  ]);
});

test('the contract of a version wins key by key, and lists of both hold', () => {
  expect(
    mergeContracts(
      { policy: 'formal', strictConsumers: true, approved: ['a', 'b'], ignore: ['/x'] },
      { policy: 'lenient', approved: ['b', 'c'], removed: ['r'] },
    ),
  ).toEqual({
    policy: 'lenient',
    strictConsumers: true,
    approved: ['a', 'b', 'c'],
    ignore: ['/x'],
    removed: ['r'],
  });
  expect(mergeContracts({ policy: 'formal' })).toEqual({ policy: 'formal' });
});

test('the gated slices of a case are its tags that the gate names, in order and once', () => {
  const gate = { ...defaultGate, slices: { b: { passRate: {} }, a: { passRate: {} } } };
  expect(slicesOf({ tags: ['b', 'x', 'a', 'b', 'constructor'] }, gate)).toEqual(['a', 'b']);
  expect(slicesOf({ tags: ['x'] }, gate)).toBeUndefined();
  expect(slicesOf({ tags: [] }, gate)).toBeUndefined();
  expect(slicesOf({ tags: ['a'] }, defaultGate)).toBeUndefined();
});

test('only a program works on a copy of a folder', () => {
  expect(
    [
      { adapter: 'exec', options: { workspace: 'w' } },
      { adapter: 'exec', options: {} },
      { adapter: 'http', options: { workspace: 'w' } },
    ].map(hasWorkspace),
  ).toEqual([true, false, false]);
});

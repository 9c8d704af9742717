import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { StorageError } from '../../../src/files/write-files.ts';
import { UserError } from '../../../src/model/problem.ts';
import { maxResultBytes, type RecordTarget } from '../../../src/model/suite/agent.ts';
import { createToolRecorder, keepStubs, refuseToolRecording } from '../../../src/run/cells/record-tools.ts';
import { buildCell, buildSuite } from '../../support/build-case.ts';
import { openTempProject } from '../../support/temp-project.ts';

type Recorded = Parameters<ReturnType<typeof createToolRecorder>['record']>;

interface RecorderOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly envNames?: readonly string[];
  readonly mask?: (text: string) => string;
  /** What the tool answers; of an order if not said otherwise. */
  readonly answer?: (id: string) => Awaited<ReturnType<Recorded[2]>>;
}

function openRecorder({ env = {}, envNames, mask = (text) => text, answer }: RecorderOptions = {}) {
  const project = openTempProject();
  const at = { ms: 0 };
  const clock = { now: () => at.ms, wait: () => Promise.resolve(), startTimer: () => () => undefined };
  const targetOf = (name: string): RecordTarget => ({
    file: project.path(`stubs/${name}.yaml`),
    shown: `stubs/${name}.yaml`,
    source: {
      kind: 'module',
      code: { folder: project.root, hash: '', ...(envNames === undefined ? {} : { envNames }) },
    },
  });
  const target = targetOf('shop');
  const recorder = createToolRecorder({ clock, env, mask });
  const asked: string[] = [];
  const recordRaw = (rawArguments: string, { name = 'find', id = rawArguments, into = target } = {}) =>
    recorder.record(into, { name, arguments: {}, rawArguments }, async () => {
      asked.push(id);
      await Promise.resolve();
      return answer?.(id) ?? { kind: 'result', result: { content: `order ${id}` } };
    });
  const record = (id: string, name = 'find') => recordRaw(JSON.stringify({ id }), { name, id });
  const written = (): readonly string[] => {
    if (!existsSync(target.file)) return [];
    const { find = [] } = parse(project.read('stubs/shop.yaml')) as { find?: { returns: string }[] };
    return find.map(({ returns }) => returns);
  };
  return { project, at, recorder, asked, record, recordRaw, targetOf, written };
}

test('a run that is killed has written its stubs up to a second ago, and nothing half', async () => {
  const { project, at, recorder, record, written } = openRecorder();
  await record('1');
  expect(written()).toEqual(['order 1']);
  at.ms = 500;
  await record('2');
  expect(written()).toEqual(['order 1']);
  at.ms = 1000;
  await record('3');
  expect(written()).toEqual(['order 1', 'order 2', 'order 3']);
  await record('4');
  recorder.write();
  expect(written()).toEqual(['order 1', 'order 2', 'order 3', 'order 4']);
  expect(readdirSync(project.path('stubs'))).toEqual(['shop.yaml']);
  expect(recorder.notes()).toEqual(['--record-tools: 4 stubs written to stubs/shop.yaml; review and commit it']);
});

test('calls that are made at the same time are asked once', async () => {
  const { record, asked, recorder, written } = openRecorder();
  const all = await Promise.all(['1', '1', '2', '1'].map((id) => record(id)));
  expect(asked).toEqual(['1', '2']);
  expect(all.map((outcome) => (outcome.kind === 'result' ? outcome.result.content : ''))).toEqual([
    'order 1',
    'order 1',
    'order 2',
    'order 1',
  ]);
  recorder.write();
  expect(written()).toEqual(['order 1', 'order 2']);
});

test('a tool’s own error is a stub too, and both are written in the order of their names', async () => {
  const { project, record, recorder } = openRecorder({
    answer: (id) => ({ kind: 'result', result: { content: `no order ${id}`, ...(id === '2' && { isError: true }) } }),
  });
  await record('2', 'refund');
  await record('1', 'find');
  recorder.write();
  expect(parse(project.read('stubs/shop.yaml'))).toEqual({
    find: [{ when: { id: '1' }, compare: 'exact', returns: 'no order 1' }],
    refund: [{ when: { id: '2' }, compare: 'exact', fails: 'no order 2' }],
  });
  expect(recorder.notes()).toEqual(['--record-tools: 2 stubs written to stubs/shop.yaml; review and commit it']);
});

test('a file that was edited since the last call stays as it was edited', async () => {
  const { project, record, recorder } = openRecorder();
  await record('1');
  recorder.write();
  project.write('stubs/shop.yaml', '{ "find" : [] }');
  recorder.write();
  expect(project.read('stubs/shop.yaml')).toBe('{ "find" : [] }');
});

test('the same call is asked once for each file', async () => {
  const { recordRaw, targetOf, asked, recorder } = openRecorder();
  for (const name of ['shop', 'bank', 'shop']) await recordRaw('{"id":"1"}', { into: targetOf(name), id: name });
  expect(asked).toEqual(['shop', 'bank']);
  expect(recorder.notes()).toEqual([
    '--record-tools: 1 stub written to stubs/shop.yaml; review and commit it',
    '--record-tools: 1 stub written to stubs/bank.yaml; review and commit it',
  ]);
});

test('what waits is written into each file at the end', async () => {
  const { project, recordRaw, targetOf, recorder } = openRecorder();
  for (const id of ['1', '2']) {
    for (const name of ['shop', 'bank'])
      await recordRaw(JSON.stringify({ id }), { into: targetOf(name), id: `${name} ${id}` });
  }
  recorder.write();
  const written = ['shop', 'bank'].map((name) => {
    const { find } = parse(project.read(`stubs/${name}.yaml`)) as { find: { returns: string }[] };
    return find.map(({ returns }) => returns);
  });
  expect(written).toEqual([
    ['order shop 1', 'order shop 2'],
    ['order bank 1', 'order bank 2'],
  ]);
});

test('arguments that are not JSON get the error of a stub, and none at all are asked', async () => {
  const { recordRaw, asked } = openRecorder();
  expect(await recordRaw('{"id"')).toEqual({
    kind: 'result',
    result: { content: 'the arguments are not JSON: "{\\"id\\""', isError: true },
  });
  expect(asked).toEqual([]);
  expect(await recordRaw(' ')).toEqual({ kind: 'result', result: { content: 'order  ' } });
  expect(await recordRaw('')).toEqual({ kind: 'result', result: { content: 'order  ' } });
  expect(asked).toEqual([' ']);
});

test('a secret of the tool is masked in a result, and a call that holds one is not made', async () => {
  const { record, asked, recorder, written } = openRecorder({
    env: { SHOP_KEY: 'k-123456789', OTHER: 'o-123456789' },
    envNames: ['SHOP_KEY', 'MISSING'],
    mask: (text) => text.replaceAll('run secret', '***'),
    answer: () => ({ kind: 'result', result: { content: 'k-123456789 o-123456789 run secret' } }),
  });
  expect(await record('1')).toEqual({ kind: 'result', result: { content: '*** o-123456789 ***' } });
  const refused = String.raw`"find" with "{\"id\":\"k-123456789\"}" is not recorded: its arguments hold a secret`;
  const [own, longer] = await Promise.all([record('z k-123456789'), record('k-123456789')]);
  expect([own, longer]).toEqual([
    { kind: 'fails', reason: refused.replace('k-', 'z k-') },
    { kind: 'fails', reason: refused },
  ]);
  expect(asked).toEqual(['1']);
  expect(written()).toEqual(['*** o-123456789 ***']);
  expect(recorder.notes()).toEqual([
    '--record-tools: 1 stub written to stubs/shop.yaml; review and commit it',
    `--record-tools: ${refused}`,
    `--record-tools: ${refused.replace('k-', 'z k-')}`,
  ]);
});

test.each([
  [
    'could not be run',
    { kind: 'errored', message: 'no node' },
    ['"find" with "{\\"id\\":\\"1\\"}" is not recorded: no node'],
  ],
  ['fails the cell', { kind: 'fails', reason: 'too long' }, []],
  ['does not exist', { kind: 'unknown', hint: 'add it' }, []],
] as const)('a call whose tool %s is no stub, and another cell asks again', async (_what, outcome, notes) => {
  const { record, asked, recorder, written } = openRecorder({ answer: () => outcome });
  for (let times = 0; times < 2; times += 1) expect(await record('1')).toEqual(outcome);
  expect(asked).toEqual(['1', '1']);
  recorder.write();
  expect(written()).toEqual([]);
  expect(recorder.notes()).toEqual(notes.map((note) => `--record-tools: ${note}`));
});

test('a result that would fail each later run is no stub', async () => {
  const { record, recorder, written } = openRecorder({
    // A letter of two bytes, and others of one: so many bytes, and one unit less.
    answer: (id) => ({ kind: 'result', result: { content: `ä${'x'.repeat(maxResultBytes - 2 + Number(id))}` } }),
  });
  const outcomes = [await record('0'), await record('1')];
  expect(outcomes.map((one) => (one.kind === 'result' ? one.result.content.length : 0))).toEqual([
    maxResultBytes - 1,
    maxResultBytes,
  ]);
  recorder.write();
  expect(written().map((content) => Buffer.byteLength(content))).toEqual([maxResultBytes]);
});

test('what could not be written is said at the end of the run, and is no stub', async () => {
  const { project, record, recorder } = openRecorder();
  project.write('stubs/shop.yaml', '- a list\n');
  await record('1');
  expect(project.read('stubs/shop.yaml')).toBe('- a list\n');
  expect(() => recorder.write()).toThrow(
    "stubs/shop.yaml can't be read any more: it holds no map of tools; the recorded stubs are lost",
  );
  expect(recorder.notes()).toEqual([]);
  const [told, stopped]: string[][] = [[], []];
  const stop = { hard: (reason: string) => void stopped?.push(reason) };
  keepStubs(recorder, stop, {
    onProgress: (event) => void told?.push(event.type === 'note' ? event.message : event.type),
  });
  expect([told, stopped]).toEqual([[expect.stringContaining("can't be read any more")], ['storage']]);
});

test('a folder in the place of the file is said at the end of the run', async () => {
  const { project, record, recorder } = openRecorder();
  project.write('stubs/shop.yaml/a', '');
  await record('1');
  expect(() => recorder.write()).toThrow(StorageError);
});

test('what was written is said once the run has ended', async () => {
  const { record, recorder } = openRecorder();
  await record('1');
  const told: unknown[] = [];
  keepStubs(recorder, { hard: () => told.push('stopped') }, { onProgress: (event) => void told.push(event) });
  expect(told).toEqual([
    { type: 'note', message: '--record-tools: 1 stub written to stubs/shop.yaml; review and commit it' },
  ]);
});

describe('recording is refused before anything is asked', () => {
  /** What is refused of cells that record into these files; a name stands for a case without real tools. */
  function check(files: readonly (string | undefined)[], { env = {}, recordings = false, cacheMode = 'use' } = {}) {
    const project = openTempProject();
    project.write('plain', 'a file');
    const suite = buildSuite([], recordings ? { recordings: 'rec.jsonl' } : {});
    const record = (name: string): RecordTarget => ({
      file: project.path(name),
      shown: name,
      source: { kind: 'module', code: { folder: project.root, hash: '' } },
    });
    const cells = files.map((name) =>
      buildCell({ agent: { stubs: [], maxSteps: 3, ...(name !== undefined && { record: record(name) }) } }),
    );
    const planned = {
      plan: { suites: [{ suite }], providerKeys: ['a', 'b'], cells: () => [buildCell(), ...cells] },
    } as unknown as Parameters<typeof refuseToolRecording>[0];
    const options = {
      record: false,
      isCacheModeChosen: cacheMode === 'replay',
      settings: { cacheMode },
    } as unknown as Parameters<typeof refuseToolRecording>[1];
    try {
      refuseToolRecording(planned, options, { env });
      return project.files();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ message, hint }) => `${message.replaceAll(project.root, '.')} → ${hint}`);
    }
  }

  test.each<[string, Parameters<typeof check>, readonly string[]]>([
    ['nothing of files that can be written', [['new/a.yaml', 'new/a.yaml', 'b.yaml']], ['plain']],
    ['nothing of a case without real tools beside one with them', [[undefined, 'a.yaml']], ['plain']],
    [
      'everything where no case names real tools',
      [[undefined]],
      [
        '--record-tools: no case of this run names real tools → write tools: { file: stubs/shop.yaml, record: { module: tools/shop.ts } }',
      ],
    ],
    [
      'everything on a pull request',
      [['a.yaml'], { env: { CI_MERGE_REQUEST_IID: '7' } }],
      [
        '--record-tools asks real tools, which a pull request must not: CI_MERGE_REQUEST_IID says that this is one → record on your machine or on the default branch, and commit the stubs',
      ],
    ],
    [
      'a suite that its recordings answer',
      [['a.yaml'], { recordings: true }],
      [
        '--record-tools asks real tools, and the suite triage is answered from its recordings → add --record, or --cache use',
      ],
    ],
    [
      'a suite that the cache alone answers',
      [['a.yaml'], { cacheMode: 'replay' }],
      [
        '--record-tools asks real tools, and the suite triage is answered from its recordings → add --record, or --cache use',
      ],
    ],
    [
      'nothing of recordings where no case of theirs names real tools',
      [[undefined], { recordings: true }],
      [
        '--record-tools: no case of this run names real tools → write tools: { file: stubs/shop.yaml, record: { module: tools/shop.ts } }',
      ],
    ],
    ['a file that can not be written', [['a.yaml', 'plain/b.yaml']], [expect.stringContaining('./plain')]],
  ])('%s', (_what, given, expected) => {
    expect(check(...given)).toEqual(expected);
  });

  test('a suite that its recordings answer, after another one with the same file', () => {
    const project = openTempProject();
    const code = { folder: project.root, hash: '' };
    const record: RecordTarget = { file: project.path('a.yaml'), shown: 'a.yaml', source: { kind: 'module', code } };
    const agent = { stubs: [], maxSteps: 3, record };
    const suites = [buildSuite([]), buildSuite([], { id: 'other', recordings: 'rec.jsonl' })];
    const cells = suites.map(({ id }) => buildCell({ agent, key: { ...buildCell().key, suite: id } }));
    const plan = { suites: suites.map((suite) => ({ suite })), providerKeys: ['a'], cells: () => cells };
    const planned = { plan } as unknown as Parameters<typeof refuseToolRecording>[0];
    const options = { record: false, settings: { cacheMode: 'use' } } as unknown as Parameters<
      typeof refuseToolRecording
    >[1];
    expect(() => refuseToolRecording(planned, options, { env: {} })).toThrow('the suite other is answered from');
  });
});

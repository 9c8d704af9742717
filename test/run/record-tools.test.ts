import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { RecordTarget } from '../../src/model/agent.ts';
import { createToolRecorder } from '../../src/run/record-tools.ts';
import { openTempProject } from '../support/temp-project.ts';

function openRecorder() {
  const project = openTempProject();
  const at = { ms: 0 };
  const clock = { now: () => at.ms, wait: () => Promise.resolve(), startTimer: () => () => undefined };
  const target: RecordTarget = {
    file: project.path('stubs/shop.yaml'),
    shown: 'stubs/shop.yaml',
    source: { kind: 'module', code: { folder: project.root, hash: '' } },
  };
  const recorder = createToolRecorder({ clock, env: {}, mask: (text) => text });
  const asked: string[] = [];
  const record = (id: string, name = 'find') => {
    const rawArguments = JSON.stringify({ id });
    return recorder.record(target, { name, arguments: { id }, rawArguments }, async () => {
      asked.push(id);
      await Promise.resolve();
      return { kind: 'result', result: { content: `order ${id}` } };
    });
  };
  const written = (): readonly string[] => {
    if (!existsSync(target.file)) return [];
    const { find = [] } = parse(project.read('stubs/shop.yaml')) as { find?: { returns: string }[] };
    return find.map(({ returns }) => returns);
  };
  return { project, at, recorder, asked, record, written };
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

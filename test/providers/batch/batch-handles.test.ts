import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BatchHandle, batchHandleFormat } from '../../../src/model/suite/provider.ts';
import { openBatchHandles } from '../../../src/providers/batch/batch-handles.ts';
import { makeFolder } from '../../cache/build-request.ts';

const handle: BatchHandle = {
  format: batchHandleFormat,
  name: 'a-1',
  startedAt: '2026-11-24T15:30:12.000Z',
  provider: 'mini',
  endpoint: 'hash',
  keys: ['k'],
  batchIds: ['batch_1'],
  isConfirmed: true,
};

test('a handle is private, and one that can be read in two ways is named and ignored', () => {
  const folder = join(makeFolder(), 'batches');
  const warnings: string[] = [];
  const handles = openBatchHandles(folder, (message) => warnings.push(message));
  handles.write(handle);
  expect(handles.list()).toEqual([handle]);
  const path = join(folder, 'a-1.json');
  expect([folder, path].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o600]);
  for (const text of [readFileSync(path, 'utf8').replace('{', '{"batchIds":["batch_2"],'), 'half of {', '{}']) {
    writeFileSync(path, text);
    expect(handles.list()).toEqual([]);
  }
  expect(warnings).toEqual(
    Array.from({ length: 3 }, () => `${path} is not a batch that this version can read, so it is ignored`),
  );
});

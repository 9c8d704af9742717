import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const bin = join(root, 'bin/llmcheck.js');

describe('a Node that is too old', () => {
  test.each(['12.22.12', '18.20.4', '20.18.3'])('%s prints the version that is needed, and ends with 2', (version) => {
    const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
    const preload = `data:text/javascript,${encodeURIComponent(fake)}`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, bin, 'run'], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `llmcheck needs Node 20.19 or later. This is Node ${version}, from ${process.execPath}.\n`,
    });
  });

  test('Node 12 can parse the file that says so', async () => {
    const source = readFileSync(bin, 'utf8');
    const [forNode12, asWritten] = await Promise.all([
      transform(source, { target: 'node12.20' }),
      transform(source, { target: 'esnext' }),
    ]);
    expect(forNode12.code).toBe(asWritten.code);
  });

  test('the version is the one that package.json asks for', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.19.0');
  });
});

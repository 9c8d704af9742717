import { expect, test } from 'vitest';
import { loadQueueModules } from '../../../src/calls/open-queue-dispatch.ts';
import { UserError } from '../../../src/model/problem.ts';
import { openTempProject } from '../../support/temp-project.ts';

const env = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', OPENAI_API_KEY: 'sk-test-0123456789abcdef' };

test.each([
  ['no address', 'hello'],
  ['a bucket', 's3://bucket/folder'],
  ['another scheme', 'http://user:pass-word-1@127.0.0.1/0'],
  ['no number of a database', 'redis://:pass-word-1@127.0.0.1/first'],
])('%s is a usage error of run and of worker', async (_what, address) => {
  const project = openTempProject('echo');
  for (const command of ['run', 'worker']) {
    const { code, stderr } = await project.run([command, '--queue', address], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('--queue: the address');
    expect(stderr).not.toContain('pass-word-1');
  }
});

test('a missing server is reported before anything is sent, without the password', { tags: ['slow'] }, async () => {
  const project = openTempProject('echo');
  for (const command of ['run', 'worker']) {
    const { code, stderr } = await project.run([command, '--queue', 'redis://me:pass-word-1@127.0.0.1:9/0'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("the queue redis://127.0.0.1:9/0 can't be used: connect ECONNREFUSED");
    expect(stderr).not.toContain('pass-word-1');
  }
});

test('a worker needs an address, a number of calls and a lease that can be kept', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['worker', '-j', '0', '--lease', '10ms', '--drain', 'soon'], { env });
  expect(code).toBe(2);
  for (const told of ['--queue: the address is missing', '--concurrency: "0"', '--lease: 10ms is shorter', '--drain: '])
    expect(stderr).toContain(told);
});

test('the config may hold an address, and no password', async () => {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'run: { queue: "redis://:pass-word-1@127.0.0.1:9/0" }\n');
  const { code, stderr } = await project.run(['run'], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('the config is no place for one');
  expect(stderr).toContain('LLMCHECK_QUEUE');
  project.write('llmcheck.config.yaml', 'run: { queue: "redis://127.0.0.1:9/0" }\n');
  expect((await project.run(['run'], { env })).stderr).toContain("the queue redis://127.0.0.1:9/0 can't be used");
});

test('packages that are missing or too old are named with the command that installs them', async () => {
  const refusalOf = async (versions: Readonly<Record<string, string>>) => {
    const packages = {
      has: (name: string) => Object.hasOwn(versions, name),
      version: (name: string) => versions[name],
      load: () => Promise.resolve({}),
    };
    const error: unknown = await loadQueueModules('/', packages).catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw new TypeError('expected a usage error', { cause: error });
    return error.problems.map(({ message, hint }) => `${message}: ${hint ?? ''}`).join('\n');
  };
  const install = 'npm install --save-dev bullmq@6 ioredis@5';
  expect(await refusalOf({ ioredis: '5.11.1' })).toBe(`--queue needs the package bullmq (not installed): ${install}`);
  expect(await refusalOf({})).toBe(
    `--queue needs the packages bullmq (not installed), ioredis (not installed): ${install}`,
  );
  for (const bullmq of ['4.18.3', '5.9.0', '5.63.2', '7.0.0'])
    expect(await refusalOf({ bullmq, ioredis: '5.11.1' })).toBe(
      `--queue needs the package bullmq ^6.0 or ^5.64 (${bullmq} is installed): ${install}`,
    );
  expect(await refusalOf({ bullmq: '5.64.0', ioredis: '4.28.5' })).toBe(
    `--queue needs the package ioredis ^5.4 (4.28.5 is installed): ${install}`,
  );
});

import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import { loadQueueModules } from '../../../src/pipeline/open-queue.ts';
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

test('a server that is not there is told before anything is sent, without the password', async () => {
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

test('packages that are missing are named with the command that installs them', async () => {
  const packages = {
    has: (name: string) => name === 'ioredis',
    version: () => undefined,
    load: () => Promise.resolve(undefined),
  };
  const error: unknown = await loadQueueModules('/', packages).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new TypeError('expected a usage error', { cause: error });
  expect(error.problems.map(({ message, hint }) => [message, hint])).toEqual([
    ['--queue needs the package bullmq', 'npm install --save-dev bullmq'],
  ]);
  const none = { ...packages, has: () => false };
  await expect(loadQueueModules('/', none)).rejects.toThrow('--queue needs the packages bullmq and ioredis');
});

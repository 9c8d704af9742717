import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

test('a flag wins over its variable, which wins over the run: of the config', async () => {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'run: { filter: red, trials: 2 }\n');
  const { env } = await startEchoServer();
  const planned = async (argv: readonly string[], variables: Record<string, string> = {}) =>
    (await project.report(['run', ...argv], { env: { ...env, ...variables } })).report.totals.planned;
  expect(await planned([])).toBe(2);
  expect(await planned([], { LLMCHECK_TRIALS: '3' })).toBe(3);
  expect(await planned(['--trials', '4'], { LLMCHECK_TRIALS: '3' })).toBe(4);
  expect(await planned([], { LLMCHECK_FILTER: 'red,green' })).toBe(4);
});

test('switches are 1, 0, true and false in the environment', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const code = async (value: string) =>
    (await project.run(['run', '-t', 'nothing'], { env: { ...env, LLMCHECK_ALLOW_EMPTY: value } })).code;
  expect([await code('1'), await code('true'), await code('0'), await code('false'), await code('')]).toEqual([
    0, 0, 4, 4, 4,
  ]);
  expect(await code('yes')).toBe(2);
});

test('an unknown LLMCHECK_ variable warns and is ignored', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const { code, stderr } = await project.run(['run'], { env: { ...env, LLMCHECK_TRAILS: '1' } });
  expect(code).toBe(0);
  expect(stderr).toContain('LLMCHECK_TRAILS');
});

test('an unknown key of run: is an error with a suggestion', async () => {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'run: { maxcost: 1 }\n');
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean "maxCost"?');
});

test('--env-file gives variables, and those that are set win', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  project.write('.env', `OPENAI_BASE_URL=${server.url}/v1\nOPENAI_API_KEY="sk-from-the-file-01234"\n`);
  const keyOf = (index: number) => server.requests[index]?.headers['authorization'];
  expect((await project.run(['run', '-t', 'red', '--env-file', '.env'])).code).toBe(0);
  expect(keyOf(0)).toBe('Bearer sk-from-the-file-01234');
  const env = { OPENAI_API_KEY: 'sk-from-the-process-0123' };
  await project.run(['run', '-t', 'green', '--env-file', '.env'], { env });
  expect(keyOf(1)).toBe('Bearer sk-from-the-process-0123');
});

test('a missing --env-file is a usage error', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run', '--env-file', 'none.env']);
  expect(code).toBe(2);
  expect(stderr).toContain('--env-file none.env: the file does not exist');
});

test('LLMCHECK_ settings may come from the --env-file, also from the first line of one with a mark of its encoding', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  for (const mark of ['', '\uFEFF']) {
    project.write('.env', `${mark}LLMCHECK_TRIALS=2\n`);
    const { report } = await project.report(['run', '-t', 'red', '--env-file', '.env'], { env });
    expect(report.totals.planned).toBe(2);
  }
});

test.each<[string, string, BufferEncoding, string]>([
  ['in UTF-16', '\uFEFFLLMCHECK_MAX_COST=0.5\r\n', 'utf16le', 'its bytes are not valid UTF-8: save it as UTF-8'],
  [
    'with a colon',
    'A=1\nexport LLMCHECK_MAX_COST: 0.5\n',
    'utf8',
    'LLMCHECK_MAX_COST is followed by a colon: write LLMCHECK_MAX_COST=…',
  ],
])('an --env-file %s, of which a limit would not be read, is a usage error', async (_, text, encoding, message) => {
  const project = openTempProject('echo');
  writeFileSync(project.path('.env'), Buffer.from(text, encoding));
  const { code, stderr } = await project.run(['run', '--env-file', '.env']);
  expect(code).toBe(2);
  expect(stderr).toContain(`--env-file .env: ${message}`);
});

test('a path outside the project in an --env-file is refused, unless a flag or a variable wins over it', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  project.write('.env', 'LLMCHECK_REPORTER=json=/elsewhere/report.json\n');
  const argv = ['run', '-t', 'red', '--env-file', '.env'];
  const { code, stderr } = await project.run(argv, { env });
  expect([code, stderr]).toEqual([2, expect.stringContaining('LLMCHECK_REPORTER of the env file: ')]);
  expect((await project.run([...argv, '-r', 'terminal'], { env })).code).toBe(0);
  expect((await project.run(argv, { env: { ...env, LLMCHECK_REPORTER: 'terminal' } })).code).toBe(0);
});

describe.each([
  ['--trials', '0'],
  ['--trials', '1.5'],
  ['--trials', '-1'],
  ['--trials', '1e3'],
  ['--concurrency', '0'],
  ['--timeout', '5'],
  ['--timeout', '0s'],
  ['--deadline', 'soon'],
  ['--max-cost', 'lots'],
  ['--max-cost', '-1'],
  ['--max-cost', 'Infinity'],
  ['--max-errors', '101%'],
  ['--max-errors', '1.5'],
  ['--cache', 'maybe'],
  ['--sample', '0'],
  ['--seed', '3'],
  ['--filter', ''],
  ['--filter', ','],
  ['-r', 'jsn'],
  ['-r', 'json='],
])('%s %j', (flag, value) => {
  test('is a usage error that names the flag, with nothing sent', async () => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    const { code, stderr } = await project.run(['run', `${flag}${flag === '-r' ? '' : '='}${value}`], {
      env: server.env,
    });
    expect(code).toBe(2);
    expect(stderr).toContain(flag === '-r' ? '--reporter' : flag);
    expect(server.requests).toHaveLength(0);
  });
});

test('every wrong flag is named at once', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run', '--trials=0', '--cache=maybe', '--shard=9/2', '-r', 'jsn']);
  expect(code).toBe(2);
  for (const flag of ['--trials', '--cache', '--shard', '--reporter']) expect(stderr).toContain(flag);
});

test('a misspelt flag is a usage error with a suggestion', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run', '--max-coast', '1']);
  expect(code).toBe(2);
  expect(stderr).toContain('--max-cost');
});

test('an address that is no URL names the variable that it came from', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run'], { env: { OPENAI_BASE_URL: 'nonsense' } });
  expect([code, stderr.includes('OPENAI_BASE_URL')]).toEqual([2, true]);
});

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { UserError } from '../../src/model/problem.ts';
import type { CompletionOutcome } from '../../src/model/run/completion.ts';
import { exec } from '../../src/providers/code/exec.ts';
import { splitCommand } from '../../src/text/code/command-line.ts';
import fc from '../support/property.ts';
import { buildConfig, buildRequest } from './build-request.ts';

let folder = '';
const open: { close(): unknown }[] = [];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-exec-')));
  // One program for every test: what it does is its first argument, JavaScript with `input` at hand.
  const source = `let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', () => new Function('input', 'process', 'require', process.argv[2])(JSON.parse(input), process, require));`;
  writeFileSync(join(folder, 'program.cjs'), source);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

interface Setting {
  readonly options?: JsonObject;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function run(command: string, { options = {}, env = {}, signal }: Setting = {}): Promise<CompletionOutcome> {
  const config = buildConfig({ adapter: 'exec', model: command, options, folder });
  const world = { env: { PATH: process.env['PATH'], ...env }, projectRoot: folder };
  const provider = await exec.connect(config, world);
  open.push(provider);
  const request = buildRequest({ model: command, params: { temperature: 0 } });
  return provider.complete(request, signal ?? new AbortController().signal);
}

function script(code: string, setting?: Setting): Promise<CompletionOutcome> {
  return run(`node program.cjs '${code}'`, setting);
}

function say(answer: unknown): string {
  return `process.stdout.write(${JSON.stringify(JSON.stringify(answer))})`;
}

describe('the program', () => {
  it('gets the request as JSON and answers with text', async () => {
    const outcome = await script('console.log(JSON.stringify(input))');
    expect(outcome).toMatchObject({
      status: 'completed',
      attempts: 1,
      cached: false,
      completion: { toolCalls: [] },
    });
    const text = outcome.status === 'completed' ? outcome.completion.text : '';
    expect(JSON.parse(text)).toMatchObject({
      messages: [{ role: 'user', content: 'Hello' }],
      params: { temperature: 0 },
      trial: 0,
      caseId: 'refund',
      prompt: 'v1',
      suite: 's',
    });
    expect(text.endsWith('\n')).toBe(false);
  });

  it('runs in the folder of the suite, by a path relative to it too', async () => {
    expect(await script('console.log(process.cwd())')).toMatchObject({ completion: { text: folder } });
    writeFileSync(join(folder, 'answer.sh'), '#!/bin/sh\ncat >/dev/null\npwd\n', { mode: 0o755 });
    expect(await run('./answer.sh')).toMatchObject({ completion: { text: folder } });
  });

  it('gets no shell: what a shell would expand reaches it as written', async () => {
    const outcome = await run(`node program.cjs 'console.log(process.argv.slice(3).join("|"))' $HOME "a  b" ; echo`);
    expect(outcome).toMatchObject({ completion: { text: '$HOME|a  b|;|echo' } });
  });

  it('sees the basic variables and those that are named, and no others', async () => {
    const env = { HOME: '/home/me', OPENAI_API_KEY: 'sk-secret', TOKEN: 'named' };
    const outcome = await script('console.log(Object.keys(process.env).sort().join())', {
      env,
      options: { env: ['TOKEN'] },
    });
    expect(outcome).toMatchObject({ completion: { text: expect.stringMatching(/^HOME,PATH,TOKEN$/) } });
  });

  it('is not started where a variable that is named is missing', async () => {
    const outcome = await script('', { options: { env: ['TOKEN'] } });
    expect(outcome).toMatchObject({
      status: 'failed',
      attempts: 0,
      failure: { kind: 'auth', message: expect.stringContaining('TOKEN') },
    });
  });

  it('need not read its input', async () => {
    writeFileSync(join(folder, 'deaf.sh'), '#!/bin/sh\nexec <&-\necho deaf\n', { mode: 0o755 });
    expect(await run('./deaf.sh')).toMatchObject({ completion: { text: 'deaf' } });
  });
});

describe('an answer object', () => {
  it('becomes a completion', async () => {
    const answer = {
      text: 'Hi',
      reasoning: 'hm',
      model: 'mine-1',
      finishReason: 'length',
      toolCalls: [
        { id: 'c1', name: 'find', arguments: { q: 1 } },
        { name: 'now', arguments: '{"a": 2}' },
      ],
      usage: { inputTokens: 3, outputTokens: 2, reasoningTokens: 1 },
    };
    const outcome = await script(say(answer));
    expect(outcome).toMatchObject({
      status: 'completed',
      completion: {
        ...answer,
        toolCalls: [
          { id: 'c1', name: 'find', arguments: { q: 1 }, rawArguments: '{"q":1}' },
          { name: 'now', arguments: { a: 2 }, rawArguments: '{"a": 2}' },
        ],
      },
    });
  });

  it('of tool calls alone stopped for them', async () => {
    const outcome = await script(say({ text: '', toolCalls: [{ name: 'now', arguments: {} }] }));
    expect(outcome).toMatchObject({ completion: { finishReason: 'toolCalls' } });
  });

  it.each([
    { queue: 'billing' },
    { text: 'Hi', queue: 'billing' },
    { text: 1 },
    { text: '', usage: { inputTokens: -1, outputTokens: 1 } },
  ])('%j is text, unless JSON is asked for', async (answer) => {
    expect(await script(say(answer))).toMatchObject({ completion: { text: JSON.stringify(answer) } });
    expect(await script(say(answer), { options: { output: 'json' } })).toMatchObject({
      failure: { kind: 'malformed' },
    });
  });

  it('is text where text is asked for', async () => {
    const answer = { text: 'Hi' };
    expect(await script(say(answer), { options: { output: 'text' } })).toMatchObject({
      completion: { text: JSON.stringify(answer) },
    });
  });

  it('of steps may have a call without a result', async () => {
    const answer = { text: 'Hi', steps: [{ toolCalls: [{ name: 'find', arguments: {} }] }, { text: 'Hi' }] };
    expect(await script(say(answer), { options: { output: 'json' } })).toMatchObject({
      completion: { steps: [{ calls: [{ name: 'find', arguments: {} }] }, { text: 'Hi', calls: [] }] },
    });
  });

  it('that reports a content filter is a failure', async () => {
    const usage = { inputTokens: 3, outputTokens: 1 };
    expect(await script(say({ text: '', finishReason: 'contentFilter', usage }))).toMatchObject({
      failure: { kind: 'contentFilter', usage },
    });
  });

  it('is missed where JSON is asked for and text comes', async () => {
    expect(await script('console.log("{oops")', { options: { output: 'json' } })).toMatchObject({
      failure: { kind: 'malformed' },
    });
  });
});

describe('a program that fails', () => {
  it('by its exit code is an error with the end of stderr, not worth a retry', async () => {
    const outcome = await script('console.error("noise ".repeat(5000) + "the reason"); process.exitCode = 3');
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1, failure: { kind: 'server', retryable: false } });
    const message = outcome.status === 'failed' ? outcome.failure.message : '';
    expect(message).toContain('exit code 3');
    expect(message).toMatch(/the reason$/);
    expect(message.length).toBeLessThan(1000);
  });

  it('since Node finds no module says which', async () => {
    const outcome = await run('node no-such-module.cjs');
    expect(outcome).toMatchObject({
      failure: { message: expect.stringMatching(/Cannot find module '.*no-such-module/) },
    });
  });

  it('for the moment (exit code 75) may be asked again', async () => {
    const outcome = await script('process.exitCode = 75');
    expect(outcome).toMatchObject({ failure: { kind: 'server' } });
    expect(outcome).not.toHaveProperty('failure.retryable');
  });

  it('by a signal says which', async () => {
    const outcome = await script('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)');
    expect(outcome).toMatchObject({ failure: { kind: 'server', message: expect.stringContaining('SIGTERM') } });
  });

  it.each(['no-such-program-anywhere', './no-such-file.sh', './program.cjs'])(
    'as %s can not be started',
    async (command) => {
      expect(await run(command)).toMatchObject({ status: 'failed', failure: { kind: 'notFound' } });
    },
  );

  it('by writing without end is stopped', async () => {
    const outcome = await script(
      'const b = Buffer.alloc(1 << 20, "x"); const go = () => process.stdout.write(b, go); go()',
    );
    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { kind: 'tooLarge', message: expect.stringContaining('wrote more than 16 MiB') },
    });
  });

  it('to end is killed with its children when the signal fires', { tags: ['slow'] }, async () => {
    const controller = new AbortController();
    const pidFile = join(folder, 'child.pid');
    const code = `const c = require("child_process").spawn("sleep", ["600"], { stdio: "inherit" }); require("fs").writeFileSync(${JSON.stringify(pidFile)}, c.pid + "\\n")`;
    const outcome = script(code, { signal: controller.signal });
    const pid = await readPid(pidFile);
    controller.abort(new DOMException('slow', 'TimeoutError'));
    expect(await outcome).toMatchObject({ status: 'failed', failure: { kind: 'timeout' } });
    await vanish(pid);
  });

  it('to end is killed by close()', async () => {
    const provider = await exec.connect(buildConfig({ adapter: 'exec', model: 'sleep 600', folder }), {
      env: { PATH: process.env['PATH'] },
      projectRoot: folder,
    });
    const outcome = provider.complete(buildRequest({}), new AbortController().signal);
    await provider.close();
    expect(await outcome).toMatchObject({ status: 'failed', failure: { message: expect.stringContaining('SIGKILL') } });
  });

  it('is not started once the signal has fired', async () => {
    expect(await script('', { signal: AbortSignal.abort() })).toMatchObject({
      attempts: 0,
      failure: { kind: 'aborted' },
    });
  });
});

describe('the adapter version', () => {
  const version = (command: string, options: JsonObject = {}) =>
    exec.resolve(buildConfig({ adapter: 'exec', model: command, options, folder }), { env: {}, projectRoot: folder })
      .adapterVersion;

  it('changes with the program and with the files that are named, so that an edited one misses the cache', () => {
    const [program, library] = ['edited.cjs', 'library.cjs'].map((name) => join(folder, name));
    writeFileSync(program ?? '', 'one');
    writeFileSync(library ?? '', 'one');
    const before = version('node edited.cjs', { files: ['library.cjs'] });
    writeFileSync(program ?? '', 'two');
    const between = version('node edited.cjs', { files: ['library.cjs'] });
    writeFileSync(library ?? '', 'two');
    expect(new Set([before, between, version('node edited.cjs', { files: ['library.cjs'] })]).size).toBe(3);
  });

  it('changes with the settings that change the answer', () => {
    expect(version('node program.cjs')).not.toBe(version('node program.cjs', { output: 'text' }));
  });

  it('does not look at files outside the project', () => {
    expect(version('cat /etc/passwd ../../etc/passwd')).toBe(version('cat'));
  });
});

describe('a command line', () => {
  it.each<[string, readonly string[] | undefined]>([
    ['node a.mjs  --x=1', ['node', 'a.mjs', '--x=1']],
    [`a "b c" 'd "e"' f\\ g`, ['a', 'b c', 'd "e"', 'f g']],
    [`a"b"'c'`, ['abc']],
    ['a ""', ['a', '']],
    [String.raw`"a \" b" 'c\d'`, ['a " b', String.raw`c\d`]],
    [String.raw`C:\tools\run.exe x`, [String.raw`C:\tools\run.exe`, 'x']],
    ['', []],
    ['a "b', undefined],
  ])('%s is split', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });

  it('gives back every list of words that was quoted', () => {
    const quote = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitCommand(words.map(quote).join(' '))).toEqual(words);
      }),
    );
  });

  it.each(['', '  ', '"" x', 'node "a.mjs'])('%j is a usage error', (command) => {
    const config = buildConfig({ adapter: 'exec', model: command, folder });
    expect(() => exec.resolve(config, { env: {}, projectRoot: folder })).toThrow(UserError);
  });
});

async function readPid(file: string): Promise<number> {
  return until(async () => {
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.endsWith('\n') ? Number(text) : undefined;
  });
}

async function vanish(pid: number): Promise<void> {
  await until(() => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true;
      throw error;
    }
  });
}

/** Asks again on every turn of the event loop; the test's own timeout is the deadline. */
async function until<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

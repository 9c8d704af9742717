import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AssertionInput, ModuleJob } from '../../src/model/suite/own-code.ts';
import { ModuleWorker } from '../../src/programs/module-worker.ts';
import { type OwnCodeOptions, openOwnCode } from '../../src/programs/open-own-code.ts';
import { selectEnv } from '../../src/programs/run-program.ts';
import { isAlive } from '../support/is-alive.ts';

const input: AssertionInput = {
  target: 'abc',
  text: 'abc',
  toolCalls: [],
  finishReason: 'stop',
  latencyMs: 1,
  costUsd: null,
  args: { wanted: 'a' },
};

const env = { PATH: process.env['PATH'], SECRET_KEY: 'sk-secret' };

function openProject(files: Readonly<Record<string, string>>, options: Partial<OwnCodeOptions> = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-own-code-')));
  const own = openOwnCode({ env, ...options });
  onTestFinished(() => {
    own.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const limits = { timeoutMs: 15_000, memoryMb: 128 };
  return {
    folder,
    own,
    runModule: (file: string, exportName = 'default', timeoutMs = limits.timeoutMs) =>
      own.runModule({ ...limits, file: join(folder, file), exportName, input, timeoutMs }),
    runCommand: (argv: readonly string[], timeoutMs = limits.timeoutMs, envNames: readonly string[] = []) =>
      own.runCommand({ ...limits, argv, folder, envNames, input, timeoutMs }),
  };
}

function faultOf(outcome: object): unknown {
  return 'fault' in outcome ? outcome.fault : outcome;
}

describe('a module', () => {
  test('in TypeScript is called with the answer, with no build step, and its imports with it', {
    tags: 'slow',
  }, async () => {
    const { runModule } = openProject({
      'check.ts': `
        import { finds } from './finds.ts';
        interface Input { readonly text: string; readonly args: { readonly wanted: string } }
        export default ({ text, args }: Input): object => ({ pass: finds(text, args.wanted), reason: text as string });`,
      'finds.ts': 'export function finds(text: string, part: string): boolean { return text.includes(part); }',
    });
    expect(await runModule('check.ts')).toEqual({ returned: { pass: true, reason: 'abc' } });
  });

  test('in TypeScript may export in a package of CommonJS', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'package.json': '{"type": "commonjs"}',
      'check.ts': `import { yes } from './yes';\nexport default (): object => ({ pass: yes as boolean });`,
      'yes.ts': 'export const yes: boolean = true;',
    });
    expect(await runModule('check.ts')).toEqual({ returned: { pass: true } });
  });

  test('in JavaScript may be a promise, and CommonJS', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'check.mjs': 'export const late = async () => ({ pass: true });',
      'check.cjs': 'exports.old = () => ({ pass: false, score: 0.5 });',
      'made.cjs': 'module.exports = Object.fromEntries([["made", () => ({ pass: true })]]);',
    });
    expect(await runModule('check.mjs', 'late')).toEqual({ returned: { pass: true } });
    expect(await runModule('check.cjs', 'old')).toEqual({ returned: { pass: false, score: 0.5 } });
    expect(await runModule('made.cjs', 'made')).toEqual({ returned: { pass: true } });
  });

  test('imports files as a bundler finds them', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'check.ts': `
        import { a } from './a';
        import { b } from './b.mjs';
        import { c } from './c';
        import { d } from './d.js';
        export default (): string => a + b + c + d;`,
      'a.ts': 'export const a: string = "a";',
      'b.mts': 'export const b: string = "b";',
      'c/index.ts': 'export const c: string = "c";',
      'd.ts': 'export const d: string = "d";',
    });
    expect(await runModule('check.ts')).toEqual({ returned: 'abcd' });
  });

  test('answers many checks in one child, and sees no variable that it was not meant to see', async () => {
    const { runModule } = openProject({
      'check.mjs': 'export default () => ({ pass: true, reason: `${process.pid} ${process.env.SECRET_KEY}` });',
    });
    const reasons = new Set<string>();
    for (let count = 0; count < 20; count += 1) reasons.add(JSON.stringify(await runModule('check.mjs')));
    expect([...reasons]).toEqual([expect.stringMatching(/"\d+ undefined"/)]);
  });

  test('sees the variables that each of its checks names', { tags: 'slow' }, async () => {
    const { folder, own } = openProject({ 'check.mjs': 'export default () => String(process.env.SECRET_KEY);' });
    const call = { file: join(folder, 'check.mjs'), exportName: 'default', input, timeoutMs: 15_000, memoryMb: 128 };
    expect(await own.runModule(call)).toEqual({ returned: 'undefined' });
    expect(await own.runModule({ ...call, envNames: ['SECRET_KEY'] })).toEqual({ returned: 'sk-secret' });
    expect(await own.runModule({ ...call, envNames: ['NOT_SET'] })).toEqual({
      fault: 'needs NOT_SET, which is not set',
    });
  });

  test.each([
    ['loops for ever', 'for (;;);', /^took longer than 200 ms$/],
    ['never settles', 'return new Promise(() => {});', /^took longer than 200 ms$/],
    ['ends its process', 'process.exit(0);', /^ended its process early \(exit code 0\)$/],
    [
      'fails in what it does not wait for',
      '(async () => { await null; throw new Error("late"); })(); return { pass: true };',
      /^ended its process early \(exit code 1\): Error: late/,
    ],
    ['kills itself', 'process.kill(process.pid, "SIGKILL"); for (;;);', /^ended its process early \(SIGKILL\)$/],
  ])('that %s has a fault, and the next check is made', { tags: 'slow' }, async (_, body, fault) => {
    const { runModule } = openProject({
      'check.mjs': `export default () => { ${body} };\nexport const good = () => ({ pass: true });`,
    });
    await runModule('check.mjs', 'good');
    const timeoutMs = fault.source.includes('200 ms') ? 200 : 15_000;
    expect(faultOf(await runModule('check.mjs', 'default', timeoutMs))).toMatch(fault);
    expect(await runModule('check.mjs', 'good')).toEqual({ returned: { pass: true } });
  });

  test('that throws, or returns no verdict, has a fault each time, and the next check is made', {
    tags: ['slow'],
  }, async () => {
    const { runModule } = openProject({
      'check.mjs': `export const error = () => { throw new TypeError("no such thing"); };
        export const text = () => { throw "text"; };
        export const nothing = () => {};
        export const circle = () => { const a = {}; a.a = a; return a; };
        export const much = () => "x".repeat(1e6);
        export const good = () => ({ pass: true });`,
    });
    const faults = [];
    for (const name of ['error', 'text', 'nothing', 'circle', 'much'])
      faults.push(faultOf(await runModule('check.mjs', name)));
    expect(faults).toEqual([
      expect.stringMatching(/^threw TypeError: no such thing \(.*check\.mjs:1:\d+\)$/),
      'threw text',
      'returned no verdict but undefined',
      expect.stringMatching(/^threw TypeError: Converting circular/),
      'returned more than 64 KiB',
    ]);
    expect(await runModule('check.mjs', 'good')).toEqual({ returned: { pass: true } });
  });

  test.each([
    ['objects', 'const a = []; for (;;) a.push(new Array(100000).fill(1.5));'],
    ['buffers', 'const a = []; for (;;) a.push(Buffer.alloc(1e7, 1));'],
  ])('that floods memory with %s is stopped at its bound', { tags: ['slow'] }, async (_, body) => {
    const { runModule } = openProject({ 'check.mjs': `export default () => { ${body} };` });
    expect(faultOf(await runModule('check.mjs'))).toBe('took more than 128 MB of memory');
  });

  test('that floods stdout is stopped', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'check.mjs': `export default async () => {
        for (;;) await new Promise((done) => process.stdout.write('x'.repeat(1e6), done));
      };`,
    });
    expect(faultOf(await runModule('check.mjs'))).toBe('wrote more than 16 MiB');
  });

  test.each([
    ['has no such export', 'export const other = 1;', /^exports no function "default", only other$/],
    ['is broken', 'export default (', /^can't be loaded: SyntaxError/],
    ['throws when it is loaded', 'throw new Error("at once");', /^can't be loaded: Error: at once/],
    ['imports what is not there', 'import "./gone.mjs";', /^can't be loaded: Error: Cannot find module/],
  ])('that %s has a fault', async (_, text, fault) => {
    const { runModule } = openProject({ 'check.mjs': text });
    expect(faultOf(await runModule('check.mjs'))).toMatch(fault);
  });

  test('that crashes after its verdict takes no other check with it', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'check.mjs': `const crash = () => { throw new Error('late'); };
        export default () => { setImmediate(setImmediate, crash); return { pass: true }; };
        export const slow = () => new Promise((resolve) => setTimeout(resolve, 50, { pass: false }));`,
    });
    const outcomes = [];
    for (const name of ['default', 'slow', 'default', 'slow']) outcomes.push(await runModule('check.mjs', name));
    const [pass, fail] = [{ returned: { pass: true } }, { returned: { pass: false } }];
    expect(outcomes).toEqual([pass, fail, pass, fail]);
  });

  test('may write 16 MiB in each check', { tags: 'slow' }, async () => {
    const { runModule } = openProject({
      'check.mjs': `export default () => new Promise((done) => {
        process.stdout.write('x'.repeat(9 * 2 ** 20), () => done({ pass: true }));
      });`,
    });
    for (const outcome of [await runModule('check.mjs'), await runModule('check.mjs')]) {
      expect(outcome).toEqual({ returned: { pass: true } });
    }
  });

  // Linux alone tells what left the child's process group.
  test('takes what it started with it when its time is over, also a group of its own', { tags: 'slow' }, async () => {
    const { folder, runModule } = openProject({
      'check.mjs': `import { spawn } from 'node:child_process';
        import { writeFileSync } from 'node:fs';
        export default () => {
          const pids = [false, ${process.platform === 'linux'}].map((detached) => {
            const options = { stdio: 'ignore', detached };
            return spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options).pid;
          });
          writeFileSync('pids', pids.join(' '));
          return new Promise(() => {});
        };`,
    });
    expect(faultOf(await runModule('check.mjs', 'default', 3000))).toBe('took longer than 3000 ms');
    for (const pid of readFileSync(join(folder, 'pids'), 'utf8').split(' ').map(Number)) {
      await expect.poll(() => isAlive(pid)).toBe(false);
    }
  });

  test('ends with a parent that was killed, even in an endless loop', { tags: 'slow' }, async () => {
    const { folder } = openProject({
      'check.mjs': `import { writeFileSync } from 'node:fs';
        export default () => { writeFileSync('pid', String(process.pid)); for (;;); };`,
      'parent.mjs': `import { fork } from 'node:child_process';
        const [worker, file] = process.argv.slice(2);
        fork(worker).send({ id: 1, file, exportName: 'default' });`,
    });
    const worker = join(import.meta.dirname, '../../src/programs/module-worker.mjs');
    const parent = spawn(process.execPath, ['parent.mjs', worker, join(folder, 'check.mjs')], {
      cwd: folder,
      stdio: 'ignore',
    });
    const pidFile = join(folder, 'pid');
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toMatch(/./);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('is stopped with the run, and none is started after it', async () => {
    const controller = new AbortController();
    const { runModule } = openProject(
      { 'check.mjs': 'export default () => { for (;;); };' },
      { signal: controller.signal },
    );
    const running = Array.from({ length: 6 }, () => runModule('check.mjs'));
    setTimeout(() => controller.abort(), 100);
    expect((await Promise.all(running)).map(faultOf)).toEqual(running.map(() => 'was stopped with the run'));
    expect(faultOf(await runModule('check.mjs'))).toBe('was stopped with the run');
  });
});

describe('a module of tools', () => {
  function openTools(files: Readonly<Record<string, string>>) {
    const { folder } = openProject(files);
    const worker = new ModuleWorker({ file: join(folder, 'tools.mjs'), memoryMb: 128 }, selectEnv(env, []));
    onTestFinished(() => worker.kill());
    return async (file: string, job: Pick<ModuleJob, 'input' | 'tool'>) => {
      const module = { file: join(folder, file), exportName: 'tools', memoryMb: 128, timeoutMs: 15_000 };
      return (await worker.run({ ...module, ...job })).outcome;
    };
  }

  test('answers a call of its own tools alone', { tags: 'slow' }, async () => {
    const run = openTools({
      'tools.mjs': `export const tools = {
        text: ({ word }) => \`say \${word}\`,
        list: async () => [1],
        nothing() {},
        code: () => () => 1,
        fail() { throw new Error('no luck'); },
        much: () => 'ü'.repeat(2 ** 15 + 1),
        data: 1,
      };`,
      'default.mjs': 'export default { text: () => "a" };',
      'none.mjs': 'export const tools = 1;',
    });
    const call = (name: string, args: object = {}, file = 'tools.mjs') =>
      run(file, { tool: 'call', input: { name, args } });
    const unknown = { returned: { unknown: ['text', 'list', 'nothing', 'code', 'fail', 'much', 'data'] } };
    expect(await call('text', { word: 'a' })).toEqual({ returned: { content: 'say a' } });
    expect(await call('list')).toEqual({ returned: { content: '[1]' } });
    expect(await call('nothing')).toEqual({ returned: { content: 'null' } });
    expect(await call('code')).toEqual({ fault: 'returned a function, which is no JSON, from "code"' });
    expect(await call('fail')).toEqual({ returned: { error: 'no luck' } });
    expect(await call('much')).toEqual({ returned: { bytes: 2 ** 16 + 2 } });
    for (const name of ['data', 'toString', 'none']) expect(await call(name)).toEqual(unknown);
    expect(await call('text', {}, 'default.mjs')).toEqual({ returned: { content: 'a' } });
    const fault = 'exports no object of tools, as tools or as its default';
    expect(await call('text', {}, 'none.mjs')).toEqual({ fault });
    expect(await run('tools.mjs', { tool: 'call', input: { name: 'fail' } })).toEqual({ returned: { isKnown: true } });
  });

  test.each<[state: string, outcome: object]>([
    ['export const state = 1;', { returned: {} }],
    ['export function state() {}', { returned: {} }],
    ['export const state = () => null;', { returned: { state: null } }],
    ['export const state = async () => "a";', { returned: { state: 'a' } }],
    ['export const state = () => state;', { fault: 'returned a function, which is no JSON, from state()' }],
    [
      'export const state = () => ({ orders: new Map() });',
      { fault: expect.stringContaining('"orders" is a Map, which is no data') },
    ],
    ['export const state = () => "ü".repeat(2 ** 15);', { fault: 'returned more than 64 KiB from state()' }],
  ])('with %s has its state', { tags: 'slow' }, async (text, outcome) => {
    const run = openTools({ 'tools.mjs': text });
    expect(await run('tools.mjs', { tool: 'state', input: null })).toEqual(outcome);
  });
});

describe('a command', () => {
  test('reads the answer on stdin and writes a verdict on stdout', async () => {
    const { runCommand } = openProject({
      'check.mjs': `import { json } from 'node:stream/consumers';
        const { text, args } = await json(process.stdin);
        console.log(JSON.stringify({ pass: text.includes(args.wanted), reason: String(process.env.SECRET_KEY) }));`,
    });
    const argv = [process.execPath, 'check.mjs'];
    expect(await runCommand(argv)).toEqual({ returned: { pass: true, reason: 'undefined' } });
    expect(await runCommand(argv, 15_000, ['SECRET_KEY'])).toEqual({ returned: { pass: true, reason: 'sk-secret' } });
    expect(faultOf(await runCommand(argv, 15_000, ['NOT_SET']))).toBe('needs NOT_SET, which is not set');
  });

  test.each([
    ['loops for ever', 'for (;;);', /^took longer than 200 ms$/],
    ['fails', 'console.error("no luck"); process.exitCode = 3;', /^ended with exit code 3: no luck$/],
    ['fails in silence', 'process.exitCode = 3;', /^ended with exit code 3 and wrote nothing on stderr$/],
    ['writes no JSON', 'console.log("fine");', /^wrote no JSON but "fine"$/],
    ['writes nothing', '', /^wrote no JSON but ""$/],
    ['writes no text', 'process.stdout.write(Buffer.from([255]))', /^wrote a verdict that can't be read: .*UTF-8/],
  ])('that %s has a fault', async (_, body, fault) => {
    const { runCommand } = openProject({});
    const timeoutMs = fault.source.includes('200 ms') ? 200 : 15_000;
    expect(faultOf(await runCommand([process.execPath, '-e', body], timeoutMs))).toMatch(fault);
  });

  test('that floods stdout or memory is stopped, and one that is not there is named', { tags: 'slow' }, async () => {
    const { runCommand } = openProject({});
    const node = (body: string) => runCommand([process.execPath, '-e', body]);
    expect(faultOf(await node('(function go() { process.stdout.write("x".repeat(1e5), go); })();'))).toBe(
      'wrote more than 1 MiB',
    );
    const verdict = await node('process.stdout.write(`{"pass":true}`.padEnd(1024 * 1024))');
    expect(verdict).toEqual({ returned: { pass: true } });
    expect(faultOf(await node('const a = []; for (;;) a.push(Buffer.alloc(1e7, 1));'))).toBe(
      'took more than 128 MB of memory',
    );
    expect(faultOf(await runCommand(['no-such-program']))).toMatch(
      /^can't be started: there is no program "no-such-program"/,
    );
  });
});

test('a command is stopped with the run, and none is started after it', async () => {
  const controller = new AbortController();
  const { runCommand } = openProject({}, { signal: controller.signal });
  const running = runCommand(['sleep', '60']);
  controller.abort();
  expect(faultOf(await running)).toBe('was stopped with the run');
  expect(faultOf(await runCommand(['true']))).toBe('was stopped with the run');
});

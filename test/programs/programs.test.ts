import { existsSync, writeFileSync } from 'node:fs';
import { env, execPath } from 'node:process';
import { expect, test } from 'vitest';
import type { PromptJob } from '../../src/model/suite/own-code.ts';
import { openPackages } from '../../src/programs/import-module.ts';
import { startLineProgram } from '../../src/programs/line-program.ts';
import { evaluateModule } from '../../src/programs/module-worker.ts';
import { renderPrompts } from '../../src/programs/render-prompts.ts';
import {
  canCutNetwork,
  describeExit,
  describeFailedExit,
  describeUnfinished,
  openProgramRunner,
  type ProgramCall,
  readJsonOutput,
  selectEnv,
  withoutNetwork,
} from '../../src/programs/run-program.ts';
import { openTempProject } from '../support/temp-project.ts';

const basic = selectEnv(env, []);

test('a program sees the basic variables and those that are named', () => {
  const given = { PATH: 'p', LC_ALL: 'c', node_options: 'n', XPATH: 'x', PATHS: 'x', KEY: 'k', NONE: undefined };
  expect(selectEnv(given, ['KEY', 'NONE'])).toEqual({ PATH: 'p', LC_ALL: 'c', node_options: 'n', KEY: 'k' });
  expect(selectEnv(given, [])).toEqual({ PATH: 'p', LC_ALL: 'c', node_options: 'n' });
});

test('a sentence says how a program ended', () => {
  expect(describeExit({ exitCode: 0, signalName: null })).toBe('ended with exit code 0');
  expect(describeExit({ exitCode: null, signalName: 'SIGKILL' })).toBe('was ended by SIGKILL');
  const failed = (stderr: string) => describeFailedExit({ exitCode: 2, signalName: null, stderr });
  expect(failed(' \n')).toBe('ended with exit code 2 and wrote nothing on stderr');
  expect(failed(' no luck\n')).toBe('ended with exit code 2: no luck');
  expect(failed(`${'first '.repeat(99)}${'x'.repeat(399)}`)).toBe(`ended with exit code 2: ${'x'.repeat(399)}`);
  const frames = [
    'load (node:internal/cjs:8:7)',
    'say (/a/model.mjs:1:7)',
    ...Array.from({ length: 30 }, () => '/a/b.mjs:2:1'),
    '/a/c.mjs:3:1 {',
  ];
  const stack = frames.map((frame) => `    at ${frame}\n`).join('');
  expect(failed(`Error: no x.mjs\n${stack}\nNode.js v20\n`)).toBe(
    'ended with exit code 2: Error: no x.mjs\n    at say (/a/model.mjs:1:7)\n\nNode.js v20',
  );
  const bounds = { late: 'was late', memoryMb: 5, maxOutputBytes: 2 * 1024 * 1024 };
  expect(
    (['aborted', 'too-much-memory', 'too-much-output'] as const).map((status) =>
      describeUnfinished({ status }, bounds),
    ),
  ).toEqual(['was late', 'took more than 5 MB of memory', 'wrote more than 2 MiB']);
  expect(describeUnfinished({ status: 'unstartable', message: 'ENOENT' }, bounds)).toBe("can't be started: ENOENT");
});

test('what a program wrote is JSON, or shown', () => {
  expect(readJsonOutput(' {"a":1}\n')).toEqual({ returned: { a: 1 } });
  expect(readJsonOutput(' fine\n')).toEqual({ fault: 'wrote no JSON but "fine"' });
  expect(readJsonOutput('x'.repeat(121))).toEqual({ fault: `wrote no JSON but "${'x'.repeat(120)}…"` });
});

const call = (argv: readonly string[], more: Partial<ProgramCall> = {}): ProgramCall => ({
  argv,
  cwd: '/',
  env: basic,
  input: '',
  signal: new AbortController().signal,
  maxOutputBytes: 100,
  ...more,
});
const node = (code: string) => [execPath, '-e', code];

test('a program gets its input, and the end of what it writes on stderr is kept', { tags: 'slow' }, async () => {
  const runner = openProgramRunner();
  const run = (one: ProgramCall) => runner.run(one);
  const result = await run(
    call(node(`process.stdin.pipe(process.stdout); console.error('x'.repeat(9000) + 'end')`), {
      input: 'ü'.repeat(50),
    }),
  );
  expect(result).toMatchObject({ status: 'ended', exitCode: 0, signalName: null, stdout: 'ü'.repeat(50) });
  expect(result).toMatchObject({ stderr: `${'x'.repeat(4092)}end\n` });
  expect(result).not.toHaveProperty('fault');
  expect(await run(call(['printf', String.raw`\377`]))).toMatchObject({
    stdout: '\u{FFFD}',
    fault: expect.stringContaining('UTF-8') as string,
  });
  expect(await run(call(['head', '-c', '101', '/dev/zero']))).toEqual({ status: 'too-much-output' });
  expect(await run(call(['head', '-c', '100', '/dev/zero']))).toMatchObject({ status: 'ended' });
  // It ends before it has read its input.
  expect(await run(call(['true'], { input: 'x'.repeat(1e6) }))).toMatchObject({ status: 'ended', exitCode: 0 });
});

test('a runner that is closed kills what runs, and what that has started', async () => {
  const runner = openProgramRunner();
  const started = openTempProject().path('started');
  const script = `sleep 60 & echo > '${started}'; wait`;
  const running = [runner.run(call(['sleep', '60'])), runner.run(call(['sh', '-c', script]))];
  await expect.poll(() => existsSync(started)).toBe(true);
  runner.close();
  for (const result of await Promise.all(running)) {
    expect(result).toMatchObject({ exitCode: null, signalName: 'SIGKILL' });
  }
});

test('a stopped program is read no further, even if another process holds its output', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  // In a session of its own, it writes once its parent has ended, and until nobody reads.
  const left = `const parent = Number(process.argv[1]);
    process.stdout.on('error', () => { require('node:fs').writeFileSync('unread', ''); process.exit(); });
    setInterval(() => { if (process.ppid !== parent) process.stdout.write('x'); }, 1);
    setTimeout(process.exit, 20_000);`;
  const options = "{ detached: true, stdio: 'inherit' }";
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(left)}, process.pid], ${options}).unref()`;
  const stopped = await openProgramRunner().run(call([execPath, '-e', script], { cwd: project.root }));
  expect(stopped).toEqual({ status: 'too-much-output' });
  await expect.poll(() => existsSync(project.path('unread'))).toBe(true);
});

test('what a program has left running is killed where its group ends with it', async () => {
  const runner = openProgramRunner();
  const fifo = openTempProject().path('fifo');
  await runner.run(call(['mkfifo', fifo]));
  // The reader ends once nothing holds the other end open.
  const reader = runner.run(call(['cat', fifo]));
  const script = `exec 3> '${fifo}'; sleep 60 >&- 2>&- & echo left`;
  expect(await runner.run(call(['sh', '-c', script], { endsGroup: true }))).toMatchObject({ stdout: 'left\n' });
  expect(await reader).toMatchObject({ status: 'ended', exitCode: 0 });
});

test('a program without a network starts in one of its own, where the system makes one', () => {
  const whole = call(['cat', 'a b']);
  // Two systems: one may make networks, one may not.
  const cut = withoutNetwork(whole);
  expect(canCutNetwork({ PATH: '/none' })).toBe(false);
  expect(withoutNetwork({ ...whole, env: { PATH: '/none' } })).toBeUndefined();
  expect(cut === undefined).toBe(!canCutNetwork(basic));
  expect(cut?.argv.slice(-3) ?? ['sh', 'cat', 'a b']).toEqual(['sh', 'cat', 'a b']);
  const missing = call(['no-such-program']);
  expect(withoutNetwork(missing) ?? missing).toBe(missing);
  const path = call(['./bin/none']);
  expect(withoutNetwork(path) ?? path).toBe(path);
  // A path is one from the folder in which the program starts.
  const [relative, outside] = [call(['./cat'], { cwd: '/bin' }), call(['./cat'])];
  expect(withoutNetwork(relative)?.argv).toEqual(cut && [...cut.argv.slice(0, -2), './cat']);
  expect(withoutNetwork(outside) ?? outside).toBe(outside);
});

/** What a program that talks in lines says, in order, and how it ends. */
function converse(argv: readonly string[], lines: readonly string[] = []) {
  const said: string[] = [];
  const ends: string[] = [];
  return new Promise<{ said: readonly string[]; why: string; stderr: string }>((resolve) => {
    const program = startLineProgram({
      argv,
      cwd: '/',
      env: basic,
      maxLineBytes: 1024 * 1024,
      onLine: (line) => said.push(line),
      onEnd(why) {
        ends.push(why);
        void program.close().then(() => resolve({ said, why: ends.join('; '), stderr: program.stderr() }));
      },
    });
    for (const line of lines) program.write(line);
  });
}

test('lines are exchanged with a program until it ends', { tags: 'slow' }, async () => {
  const echo = `process.stdin.once('data', (text) => {
    process.stderr.write('e'.repeat(5000) + 'end');
    process.stdout.write('got ' + text + '\\n \\nhalf');
    process.exitCode = 3;
    process.stdin.destroy();
  })`;
  expect(await converse(node(echo), ['one ü'])).toEqual({
    said: ['got one ü'],
    why: 'ended with exit code 3',
    stderr: `${'e'.repeat(4093)}end`,
  });
  expect(await converse(['no-such-program'], ['a'])).toEqual({
    said: [],
    why: `can't be started: there is no program "no-such-program"`,
    stderr: '',
  });
  expect(await converse(node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'))).toMatchObject({
    why: 'was ended by SIGTERM',
  });
});

test('a line may be as long as the bound, and what is longer ends the program', { tags: 'slow' }, async () => {
  const write = (bytes: number) => node(`process.stdout.write('x'.repeat(${bytes}) + '\\ndone\\n')`);
  expect((await converse(write(1024 * 1024))).said.map((line) => line.length)).toEqual([1024 * 1024, 4]);
  const endless = await converse(node(`process.stdout.write('x'.repeat(2e6)); setInterval(() => {}, 1000)`));
  expect(endless).toMatchObject({ said: [], why: 'wrote a line of more than 1 MiB' });
});

test('a character that comes in two parts is read whole', async () => {
  const halves = `process.stdout.write(Buffer.from('more\\n\\xc3', 'latin1'));
    process.stdin.once('data', () => process.stdout.write(Buffer.from('\\xbc\\n', 'latin1'), () => process.exit()));`;
  const said: string[] = [];
  await new Promise<string>((resolve) => {
    const program = startLineProgram({
      argv: node(halves),
      cwd: '/',
      env: basic,
      maxLineBytes: 100,
      onLine(line) {
        said.push(line);
        program.write('go on');
      },
      onEnd: resolve,
    });
  });
  expect(said).toEqual(['more', 'ü']);
});

test('a program that ignores the end of its input is killed, and says nothing more', { tags: 'slow' }, async () => {
  const events: string[] = [];
  await new Promise<void>((resolve) => {
    const program = startLineProgram({
      argv: node(`setInterval(() => console.log('tick'), 5)`),
      cwd: '/',
      env: basic,
      maxLineBytes: 100,
      onLine: () => void program.close().then(() => resolve()),
      onEnd: (why) => events.push(why),
    });
  });
  expect(events).toEqual([]);
});

test('packages are found from the project, and tell their version', async () => {
  const project = openTempProject();
  const add = (name: string, manifest: object, files: Readonly<Record<string, string>> = {}) => {
    project.write(`node_modules/${name}/package.json`, JSON.stringify({ name, ...manifest }));
    for (const [file, text] of Object.entries(files)) project.write(`node_modules/${name}/${file}`, text);
  };
  add(
    'whole',
    { version: '1.2.3', exports: './lib/main.mjs' },
    {
      'lib/main.mjs': 'export const found = 1;',
      'lib/package.json': '{"type":"module"}',
    },
  );
  add('data', { version: '2.0.0' });
  add('unversioned', { main: 'a.cjs' }, { 'a.cjs': '' });
  add('broken', { main: 'a.mjs' }, { 'a.mjs': 'throw new Error("at once");' });
  const packages = openPackages(project.root);
  expect(['whole', 'data', 'none'].map((name) => packages.has(name))).toEqual([true, false, false]);
  expect(['whole', 'data', 'unversioned', 'none'].map((name) => packages.version(name))).toEqual([
    '1.2.3',
    '2.0.0',
    undefined,
    undefined,
  ]);
  expect(await packages.load('whole')).toMatchObject({ found: 1 });
  expect(await packages.load('none')).toBeUndefined();
  await expect(packages.load('broken')).rejects.toThrow('at once');
  // Installed beside llmcheck.
  expect(packages.has('yaml')).toBe(true);
  add('zod', { version: '0.0.1', main: 'a.cjs' }, { 'a.cjs': '' });
  expect(packages.version('zod')).toBe('0.0.1');
});

test('data that a module exports is evaluated again, without the secrets of the run', { tags: 'slow' }, async () => {
  const project = openTempProject();
  const file = project.path('a.mjs');
  const evaluate = async (text: string) => {
    writeFileSync(file, text);
    return evaluateModule(file, { env: { ...env, SECRET: 's' }, noun: 'suite' });
  };
  expect(await evaluate('export default { secret: process.env.SECRET ?? null };')).toEqual({
    returned: { secret: null },
  });
  expect(await evaluate(`console.error('RangeError: too far'); process.exit(2);`)).toEqual({
    fault: 'ended its process early (exit code 2): RangeError: too far',
  });
});

/** The prompts that code in a module makes of variables, twice. */
async function renderModule(text: string, vars: PromptJob['vars'], timeoutMs?: number) {
  const project = openTempProject();
  project.write('prompt.mjs', text);
  const { root } = project;
  const module = { file: project.path('prompt.mjs'), exportName: 'default' };
  return renderPrompts({ module, folder: root, root, boundary: root, vars }, timeoutMs);
}

/** The same answer in each of two cases. */
const forBoth = (answer: object) => [answer, { ...answer }];

const cases = (count: number) => Array.from({ length: count }, (_, q) => ({ q }));

test('a prompt in code makes the same messages twice', { tags: 'slow' }, async () => {
  const { first, second } = await renderModule('export default ({ q }) => `say ${q}`;', cases(3));
  expect(first).toMatchObject([{ returned: 'say 0' }, { returned: 'say 1' }, { returned: 'say 2' }]);
  expect(second).toMatchObject([{ isSame: true }, { isSame: true }, { isSame: true }]);
});

test('the variables that a prompt reads or misses are reported', { tags: 'slow' }, async () => {
  const code = `const by = {
    get: (vars) => vars.q + vars.none,
    in: (vars) => String(['q' in vars, 'none' in vars]),
    keys: (vars) => Object.keys(vars).join(),
    spread: (vars) => JSON.stringify({ ...vars }),
    json: async (vars) => JSON.stringify(await vars),
    other: (vars) => String(vars.toString),
  };
  export default (vars) => by[vars.by](vars);`;
  const vars = ['get', 'in', 'keys', 'spread', 'json', 'other'].map((by) => ({ by, q: 1 }));
  const { first } = await renderModule(code, vars);
  const both = ['by', 'q'];
  expect(first.map(({ reads, missing }) => [reads, missing])).toEqual([
    [both, ['none']],
    [both, []],
    [both, []],
    [both, []],
    [both, []],
    [['by'], []],
  ]);
});

test('a prompt that depends on the clock is shown with both messages', { tags: 'slow' }, async () => {
  const code = 'export default ({ q }) => q === 0 ? "same" : `${q} ${new Date().getUTCFullYear()}`;';
  const { first, second } = await renderModule(code, cases(3));
  expect(second[0]).toMatchObject({ isSame: true });
  for (const index of [1, 2]) {
    expect(second[index]?.returned).toMatch(new RegExp(`^${index} \\d{4}$`));
    expect(second[index]?.returned).not.toEqual(first[index]?.returned);
  }
});

test('a prompt that depends on earlier calls is found, also where its case makes the same messages a third time', {
  tags: 'slow',
}, async () => {
  const code = 'let n = 0; export default () => (n++ === 2 ? "third" : "other");';
  const { first, second } = await renderModule(code, cases(3));
  expect(first).toMatchObject([{ returned: 'other' }, { returned: 'other' }, { returned: 'third' }]);
  expect(second).toMatchObject([{ fault: 'made other messages' }, { isSame: true }, { returned: 'other' }]);
});

test('a case that ends the process has the fault, and those behind it were not called', { tags: 'slow' }, async () => {
  const code = 'export default ({ q }) => { if (q === 1) process.exit(3); return `say ${q}`; };';
  const { first, second } = await renderModule(code, cases(4));
  const ended = { fault: 'ended its process early (exit code 3)' };
  const following = { fault: 'was not called, since another case stopped it', isFollowing: true };
  expect(first).toMatchObject([{ returned: 'say 0' }, ended, following, following]);
  expect(second).toMatchObject([following, ended, {}, {}]);
});

test('a prompt of another commit is run from files of its own, which are removed', { tags: 'slow' }, async () => {
  const project = openTempProject();
  const { root } = project;
  project.write('lib/prompt.mjs', 'export default () => "now";');
  const files = [
    {
      path: project.path('lib/prompt.mjs'),
      text: 'import { word } from "./deep/word.mjs"; export const old = () => word;',
    },
    { path: project.path('lib/deep/word.mjs'), text: 'export const word = "then";' },
  ];
  const module = { file: project.path('lib/prompt.mjs'), exportName: 'old', files };
  const { first } = await renderPrompts({ module, folder: root, root, boundary: root, vars: cases(1) });
  expect(first).toMatchObject([{ returned: 'then' }]);
  expect(project.files('.llmcheck')).toEqual([]);
});

test.each<[script: string, answers: readonly object[]]>([
  ['cat', [{ returned: { q: 0 } }, { returned: { q: 1 } }]],
  ['printf "1\\n \\n2"', [{ returned: 1 }, { returned: 2 }]],
  ['echo fine; echo 2', [{ fault: 'wrote no JSON but "fine"' }, { returned: 2 }]],
  ['echo 1', forBoth({ fault: 'wrote 1 lines for 2 cases' })],
  ['printf "1\\n2\\n3\\n"', forBoth({ fault: 'wrote 3 lines for 2 cases' })],
  [
    'echo no luck >&2; exit 3',
    [
      { fault: 'ended with exit code 3: no luck' },
      { fault: 'was not asked, since the program had ended', isFollowing: true },
    ],
  ],
  ['echo 1; exit 3', [{ returned: 1 }, { fault: 'ended with exit code 3 and wrote nothing on stderr' }]],
])('a program that makes prompts by "%s" has its answers', async (script, answers) => {
  const job = { argv: ['sh', '-c', script], folder: '/', root: '/', boundary: '/', vars: cases(2) };
  expect(await renderPrompts(job)).toEqual({ first: answers, second: answers });
});

test('a program that makes prompts and is missing or writes no text has a fault in each case', async () => {
  const render = async (argv: readonly string[]) =>
    (await renderPrompts({ argv, folder: '/', root: '/', boundary: '/', vars: cases(2) })).first;
  expect(await render(['no-such-program'])).toEqual(
    forBoth({ fault: `can't be started: there is no program "no-such-program"` }),
  );
  const [refused] = await render(['/dev/null']);
  expect(refused?.fault).toBe(`can't be started: "/dev/null" is not an executable file`);
  const spoiled = await render(['printf', String.raw`\377\n1\n`]);
  expect(spoiled.map(({ fault = '' }) => fault.slice(0, 21))).toEqual(Array(2).fill("wrote what can't be r"));
});

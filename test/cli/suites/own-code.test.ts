import { expect, test } from 'vitest';
import { openTempProject, statusesOf, type TempProject, trialsOf } from '../../support/temp-project.ts';

function buildSuite(checks: Readonly<Record<string, string>>): string {
  const cases = Object.entries(checks).map(([id, check]) => `  - { id: ${id}, assert: [${check}] }`);
  return `suite: own\nprompts: [{ id: v1, text: Hello Ada }]\nproviders: ["echo:prompt"]\ncases:\n${cases.join('\n')}\n`;
}

function openProject(checks: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>): TempProject {
  const project = openTempProject();
  project.write('evals/own.eval.yaml', buildSuite(checks));
  for (const [name, text] of Object.entries(files)) project.write(`evals/${name}`, text);
  return project;
}

test('own code that misbehaves makes its case errored, and the run goes on', { tags: 'slow' }, async () => {
  const names = ['loops', 'throws', 'floods', 'prints', 'lies', 'ends', 'good'];
  const timeoutOf = (name: string) => (['loops', 'prints'].includes(name) ? '300ms' : '15s');
  const project = openProject(
    {
      ...Object.fromEntries(
        names.map((name) => [
          name,
          `{ module: { value: check.mjs, export: ${name}, timeout: ${timeoutOf(name)}, memoryMb: 64 } }`,
        ]),
      ),
      command: '{ exec: { value: "node command.mjs" } }',
      unmade: '{ not: { contains: x }, select: { module: check.mjs, export: throws } }',
      nothing: '{ not: { contains: x }, select: { module: check.mjs, export: nothing } }',
      slow: '{ exec: { value: [sleep, "60"], timeout: 300ms } }',
    },
    {
      'check.mjs': `
        export const loops = () => { for (;;); };
        export const throws = () => { throw new Error('no luck'); };
        export const floods = () => { const all = []; for (;;) all.push(new Array(1e5).fill(0.5)); };
        export const prints = () => { for (;;) console.log('x'.repeat(1e5)); };
        export const lies = () => ({ pass: 'yes' });
        export const ends = () => process.exit(0);
        export const nothing = () => undefined;
        export const good = ({ text }) => ({ pass: text === 'Hello Ada', score: 0.75 });`,
      'command.mjs': 'console.log(JSON.stringify({ pass: true }));',
    },
  );
  const { code, report } = await project.report(['run']);
  expect(code).toBe(3);
  expect(statusesOf(report)).toEqual({
    ...Object.fromEntries(names.map((name) => [name, name === 'good' ? 'passed' : 'errored'])),
    command: 'passed',
    unmade: 'errored',
    nothing: 'errored',
    slow: 'errored',
  });
  const errors = Object.fromEntries(trialsOf(report).map(({ caseId, error }) => [caseId, error?.message]));
  expect(errors).toMatchObject({
    loops: 'module: "check.mjs" took longer than 300 ms',
    throws: expect.stringMatching(/^module: "check.mjs" threw Error: no luck \(.*check\.mjs:3:/),
    floods: 'module: "check.mjs" took more than 64 MB of memory',
    lies: expect.stringContaining('gave no verdict {pass, score?, reason?}: pass'),
    unmade: expect.stringMatching(/^not: "check.mjs" threw Error: no luck/),
    nothing: expect.stringMatching(/^not: "check.mjs" returned /),
    ends: 'module: "check.mjs" ended its process early (exit code 0)',
    slow: 'exec: "sleep 60" took longer than 300 ms',
  });
});

test('an edit of what a module imports, or of a further file, changes the hash of its case and of no other', {
  tags: 'slow',
}, async () => {
  const project = openProject(
    {
      module: '{ module: { value: lib/check.mjs, files: [words.txt] } }',
      command: '{ exec: cat verdict.json }',
      text: '{ contains: Ada }',
      made: '{ equals: HELLO ADA, select: { module: lib/check.mjs, export: upper } }',
      steps: '{ equals: 9, select: [{ module: lib/check.mjs, export: describe }, { jsonPath: $.length }] }',
    },
    {
      'lib/check.mjs': `import { finds } from './finds.js';
export const upper = ({ text }) => text.toUpperCase();
export const describe = async ({ text, vars }) => ({ length: text.length, vars });
export default ({ text }) => ({ pass: finds(text) });`,
      'lib/finds.js': `export const finds = (text) => text.includes('Ada');`,
      'lib/package.json': '{"type": "module"}',
      'words.txt': 'Ada',
      'verdict.json': '{"pass": true}',
    },
  );
  expect((await project.run(['run'])).code).toBe(0);
  await project.run(['baseline', 'accept']);
  const caseHashes = () =>
    Object.fromEntries(
      project
        .read('evals/own.baseline.jsonl')
        .split('\n')
        .flatMap((line) => (line.includes('"type":"case"') ? [JSON.parse(line)] : []))
        .map(({ caseId, caseHash }: { caseId: string; caseHash: string }) => [caseId, caseHash]),
    );
  const before = caseHashes();
  const changedBy = async (name: string, text: string) => {
    project.write(`evals/${name}`, text);
    expect((await project.run(['run', '--update-baseline'])).code).toBe(0);
    const after = caseHashes();
    const changed = Object.keys(after).filter((id) => after[id] !== before[id]);
    Object.assign(before, after);
    return changed;
  };
  expect(await changedBy('lib/finds.js', `export const finds = (text) => text.includes('Hello');`)).toEqual([
    'made',
    'module',
    'steps',
  ]);
  expect(await changedBy('words.txt', 'Grace')).toEqual(['module']);
  expect(await changedBy('verdict.json', '{"pass": true, "score": 1}')).toEqual(['command']);
  expect(await changedBy('other.mjs', '')).toEqual([]);
});

test('a changed module judges the stored answers again for the rates alone, and excuses nothing that fails', {
  tags: 'slow',
}, async () => {
  const project = openProject(
    { one: '{ module: check.mjs }' },
    { 'check.mjs': 'export default () => ({ pass: true });' },
  );
  await project.run(['run']);
  await project.run(['baseline', 'accept']);
  project.write('evals/check.mjs', `export default ({ text }) => ({ pass: text.startsWith('Bye') });`);
  const { code, stdout } = await project.run(['run']);
  expect(code).toBe(1);
  expect(stdout).toContain('redefined (1)');
  expect(stdout).toContain('judged again');
});

test('what can not be found is a usage error with its place, all at once', async () => {
  const project = openProject(
    {
      gone: '{ module: gone.ts }',
      outside: '{ module: ../../outside.ts }',
      templated: '{ module: "{{ file }}" }',
      path: '{ exec: ./gone.sh }',
      extra: '{ exec: { value: node x.mjs, files: [gone.txt] } }',
      made: '{ contains: a, select: { module: gone.js } }',
      second: '{ contains: a, select: [trim, { module: gone.js }] }',
    },
    {},
  );
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/own\.eval\.yaml:5:36 .*evals\/gone\.ts does not exist/);
  expect(stderr).toMatch(/own\.eval\.yaml:6:39 .*outside\.ts lies outside the project/);
  expect(stderr).toMatch(/own\.eval\.yaml:7:41 .*the path of code must not be a template/);
  expect(stderr).toMatch(/own\.eval\.yaml:8:34 .*gone\.sh does not exist/);
  expect(stderr).toMatch(/own\.eval\.yaml:10:59 .*evals\/gone\.js does not exist/);
  expect(stderr).toMatch(/own\.eval\.yaml:9:64 .*gone\.txt does not exist/);
});

test('an interrupt ends a check that loops', { tags: 'slow' }, async () => {
  const project = openProject(
    { loops: '{ module: { value: check.mjs, timeout: 60s } }' },
    {
      'check.mjs': `import { writeFileSync } from 'node:fs'; export default () => { writeFileSync('started', ''); for (;;); };`,
    },
  );
  let interrupt: ((name: 'SIGINT') => void) | undefined;
  const run = project.run(['run'], {
    onReady: (signal) => {
      interrupt = signal;
    },
  });
  await expect.poll(() => project.files('evals')).toContain('evals/started');
  interrupt?.('SIGINT');
  expect((await run).code).toBe(130);
});

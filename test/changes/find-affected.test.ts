import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type AffectedOptions, findAffected } from '../../src/changes/find-affected.ts';
import { loadProject } from '../../src/project/load-project.ts';
import { buildHeader, buildRecordedSuite } from '../support/build-summary.ts';
import { gitEnv, initRepository } from '../support/git.ts';
import { openTempProject } from '../support/temp-project.ts';

const suite =
  'prompts: [{ id: v1, text: "{{ word }}" }]\nproviders: ["openai:gpt-4o-mini"]\ncases: [{ id: a, vars: { word: x }, assert: [{ equals: x }] }]\n';
const inApp = 'packages/app';

/** A repository whose project is in a folder of it. */
function openRepository(files: Readonly<Record<string, string>> = {}) {
  const project = openTempProject();
  const all = {
    [`${inApp}/llmcheck.config.yaml`]: 'suites: ["evals/*.eval.yaml"]\n',
    [`${inApp}/evals/a.eval.yaml`]: suite,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) project.write(name, text);
  initRepository(project.root);
  return project;
}

async function find(project: ReturnType<typeof openTempProject>, options: Partial<AffectedOptions> = {}) {
  const cwd = project.path(inApp);
  const loaded = await loadProject({ paths: [], cwd });
  const tool = { version: '0.1.0' };
  return findAffected({ project: loaded.project, cwd, env: gitEnv, baseline: 'auto', tool, ...options });
}

const reasonsOf = async (...args: Parameters<typeof find>) =>
  (await find(...args)).suites.map(({ reasons }) => reasons);

const lockfiles = [
  'bun.lock',
  'bun.lockb',
  'deno.lock',
  'npm-shrinkwrap.json',
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
];

describe('every suite is affected', () => {
  test('by a lockfile or config of the project and of the folders above it, and of no other', async () => {
    const folders = ['', `${inApp}/`, 'packages/', 'packages/other/', `${inApp}/evals/`];
    const names = folders.flatMap((folder) => lockfiles.map((name) => `${folder}${name}`));
    const project = openRepository({ ...Object.fromEntries(names.map((name) => [name, '1'])), 'other.lock': '1' });
    for (const name of [...names, 'other.lock']) project.write(name, '2');
    project.write('llmcheck.config.yaml', '{}\n');
    project.write('packages/other/llmcheck.config.yaml', '{}\n');
    const [reasons = []] = await reasonsOf(project);
    expect([...reasons].sort()).toEqual(
      [
        ...lockfiles.flatMap((name) => [`${name} changed`, `../${name} changed`, `../../${name} changed`]),
        '../../llmcheck.config.yaml was added',
      ].sort(),
    );
  });

  test('by a key of a manifest that decides which code runs', { tags: 'slow' }, async () => {
    const manifest = '{"name":"x","type":"module"}';
    const manifests = ['package.json', 'packages/package.json', `${inApp}/package.json`];
    const project = openRepository({
      ...Object.fromEntries(manifests.map((name) => [name, manifest])),
      'packages/other/package.json': '{}',
    });
    const reasonsFor = async (text: string) => {
      project.write('package.json', text);
      return (await reasonsOf(project))[0];
    };
    for (const keys of [
      ['dependencies', 'devDependencies', 'optionalDependencies'],
      ['peerDependencies', 'overrides', 'resolutions'],
      ['packageManager', 'imports', 'type'],
    ]) {
      for (const [index, key] of keys.entries()) {
        project.write(manifests[index] ?? '', `{"name":"x","type":"module","${key}":{"a":"1"}}`);
      }
      const [reasons = []] = await reasonsOf(project);
      expect([keys, [...reasons].sort()]).toEqual([
        keys,
        ['../../package.json changed', '../package.json changed', 'package.json changed'],
      ]);
    }
    for (const name of manifests) project.write(name, manifest);
    expect(await reasonsFor('{"name":"x","type":"module"')).toEqual(['../../package.json changed']);
    expect(await reasonsFor('[]')).toEqual(['../../package.json changed']);
    expect(await reasonsFor('{"type":"module","name":"y","scripts":{"a":"b"}}')).toEqual([]);
    project.write('packages/other/package.json', '{"dependencies":{"a":"1"}}');
    expect((await reasonsOf(project))[0]).toEqual([]);
    rmSync(project.path('package.json'));
    expect((await reasonsOf(project))[0]).toEqual(['../../package.json was deleted']);
  });

  test('by a line about llmcheck in a file of CI', { tags: 'slow' }, async () => {
    const ci = [
      '.github/workflows/a.yml',
      '.github/workflows/deep/b.yaml',
      '.github/actions/x/action.yaml',
      '.gitlab-ci.yml',
      '.circleci/config.yml',
      'azure-pipelines.yml',
      'bitbucket-pipelines.yml',
      'Jenkinsfile',
    ];
    const others = ['.github/dependabot.yml', '.github/workflows/a.txt', `${inApp}/.gitlab-ci.yml`, 'x/Jenkinsfile'];
    const text = 'run: make\nrun: npx llmcheck@1\n';
    const project = openRepository(Object.fromEntries([...ci, ...others].map((name) => [name, text])));
    for (const name of [...ci, ...others]) project.write(name, `more: 1\r\n${text}`);
    expect((await reasonsOf(project))[0]).toEqual([]);
    for (const name of [...ci, ...others]) project.write(name, text.replace('@1', '@2'));
    const [reasons = []] = await reasonsOf(project);
    expect([...reasons].sort()).toEqual(ci.map((name) => `../../${name} changed`).sort());
  });

  test('by the program itself, where it is part of the repository', { tags: 'slow' }, async () => {
    const inside = ['tool/bin/x.js', 'tool/dist/x.js', 'tool/src/deep/x.ts', 'tool/package.json'];
    const outside = ['tool/test/x.ts', 'tool/README.md', 'src/x.ts', 'tool/node/src/x.js'];
    const project = openRepository(Object.fromEntries([...inside, ...outside].map((name) => [name, '{}'])));
    for (const name of [...inside, ...outside]) project.write(name, '{"name":"y"}');
    const version = '0.1.0';
    const [reasons = []] = await reasonsOf(project, { tool: { version, folder: project.path('tool') } });
    expect([...reasons].sort()).toEqual(inside.map((name) => `../../${name} changed`).sort());
    expect((await reasonsOf(project, { tool: { version } }))[0]).toEqual([]);
  });

  test('by its environment file, unless git ignores that', { tags: 'slow' }, async () => {
    const project = openRepository({ 'ci.env': 'A=1\n', '.gitignore': '*.secret\n' });
    project.write('ci.env', 'A=2\n');
    project.write(`${inApp}/new.env`, 'A=2\n');
    project.write(`${inApp}/x.secret`, 'A=2\n');
    expect((await reasonsOf(project, { envFile: '../../ci.env' }))[0]).toEqual(['../../ci.env changed']);
    expect((await reasonsOf(project, { envFile: 'new.env' }))[0]).toEqual(['new.env was added']);
    expect((await reasonsOf(project, { envFile: 'x.secret' }))[0]).toEqual([]);
    expect((await reasonsOf(project))[0]).toEqual([]);
  });
});

describe('a suite is affected by itself', () => {
  test('also where a flag names another baseline', { tags: 'slow' }, async () => {
    const files = { [`${inApp}/evals/a.baseline.jsonl`]: '1', [`${inApp}/x.jsonl`]: '1', [`${inApp}/old/base`]: '1' };
    const project = openRepository(files);
    for (const name of Object.keys(files)) project.write(name, '2');
    const against = async (source: string) =>
      (await reasonsOf(project, { baseline: { source } as AffectedOptions['baseline'] }))[0];
    expect((await reasonsOf(project))[0]).toEqual(['evals/a.baseline.jsonl changed']);
    expect((await reasonsOf(project, { baseline: 'none' as AffectedOptions['baseline'] }))[0]).toEqual([
      'evals/a.baseline.jsonl changed',
    ]);
    expect(await against('x.jsonl')).toEqual(['x.jsonl changed']);
    expect(await against('old/base')).toEqual(['old/base changed']);
    expect(await against('latest')).toEqual(['evals/a.baseline.jsonl changed']);
    expect(await against('git:main:x.jsonl')).toEqual(['evals/a.baseline.jsonl changed']);
  });

  test('among several, each by its own files; deleted ones are named', async () => {
    const gone = ['gone.eval.yaml', 'gone.eval.yml', 'gone.eval.mjs', 'gone.eval.cts', 'gone.eval.ts', 'gone.eval.js'];
    const files = Object.fromEntries(
      [...gone, 'gone.eval.txt', 'goneeval.js'].map((name) => [`${inApp}/${name}`, 'x']),
    );
    const project = openRepository({ ...files, [`${inApp}/evals/b.eval.yaml`]: suite });
    for (const name of Object.keys(files)) rmSync(project.path(name));
    project.write(`${inApp}/evals/b.eval.yaml`, `${suite}\n`);
    const { suites, removed, since } = await find(project);
    expect(suites.map(({ suite: { id }, reasons, fileCount }) => [id, reasons, fileCount])).toEqual([
      ['a', [], 1],
      ['b', ['evals/b.eval.yaml changed'], 1],
    ]);
    expect([...removed].sort()).toEqual([...gone].sort());
    expect(since).toMatch(/^HEAD /);
  });
});

test('the version that ran a suite last is that of the latest whole run of it', { tags: 'slow' }, async () => {
  const project = openRepository({ [`${inApp}/evals/b.eval.yaml`]: suite, '.gitignore': '.llmcheck/\n' });
  const store = (at: string, version: string, suites: Readonly<Record<string, boolean>>) => {
    const recorded = Object.entries(suites).map(([id, filtered]) =>
      buildRecordedSuite([], {}, { suite: id, filtered, path: `evals/${id}.eval.yaml` }),
    );
    const id = `2026112${at}-100000-aaaaaa`;
    const startedAt = `2026-11-2${at}T10:00:00.000Z`;
    const header = { ...buildHeader(recorded), id, startedAt, tool: { name: 'llmcheck', version } };
    project.write(`${inApp}/.llmcheck/runs/${header.id}.jsonl`, `${JSON.stringify(header)}\n`);
  };
  const said = (version: string) => [`llmcheck is 0.1.0, and its last run here was by ${version}`];
  store('1', '0.0.1', { a: false, b: false });
  expect(await reasonsOf(project)).toEqual([said('0.0.1'), said('0.0.1')]);
  store('2', '0.0.2', { b: true });
  expect(await reasonsOf(project)).toEqual([said('0.0.1'), said('0.0.2')]);
  // Of this version a part does not count: the rest may be older.
  store('3', '0.1.0', { a: true, b: false });
  expect(await reasonsOf(project)).toEqual([said('0.0.1'), []]);
  project.write(`${inApp}/.llmcheck/runs/20261124-100000-aaaaaa.jsonl`, 'damaged\n');
  expect(await reasonsOf(project)).toEqual([said('0.0.1'), []]);
  store('5', '0.1.0', { a: false });
  expect(await reasonsOf(project)).toEqual([[], []]);
});

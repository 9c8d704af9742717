import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GitRef } from '../../src/project/git/git-files.ts';
import { loadProject } from '../../src/project/load-project.ts';
import { findConfigAtRef, loadProjectAtRef } from '../../src/project/project-at-ref.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

const suiteOf = (id: string, text = 'hi') =>
  `suite: ${id}\nprompts: [{ id: v1, text: "${text}" }]\nproviders: ["openai:m"]\ncases: [{ vars: { q: a }, assert: [{ contains: a }] }]\n`;

/** A commit with these files, by their paths within the project. */
function commitOf({ root }: TempProject, files: Readonly<Record<string, string>>): GitRef {
  const texts = new Map(Object.entries(files).map(([path, text]) => [join(root, path), text]));
  const ref: GitRef = {
    name: 'main',
    commit: '0'.repeat(40),
    root,
    readFile: (path) => texts.get(path),
    readBytes: (path) => Buffer.from(texts.get(path) ?? ''),
    listFiles: () => [...texts.keys()].sort(),
    lastCommitDate: () => undefined,
    findHistory: () => undefined,
    openTip: () => ref,
  };
  return ref;
}

/** The suites that a commit has, where these are now the suites of the command line. */
async function suitesAt(
  now: Readonly<Record<string, string>>,
  paths: readonly string[],
  before: Readonly<Record<string, string>>,
) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', before['llmcheck.config.yaml'] ?? '');
  for (const [path, text] of Object.entries(now)) project.write(path, text);
  const absolute = paths.map((path) => project.path(path));
  const { project: loaded } = await loadProject({ cwd: project.root, paths: absolute });
  const found = await loadProjectAtRef({
    project: loaded,
    paths: absolute,
    ref: commitOf(project, before),
    cwd: project.root,
    env: {},
  });
  return found.suites.map(({ id, path }) => `${id} in ${path}`).toSorted();
}

test('a commit whose prompts alone need the engine of templates is read', async () => {
  const before = { 'evals/a.eval.yaml': suiteOf('a', '{% if q %}{{ q }}{% endif %}') };
  expect(await suitesAt({ 'evals/a.eval.yaml': suiteOf('a') }, [], before)).toEqual(['a in evals/a.eval.yaml']);
});

const config = { 'llmcheck.config.yaml': 'suites: evals/*.eval.yaml\n' };
const [a, b] = [{ 'evals/a.eval.yaml': suiteOf('a') }, { 'evals/b.eval.yaml': suiteOf('b') }];
const far = { 'far/c.eval.yaml': suiteOf('c') };
const moved = { 'evals/old.eval.yaml': suiteOf('b') };

test.each([
  ['all that are named', { ...a, ...b }, Object.keys(a), { ...a, ...b }, ['a in evals/a.eval.yaml']],
  ['all where none is named', a, [], { ...a, ...b }, ['a in evals/a.eval.yaml', 'b in evals/b.eval.yaml']],
  [
    'one under its old path',
    { ...a, ...b },
    Object.keys({ ...a, ...b }),
    { ...a, ...moved },
    ['a in evals/a.eval.yaml', 'b in evals/old.eval.yaml'],
  ],
  [
    'one that the config does not list',
    { ...b, ...far },
    Object.keys({ ...b, ...far }),
    { ...moved, ...far },
    ['b in evals/old.eval.yaml', 'c in far/c.eval.yaml'],
  ],
])('the suites of a commit are loaded: %s', async (_which, now, paths, before, expected) => {
  expect(await suitesAt(now, paths, { ...config, ...before })).toEqual(expected);
});

test('the nearest config of a folder is found, up to the root of the repository', () => {
  const project = openTempProject();
  project.write('one/two/x', '');
  project.write('other/x', '');
  const find = (folder: string, files: Readonly<Record<string, string>>) =>
    findConfigAtRef(commitOf(project, files), project.path(folder));
  const [top, inner] = ['llmcheck.config.yaml', 'one/llmcheck.config.yaml'];
  const both = { [top]: '', [inner]: '' };
  expect([find('one/two', both), find('other', both), find('other', { [inner]: '' })]).toEqual([
    project.path(inner),
    project.path(top),
    undefined,
  ]);
  const beside = { ...commitOf(project, both), root: project.path('one') };
  expect(findConfigAtRef(beside, project.path('other'))).toBeUndefined();
});

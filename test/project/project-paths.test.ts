import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import {
  baselinePathOf,
  coveragePathOf,
  findOutsideFault,
  folderInRepository,
  openRepositoryPaths,
  pathBeside,
  referencePathOf,
  refuseLinkOutside,
  refuseOutside,
  validationPathOf,
} from '../../src/project/project-paths.ts';
import { openTempProject } from '../support/temp-project.ts';

test.each([
  ['evals/a.eval.yaml', '/p/evals/a.cover.json'],
  ['evals/a.eval.yml', '/p/evals/a.cover.json'],
  ['evals/a.yaml', '/p/evals/a.cover.json'],
  ['a.eval.mts', '/p/a.cover.json'],
  ['a.EVAL.JS', '/p/a.cover.json'],
  ['a.eval.txt', '/p/a.eval.txt.cover.json'],
  ['a.eval.yaml.d', '/p/a.eval.yaml.d.cover.json'],
])('beside the suite %s is %s', (suite, path) => {
  expect(pathBeside('/p', suite, 'cover.json')).toBe(path);
});

test('files of findings are beside the suite, and never out of the project', () => {
  const { root } = openTempProject();
  mkdirSync(`${root}/evals`);
  symlinkSync('/etc', `${root}/out`);
  const of = [baselinePathOf, referencePathOf, validationPathOf, coveragePathOf] as const;
  expect(of.map((path) => path(root, 'evals/a.eval.yaml'))).toEqual(
    ['baseline.jsonl', 'reference.jsonl', 'judges.json', 'cover.json'].map((ending) => `${root}/evals/a.${ending}`),
  );
  for (const path of of) expect(() => path(root, 'out/a.eval.yaml')).toThrow(/out/);
  const place = { root, cwd: root };
  expect(findOutsideFault(`${root}/evals/a`, place)).toBeUndefined();
  expect(findOutsideFault(`${root}/out/a`, place)).toBeDefined();
  const refusal = { problems: [expect.objectContaining({ hint: 'h' })] };
  expect(() => refuseOutside(`${root}/out/a`, place, 'h')).toThrow(expect.objectContaining(refusal));
  expect(() => refuseLinkOutside(`${root}/out/a`, place)).toThrow(/out/);
  expect(() => refuseLinkOutside('/etc/a', place)).not.toThrow();
  expect(() => refuseLinkOutside(`${root}/evals/a`, place)).not.toThrow();
});

/** A repository with a project in it. */
function openRepository() {
  const project = openTempProject();
  mkdirSync(project.path('.git'));
  for (const name of ['app/evals/a.yaml', 'app/evals/odd (1).yaml', 'top.yaml', 'other/evals/a.yaml'])
    project.write(name, '');
  return project;
}

test('paths are relative to the root of the repository', () => {
  const { root } = openRepository();
  const blobUrl = 'https://h.example/blob/c';
  const paths = openRepositoryPaths({ cwd: `${root}/other`, root: `${root}/app`, env: {}, blobUrl });
  expect(
    ['evals/a.yaml', '../top.yaml', 'evals/odd (1).yaml', 'none.yaml', ''].map((file) => paths?.fileOf(file)),
  ).toEqual(['other/evals/a.yaml', 'top.yaml', 'app/evals/odd (1).yaml', 'none.yaml', '']);
  expect(['evals/a.yaml', 'none.yaml'].map((path) => paths?.suiteOf(path))).toEqual(['app/evals/a.yaml', 'none.yaml']);
  expect(paths?.fileOf(dirname(root))).toBe(dirname(root));
  expect([paths?.urlOf('evals/odd (1).yaml', 3), paths?.urlOf('none.yaml', 3)]).toEqual([
    `${blobUrl}/app/evals/odd%20%281%29.yaml#L3`,
    undefined,
  ]);
  expect(openRepositoryPaths({ cwd: root, root, env: {} })?.urlOf('top.yaml', 3)).toBeUndefined();
});

test('a folder is relative to its repository, or to the workspace of its runner', () => {
  const { root } = openRepository();
  expect([root, `${root}/app/evals`, `${root}/app/none`].map((folder) => folderInRepository(folder, {}))).toEqual([
    '',
    'app/evals',
    'app/none',
  ]);
  const bare = openTempProject();
  mkdirSync(bare.path('a/b'), { recursive: true });
  symlinkSync('a', bare.path('link'));
  const inWorkspace = (folder: string, workspace: string) =>
    folderInRepository(bare.path(folder), { GITHUB_WORKSPACE: workspace });
  expect(folderInRepository(bare.path('a/b'), {})).toBe('');
  expect(inWorkspace('a/b', bare.root)).toBe('a/b');
  expect(inWorkspace('a/b', bare.path('link'))).toBe('b');
  expect(inWorkspace('a', bare.path('a'))).toBe('');
  expect([inWorkspace('a', bare.path('none')), inWorkspace('a', bare.path('a/b')), inWorkspace('a', '')]).toEqual([
    '',
    '',
    '',
  ]);
  expect(openRepositoryPaths({ cwd: bare.root, root: bare.path('a'), env: {} })).toBeUndefined();
  expect(openRepositoryPaths({ cwd: root, root: bare.path('a'), env: {} })?.fileOf('top.yaml')).toBe('top.yaml');
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Project, Suite } from '../../src/model/suite/suite.ts';
import {
  emptySelection,
  findEmptySelections,
  listOrphanBaselines,
  type Selection,
} from '../../src/plan/select-cases.ts';
import { makeFolder } from '../record/build-rows.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';

function suiteOf(id: string, more: Partial<Suite> = {}): Suite {
  const cases = [
    buildCase({ id: 'a', tags: ['vip'] }),
    buildCase({ id: 'b', prompts: ['v2'], providers: ['big'] }),
    buildCase({ id: 'c' }),
  ];
  const prompts = ['v1', 'v2'].map((prompt) => buildPrompt({ id: prompt }));
  const providers = ['mini', 'big'].map((provider) => buildProvider({ id: provider }));
  return buildSuite(cases, { id, path: `evals/${id}.eval.yaml`, prompts, providers, ...more });
}

function projectOf(root: string, suites: readonly Suite[], more: Partial<Project> = {}): Project {
  const sources = { files: new Set(), missing: new Set(), globs: [{ pattern: 'evals/**/*.eval.yaml', folder: '.' }] };
  return { root, suites, sources, ...more } as unknown as Project;
}

const find = async (selection: Partial<Selection>, suites = [suiteOf('triage'), suiteOf('reply')]) => {
  const found = await findEmptySelections(projectOf(makeFolder(), suites), { ...emptySelection, ...selection });
  return found.map(({ message }) => message);
};

test.each<[Partial<Selection>, readonly string[]]>([
  [{}, []],
  [{ filters: ['triage/a', 'none', '*/b'] }, ['--filter none selects no case']],
  [{ tags: ['vip', 'eu'] }, ['--tag eu selects no case']],
  [{ filters: ['*/b'], tags: ['vip'] }, ['--filter */b selects no case', '--tag vip selects no case']],
  [{ prompts: ['v1', 'v3'] }, ['--prompt v3 selects no case']],
  [{ providers: ['big', 'huge'] }, ['--provider huge selects no case']],
  [{ filters: ['*/b'], prompts: ['v1'] }, ['--prompt v1 selects no case']],
  [{ filters: ['*/b'], prompts: ['v2'], providers: ['big'] }, []],
  [{ filters: ['*/b'], providers: ['mini'] }, ['--provider mini selects no case']],
  [{ filters: ['*/a'], prompts: ['v1'], providers: ['mini'] }, []],
  [{ onlyCases: new Set(['triage/a']) }, []],
  [
    { onlyCases: new Set(['triage/a', 'gone/1', 'gone/2']) },
    ['--last-failed: 2 of its cases no longer exist: gone/1, gone/2'],
  ],
  [
    { onlyCases: new Set(['1', '2', '3', '4', '5', '6']) },
    ['--last-failed: 6 of its cases no longer exist: 1, 2, 3, 4, 5'],
  ],
  [{ sample: { size: 0, seed: 1 }, filters: ['triage/a'] }, []],
])('%j selects nothing by: %j', async (selection, messages) => {
  expect(await find(selection)).toEqual(messages);
});

test('empty selections of files are named, those of a suite where it is wanted', async () => {
  const empty = (message: string) => [{ message, isNamed: true }];
  const suites = [suiteOf('triage', { emptySelections: empty('of triage') }), suiteOf('reply')];
  const of = async (selection: Partial<Selection>) => {
    const project = projectOf(makeFolder(), suites, { emptySelections: empty('of the project') });
    const found = await findEmptySelections(project, { ...emptySelection, ...selection });
    return found.map(({ message }) => message);
  };
  expect(await of({})).toEqual(['of the project', 'of triage']);
  expect(await of({ filters: ['reply/*'] })).toEqual(['of the project']);
  expect(await of({ filters: ['triage/a'] })).toEqual(['of the project', 'of triage']);
  expect(await of({ filters: ['reply/*'], tags: ['vip'] })).toEqual(['of the project']);
  expect(await of({ onlyCases: new Set(['reply/a']) })).toEqual(['of the project']);
  expect(await of({ tags: ['vip'] })).toEqual(['of the project', 'of triage']);
});

test('baselines without a suite beside them are named where everything is selected', async () => {
  const root = makeFolder();
  const write = (...names: readonly string[]) => {
    for (const name of names) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), '');
    }
  };
  write('evals/kept.eval.yaml', 'evals/kept.baseline.jsonl', 'evals/kept.reference.jsonl');
  write('evals/deep/gone.baseline.jsonl', 'evals/gone.reference.jsonl', 'evals/gone.txt', 'other/gone.baseline.jsonl');
  const project = projectOf(root, [suiteOf('triage')]);
  expect(await listOrphanBaselines(project)).toEqual([
    join(root, 'evals/deep/gone.baseline.jsonl'),
    join(root, 'evals/gone.reference.jsonl'),
  ]);
  const message = (path: string) =>
    `${path} has no suite beside it, so no run reads it; give it the suite's new name, or remove it`;
  expect(await findEmptySelections(project, emptySelection)).toEqual([
    { message: message('evals/deep/gone.baseline.jsonl'), isNamed: false },
    { message: message('evals/gone.reference.jsonl'), isNamed: false },
  ]);
  const selections: readonly Partial<Selection>[] = [
    { tags: ['vip'] },
    { filters: ['triage/a'], tags: ['vip'] },
    { filters: ['triage/a'], prompts: ['v1'] },
    { tags: ['vip'], providers: ['mini'] },
    { onlyCases: new Set(['triage/a']) },
  ];
  for (const selection of selections)
    expect(await findEmptySelections(project, { ...emptySelection, ...selection })).toEqual([]);
  const globs = [{ pattern: 'evals/suites', folder: '.' }];
  expect(await listOrphanBaselines(projectOf(root, [], { sources: { globs } as never }))).toEqual([]);
});

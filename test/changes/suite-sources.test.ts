import { expect, test } from 'vitest';
import { buildBrokenGraph, buildWatchGraph } from '../../src/changes/suite-sources.ts';
import { loadProject } from '../../src/project/load-project.ts';
import { openTempProject } from '../support/temp-project.ts';

test('the graph of a project holds what each suite reads, what it would read, and what all share', async () => {
  const project = openTempProject();
  const { root } = project;
  const path = (name: string): string => project.path(name);
  const suite = (name: string, cases: string): string =>
    `suite: ${name}\nprompts: [{ id: v1, text: "{{ word }}" }]\nproviders: ["openai:gpt-4o-mini"]\ncases: [{ file: ${cases}, assert: [{ equals: x }] }]\n`;
  project.write('llmcheck.config.yaml', 'suites: ["evals/*.eval.yaml"]\n');
  project.write('evals/one.eval.yaml', suite('one', 'cases/deep/*.jsonl'));
  project.write('evals/two.eval.yaml', suite('two', 'two.jsonl'));
  project.write('evals/cases/deep/first.jsonl', '{"id":"a","vars":{"word":"x"}}\n');
  project.write('evals/two.jsonl', '{"id":"b","vars":{"word":"x"}}\n');
  const loaded = await loadProject({ paths: [], cwd: root });
  const graph = buildWatchGraph(loaded.project, { env: {}, extra: [path('ci.env')] });
  for (const file of ['ci.env', 'llmcheck.config.yaml', 'evals/one.eval.yaml', 'evals/two.baseline.jsonl'])
    expect([file, graph.paths.has(path(file)), graph.holds(path(file))]).toEqual([file, true, true]);
  // A file that does not exist yet is held by its pattern.
  const holds = (...files: readonly string[]) => files.map((file) => graph.holds(path(file)));
  expect(holds('evals/cases/deep/new.jsonl', 'evals/new.eval.yaml')).toEqual([true, true]);
  expect(holds('evals/cases/new.jsonl', 'evals/cases/deep/new.csv', 'readme.md')).toEqual([false, false, false]);
  expect([...graph.folders].sort()).toEqual([path('evals'), path('evals/cases/deep')]);
  const leads = (...folders: readonly string[]) => folders.map((folder) => graph.leadsTo(path(folder)));
  expect(leads('.', '..', 'evals', 'evals/cases/deep', 'evals/any/below')).toEqual([true, true, true, true, true]);
  expect(leads('docs', 'evals/node_modules/x', 'evals/.git', '.llmcheck')).toEqual([false, false, false, false]);

  const touched = (...files: readonly string[]) => {
    const ids = graph.touchedBy(files.map(path));
    return ids === undefined ? 'all' : [...ids].sort().join(' ');
  };
  expect(touched('evals/two.jsonl')).toBe('two');
  expect(touched('evals/cases/deep/new.jsonl', 'evals/two.baseline.jsonl')).toBe('one two');
  expect(touched('evals/one.eval.yaml')).toBe('one');
  expect(touched('ci.env')).toBe('all');
  expect(touched('llmcheck.config.yaml', 'evals/two.jsonl')).toBe('all');
  expect(touched('readme.md')).toBe('');

  // While the project can't be read, what was read for it counts beside what counted before.
  const reads = {
    files: new Set([path('broken.yaml')]),
    missing: new Set([path('gone.md')]),
    globs: [],
    unfollowed: new Set<string>(),
  };
  const alone = buildBrokenGraph(reads, undefined);
  expect([...alone.paths].sort()).toEqual([path('broken.yaml'), path('gone.md')]);
  expect([alone.holds(path('evals/two.jsonl')), alone.leadsTo(root)]).toEqual([false, true]);
  const broken = buildBrokenGraph(reads, graph);
  expect([broken.holds(path('gone.md')), broken.holds(path('evals/two.jsonl'))]).toEqual([true, true]);
  expect([broken.leadsTo(path('evals/any')), broken.leadsTo(path('docs'))]).toEqual([true, false]);
  expect([broken.paths.has(path('ci.env')), broken.folders.has(path('evals'))]).toEqual([true, true]);
  expect(broken.touchedBy([path('evals/two.jsonl')])).toBeUndefined();
});

test('a suite depends on the code and the measurements of its judges as on the code of its providers', async () => {
  const project = openTempProject();
  project.write('evals/model.mjs', "export default () => 'x';\n");
  project.write('evals/judge.mjs', 'export default () => \'{"pass": true}\';\n');
  project.write(
    'evals/one.eval.yaml',
    `prompts: [{ id: v1, text: hi }]
providers: [{ id: model, use: "module:model.mjs" }]
judges: [{ id: judge, use: "module:judge.mjs" }]
cases: [{ id: a, assert: [{ rubric: It is good. }] }]
`,
  );
  project.write(
    'evals/two.eval.yaml',
    'prompts: [{ id: v1, text: hi }]\nproviders: ["echo:x"]\ncases: [{ id: a, assert: [{ equals: hi }] }]\n',
  );
  const loaded = await loadProject({ paths: [], cwd: project.root });
  const graph = buildWatchGraph(loaded.project, { env: {}, extra: [] });
  const touchedBy = (name: string) => [name, ...(graph.touchedBy([project.path(name)]) ?? [])];
  for (const name of ['evals/model.mjs', 'evals/judge.mjs', 'evals/one.judges.json', 'evals/one.reference.jsonl']) {
    expect(touchedBy(name)).toEqual([name, 'one']);
  }
  // Without judges, a suite has no measurements of them.
  expect(touchedBy('evals/two.judges.json')).toEqual(['evals/two.judges.json']);
});

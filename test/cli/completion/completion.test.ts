import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

function openProject(): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'providers: [{ id: shared, use: openai:gpt-4o-mini }]\n');
  project.write(
    'evals/one.eval.yaml',
    `suite: one
prompts: [{ id: v1, text: a }, { id: "v 2", text: b }]
providers: [openai:gpt-4o, { id: local, use: ollama:x }]
cases: [{ id: red, tags: [warm], description: "two\\n\\tlines" }, { file: "cases/*.jsonl" }]
`,
  );
  project.write('evals/cases/a.jsonl', '{"id": "blue", "tags": ["cold"]}\n{"broken\n');
  project.write('evals/two.eval.yaml', 'prompts: [{ id: w1, text: a }]\ncases: [{ id: green }]\nunknown: 1\n');
  project.write('evals/broken.eval.yaml', 'prompts: [\n');
  project.write('.llmcheck/runs/20261101-093000-aaaaaa.jsonl', 'nonsense\n');
  return project;
}

async function complete(project: TempProject, ...words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await project.run(['complete', '--', ...words]);
  expect([code, stderr]).toEqual([0, '']);
  // A word and its description, on one line.
  expect(stdout).toMatch(/^(?:[^\t\n]*\t[^\t\n]*\n|:files\n)*$/);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

describe('the words that complete the one at the cursor', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['ru'], ['run']],
    [
      ['baseline', ''],
      ['accept', 'show', 'list', 'prune', 'pin', 'unpin', 'help'],
    ],
    [['run', '--last'], ['--last-failed']],
    [
      ['run', '--cache', 're'],
      ['refresh', 'replay'],
    ],
    [
      ['run', '--cache=re'],
      ['--cache=refresh', '--cache=replay'],
    ],
    [
      ['run', '--prompt', ''],
      ['v1', 'v 2', 'w1'],
    ],
    [['run', '--prompt', 'v1,w'], ['v1,w1']],
    [['run', '--prompt', 'v1,v 2,w'], ['v1,v 2,w1']],
    [['run', '--prompt=v1,w'], ['--prompt=v1,w1']],
    [['run', '--nothing=x'], []],
    [
      ['run', '--provider', ''],
      ['openai:gpt-4o', 'local', 'shared'],
    ],
    [
      ['run', '--tag', ''],
      ['warm', 'cold'],
    ],
    [
      ['run', '-t', 'one'],
      ['one', 'one/red', 'one/blue'],
    ],
    [
      ['bisect', '--case', 'one/'],
      ['one/red', 'one/blue'],
    ],
    [
      ['history', '--suite', ''],
      ['one', 'two'],
    ],
    [
      ['run', '--reporter', 'js'],
      ['json', 'jsonl'],
    ],
    [
      ['run', '--resume', ''],
      [':files', '20261101-093000-aaaaaa'],
    ],
    [
      ['report', '2026'],
      [':files', '20261101-093000-aaaaaa'],
    ],
    [['list', 'ca'], ['cases']],
    [['run', 'evals/x'], [':files']],
    [['run', '--max-cost', ''], []],
    [['schema', 'suite', ''], []],
    [['nothing', ''], []],
  ])('%j: %j', async (words, expected) => {
    const found = await complete(openProject(), ...words);
    expect([...found].sort()).toEqual([...expected].sort());
  });

  test('are commands where nothing is typed', async () => {
    const found = await complete(openProject());
    expect(found).toContain('run');
    expect(found).not.toContain('complete');
  });

  test('are those of the config that is named before them', async () => {
    const project = openTempProject();
    project.write('sub/other.yaml', 'suites: ["*.eval.yaml"]\n');
    project.write('sub/x.eval.yaml', 'prompts: [{ id: own }]\n');
    for (const flag of ['--config', '-c']) {
      expect(await complete(project, 'run', flag, 'sub/other.yaml', '--prompt', '')).toEqual(['own']);
    }
    expect(await complete(project, 'run', '--prompt', '')).toEqual([]);
    expect(await complete(project, 'run', '--config', 'sub/oth')).toEqual([':files']);
  });

  test('need no project', async () => {
    const project = openTempProject();
    expect(await complete(project, 'run', '-t', '')).toEqual([]);
    expect(await complete(project, 'report', '')).toEqual([':files']);
  });

  test('never hold a line break or a tab', async () => {
    const project = openTempProject();
    project.write('evals/x.eval.yaml', 'prompts: [{ id: "a\\nb" }, { id: "c\\td" }, { id: e }]\n');
    expect(await complete(project, 'run', '--prompt', '')).toEqual(['e']);
  });
});

test.each(['bash', 'zsh', 'fish', 'powershell'])('%s has a script that asks for words', async (shell) => {
  const { code, stdout } = await openTempProject().run(['completion', shell]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/complete '?--/)]);
});

test('another shell is a usage error that names those that there are', async () => {
  const { code, stderr } = await openTempProject().run(['completion', 'csh']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('fish')]);
});

test.skipIf(process.platform === 'win32')('in bash, ids with colons and spaces, and files', async () => {
  const project = openTempProject();
  const { stdout: script } = await project.run(['completion', 'bash']);
  project.write('completion.bash', script);
  project.write('evals/x.md', '');
  project.write(
    'llmcheck',
    `#!/bin/sh
[ "$1 $2" = "complete --" ] || exit 1
for word in openai:gpt openai:o3 "a b" --cache=use :files; do printf '%s\\tmeaning of it\\n' "$word"; done | grep -e "^$5" -e '^:files'
`,
  );
  chmodSync(project.path('llmcheck'), 0o755);
  const lines = [
    'llmcheck run --provider openai:',
    'llmcheck run --prompt a',
    'llmcheck run -x --cache=u',
    'llmcheck run --c evals/',
  ];
  const found = execFileSync(
    'bash',
    [
      '--norc',
      '-c',
      `PATH=.:$PATH; source ./completion.bash
for COMP_LINE in "$@"; do COMP_POINT=\${#COMP_LINE}; COMPREPLY=(); _llmcheck; printf '%s|' "\${COMPREPLY[@]}"; echo; done`,
      'x',
      ...lines,
    ],
    { cwd: project.root, encoding: 'utf8' },
  );
  expect(found.split('\n')).toEqual(['gpt|o3|', 'a\\ b|', 'use|', 'evals/x.md|', '']);
});

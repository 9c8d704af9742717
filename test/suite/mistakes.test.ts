import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import { fixtureFolder, loadAt, placeOf, problemsAt } from './load-fixture.ts';

const folder = join(fixtureFolder, 'mistakes');

/** Of each suite in fixtures/suite/mistakes: every problem's place and code, and the name it suggests. */
const mistakes: Readonly<Record<string, readonly (readonly [place: string, suggestion?: string])[]>> = {
  'bad-assertion-template': [['bad-assertion-template.eval.yaml:6:27 invalid-template']],
  'bad-base-url': [['bad-base-url.eval.yaml:5:14 invalid-value']],
  'bad-contract-schema': [['bad-contract-schema.eval.yaml:4:13 invalid-schema']],
  'bad-json-path': [['bad-json-path.eval.yaml:7:27 invalid-json-path']],
  'bad-percentage': [['bad-percentage.eval.yaml:3:30 invalid-value']],
  'bad-prompt-template': [['bad-prompt-template.eval.yaml:1:34 invalid-template']],
  'bad-regex': [['bad-regex.eval.yaml:7:16 invalid-regex']],
  'bad-schema': [['bad-schema.eval.yaml:7:29 invalid-schema', 'string']],
  'bad-select': [['bad-select.eval.yaml:8:19 unknown-key', 'jsonPath']],
  'bad-select-regex-group': [['bad-select-regex-group.eval.yaml:8:41 invalid-regex']],
  'bad-threshold': [['bad-threshold.eval.yaml:7:16 invalid-value']],
  'bad-timeout': [['bad-timeout.eval.yaml:5:24 invalid-value']],
  'bad-trials': [['bad-trials.eval.yaml:7:13 invalid-value']],
  'bad-turn': [['bad-turn.eval.yaml:8:9 unknown-key', 'user']],
  'case-file-format': [['case-file-format.eval.yaml:4:11 invalid-value']],
  'case-file-missing': [['case-file-missing.eval.yaml:4:11 file-unreadable']],
  'case-glob-empty': [['case-glob-empty.eval.yaml:4:11 file-unreadable']],
  'contract-input': [['contract-input.eval.yaml:7:20 contract-input']],
  'csv-must-pass': [['rows/must-pass.csv:2:1 invalid-value']],
  'csv-ragged': [['rows/ragged.csv:3:1 syntax']],
  'duplicate-case-id': [['duplicate-case-id.eval.yaml:7:9 duplicate-id']],
  'duplicate-case-input': [['duplicate-case-input.eval.yaml:5:5 duplicate-id']],
  'duplicate-prompt-id': [['duplicate-prompt-id.eval.yaml:3:11 duplicate-id']],
  'duplicate-provider-id': [['duplicate-provider-id.eval.yaml:2:28 duplicate-id']],
  'duplicate-yaml-key': [['duplicate-yaml-key.eval.yaml:5:5 syntax']],
  empty: [['empty.eval.yaml:1:1 invalid-value']],
  'jinja-default': [['jinja-default.eval.yaml:1:34 invalid-template']],
  'jsonl-duplicate-key': [['rows/duplicate-key.jsonl:1:36 syntax']],
  'jsonl-syntax': [['rows/broken.jsonl:2:31 syntax']],
  'jsonl-unknown-key': [['rows/unknown-key.jsonl:2:13 unknown-key', 'vars']],
  'list-at-root': [['list-at-root.eval.yaml:1:1 invalid-value']],
  'literal-key': [['literal-key.eval.yaml:5:13 literal-key']],
  'literal-key-in-api-key-env': [['literal-key-in-api-key-env.eval.yaml:5:16 literal-key']],
  'literal-key-in-header': [['literal-key-in-header.eval.yaml:5:31 literal-key']],
  'main-parameter-beside-name': [
    ['main-parameter-beside-name.eval.yaml:7:9 invalid-value'],
    ['main-parameter-beside-name.eval.yaml:8:9 unknown-key'],
  ],
  'missing-expected': [['missing-expected.eval.yaml:6:25 missing-variable']],
  'missing-keys': [
    ['missing-keys.eval.yaml:1:1 invalid-value'],
    ['missing-keys.eval.yaml:1:1 invalid-value'],
    ['missing-keys.eval.yaml:1:1 invalid-value'],
  ],
  'missing-parameter': [['missing-parameter.eval.yaml:7:16 invalid-value']],
  'missing-prompt-id': [['missing-prompt-id.eval.yaml:1:11 invalid-value']],
  'missing-variable-everywhere': [['missing-variable-everywhere.eval.yaml:1:34 missing-variable', 'email']],
  'missing-variable-in-one-case': [['missing-variable-in-one-case.eval.yaml:7:5 missing-variable']],
  'negative-weight': [['negative-weight.eval.yaml:8:17 invalid-value']],
  'no-assertion': [['no-assertion.eval.yaml:4:5 no-assertion']],
  'no-assertion-but-contract': [['no-assertion-but-contract.eval.yaml:5:5 no-assertion']],
  'no-providers': [['no-providers.eval.yaml:1:1 invalid-value']],
  'null-variable': [['null-variable.eval.yaml:1:34 invalid-template']],
  'object-without-filter': [['object-without-filter.eval.yaml:1:34 invalid-template']],
  'parameter-beside-name': [['parameter-beside-name.eval.yaml:8:9 unknown-key']],
  'prompt-file-missing': [['prompt-file-missing.eval.yaml:1:27 file-unreadable']],
  'prompt-file-outside': [['prompt-file-outside.eval.yaml:1:27 file-outside-project']],
  'prompt-file-unclosed': [['unclosed.prompty:1:1 syntax']],
  'prompt-role-unknown': [['prompt-role-unknown.eval.yaml:3:24 invalid-value', 'system']],
  'provider-unknown-id': [['provider-unknown-id.eval.yaml:2:13 unknown-id']],
  'provider-without-model': [['provider-without-model.eval.yaml:2:13 invalid-value']],
  'recordings-outside': [['recordings-outside.eval.yaml:3:13 file-outside-project']],
  'remote-reference': [['remote-reference.eval.yaml:4:13 invalid-schema']],
  'replaces-itself': [['replaces-itself.eval.yaml:1:31 invalid-value']],
  'replaces-unknown': [['replaces-unknown.eval.yaml:1:31 unknown-id']],
  'skip-without-reason': [['skip-without-reason.eval.yaml:7:11 invalid-value']],
  'trials-as-text': [['trials-as-text.eval.yaml:7:13 invalid-value']],
  'two-assertion-names': [['two-assertion-names.eval.yaml:6:29 invalid-value']],
  streamed: [['streamed.eval.yaml:1:58 invalid-value'], ['streamed.eval.yaml:5:31 invalid-value']],
  'two-prompt-sources': [['two-prompt-sources.eval.yaml:1:11 invalid-value']],
  'unknown-adapter': [['unknown-adapter.eval.yaml:2:13 unknown-adapter', 'openai']],
  'unknown-assertion': [['unknown-assertion.eval.yaml:6:16 unknown-assertion', 'contains']],
  'unknown-assertion-in-combinator': [['unknown-assertion-in-combinator.eval.yaml:7:16 unknown-assertion', 'regex']],
  'unknown-case-key': [['unknown-case-key.eval.yaml:7:5 unknown-key', 'tags']],
  'unknown-defaults-key': [['unknown-defaults-key.eval.yaml:3:13 unknown-key', 'trials']],
  'unknown-gate-key': [['unknown-gate-key.eval.yaml:4:15 unknown-key', 'maxDrop']],
  'unknown-parameter': [['unknown-parameter.eval.yaml:7:31 unknown-key', 'ignoreCase']],
  'unknown-prompt-in-case': [['unknown-prompt-in-case.eval.yaml:7:15 unknown-id', 'v1']],
  'unknown-provider-in-case': [['unknown-provider-in-case.eval.yaml:7:17 unknown-id', 'openai:gpt-4o']],
  'unknown-provider-key': [['unknown-provider-key.eval.yaml:5:5 unknown-key', 'baseURL']],
  'unknown-suite-key': [['unknown-suite-key.eval.yaml:3:1 unknown-key', 'gate']],
  'wrong-parameter-type': [['wrong-parameter-type.eval.yaml:7:24 invalid-value']],
  'yaml-alias-bomb': [['yaml-alias-bomb.eval.yaml:12:42 syntax']],
  'yaml-not-a-number': [['yaml-not-a-number.eval.yaml:5:20 syntax']],
  'yaml-syntax': [['yaml-syntax.eval.yaml:5:4 syntax']],
  'yaml-tab': [['yaml-tab.eval.yaml:4:1 syntax']],
  'yaml-two-documents': [['yaml-two-documents.eval.yaml:7:1 syntax']],
  'yaml-unknown-alias': [['yaml-unknown-alias.eval.yaml:5:20 syntax']],
};

describe('a mistake in a suite is reported at its place', () => {
  test.each(Object.entries(mistakes))('%s', async (name, expected) => {
    const problems = await problemsAt(folder, [`${name}.eval.yaml`]);
    expect(problems.map(placeOf)).toEqual(expected.map(([place]) => place));
    expect(problems.map(({ severity }) => severity)).toEqual(expected.map(() => 'error'));
    const suggested = problems.map(({ hint }) => /did you mean "(.+)"/.exec(hint ?? '')?.[1]);
    expect(suggested).toEqual(expected.map(([, suggestion]) => suggestion));
  });

  const suggesting = Object.entries(mistakes).flatMap(([name, expected]) =>
    expected.some(([, word]) => word !== undefined) ? [name] : [],
  );
  test.each(suggesting)('%s: what is suggested does away with the mistake', async (name) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-test-')));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    cpSync(folder, root, { recursive: true });
    const before = await problemsAt(root, [`${name}.eval.yaml`]);
    for (const { hint, at } of before) {
      const word = /did you mean "(.+)"/.exec(hint ?? '')?.[1];
      if (word === undefined || at === undefined) continue;
      const lines = readFileSync(join(root, at.file), 'utf8').split('\n');
      const line = lines[at.line - 1] ?? '';
      const written = word.includes(':') ? /^(["'{ ]*)([\w.$:-]+)/ : /^(["'{ ]*)([\w.$-]+)/;
      const changed = line.slice(at.column - 1).replace(written, (_, marks: string) => `${marks}${word}`);
      lines[at.line - 1] = line.slice(0, at.column - 1) + changed;
      writeFileSync(join(root, at.file), lines.join('\n'));
    }
    const after = await loadAt(root, [`${name}.eval.yaml`]).then(
      () => [],
      (error: unknown) => (error instanceof UserError ? error.problems : [String(error)]),
    );
    expect(after).toEqual([]);
  });

  test('every fixture of a mistake is in the table', () => {
    const names = readdirSync(folder).filter((file) => file.endsWith('.eval.yaml'));
    expect(names.map((file) => file.replace('.eval.yaml', '')).sort()).toEqual(Object.keys(mistakes).sort());
  });

  test('a problem shows the lines around it', async () => {
    const [problem] = await problemsAt(folder, ['unknown-assertion.eval.yaml']);
    expect(problem?.at?.excerpt).toEqual({
      startLine: 5,
      lines: ['    vars: { email: hi }', '    assert: [{ contians: a }]'],
    });
  });

  test('a literal key is never repeated, neither in the message nor in the excerpt', async () => {
    for (const name of ['literal-key', 'literal-key-in-api-key-env', 'literal-key-in-header']) {
      expect(JSON.stringify(await problemsAt(folder, [`${name}.eval.yaml`]))).not.toContain('1234567890');
    }
  });

  test('problems of several files are reported at once, in the order of their places', async () => {
    const problems = await problemsAt(folder, ['bad-regex.eval.yaml', 'bad-schema.eval.yaml', 'bad-trials.eval.yaml']);
    expect(problems.map(({ code }) => code)).toEqual(['invalid-regex', 'invalid-schema', 'invalid-value']);
  });
});

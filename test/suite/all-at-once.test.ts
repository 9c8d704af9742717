import { expect, test } from 'vitest';
import { openTempProject } from '../support/temp-project.ts';
import { problemsAt } from './load-fixture.ts';

/** What is said of a suite: `line:column code: message | hint`, in the order of their places. */
async function said(suite: string, files: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const project = openTempProject();
  for (const [path, text] of Object.entries({ 'a.eval.yaml': suite, ...files })) project.write(path, text);
  const problems = await problemsAt(project.root, ['a.eval.yaml']);
  return problems.map(({ code, message, hint, at }) => {
    const file = at?.file === 'a.eval.yaml' ? '' : `${at?.file}:`;
    return `${file}${at?.line}:${at?.column} ${code}: ${message}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}

/** A suite that is right but for its providers or judges. */
function withProviders(providers: string): string {
  return `${providers}\nprompts: [{ id: p, text: hi }]\ncases: [{ id: a, assert: [contains: hi] }]\n`;
}

/** A suite that is right but for the given lines. */
function withLines(...lines: readonly string[]): string {
  return ['providers: [openai:m]', ...lines].join('\n');
}

test('a missing use hides no other mistake of a provider or judge', async () => {
  for (const key of ['providers', 'judges']) {
    const noun = key.slice(0, -1);
    const others = key === 'judges' ? '\nproviders: [openai:n]' : '';
    expect(await said(withProviders(`${key}: [{ id: q, usee: "openai:m", parms: {}, limts: {} }]${others}`))).toEqual([
      expect.stringMatching(
        new RegExp(`^1:\\d+ unknown-key: unknown key "usee" in a ${noun} \\| did you mean "use"\\?$`),
      ),
      expect.stringMatching(/unknown key "parms" .* \| did you mean "params"\?$/),
      expect.stringMatching(/unknown key "limts" .* \| did you mean "limits"\?$/),
    ]);
  }
});

test('an unknown adapter hides no mistyped key, and what only that adapter could know is left to it', async () => {
  expect(await said(withProviders('providers: [{ id: q, use: "opnai:m", parms: {} }]'))).toEqual([
    '1:27 unknown-adapter: unknown adapter "opnai" in "opnai:m" | did you mean "openai"?',
    '1:38 unknown-key: unknown key "parms" in a provider | did you mean "params"?',
  ]);
  expect(await said(withProviders('providers: [{ id: q, use: "elsewhere:m", region: x, parms: {} }]'))).toEqual([
    expect.stringContaining('unknown adapter "elsewhere"'),
    expect.stringContaining('"parms"'),
  ]);
  expect(await said(withProviders('providers: [{ id: q, parms: {} }]'))).toEqual([
    '1:13 invalid-value: provider needs "use"',
    '1:22 unknown-key: unknown key "parms" in a provider | did you mean "params"?',
  ]);
});

test('a key that other tools have says where its part stands here', async () => {
  expect(await said(withProviders('providers: [{ id: q, use: "exec:node a.mjs", comand: node }]'))).toEqual([
    '1:46 unknown-key: unknown key "comand" in a provider | the command stands in use: exec:node answer.mjs',
  ]);
});

test('a mistyped id of the config is known by its nearest', async () => {
  const config = 'providers: [{ id: "my:local", use: "openai:m" }]\n';
  expect(await said(withProviders('providers: ["my:lcoal"]'), { 'llmcheck.config.yaml': config })).toEqual([
    '1:13 unknown-adapter: unknown adapter "my" in "my:lcoal" | did you mean "my:local"?',
  ]);
});

import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject, statusesOf } from '../support/temp-project.ts';

const suite = `import { words } from './words.ts';

interface Case { readonly id: string; readonly vars: { readonly word: string } }
const cases: Case[] = words.map((word: string) => ({ id: word, vars: { word } }));

export default {
  prompts: [{ id: 'v1', text: 'Say: {{ word }}' }],
  providers: ['openai:gpt-4o-mini'],
  defaults: { assert: [{ equals: '{{ word }}' }] },
  cases,
};
`;

function open(text = suite, name = 'echo.eval.ts') {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write('evals/words.ts', "export const words: readonly string[] = ['one', 'two'];\n");
  project.write(`evals/${name}`, text);
  return project;
}

describe('suites in code', () => {
  test('are found beside those in YAML, run, and have their baseline beside them', { tags: 'slow' }, async () => {
    const project = open();
    const { env } = await startEchoServer();
    const { code, report } = await project.report(['run'], { env });
    expect([code, report.suites[0]?.suite, statusesOf(report)]).toEqual([0, 'echo', { one: 'passed', two: 'passed' }]);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    expect(project.files('evals')).toContain('evals/echo.baseline.jsonl');
    project.write('evals/words.ts', "export const words = ['three'];\n");
    expect((await project.run(['list', 'cases', '--json'])).stdout).toContain('"three"');
  });

  test.each([
    ['an unknown key', suite.replace('cases,', 'cases, gaet: {},'), 'unknown key "gaet"', 10, '$.gaet'],
    [
      'an unknown assertion',
      suite.replace('equals:', 'equalz:'),
      'did you mean "equals"?',
      9,
      '$.defaults.assert[0].equalz',
    ],
    ['a missing variable', suite.replace('Say: {{ word }}', 'Say: {{ wrod }}'), 'wrod', 7, ''],
    // A key that the text holds twice has no certain place.
    ['a doubtful key', `// gaet: x\n${suite.replace('cases,', 'cases, gaet: {},')}`, 'unknown key "gaet"', 7, '$.gaet'],
  ])(
    '%s is reported at its likely place, with its path in the data',
    { tags: 'slow' },
    async (_, text, message, line, path) => {
      const { code, stderr } = await open(text).run(['validate']);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
      expect(stderr).toContain(`evals/echo.eval.ts:${line}:`);
      expect(stderr).toContain(path);
    },
  );

  test.each([
    ['throws', "throw new Error('no luck');", 'no luck'],
    ['exports nothing by default', 'export const a = 1;', 'has no default export'],
    ['exports a text', "export default 'a';", 'a suite must be a map'],
    [
      'holds a function',
      'export default { prompts: [], cases: [{ id: "a", check: () => true }] };',
      '"check" is a function',
    ],
    [
      'holds a pattern',
      'export default { cases: [{ assert: [{ regex: /a/ }] }] };',
      '"regex" is a RegExp, which is no data',
    ],
    ['holds a map', 'export default { cases: [{ vars: new Map([["a", 1]]) }] };', '"vars" is a Map, which is no data'],
    ['holds a set', 'export default { cases: [{ tags: new Set(["a"]) }] };', '"tags" is a Set, which is no data'],
    ['awaits nothing', 'export default { cases: Promise.resolve([]) };', '"cases" is a Promise, which is no data'],
    ['holds NaN', 'export default { gate: { alpha: 0 / 0 } };', '"alpha" is NaN'],
    ['holds Infinity', 'export default { gate: { alpha: -1 / 0 } };', '"alpha" is -Infinity, which is no data'],
  ])('a file that %s is a usage error at the file', { tags: 'slow' }, async (_, text, message) => {
    // What has no types loads in half the time.
    const { code, stderr } = await open(text, 'echo.eval.mjs').run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toMatch(/evals\/echo\.eval\.mjs:\d+:\d+/);
  });
});

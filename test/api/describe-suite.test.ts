import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { planProject } from '../../src/api/run-project.ts';
import { describeSuite } from '../../src/vitest.ts';
import { completionOf, testKey, wordOf } from '../support/chat-server.ts';
import { startServer } from '../support/http-server.ts';

const root = mkdtempSync(join(tmpdir(), 'llmcheck-describe-'));
mkdirSync(join(root, 'evals'));
const write = (name: string, text: string) => writeFileSync(join(root, name), text);
write('llmcheck.config.yaml', '');
write(
  'evals/words.eval.yaml',
  `prompts: [{ id: v1, text: 'Say: {{ word }}' }, { id: v2, text: 'Say: {{ word }}' }]
providers: [openai:gpt-4o-mini]
defaults: { trials: 2, assert: [{ equals: '{{ word }}' }] }
cases:
  - { id: right, vars: { word: right } }
  - { id: left, vars: { word: left } }
`,
);
const server = await startServer(({ body }) => {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const word = wordOf(messages[0]?.content ?? '');
  return { body: completionOf(word, 'gpt-4o-mini') };
});
afterAll(() => server.close());
const options = { cwd: root, env: { OPENAI_API_KEY: testKey, OPENAI_BASE_URL: `${server.url}/v1` } };

// Its tests are tests of this file: each case on each variant, and the gate.
describeSuite('evals/words.eval.yaml', options);

describe('the cases that describeSuite makes tests of', () => {
  const plan = (paths: readonly string[]) =>
    planProject({ ...options, flags: {}, options: { ...options, paths }, onEvent: () => {} });

  test('are each of the suite, once for each variant, whatever the trials', async () => {
    const sent = server.requests.length;
    const cases = await plan(['evals']);
    const provider = 'openai:gpt-4o-mini';
    const byName = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? 1 : -1);
    expect(cases.toSorted(byName)).toEqual(
      ['right', 'left'].flatMap((caseId) =>
        ['v2', 'v1'].map((prompt) => ({ suite: 'words', caseId, prompt, provider })),
      ),
    );
    expect(server.requests).toHaveLength(sent);
  });

  test('are an error where the suite has a mistake', async () => {
    write('evals/broken.eval.yaml', 'prompts: [a]\ncases: [{ id: a }]\ngaet: {}\n');
    await expect(plan(['evals/broken.eval.yaml'])).rejects.toThrow('gaet');
  });

  test('take no option that is not known', () => {
    expect(() => describeSuite('evals', { ...options, testTimeout: 1 } as never)).toThrow(
      'has no option "testTimeout"',
    );
  });
});

describe('toPassChecks', () => {
  test('passes where every deciding check does', async () => {
    await expect('Hello').toPassChecks([{ contains: 'Hell' }, { contains: 'x', weight: 0 }]);
    await expect('Hello').not.toPassChecks([{ contains: 'Hell' }, { contains: 'x' }]);
  });

  test('names what failed', async () => {
    const checks = [{ contains: 'Hell' }, { contains: 'x', name: 'has an x', weight: 0, required: true }] as const;
    await expect(expect('Hello').toPassChecks(checks)).rejects.toThrow(/^has an x: does not contain "x"/);
    await expect(expect('Hello').not.toPassChecks([{ contains: 'H' }])).rejects.toThrow(/^contains: /);
  });

  test('throws where a check can not be made, and where there is none', async () => {
    await expect(expect('Hello').not.toPassChecks([{ snapshot: {} }])).rejects.toThrow('needs a run');
    await expect(expect('Hello').toPassChecks([])).rejects.toThrow('needs at least one assertion');
  });
});

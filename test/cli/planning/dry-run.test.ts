import { expect, test } from 'vitest';
import { completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const head = `suite: words
prompts:
  - { id: v1, text: "Say: {{ word }}" }
  - { id: v2, text: "Say it: {{ word }}", replaces: v1 }
providers:
  - { id: mini, use: "openai:gpt-4o-mini", price: { input: 1000, output: 1000 }, params: { max_tokens: 500 } }
`;
const cases = (...words: string[]) => `defaults: { assert: [{ regex: "." }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }\n`).join('')}`;

/** Uses as many output tokens as the word has letters, ten times. */
function startVerboseServer() {
  return startChatServer(({ text }) => {
    const usage = { prompt_tokens: 30, completion_tokens: wordOf(text).length * 10, total_tokens: 0 };
    return { body: { ...completionOf(wordOf(text)), usage } };
  });
}

test('--dry-run forecasts from what the answers of the baseline used, without what the cache answers', {
  tags: ['slow'],
}, async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  project.write('evals/words.eval.yaml', head.replace(/ {2}- { id: v2.*\n/, '') + cases('one', 'seven'));
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept'], { env: server.env });
  const sent = server.requests.length;
  const forecast = async (...flags: string[]) =>
    (await project.run(['run', '--dry-run', ...flags], { env: server.env })).stdout;
  // 30 in and 30 or 50 out, at a dollar for a thousand tokens.
  expect(await forecast('--cache', 'off')).toContain(
    "2 requests, ~60 input and ~80 output tokens by the baseline's usage, about $0.1400, at most",
  );
  expect(await forecast()).toContain(
    '2 answered from the cache or recordings, 0 requests, ~0 input tokens, at most $0',
  );
  expect(await forecast('--cache', 'off', '--batch')).toContain('about $0.0700, at most');
  expect(await forecast('--cache', 'off', '--no-baseline')).not.toContain('about');
  // A new case is expected to be like the others, a new version like the one that it replaces.
  project.write('evals/words.eval.yaml', head + cases('one', 'seven', 'eleven'));
  const all = await forecast('--cache', 'off', '--prompt', 'v2');
  expect(all).toContain("3 requests, ~90 input and ~120 output tokens by the baseline's usage, about $0.2100, at most");
  expect(all).toContain('dry run: 3 cells, 0 answered, 3 requests, about $0.2100, at most');
  expect(server.requests.length).toBe(sent);
});

test('--dry-run says what each provider would use where there are several, and no more than it knows', {
  tags: ['slow'],
}, async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  const one = head.replace(/ {2}- { id: v2.*\n/, '');
  project.write('evals/words.eval.yaml', one + cases('one'));
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept'], { env: server.env });
  const other = '  - { id: local, use: "ollama:our-own", baseURL: "http://127.0.0.1:9" }\n';
  project.write('evals/words.eval.yaml', one + other + cases('one'));
  const { code, stdout } = await project.run(['run', '--dry-run', '--cache', 'off'], { env: server.env });
  expect(code).toBe(0);
  expect(stdout).toContain(
    "\nmini: 1 request, ~30 input and ~30 output tokens by the baseline's usage, about $0.0600, at most",
  );
  expect(stdout).toMatch(
    /\nlocal: 1 request, ~\d+ input tokens, cost unknown \(no price or no limit on output tokens\)\n/,
  );
  expect(stdout).toMatch(
    /\ndry run: 2 cells, 0 answered, 2 requests, at most \$0\.5160, up to 200 more where something looks worse: at most \$52\.12 in all, not counted: local: our-own has no price; nothing was sent\n/,
  );
});

test('--dry-run knows the tokens but not the cost of a model without a price', { tags: ['slow'] }, async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  const unpriced = head
    .replace(/ {2}- { id: v2.*\n/, '')
    .replace('gpt-4o-mini", price: { input: 1000, output: 1000 }', 'our-own-model"');
  project.write('evals/words.eval.yaml', unpriced + cases('one'));
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept'], { env: server.env });
  const { code, stdout } = await project.run(['run', '--dry-run', '--cache', 'off'], { env: server.env });
  expect(code).toBe(0);
  expect(stdout).toContain(
    "1 request, ~30 input and ~30 output tokens by the baseline's usage, cost unknown (no price or no limit on output tokens)",
  );
  // Where no cost is known, no part of it is missing.
  expect(stdout).not.toContain('not counted');
});

test('--dry-run of no case knows that it costs nothing', async () => {
  const project = openTempProject();
  project.write('evals/words.eval.yaml', head + cases('one'));
  const { stdout } = await project.run(['run', '--dry-run', '--filter', 'none']);
  expect(stdout).toContain('dry run: 0 cells, 0 answered, 0 requests, at most $0; nothing was sent\n');
});

test('--dry-run counts what is skipped, and the requests to judges', async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  const judged = head
    .replace(/ {2}- { id: v2.*\n/, '')
    .replace('providers:', 'judges: [{ id: strict, use: openai:gpt-4o }]\nproviders:');
  const skipped = '  - { id: later, vars: { word: later }, skip: not yet }\n';
  const rubric = cases('one', 'two').replace('{ regex: "." }', '{ rubric: It is good. }');
  project.write('evals/words.eval.yaml', judged + rubric + skipped);
  const { stdout } = await project.run(['run', '--dry-run'], { env: server.env });
  const all =
    '2 requests, ~8 input tokens, at most $1.04, up to 4 requests to judges, whose cost is not counted (strict has no limit on output tokens), 1 skipped';
  expect(stdout).toContain(`v1 × mini: 3 cells, 0 answered from the cache or recordings, ${all}\n`);
  expect(stdout).toContain(
    'dry run: 3 cells, 0 answered, 2 requests, at most $1.04, up to 200 more where something looks worse: at most $35.44 in all, up to 4 requests to judges',
  );
});

test('--dry-run counts each turn, results of several tools as one, and both orders of each vote', async () => {
  const project = openTempProject();
  const turns = `
      - { user: Go on. }
      - { toolResult: { name: find, content: a } }
      - { toolResult: { name: find, content: b } }
      - { user: And then? }`;
  const compared = '{ pairwise: { value: Which is better?, votes: 3 } }, { regex: "." }';
  project.write(
    'evals/words.eval.yaml',
    head
      .replace(/ {2}- { id: v2.*\n/, '')
      .replace('providers:', 'judges: [{ id: strict, use: openai:gpt-4o }]\nproviders:') +
      `cases:\n  - id: talk\n    vars: { word: one }\n    assert: [${compared}]\n    turns:${turns}\n`,
  );
  const { stdout } = await project.run(['run', '--dry-run']);
  expect(stdout).toContain('0 answered from the cache or recordings, 4 requests');
  expect(stdout).toContain('up to 12 requests to judges');
});

test('--dry-run --batch halves the bound of what goes through a batch, and refuses as the run does', async () => {
  const project = openTempProject();
  const one = head.replace(/ {2}- { id: v2.*\n/, '');
  const boundOf = async (...flags: string[]) => {
    const { stdout } = await project.run(['run', '--dry-run', '--cache', 'off', ...flags]);
    return Number(/dry run: .*?at most \$([\d.]+)/.exec(stdout)?.[1]);
  };
  project.write('evals/words.eval.yaml', one + cases('one'));
  expect((await boundOf()) / (await boundOf('--batch'))).toBeCloseTo(2, 1);
  // Its second request is asked live, and it is one conversation.
  const talk = '  - { id: talk, vars: { word: one }, assert: [{ regex: . }], turns: [{ user: Go on. }] }\n';
  project.write('evals/words.eval.yaml', `${one}cases:\n${talk}`);
  expect(await boundOf('--batch')).toBe(await boundOf());
  project.write('evals/words.eval.yaml', (one + cases('one')).replace('openai:gpt-4o-mini', 'ollama:qwen'));
  const { code, stderr } = await project.run(['run', '--dry-run', '--batch']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('no provider of this run has a batch API: mini')]);
});

test('--dry-run counts the later requests of a conversation whose first answer is cached, and none of a recorded one', async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  const talk = '  - { id: talk, vars: { word: one }, assert: [{ regex: . }], turns: [{ user: Go on. }] }\n';
  const suite = `${head.replace(/ {2}- { id: v2.*\n/, '')}recordings: words.jsonl\ncases:\n${talk}`;
  project.write('evals/words.eval.yaml', suite);
  await project.run(['run', '--record'], { env: server.env });
  const forecast = async (...flags: string[]) =>
    (await project.run(['run', '--dry-run', ...flags], { env: server.env })).stdout;
  expect(await forecast('--cache', 'use')).toContain('dry run: 1 cell, 1 answered, 1 request,');
  expect(await forecast()).toContain('dry run: 1 cell, 1 answered, 0 requests,');
  project.write('evals/words.eval.yaml', suite.replace('recordings: words.jsonl\n', ''));
  expect(await forecast('--cache', 'replay')).toContain('dry run: 1 cell, 1 answered, 0 requests,');
});

test('--dry-run does not expect of one provider what another one used', async () => {
  const server = await startVerboseServer();
  const project = openTempProject();
  const one = head.replace(/ {2}- { id: v2.*\n/, '');
  project.write('evals/words.eval.yaml', one + cases('one'));
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept'], { env: server.env });
  const other = '  - { id: local, use: "ollama:our-own", baseURL: "http://127.0.0.1:9" }\n';
  project.write('evals/words.eval.yaml', one + other + cases('one', 'two'));
  const { stdout } = await project.run(['run', '--dry-run', '--cache', 'off'], { env: server.env });
  expect(stdout).toContain('\nmini: 2 requests, ~60 input and ~60 output tokens');
  expect(stdout).toMatch(/\nlocal: 2 requests, ~\d+ input tokens, cost unknown/);
});

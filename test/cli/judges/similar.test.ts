import { expect, onTestFinished, test } from 'vitest';
import { assertions } from '../../../src/assertions/index.ts';
import { UserError } from '../../../src/model/problem.ts';
import { parsePromptFile } from '../../../src/prompts/parse-prompt-file.ts';
import { adapters } from '../../../src/providers/index.ts';
import { loadProject } from '../../../src/suite/load.ts';
import { completionOf, testKey } from '../../support/chat-server.ts';
import { type ScriptedServer, startServer } from '../../support/http-server.ts';
import { type TempProject, trialsOf } from '../../support/temp-project.ts';
import { openJudgeProject } from './judge-project.ts';

/** Answers `Say: WORD` and embeds a text as the counts of three letters. */
async function startEmbeddings(): Promise<ScriptedServer & { readonly env: Readonly<Record<string, string>> }> {
  const server = await startServer(({ url, body }) => {
    const { model, input, messages } = JSON.parse(body) as {
      model: string;
      input?: string;
      messages?: { content: string }[];
    };
    if (url !== '/v1/embeddings') return { body: completionOf((messages?.at(-1)?.content ?? '').replace('Say: ', '')) };
    const embedding = ['r', 'e', 'x'].map((letter) => (input ?? '').split(letter).length - 1);
    return { body: { model, data: [{ embedding }], usage: { prompt_tokens: 4, total_tokens: 4 } } };
  });
  onTestFinished(() => server.close());
  return {
    ...server,
    requests: server.requests,
    env: { OPENAI_BASE_URL: `${server.url}/v1`, OPENAI_API_KEY: testKey },
  };
}

const open = (provider: string, judges?: string): TempProject =>
  openJudgeProject({
    assert: `[{ similar: { value: red, min: 0.9${provider === '' ? '' : `, provider: "${provider}"`} } }]`,
    ...(judges === undefined ? {} : { judges }),
    words: ['red', 'xx'],
    more: 'gate: { confirm: { budget: 0 } }',
  });

test('a provider of embeddings measures, is cached and is booked apart', async () => {
  const server = await startEmbeddings();
  const project = open('openai:text-embedding-3-small');
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(4);
  expect(trialsOf(report).map(({ checks }) => checks[0]?.score)).toEqual([1, 0]);
  expect(report.totals.judgeCostUsd).toBeGreaterThan(0);
  const embedded = server.requests.filter(({ url }) => url === '/v1/embeddings');
  // Both texts of the second case, the one of the first: the reference is asked for once.
  expect(embedded.map(({ body }) => JSON.parse(body))).toContainEqual({ model: 'text-embedding-3-small', input: 'xx' });
  expect(embedded).toHaveLength(2);
  const again = await project.report(['run'], { env: server.env });
  expect(again.report.totals.judgeCostUsd).toBe(0);
  expect(server.requests).toHaveLength(4);
});

test('it may be named by the id of a judge, with its own address and key', async () => {
  const server = await startEmbeddings();
  const judges = `[{ id: embed, use: openai:my-model, baseURL: "${server.url}/v1", apiKeyEnv: EMBED_KEY }]`;
  const { code } = await open('embed', judges).run(['run'], { env: { ...server.env, EMBED_KEY: 'other-key-123' } });
  expect(code).toBe(4);
  const embedded = server.requests.find(({ url }) => url === '/v1/embeddings');
  expect(embedded?.headers.authorization).toBe('Bearer other-key-123');
});

test('a reply that is not an embedding leaves the cell errored', async () => {
  const server = await startServer(({ url, body }) =>
    url === '/v1/embeddings'
      ? { body: { data: [{ embedding: 'AAAA' }] } }
      : { body: completionOf((JSON.parse(body).messages[0].content as string).replace('Say: ', '')) },
  );
  onTestFinished(() => server.close());
  const env = { OPENAI_BASE_URL: `${server.url}/v1`, OPENAI_API_KEY: testKey };
  const { code, report } = await open('openai:text-embedding-3-small').report(['run'], { env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]?.checks[0]?.reason).toContain('holds no embedding');
});

test('without a provider and without the packages the suite says at its place how to install them', async () => {
  const loading = loadProject({
    paths: [],
    cwd: open('').root,
    assertions,
    adapters,
    parsePrompt: parsePromptFile,
    packageVersion: () => undefined,
  });
  const error: unknown = await loading.catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw new TypeError('expected a usage error', { cause: error });
  const [problem, ...others] = error.problems;
  expect(others).toEqual([]);
  expect(problem).toMatchObject({ code: 'environment', at: { line: 6, column: 23 } });
  expect(problem?.hint).toContain('npm install --save-dev @energetic-ai/core@0.2 @energetic-ai/embeddings@0.2');
});

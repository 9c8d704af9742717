import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Completion } from '../../src/model/completion.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { startServer } from '../support/http-server.ts';
import { buildConfig, buildRequest } from './build-request.ts';

/** Real exchanges with many services, as JSON lines {id, kind, uri, status, request, response}; too large to ship. */
const file = process.env['LLMCHECK_EXCHANGES'] ?? '';

interface Call {
  readonly name?: string;
  readonly arguments?: string;
}

interface Exchange {
  readonly id: string;
  readonly kind: string;
  readonly uri: string;
  readonly status: number;
  readonly response: {
    readonly status?: string;
    readonly model?: string;
    readonly choices?: readonly {
      readonly message: {
        readonly content?: string | null;
        readonly tool_calls?: readonly { readonly function: Call }[] | null;
      };
    }[];
    readonly output?: readonly (Call & {
      readonly type: string;
      readonly content?: readonly { readonly type: string; readonly text?: string }[];
    })[];
    readonly usage?: Readonly<Record<string, number>> | null;
  };
}

describe.skipIf(!existsSync(file))('a recorded exchange (LLMCHECK_EXCHANGES names the file)', () => {
  const exchanges = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Exchange)
        .filter(({ kind }) => kind === 'openai-chat' || kind === 'openai-responses')
    : [];

  it.each(exchanges)('$id ($kind, $uri) is read as its body says', async ({ kind, status, response }) => {
    const server = await startServer({ status, body: response });
    const options = kind === 'openai-responses' ? { api: 'responses' } : {};
    const config = buildConfig({ baseUrl: server.url, options });
    const provider = await lookupAdapter('openai')?.connect(config, { env: {}, projectRoot: '/project' });
    const outcome = await provider?.complete(buildRequest({}), new AbortController().signal);
    await provider?.close();
    await server.close();

    if (status !== 200) {
      expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'badRequest', status } });
    } else if (response.choices === undefined && response.status !== 'completed') {
      expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'malformed' } });
    } else {
      expect(outcome?.status).toBe('completed');
      if (outcome?.status === 'completed') compare(outcome.completion, response);
    }
  });
});

function compare(completion: Completion, { choices, output = [], usage, model }: Exchange['response']): void {
  const message = choices?.[0]?.message;
  const parts = output.filter(({ type }) => type === 'message').flatMap(({ content = [] }) => content);
  expect(completion.text).toBe(
    message === undefined ? parts.map(({ text }) => text).join('') : (message.content ?? ''),
  );

  const calls: readonly Call[] =
    message?.tool_calls?.map((call) => call.function) ?? output.filter(({ type }) => type === 'function_call');
  expect(completion.toolCalls.map(({ name }) => name)).toEqual(calls.map(({ name }) => name));
  expect(completion.toolCalls.map((call) => call.rawArguments)).toEqual(calls.map((call) => call.arguments));
  expect(completion.toolCalls.map((call) => call.arguments)).toEqual(
    calls.map((call) => JSON.parse(call.arguments ?? '')),
  );

  const input = usage?.['prompt_tokens'] ?? usage?.['input_tokens'];
  const visible = usage?.['completion_tokens'] ?? usage?.['output_tokens'] ?? 0;
  expect(completion.usage?.inputTokens).toBe(input);
  // Where the total is larger than its parts, the rest is reasoning that was produced and is billed.
  if (input !== undefined)
    expect(completion.usage?.outputTokens).toBe(Math.max(visible, (usage?.['total_tokens'] ?? 0) - input));
  expect(completion.model).toBe(model);
}

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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

  // Also what is listed as skipped where there is no file: an empty table makes no test at all.
  it('is among those of the file', () => {
    expect(exchanges.length).toBeGreaterThan(0);
  });

  it.each(exchanges)('$id ($kind, $uri) is read as its body says', async ({ kind, status, response }) => {
    const server = await startServer({ status, body: response });
    const options = kind === 'openai-responses' ? { api: 'responses' } : {};
    const config = buildConfig({ baseUrl: server.url, options });
    const provider = await lookupAdapter('openai')?.connect(config, { env: {}, projectRoot: '/project' });
    const outcome = await provider?.complete(buildRequest({}), new AbortController().signal);
    await provider?.close();
    await server.close();

    expect(outcome).toMatchObject(expectedOutcome(status, response));
  });
});

function expectedOutcome(status: number, response: Exchange['response']): object {
  if (status !== 200) return { status: 'failed', failure: { kind: 'badRequest', status } };
  if (response.choices === undefined && response.status !== 'completed') {
    return { status: 'failed', failure: { kind: 'malformed' } };
  }
  return { status: 'completed', completion: expectedCompletion(response) };
}

function expectedCompletion({ choices, output = [], usage, model }: Exchange['response']): object {
  const message = choices?.[0]?.message;
  const parts = output.filter(({ type }) => type === 'message').flatMap(({ content = [] }) => content);
  const calls: readonly Call[] =
    message?.tool_calls?.map((call) => call.function) ?? output.filter(({ type }) => type === 'function_call');
  const inputTokens = usage?.['prompt_tokens'] ?? usage?.['input_tokens'] ?? 0;
  const visibleTokens = usage?.['completion_tokens'] ?? usage?.['output_tokens'] ?? 0;
  return {
    text: message === undefined ? parts.map(({ text }) => text).join('') : (message.content ?? ''),
    toolCalls: calls.map((call) => ({
      name: call.name,
      rawArguments: call.arguments,
      arguments: JSON.parse(call.arguments ?? '') as unknown,
    })),
    // Where the total is larger than its parts, the rest is reasoning that was produced and is billed.
    usage: { inputTokens, outputTokens: Math.max(visibleTokens, (usage?.['total_tokens'] ?? 0) - inputTokens) },
    model,
  };
}

import { onTestFinished } from 'vitest';
import type { Completion, CompletionOutcome, ProviderFailure } from '../../src/model/run/completion.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { type ReceivedRequest, type Scripted, startServer } from '../support/http-server.ts';
import { buildConfig, buildRequest } from './build-request.ts';

export interface Asked {
  readonly outcome: CompletionOutcome;
  readonly received: ReceivedRequest | undefined;
  /** The body that the server got. */
  readonly sent: Readonly<Record<string, unknown>>;
}

export interface Asking {
  readonly config?: Partial<ProviderConfig>;
  readonly request?: Parameters<typeof buildRequest>[0];
  readonly env?: Readonly<Record<string, string>>;
  readonly projectRoot?: string;
  /** Behind the server's address, where the suite names the address. */
  readonly path?: string;
}

/** Asks an adapter once; the server it talks to answers with `reply`, and `env` may name its address by `{url}`. */
export async function askProvider(adapter: string, reply: Scripted, asking: Asking = {}): Promise<Asked> {
  const server = await startServer(reply);
  const { config = {}, request = {}, projectRoot = '/project', path } = asking;
  const env = Object.fromEntries(
    Object.entries(asking.env ?? {}).map(([name, value]) => [name, value.replace('{url}', server.url)]),
  );
  const address = asking.env === undefined || path !== undefined ? { baseUrl: `${server.url}${path ?? ''}` } : {};
  const model = config.model ?? request.model ?? 'some-model';
  const connected = await lookupAdapter(adapter)?.connect(buildConfig({ adapter, model, ...address, ...config }), {
    env,
    projectRoot,
  });
  if (connected === undefined) throw new Error(`no adapter ${adapter}`);
  onTestFinished(async () => {
    await connected.close();
    await server.close();
  });
  const outcome = await connected.complete(buildRequest({ model, ...request }), new AbortController().signal);
  const [received] = server.requests;
  return { outcome, received, sent: JSON.parse(received?.body ?? '{}') as Record<string, unknown> };
}

export function completionOf({ outcome }: Asked): Completion {
  if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
  return outcome.completion;
}

export function failureOf({ outcome }: Asked): ProviderFailure {
  if (outcome.status !== 'failed') throw new Error(JSON.stringify(outcome));
  return outcome.failure;
}

/** A conversation with every role, two calls at once and their results. */
export const conversation: NonNullable<Parameters<typeof buildRequest>[0]['messages']> = [
  { role: 'system', content: 'Be kind.' },
  { role: 'developer', content: 'Be brief.' },
  { role: 'user', content: 'How warm is it in Paris and Rome?' },
  {
    role: 'assistant',
    content: 'I look.',
    toolCalls: [
      { id: 'c1', name: 'weather', arguments: { city: 'Paris' }, rawArguments: '{"city":"Paris"}' },
      { id: 'c2', name: 'weather', arguments: undefined, rawArguments: '{"city":' },
    ],
  },
  { role: 'tool', content: '22', toolCallId: 'c1', name: 'weather' },
  { role: 'tool', content: '30', toolCallId: 'c2' },
];

/** What a suite writes for every API alike. */
export const neutralParams = {
  max_completion_tokens: 50,
  temperature: 0,
  top_p: 0.5,
  stop: 'END',
  tool_choice: 'required',
  tools: [
    {
      name: 'weather',
      description: 'Tells it.',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
    { type: 'function', function: { name: 'now' } },
  ],
  response_format: { type: 'json_schema', json_schema: { name: 'reply', schema: { type: 'object' }, strict: true } },
} as const;

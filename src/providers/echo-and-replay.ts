import * as z from 'zod';
import type { CompletionRequest, Message } from '../model/run/completion.ts';
import type { Adapter } from '../model/suite/provider.ts';

/** Answers with the prompt's text and sends nothing. Useful to try checks on a text. */
export const echo: Adapter = {
  summary: "the prompt's text as the answer: nothing is sent, and nothing is paid",
  example: 'echo:prompt',
  options: z.strictObject({}),
  resolve: () => ({ adapterVersion: 'echo-1', priceProvider: 'echo', sends: true }),
  connect: () =>
    Promise.resolve({
      complete: ({ messages }) =>
        Promise.resolve({
          status: 'completed',
          completion: {
            text: describeMessages(messages),
            toolCalls: [],
            finishReason: 'stop',
            usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
            latencyMs: 0,
          },
          cached: false,
          attempts: 1,
        }),
      close: () => Promise.resolve(),
    }),
};

/** Returns a single message as its text, and several as JSON to keep their roles. */
function describeMessages(messages: readonly Message[]): string {
  const [only] = messages;
  if (only !== undefined && messages.length === 1) return only.content;
  return JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
}

/** Never sends: the suite's recordings answer before a request reaches a provider. */
export const replay: Adapter = {
  summary: 'recorded answers only: nothing is ever sent',
  example: 'replay:gpt-4o-mini',
  options: z.strictObject({}),
  resolve: () => ({ adapterVersion: 'replay-1', sends: false }),
  connect: () =>
    Promise.resolve({
      complete: (request) =>
        Promise.resolve({
          status: 'failed',
          failure: { kind: 'recording', message: describeMissing(request) },
          attempts: 0,
        }),
      close: () => Promise.resolve(),
    }),
};

function describeMissing({ origin, trial }: CompletionRequest): string {
  const which = `prompt "${origin.prompt}", provider "${origin.provider}", case "${origin.caseId}", trial ${trial}`;
  return `no recorded answer for ${which}: write its line into the file that \`recordings:\` names, or let the provider \`use\` an adapter that sends and run \`llmcheck run --record\``;
}

import * as z from 'zod';
import type { Message } from '../model/completion.ts';
import type { Adapter } from '../model/provider.ts';

/** Sends nothing: checks can be tried on texts that a prompt or a variable holds. */
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
            text: describe(messages),
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

/** One message is its text; several are JSON, so that no role is lost. */
function describe(messages: readonly Message[]): string {
  const [only] = messages;
  if (only !== undefined && messages.length === 1) return only.content;
  return JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
}

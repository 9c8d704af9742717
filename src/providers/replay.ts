import * as z from 'zod';
import type { CompletionRequest } from '../model/completion.ts';
import type { Adapter } from '../model/provider.ts';

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

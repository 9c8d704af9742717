import type { CompletionRequest, ProviderFailure } from '../model/completion.ts';

/** What an API allows and an adapter that reads one whole answer can't judge. */
export function findUnfit({ params }: CompletionRequest): ProviderFailure | undefined {
  if (params['stream'] === true) {
    return { kind: 'badRequest', message: 'params.stream is true, but answers are read whole: remove it' };
  }
  if (params['background'] === true) {
    return { kind: 'badRequest', message: 'params.background is true, but answers are awaited: remove it' };
  }
  return undefined;
}

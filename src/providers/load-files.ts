import type { CompletionRequest, ProviderFailure } from '../model/completion.ts';
import { readAttachment } from './describe-file.ts';
import type { OutgoingFile, OutgoingMessage, OutgoingRequest } from './outgoing.ts';

export interface LoadFilesOptions {
  readonly projectRoot: string;
  /** The kinds of files that the API takes. */
  readonly takes: RegExp;
  /** What takes them, in messages. */
  readonly name: string;
}

/** Reads the files of a request's messages; one that changed since the run was planned is a failure. */
export function loadFiles(
  request: CompletionRequest,
  options: LoadFilesOptions,
): { readonly request: OutgoingRequest } | { readonly failure: ProviderFailure } {
  if (request.messages.every(({ attachments }) => attachments === undefined)) return { request };
  const faults: string[] = [];
  const messages = request.messages.map((message): OutgoingMessage => {
    const { attachments = [] } = message;
    const files = attachments.flatMap(({ path, mediaType, sha256 }): OutgoingFile[] => {
      if (!options.takes.test(mediaType)) {
        faults.push(`${options.name} takes no ${mediaType}: ${path}`);
        return [];
      }
      const read = readAttachment(path, options.projectRoot);
      if ('fault' in read) faults.push(`${path} ${read.fault}`);
      else if (read.attachment.sha256 !== sha256) faults.push(`${path} changed while the run went on: run it again`);
      else return [{ path, mediaType, base64: read.content.toString('base64') }];
      return [];
    });
    return files.length === 0 ? message : { ...message, files };
  });
  if (faults.length > 0) return { failure: { kind: 'badRequest', message: faults.join('; ') } };
  return { request: { ...request, messages } };
}

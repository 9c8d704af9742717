import type { CompletionRequest, Message, ProviderFailure } from '../model/completion.ts';
import { readAttachment } from './read-attachment.ts';

/** A file of a message, read and encoded. */
export interface OutgoingFile {
  /** Relative to the project root. */
  readonly path: string;
  /** Such as image/png or application/pdf. */
  readonly mediaType: string;
  readonly base64: string;
}

export interface OutgoingMessage extends Message {
  readonly files?: readonly OutgoingFile[];
}

/** A request as an API's format writes it: files read, nothing left to look up. */
export interface OutgoingRequest extends CompletionRequest {
  readonly messages: readonly OutgoingMessage[];
}

type Prepared = { readonly request: OutgoingRequest } | { readonly failure: ProviderFailure };

export interface FileRules {
  readonly projectRoot: string;
  /** The kinds of files that the API takes. */
  readonly takes: RegExp;
  /** What takes them, in messages. */
  readonly name: string;
}

/** Refuses requests whose answer no adapter can read, and reads the files of the others. */
export function prepareRequest(request: CompletionRequest, rules: FileRules): Prepared {
  if (request.params['stream'] === true) {
    return refuse('params.stream is true, but answers are read whole: remove it');
  }
  if (request.params['background'] === true) {
    return refuse('params.background is true, but answers are awaited: remove it');
  }
  return loadFiles(request, rules);
}

/** Fails where a file changed since the run was planned. */
function loadFiles(request: CompletionRequest, { projectRoot, takes, name }: FileRules): Prepared {
  if (request.messages.every(({ attachments }) => attachments === undefined)) return { request };
  const faults: string[] = [];
  const messages = request.messages.map((message): OutgoingMessage => {
    const { attachments = [] } = message;
    const files = attachments.flatMap(({ path, mediaType, sha256 }): OutgoingFile[] => {
      if (!takes.test(mediaType)) {
        faults.push(`${name} takes no ${mediaType}: ${path}`);
        return [];
      }
      const read = readAttachment(path, projectRoot);
      if ('fault' in read) faults.push(`${path} ${read.fault}`);
      else if (read.attachment.sha256 !== sha256) faults.push(`${path} changed while the run went on: run it again`);
      else return [{ path, mediaType, base64: read.content.toString('base64') }];
      return [];
    });
    return files.length === 0 ? message : { ...message, files };
  });
  return faults.length > 0 ? refuse(faults.join('; ')) : { request: { ...request, messages } };
}

function refuse(message: string): Prepared {
  return { failure: { kind: 'badRequest', message } };
}

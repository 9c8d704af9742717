import type { CompletionRequest, Message } from '../model/completion.ts';

/** A file that goes along with a message, read. */
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

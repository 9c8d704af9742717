import { Buffer } from 'node:buffer';
import type { Completion, CompletionRequest } from '../model/completion.ts';

/** No tokenizer makes more tokens than bytes, so bytes bound them from above for any model. */
export function inputBytes({ messages, params }: CompletionRequest): number {
  let bytes = 0;
  for (const { content, toolCalls, attachments = [] } of messages) {
    for (const { mediaType, bytes: size } of attachments) {
      bytes += mediaType.startsWith('image/') ? maxImageTokens : size;
    }
    bytes += Buffer.byteLength(content) + perMessageOverhead;
    if (toolCalls !== undefined) bytes += Buffer.byteLength(JSON.stringify(toolCalls));
  }
  for (const key of ['tools', 'functions', 'response_format', 'text']) {
    if (params[key] !== undefined) bytes += Buffer.byteLength(JSON.stringify(params[key]));
  }
  return bytes;
}

/** Vendors scale images down; none counts more for one that was sent as it is (2026). */
const maxImageTokens = 20_000;

/** Role and separators of a message, in tokens. */
export const perMessageOverhead = 8;

/** The request's own limit on output tokens, over all the choices it asks for. */
export function maxOutputTokens({ params }: CompletionRequest): number | undefined {
  for (const key of ['max_completion_tokens', 'max_tokens', 'max_output_tokens']) {
    const limit = params[key];
    if (typeof limit === 'number') return limit * (typeof params['n'] === 'number' ? params['n'] : 1);
  }
  return undefined;
}

const firstOutputEstimate = 4096;

/** Bounds output tokens where requests do not. */
export interface OutputEstimate {
  observe(completion: Pick<Completion, 'usage'>): void;
  boundOf(request: CompletionRequest): number;
}

/** Without a limit in the request the longest answer so far, doubled, stands in; the looser promise is said once. */
export function createOutputEstimate(note: (message: string) => void): OutputEstimate {
  let longest = 0;
  return {
    observe({ usage }) {
      longest = Math.max(longest, usage?.outputTokens ?? 0);
    },
    boundOf(request) {
      const limit = maxOutputTokens(request);
      if (limit !== undefined) return limit;
      note(
        `requests to ${request.adapter}:${request.model} set no limit on output tokens, so --max-cost reserves an estimate ` +
          'from the answers so far; set max_tokens in params for a hard bound',
      );
      return longest === 0 ? firstOutputEstimate : longest * 2;
    },
  };
}

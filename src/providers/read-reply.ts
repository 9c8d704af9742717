import { parseShallowJson } from '../lib/parse-json.ts';
import { type Answer, malformed } from './answer.ts';
import { classifyReply, describeUnreadable } from './classify-reply.ts';
import type { HttpReply } from './transport.ts';

/** What an HTTP reply comes to: `read` is given the parsed body of a successful one. */
export function readReply(reply: HttpReply, url: string, nowMs: number, read: (body: unknown) => Answer): Answer {
  if (reply.status < 200 || reply.status >= 300) return { failure: classifyReply(reply, url, nowMs) };
  let parsed: unknown;
  try {
    parsed = parseShallowJson(reply.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { failure: describeUnreadable(reply, url) };
  }
  const answer = read(parsed);
  // A text with replacement characters is not what the model said. It was billed all the same.
  return reply.fault === undefined || 'failure' in answer ? answer : malformed(reply.fault, answer.completion.usage);
}

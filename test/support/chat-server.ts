import { onTestFinished } from 'vitest';
import {
  type ReceivedRequest,
  type Scripted,
  type ScriptedReply,
  type ScriptedServer,
  startServer,
} from './http-server.ts';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  /** The last message. */
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly received: ReceivedRequest;
  /** Counted from 0. */
  readonly index: number;
}

export interface ChatServer extends ScriptedServer {
  /** What a run needs to find it: address and key of the openai adapter. */
  readonly env: Readonly<Record<string, string>>;
}

export const testKey = 'sk-test-0123456789abcdef';

/** A text, or what the server does instead of answering: `hang`, `reset`, `truncate`, or a reply as it stands. */
export type ChatReply = string | ScriptedReply;

/** An OpenAI-compatible server: a text is answered as a completion, anything else as it stands. Closed with the test. */
export async function startChatServer(
  answer: (chat: ChatRequest) => ChatReply | Promise<ChatReply>,
): Promise<ChatServer> {
  const server = await startServer(async (received, index) => {
    const body = JSON.parse(received.body) as Record<string, unknown>;
    const messages = body['messages'] as ChatRequest['messages'];
    const text = messages.at(-1)?.content ?? '';
    const reply = await answer({ model: String(body['model']), messages, text, body, received, index });
    return typeof reply === 'string' && !['hang', 'reset', 'truncate'].includes(reply)
      ? { body: completionOf(reply, String(body['model'])) }
      : (reply as Scripted);
  });
  onTestFinished(() => server.close());
  return {
    ...server,
    requests: server.requests,
    env: { OPENAI_BASE_URL: `${server.url}/v1`, OPENAI_API_KEY: testKey },
  };
}

/** Answers `Say: WORD` with the word. */
export function startEchoServer(): Promise<ChatServer> {
  return startChatServer(({ text }) => wordOf(text));
}

export function wordOf(text: string): string {
  return text.replace(/^Say: /, '');
}

/** The body of a chat completion with 10 input and 5 output tokens. */
export function completionOf(content: string, model = 'test-model', message: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content, ...message } }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  };
}

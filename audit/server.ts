import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { completionOf, type Reply } from './replies.ts';

/** What a model was asked. */
export interface Asked {
  readonly model: string;
  /** Content of the last message. */
  readonly text: string;
  /** The request as it was sent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly raw: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A text is answered as a completion, a reply as it stands. */
export type Answer = (asked: Asked) => string | Reply;

export interface Served {
  /** What the model said while answers were accepted, by the request: to the same request it says it again. */
  readonly accepted: Map<string, string | Reply>;
  isAccepting: boolean;
  answer: Answer;
  judge: Answer;
  requests: number;
}

export interface ModelServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** From now on, the models of this project answer. */
  serve(project: Served, onRequest: () => void): void;
  close(): Promise<void>;
}

const judgeModel = 'gpt-4o';

/** An OpenAI-compatible server on 127.0.0.1 whose answers depend on nothing but the request and the project. */
export async function startModelServer(): Promise<ModelServer> {
  let served: Served | undefined;
  let onRequest = () => {};
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (served === undefined) throw new Error('a request without a project');
      const asked = readRequest(incoming, Buffer.concat(chunks).toString('utf8'));
      served.requests += 1;
      onRequest();
      const said = asked.model === judgeModel ? served.judge(asked) : answerOf(served, asked);
      const { status, headers, body }: Reply = typeof said === 'string' ? { body: completionOf(said) } : said;
      const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
      response.writeHead(status ?? 200, { 'content-type': 'application/json', ...headers });
      response.end(isRaw ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(project, notify) {
      served = project;
      onRequest = notify;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerOf(served: Served, asked: Asked): string | Reply {
  const said = served.accepted.get(asked.raw) ?? served.answer(asked);
  if (served.isAccepting) served.accepted.set(asked.raw, said);
  return said;
}

function readRequest({ url = '', headers }: IncomingMessage, raw: string): Asked {
  const body = JSON.parse(raw) as Record<string, unknown>;
  const messages = body['messages'] as readonly { readonly content: string }[];
  return { model: String(body['model']), text: messages.at(-1)?.content ?? '', body, raw, path: url, headers };
}

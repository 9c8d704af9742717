import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { Usage } from '../../model/completion.ts';
import { type Answer, findIndexFault, firstByIndex, list, malformed, readBody, text } from '../answer.ts';
import type { Dialect } from './dialect.ts';

/** Embeddings, chosen with `api: embeddings`: the last message is embedded, and the answer's text is the vector as JSON. */
export const openaiEmbeddings: Dialect = {
  takes: /./,
  pathOf: () => '/embeddings',
  version: 'embeddings-1',
  buildBody: ({ params, model, messages }) => ({ ...params, model, input: messages.at(-1)?.content ?? '' }),
  readAnswer: (body, { latencyMs }) => readBody(body, (object) => readAnswer(object, latencyMs), readUsage),
};

function readAnswer(body: JsonObject, latencyMs: number): Answer {
  const indexFault = findIndexFault(body['data']);
  if (indexFault !== undefined) return malformed(indexFault);
  const first = firstByIndex(body['data']);
  const vector = isJsonObject(first) ? list(first['embedding']) : [];
  if (vector.length === 0 || !vector.every((value) => typeof value === 'number')) {
    return malformed('"data" holds no embedding as a list of numbers');
  }
  return {
    completion: defined({
      text: JSON.stringify(vector),
      toolCalls: [],
      latencyMs,
      usage: readUsage(body),
      model: text(body['model']),
    }),
  };
}

function readUsage({ usage }: JsonObject): Usage | undefined {
  const inputTokens = isJsonObject(usage) ? (usage['prompt_tokens'] ?? usage['total_tokens']) : undefined;
  return typeof inputTokens === 'number' ? { inputTokens, outputTokens: 0 } : undefined;
}

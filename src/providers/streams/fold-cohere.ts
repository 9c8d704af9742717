import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { count, text } from '../answer.ts';
import type { StreamFold, StreamFormat } from './stream-format.ts';

/** Events of Cohere's chat of version 2 (https://docs.cohere.com/reference/chat-stream). */
export const cohereStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openFold };

type Draft = Record<string, JsonValue>;

function openFold(): StreamFold {
  const body: Draft = {};
  const content = new Map<number, Draft>();
  const calls = new Map<number, Draft>();
  let plan = '';
  return {
    add({ name, data }) {
      const index = count(data['index']) ?? 0;
      if (data['id'] !== undefined) body['id'] ??= data['id'];
      const delta = isJsonObject(data['delta']) ? data['delta'] : {};
      const message = isJsonObject(delta['message']) ? delta['message'] : {};
      switch (text(data['type']) ?? name ?? '') {
        case 'content-start':
        case 'content-delta':
          return addContent(content, index, message['content']);
        case 'tool-plan-delta':
          plan += text(message['tool_plan']) ?? '';
          return false;
        case 'tool-call-start':
        case 'tool-call-delta':
          return addCall(calls, index, message['tool_calls']);
        case 'message-end':
          Object.assign(body, delta);
          return false;
        default:
          return false;
      }
    },
    body: () => ({
      ...body,
      message: {
        role: 'assistant',
        ...(content.size === 0 ? {} : { content: inOrder(content) }),
        ...(plan === '' ? {} : { tool_plan: plan }),
        ...(calls.size === 0 ? {} : { tool_calls: inOrder(calls) }),
      },
    }),
    isComplete: () => text(body['finish_reason']) !== undefined,
  };
}

function addContent(content: Map<number, Draft>, index: number, added: JsonValue | undefined): boolean {
  if (!isJsonObject(added)) return false;
  const type = text(added['type']) ?? (added['thinking'] === undefined ? 'text' : 'thinking');
  const part = content.get(index) ?? { type, [type]: '' };
  content.set(index, part);
  for (const key of ['text', 'thinking'] as const) {
    const piece = text(added[key]);
    if (piece !== undefined) part[key] = (text(part[key]) ?? '') + piece;
  }
  return text(added['text']) !== undefined;
}

function addCall(calls: Map<number, Draft>, index: number, added: JsonValue | undefined): boolean {
  if (!isJsonObject(added)) return false;
  const { function: called, ...rest } = added;
  const call = calls.get(index) ?? {};
  calls.set(index, call);
  Object.assign(call, rest);
  const known: JsonObject = isJsonObject(call['function']) ? call['function'] : {};
  const part = isJsonObject(called) ? called : {};
  const joined = `${text(known['arguments']) ?? ''}${text(part['arguments']) ?? ''}`;
  call['function'] = { ...known, ...part, arguments: joined };
  return true;
}

function inOrder(parts: ReadonlyMap<number, Draft>): JsonValue {
  return [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import { count, list, text } from '../answer.ts';
import { mergeMembers, type StreamFold, type StreamFormat } from './stream-format.ts';

/** Events of the Messages API (https://docs.claude.com/en/api/messages-streaming). */
export const anthropicStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openFold };

type Draft = Record<string, JsonValue>;

interface Block {
  readonly draft: Draft;
  /** The arguments of a call, in pieces. */
  json: string;
}

function openFold(): StreamFold {
  const message: Draft = {};
  const blocks = new Map<number, Block>();
  let isEnded = false;
  return {
    add({ name, data }) {
      const index = count(data['index']) ?? blocks.size;
      const { message: started, content_block: begun, delta, usage } = data;
      switch (text(data['type']) ?? name ?? '') {
        case 'message_start':
          if (isJsonObject(started)) mergeMembers(message, started);
          return false;
        case 'content_block_start':
          if (!isJsonObject(begun)) return false;
          blocks.set(index, { draft: { ...begun }, json: '' });
          return begun['type'] === 'tool_use' || (begun['type'] === 'text' && text(begun['text']) !== undefined);
        case 'content_block_delta':
          return isJsonObject(delta) && addDelta(blocks.get(index), delta);
        case 'message_delta': {
          if (isJsonObject(delta)) mergeMembers(message, delta);
          const total: Draft = { ...(isJsonObject(message['usage']) ? message['usage'] : {}) };
          if (isJsonObject(usage)) mergeMembers(total, usage);
          message['usage'] = total;
          return false;
        }
        case 'message_stop':
          isEnded = true;
          return false;
        default:
          return false;
      }
    },
    body: () => ({ ...message, content: [...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => close(block)) }),
    isComplete: () => isEnded || text(message['stop_reason']) !== undefined,
  };
}

function addDelta(block: Block | undefined, delta: JsonObject): boolean {
  if (block === undefined) return false;
  const { draft } = block;
  const append = (key: string) => {
    draft[key] = (text(draft[key]) ?? '') + (text(delta[key]) ?? '');
    return text(delta[key]) !== undefined;
  };
  switch (text(delta['type']) ?? '') {
    case 'text_delta':
      return append('text');
    case 'input_json_delta':
      block.json += text(delta['partial_json']) ?? '';
      return draft['type'] === 'tool_use';
    case 'thinking_delta':
      append('thinking');
      return false;
    case 'signature_delta':
      append('signature');
      return false;
    case 'citations_delta':
      draft['citations'] = [...list(draft['citations']), delta['citation'] ?? null];
      return false;
    default:
      return false;
  }
}

/** Arguments that were cut off stay a text. */
function close({ draft, json }: Block): JsonObject {
  if (json === '') return draft;
  try {
    return { ...draft, input: parseShallowJson(json) as JsonValue };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...draft, input: json };
  }
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import { count, text } from '../answer.ts';
import type { StreamFold, StreamFormat } from './stream-format.ts';

/** Events of ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). */
export const bedrockStream: StreamFormat = {
  pathOf: (model) => `/model/${encodeURIComponent(model)}/converse-stream`,
  ask: (body) => body,
  open: openFold,
};

type Draft = Record<string, JsonValue>;

interface Block {
  readonly draft: Draft;
  /** The arguments of a call, in pieces. */
  json: string;
}

function openFold(): StreamFold {
  const body: Draft = {};
  const blocks = new Map<number, Block>();
  return {
    add({ name, data }) {
      const index = count(data['contentBlockIndex']) ?? 0;
      const block = blocks.get(index) ?? { draft: {}, json: '' };
      const { start, delta } = data;
      if (name === 'contentBlockStart' && isJsonObject(start)) {
        blocks.set(index, { ...block, draft: { ...start } });
        return isJsonObject(start['toolUse']);
      }
      if (name === 'contentBlockDelta' && isJsonObject(delta)) {
        blocks.set(index, block);
        return addDelta(block, delta);
      }
      if (name === 'messageStop' || name === 'metadata') Object.assign(body, data);
      return false;
    },
    body() {
      const content = [...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => close(block));
      return { ...body, output: { message: { role: 'assistant', content } } };
    },
    isComplete: () => text(body['stopReason']) !== undefined,
  };
}

function addDelta(block: Block, { text: said, toolUse, reasoningContent }: JsonObject): boolean {
  const { draft } = block;
  if (typeof said === 'string') draft['text'] = (text(draft['text']) ?? '') + said;
  if (isJsonObject(toolUse)) block.json += text(toolUse['input']) ?? '';
  if (isJsonObject(reasoningContent)) addReasoning(draft, reasoningContent);
  return text(said) !== undefined || isJsonObject(toolUse);
}

function addReasoning(draft: Draft, { text: thought, signature, redactedContent }: JsonObject): void {
  const known = isJsonObject(draft['reasoningContent']) ? draft['reasoningContent'] : {};
  if (redactedContent !== undefined) {
    draft['reasoningContent'] = {
      redactedContent: `${text(known['redactedContent']) ?? ''}${text(redactedContent) ?? ''}`,
    };
    return;
  }
  const before = isJsonObject(known['reasoningText']) ? known['reasoningText'] : {};
  const whole = { ...before, text: (text(before['text']) ?? '') + (text(thought) ?? '') };
  draft['reasoningContent'] = {
    reasoningText: signature === undefined ? whole : { ...whole, signature },
  };
}

/** Arguments that were cut off stay a text. */
function close({ draft, json }: Block): JsonObject {
  const { toolUse } = draft;
  if (!isJsonObject(toolUse)) return draft;
  try {
    return { ...draft, toolUse: { ...toolUse, input: json === '' ? {} : (parseShallowJson(json) as JsonValue) } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...draft, toolUse: { ...toolUse, input: json } };
  }
}

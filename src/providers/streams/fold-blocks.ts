import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { count, list, objectOf, text } from '../answer.ts';
import {
  addText,
  type Draft,
  inOrder,
  joinArguments,
  mergeMembers,
  openDraft,
  type StreamFold,
  type StreamFormat,
} from './stream-format.ts';

/** Events of the Messages API (https://docs.claude.com/en/api/messages-streaming). */
export const anthropicStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openMessage };

/** Events of ConverseStream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). */
export const bedrockStream: StreamFormat = {
  pathOf: (model) => `/model/${encodeURIComponent(model)}/converse-stream`,
  ask: (body) => body,
  open: openConverse,
};

interface Block {
  readonly draft: Draft;
  /** Pieces of a call's arguments, joined. */
  json: string;
}

function openMessage(): StreamFold {
  const message = openDraft();
  const blocks = new Map<number, Block>();
  let isEnded = false;
  return {
    add({ name, data }) {
      const index = count(data['index']) ?? blocks.size;
      const { message: started, content_block: begun, delta, usage } = data;
      switch (text(data['type']) ?? name ?? '') {
        case 'message_start':
          mergeMembers(message, objectOf(started));
          return false;
        case 'content_block_start':
          if (!isJsonObject(begun)) return false;
          blocks.set(index, { draft: { ...begun }, json: '' });
          return begun['type'] === 'tool_use' || (begun['type'] === 'text' && text(begun['text']) !== undefined);
        case 'content_block_delta':
          return isJsonObject(delta) && addBlockDelta(blocks.get(index), delta);
        case 'message_delta': {
          mergeMembers(message, objectOf(delta));
          const total = openDraft(objectOf(message['usage']));
          mergeMembers(total, objectOf(usage));
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
    body() {
      const content = inOrder(blocks).map(({ draft, json }): JsonObject => {
        return json === '' ? draft : { ...draft, input: joinArguments(json) };
      });
      return { ...message, content };
    },
    isComplete: () => isEnded || text(message['stop_reason']) !== undefined,
  };
}

function addBlockDelta(block: Block | undefined, delta: JsonObject): boolean {
  if (block === undefined) return false;
  const { draft } = block;
  switch (text(delta['type']) ?? '') {
    case 'text_delta':
      return addText(draft, 'text', delta['text']);
    case 'input_json_delta':
      block.json += text(delta['partial_json']) ?? '';
      return draft['type'] === 'tool_use';
    case 'thinking_delta':
      addText(draft, 'thinking', delta['thinking']);
      return false;
    case 'signature_delta':
      addText(draft, 'signature', delta['signature']);
      return false;
    case 'citations_delta':
      draft['citations'] = [...list(draft['citations']), delta['citation'] ?? null];
      return false;
    default:
      return false;
  }
}

function openConverse(): StreamFold {
  const body = openDraft();
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
        return addConverseDelta(block, delta);
      }
      if (name === 'messageStop' || name === 'metadata') Object.assign(body, data);
      return false;
    },
    body() {
      const content = inOrder(blocks).map(({ draft, json }): JsonObject => {
        const { toolUse } = draft;
        if (!isJsonObject(toolUse)) return draft;
        return { ...draft, toolUse: { ...toolUse, input: json === '' ? {} : joinArguments(json) } };
      });
      return { ...body, output: { message: { role: 'assistant', content } } };
    },
    isComplete: () => text(body['stopReason']) !== undefined,
  };
}

function addConverseDelta(block: Block, { text: deltaText, toolUse, reasoningContent }: JsonObject): boolean {
  const { draft } = block;
  if (typeof deltaText === 'string') addText(draft, 'text', deltaText);
  if (isJsonObject(toolUse)) block.json += text(toolUse['input']) ?? '';
  if (isJsonObject(reasoningContent)) addReasoning(draft, reasoningContent);
  return text(deltaText) !== undefined || isJsonObject(toolUse);
}

function addReasoning(draft: Draft, { text: thought, signature, redactedContent }: JsonObject): void {
  const known = objectOf(draft['reasoningContent']);
  if (redactedContent !== undefined) {
    const redacted: Draft = { redactedContent: known['redactedContent'] ?? '' };
    addText(redacted, 'redactedContent', redactedContent);
    draft['reasoningContent'] = redacted;
    return;
  }
  const whole: Draft = { ...objectOf(known['reasoningText']) };
  addText(whole, 'text', thought);
  if (signature !== undefined) whole['signature'] = signature;
  draft['reasoningContent'] = { reasoningText: whole };
}

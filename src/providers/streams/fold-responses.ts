import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { count, list, text } from '../answer.ts';
import type { StreamFold, StreamFormat } from './stream-format.ts';

/** Events of the Responses API: the last one holds the whole answer (https://platform.openai.com/docs/api-reference/responses-streaming). */
export const responsesStream: StreamFormat = { ask: (body) => ({ ...body, stream: true }), open: openFold };

const endings = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.done']);

const contentEvents = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
]);

const callTypes = new Set(['function_call', 'custom_tool_call']);

function openFold(): StreamFold {
  let started: JsonObject = {};
  let ended: JsonObject | undefined;
  const items = new Map<number, JsonValue>();
  let said = '';
  return {
    add({ name, data }) {
      const type = text(data['type']) ?? name ?? '';
      const { response, item } = data;
      if (isJsonObject(response)) {
        if (endings.has(type)) ended = response;
        else started = response;
      }
      const index = count(data['output_index']) ?? items.size;
      if (type === 'response.output_item.done' && item !== undefined) items.set(index, item);
      const delta = text(data['delta']);
      if (type === 'response.output_text.delta') said += delta ?? '';
      if (contentEvents.has(type)) return delta !== undefined;
      return type === 'response.output_item.added' && isJsonObject(item) && callTypes.has(text(item['type']) ?? '');
    },
    body() {
      const output = [...items].toSorted(([a], [b]) => a - b).map(([, item]) => item);
      // Some compatible servers leave out of the last event what the others have said.
      if (ended !== undefined) return list(ended['output']).length > 0 ? ended : { ...ended, output };
      const partial = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] };
      return { ...started, status: 'incomplete', output: output.length > 0 || said === '' ? output : [partial] };
    },
    isComplete: () => ended !== undefined,
  };
}

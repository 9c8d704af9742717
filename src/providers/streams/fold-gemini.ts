import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { count, list, objectOf, text } from '../answer.ts';
import { type Draft, mergeMembers, openDraft, type StreamFold, type StreamFormat } from './stream-format.ts';

/** Chunks of streamGenerateContent, each an answer of its own (https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent). */
export function geminiStream(pathOf: (model: string) => string): StreamFormat {
  return {
    pathOf: (model) => `${pathOf(model).replace(/:generateContent$/, ':streamGenerateContent')}?alt=sse`,
    ask: (body) => body,
    open: openFold,
  };
}

function openFold(): StreamFold {
  const body = openDraft();
  const candidates = new Map<number, { readonly draft: Draft; parts: readonly JsonValue[] }>();
  return {
    add({ data }) {
      const { candidates: added, ...rest } = data;
      mergeMembers(body, rest);
      let hasContent = false;
      for (const one of list(added).filter(isJsonObject)) {
        const index = count(one['index']) ?? 0;
        const candidate = candidates.get(index) ?? { draft: openDraft(), parts: [] };
        candidates.set(index, candidate);
        const { content, ...others } = one;
        mergeMembers(candidate.draft, others);
        const parts = list(objectOf(content)['parts']);
        candidate.parts = parts.reduce<readonly JsonValue[]>(addPart, candidate.parts);
        hasContent ||= parts.some(isContent);
      }
      return hasContent;
    },
    body() {
      if (candidates.size === 0) return body;
      const closed = [...candidates.values()].map(({ draft, parts }): JsonObject => {
        return parts.length === 0 ? draft : { ...draft, content: { role: 'model', parts: parts as JsonValue } };
      });
      return { ...body, candidates: closed };
    },
    isComplete: () =>
      text(objectOf(body['promptFeedback'])['blockReason']) !== undefined ||
      [...candidates.values()].some(({ draft }) => text(draft['finishReason']) !== undefined),
  };
}

function isContent(part: JsonValue): boolean {
  if (!isJsonObject(part) || part['thought'] === true) return false;
  return text(part['text']) !== undefined || Object.keys(part).some((key) => key !== 'text' && !notes.has(key));
}

const notes = new Set(['thought', 'thoughtSignature']);

/** Appends a part. Consecutive texts are one part of a whole answer; a signature ends its part. */
function addPart(parts: readonly JsonValue[], part: JsonValue): readonly JsonValue[] {
  const last = parts.at(-1);
  if (!isText(part) || !isText(last)) return [...parts, part];
  if (last['thought'] !== part['thought'] || last['thoughtSignature'] !== undefined) return [...parts, part];
  return [...parts.slice(0, -1), { ...last, ...part, text: last.text + part.text }];
}

function isText(part: JsonValue | undefined): part is JsonObject & { readonly text: string } {
  return isJsonObject(part) && typeof part['text'] === 'string';
}

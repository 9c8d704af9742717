import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { WrittenMessage } from '../model/suite/recorded-settings.ts';
import type { AskedPrompt } from './asked-prompt.ts';
import { type HunkPlace, toolName } from './prompt-change.ts';
import { splitBlocks } from './text-parts.ts';

/** A part of a prompt that instructs the model and can be left out. */
export interface Instruction {
  readonly kind: 'paragraph' | 'item' | 'example' | 'tool';
  readonly text: string;
  /** Tool name. */
  readonly name?: string;
  /** Undefined for a tool. */
  readonly place?: Omit<HunkPlace, 'side'>;
  /** The prompt without the instruction. It may be invalid, for example if one tag of a pair is left. */
  without(): AskedPrompt;
}

/**
 * Lists the paragraphs, list items, examples and tool descriptions of a prompt, in order. Headings and tags are no
 * instructions.
 */
export function listInstructions(asked: AskedPrompt): readonly Instruction[] {
  const { messages } = asked;
  const shots = findShots(messages);
  const found = messages.flatMap((message, index): readonly Instruction[] => {
    const shot = shots.find(([user]) => user === index);
    if (shot !== undefined) return [exampleOf(asked, shot)];
    return shots.some(([, answer]) => answer === index) ? [] : ofMessage(asked, message, index);
  });
  const partials = messages.flatMap((message, index) => ofPartials(asked, message, index));
  return [...found, ...partials, ...ofTools(asked)];
}

/** Finds few-shot examples: pairs of a user message and an answer, before the last user message. */
function findShots(messages: readonly WrittenMessage[]): readonly (readonly [user: number, answer: number])[] {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  return messages.flatMap(({ role }, index) =>
    role === 'user' && index < last && messages[index + 1]?.role === 'assistant' ? [[index, index + 1] as const] : [],
  );
}

function exampleOf(asked: AskedPrompt, [user, answer]: readonly [number, number]): Instruction {
  const [question, reply] = [asked.messages[user]?.content ?? '', asked.messages[answer]?.content ?? ''];
  return {
    kind: 'example',
    text: `${question}\n${reply}`,
    place: { text: { message: user }, line: 1, endLine: question.trimEnd().split('\n').length },
    without: () => ({ ...asked, messages: asked.messages.filter((_, index) => index !== user && index !== answer) }),
  };
}

function ofMessage(asked: AskedPrompt, message: WrittenMessage, index: number): readonly Instruction[] {
  return ofText(message.content, { message: index }, (content) =>
    replaceMessage(asked, index, { ...message, content }),
  );
}

function ofPartials(asked: AskedPrompt, message: WrittenMessage, index: number): readonly Instruction[] {
  const { language } = message;
  const { partials = {} } = language ?? {};
  return Object.entries(partials).flatMap(([partial, text]) =>
    ofText(text, { partial }, (without) =>
      replaceMessage(asked, index, {
        ...message,
        ...defined({ language: language && { ...language, partials: { ...partials, [partial]: without } } }),
      }),
    ),
  );
}

function replaceMessage(asked: AskedPrompt, index: number, message: WrittenMessage): AskedPrompt {
  return { ...asked, messages: asked.messages.map((own, at) => (at === index ? message : own)) };
}

function ofText(
  content: string,
  text: HunkPlace['text'],
  make: (content: string) => AskedPrompt,
): readonly Instruction[] {
  return splitBlocks(content).flatMap((block): readonly Instruction[] => {
    const { kind, start, lead } = block;
    if ((kind !== 'paragraph' && kind !== 'item' && kind !== 'example') || isData(block.text)) return [];
    const end = start + block.text.length;
    const line = content.slice(0, start).split('\n').length;
    return [
      {
        kind,
        text: block.text,
        place: { text, line, endLine: line + block.text.split('\n').length - 1 },
        without: () => make(content.slice(0, start - lead.length) + content.slice(end)),
      },
    ];
  });
}

/** True for a text of variables alone: it is the prompt's input, not an instruction. */
function isData(text: string): boolean {
  return text.includes('{{') && !/[\p{L}\p{N}]/u.test(text.replaceAll(/\{\{.*?\}\}|\{%.*?%\}/gs, ''));
}

function ofTools(asked: AskedPrompt): readonly Instruction[] {
  return ['tools', 'functions'].flatMap((key) => {
    const { [key]: list } = asked.params;
    const tools: readonly JsonValue[] = Array.isArray(list) ? list : [];
    return tools.flatMap((tool, index): readonly Instruction[] => {
      if (!isJsonObject(tool)) return [];
      const own = isJsonObject(tool['function']) ? tool['function'] : tool;
      const { description, ...rest } = own;
      if (typeof description !== 'string' || description.trim() === '') return [];
      const bare: JsonObject = own === tool ? rest : { ...tool, function: rest };
      const params = { ...asked.params, [key]: tools.map((other, at) => (at === index ? bare : other)) };
      return [{ kind: 'tool', text: description, name: toolName(tool) ?? '', without: () => ({ ...asked, params }) }];
    });
  });
}

import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { CompletionView } from './define.ts';
import { findCodeBlock } from './select/find-code-block.ts';

/** How a right answer is made wrong. */
export const mutationKinds = ['swapped', 'emptied', 'truncated', 'refusal', 'field-dropped', 'number-changed'] as const;

export type MutationKind = (typeof mutationKinds)[number];

type Answer = Pick<CompletionView, 'text' | 'toolCalls' | 'finishReason'>;

/** An answer that is no longer right. */
export interface Mutant {
  /** `disturbed` only shows whether a single check ever fails: a case need not refuse a longer answer. */
  readonly kind: MutationKind | 'disturbed';
  /** What was done, such as "without $.queue". */
  readonly detail: string;
  readonly answer: Answer;
}

const refusalText = "I'm sorry, but I can't help with that.";

/** Of a kind; an answer with thousands of fields is measured by its first. */
const maxOfAKind = 60;

/** Every wrong version of an answer that does not come from another case. */
export function* mutateAnswer(answer: Answer): Iterable<Mutant> {
  const { text, toolCalls } = answer;
  if (text !== '' || toolCalls.length > 0) {
    yield { kind: 'emptied', detail: 'no text and no call', answer: { text: '', toolCalls: [], finishReason: 'stop' } };
  }
  yield* truncate(answer);
  if (text !== refusalText) {
    yield { kind: 'refusal', detail: refusalText, answer: { text: refusalText, toolCalls: [], finishReason: 'stop' } };
  }
  yield* changeJson(answer);
  yield* disturb(answer);
}

function* truncate({ text, toolCalls }: Answer): Iterable<Mutant> {
  const letters = Array.from(text);
  if (letters.length > 1) {
    const half = letters.slice(0, Math.ceil(letters.length / 2)).join('');
    yield {
      kind: 'truncated',
      detail: 'half of the text',
      answer: { text: half, toolCalls: [], finishReason: 'length' },
    };
  }
  const last = toolCalls.at(-1);
  if (text === '' && last !== undefined) {
    const rawArguments = last.rawArguments.slice(0, Math.floor(last.rawArguments.length / 2));
    const cut = { ...last, arguments: undefined, rawArguments };
    const calls = [...toolCalls.slice(0, -1), cut];
    yield {
      kind: 'truncated',
      detail: 'half of the last call',
      answer: { text, toolCalls: calls, finishReason: 'length' },
    };
  }
}

/** What the wrong versions of a JSON value are put back into. */
type Rebuild = (json: string) => Answer;

function* changeJson(answer: Answer): Iterable<Mutant> {
  const { text, toolCalls } = answer;
  const whole = parseJson(text);
  const block = whole.ok ? undefined : findCodeBlock(text, '');
  const inside = block === undefined ? undefined : parseJson(block);
  if (whole.ok && typeof whole.value === 'object') {
    yield* changeValue(whole.value, '$', (json) => ({ ...answer, text: json }));
  } else if (block !== undefined && inside?.ok === true) {
    yield* changeValue(inside.value, '$', (json) => ({ ...answer, text: text.replace(block, () => json) }));
  } else {
    yield* changeNumbersOfText(answer);
  }
  for (const [index, call] of toolCalls.entries()) {
    if (call.arguments === undefined) continue;
    const rebuild: Rebuild = (json) => {
      const changed = { ...call, arguments: JSON.parse(json) as JsonValue, rawArguments: json };
      return { ...answer, toolCalls: toolCalls.map((other, at) => (at === index ? changed : other)) };
    };
    yield* changeValue(call.arguments, `${call.name}.$`, rebuild);
  }
}

function* changeValue(root: unknown, prefix: string, rebuild: Rebuild): Iterable<Mutant> {
  const counts = { 'field-dropped': 0, 'number-changed': 0 };
  for (const { kind, path, value } of changesOf(root, prefix)) {
    counts[kind] += 1;
    if (counts[kind] > maxOfAKind) continue;
    const detail = kind === 'field-dropped' ? `without ${path}` : `another number at ${path}`;
    yield { kind, detail, answer: rebuild(JSON.stringify(value)) };
  }
}

interface Change {
  readonly kind: 'field-dropped' | 'number-changed';
  readonly path: string;
  /** The whole value with the change in it. */
  readonly value: unknown;
}

function* changesOf(value: unknown, path: string): Iterable<Change> {
  if (typeof value === 'number') {
    yield { kind: 'number-changed', path, value: otherNumber(value) };
  } else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const [index, item] of items.entries()) {
      for (const change of changesOf(item, `${path}[${index}]`))
        yield { ...change, value: items.with(index, change.value) };
    }
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      const { [key]: item, ...rest } = value;
      yield { kind: 'field-dropped', path: `${path}.${key}`, value: rest };
      for (const change of changesOf(item, `${path}.${key}`))
        yield { ...change, value: withKey(value, key, change.value) };
    }
  }
}

/** The next one, or half of one so large that its next is itself. */
function otherNumber(value: number): number {
  return value + 1 === value ? value / 2 : value + 1;
}

/** In the place that the key has, and as data even where it is `__proto__`. */
function withKey(value: object, key: string, item: unknown): unknown {
  return Object.fromEntries(
    Object.entries(value).map(([name, old]): [string, unknown] => [name, name === key ? item : old]),
  );
}

/** All numbers of a text at once: a single one may not matter. */
function* changeNumbersOfText(answer: Answer): Iterable<Mutant> {
  const text = answer.text.replaceAll(/\d{1,15}/g, (digits) => String(Number(digits) + 1));
  if (text === answer.text) return;
  yield { kind: 'number-changed', detail: 'every number of the text is another', answer: { ...answer, text } };
}

/** What a check that forbids something, or bounds a length, must see at least once. Written in parts, so that no scanner takes it for real. */
const forbidden = [
  'Write to jane.doe@example.com or call +1 415 555 0132.',
  `My card is ${['4111', '1111', '1111', '1111'].join(' ')}, my key ${['sk', 'proj', 'a1B2c3D4e5F6g7H8'.repeat(3)].join('-')}.`,
  '我们没有找到任何东西。这里没有什么可以帮助您的。',
].join('\n');

function* disturb(answer: Answer): Iterable<Mutant> {
  const text = `${answer.text}\n\n${answer.text}\n\n${answer.text}\n\n${forbidden}`;
  yield { kind: 'disturbed', detail: 'three times as long, with what must not be said', answer: { ...answer, text } };
  const call = { name: 'unexpected_tool', arguments: {}, rawArguments: '{}' };
  const toolCalls = [...answer.toolCalls, call];
  yield {
    kind: 'disturbed',
    detail: 'one more tool call',
    answer: { ...answer, toolCalls, finishReason: 'toolCalls' },
  };
  yield { kind: 'disturbed', detail: 'another script', answer: { ...answer, text: forbidden, toolCalls: [] } };
}

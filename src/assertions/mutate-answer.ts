import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { AgentStep } from '../model/run/completion.ts';
import { quote } from '../text/shorten.ts';
import type { CompletionView } from './define.ts';
import { findCodeBlock } from './select-target.ts';

/** How the path of an agent is made wrong while its last text stays. */
export const trajectoryKinds = [
  'did-nothing',
  'forbidden-call',
  'call-dropped',
  'call-doubled',
  'calls-reordered',
  'argument-changed',
] as const;

/** How a right answer is made wrong. */
export const mutationKinds = [
  'swapped',
  'emptied',
  'truncated',
  'refusal',
  'field-dropped',
  'number-changed',
  'negated',
  'hedged',
  'appended',
  'prefixed',
  ...trajectoryKinds,
] as const;

export type MutationKind = (typeof mutationKinds)[number];

export type Answer = Pick<CompletionView, 'text' | 'toolCalls' | 'finishReason' | 'steps'>;

/** An answer that is no longer right. */
export interface Mutant {
  /** `disturbed` only shows whether a single check ever fails: a case need not refuse a longer answer. */
  readonly kind: MutationKind | 'disturbed';
  /** The change, such as "without $.queue". */
  readonly detail: string;
  readonly answer: Answer;
}

type WithoutSteps = Omit<Answer, 'steps'>;

const refusalText = "I'm sorry, but I can't help with that.";

const maxOfAKind = 60;

/** Every wrong version of an answer. `others` are answers that are wrong here: a hedge names one of them beside the right one. */
export function* mutateAnswer({ steps, ...answer }: Answer, others: readonly Answer[]): Iterable<Mutant> {
  for (const mutant of mutateLast(answer, others)) {
    if (steps === undefined) yield mutant;
    else yield { ...mutant, answer: { ...mutant.answer, steps: rebuildSteps(steps, mutant.answer) } };
  }
}

/** Puts a changed answer back into the steps that led to it. An answer without calls did nothing. */
function rebuildSteps(steps: readonly AgentStep[], { text, toolCalls }: WithoutSteps): readonly AgentStep[] {
  if (toolCalls.length === 0) return [{ text, calls: [] }];
  let next = 0;
  return steps.map((step, at) => {
    const isLast = at === steps.length - 1;
    const calls = toolCalls.slice(next, isLast ? undefined : next + step.calls.length);
    next += calls.length;
    return { ...step, calls, ...defined({ text: isLast ? text : undefined }) };
  });
}

function* mutateLast(answer: WithoutSteps, others: readonly Answer[]): Iterable<Mutant> {
  const { text, toolCalls } = answer;
  if (text !== '' || toolCalls.length > 0) {
    yield { kind: 'emptied', detail: 'no text and no call', answer: { text: '', toolCalls: [], finishReason: 'stop' } };
  }
  yield* truncate(answer);
  if (text !== refusalText) {
    yield { kind: 'refusal', detail: refusalText, answer: { text: refusalText, toolCalls: [], finishReason: 'stop' } };
  }
  yield* changeJson(answer, others);
  yield* contradict(answer);
  yield* disturb(answer);
}

function* truncate({ text, toolCalls }: WithoutSteps): Iterable<Mutant> {
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

/** Adds a retraction to a correct answer. */
function* contradict(answer: WithoutSteps): Iterable<Mutant> {
  const { text } = answer;
  if (text.trim() === '') return;
  const last = 'On second thought, nothing of this is right.';
  yield { kind: 'appended', detail: last, answer: { ...answer, text: `${text}\n\n${last}` } };
  const first = 'Everything that follows is wrong:';
  yield { kind: 'prefixed', detail: first, answer: { ...answer, text: `${first}\n\n${text}` } };
}

/** Builds an answer from a changed JSON value. */
type Rebuild = (json: string) => WithoutSteps;

function* changeJson(answer: WithoutSteps, others: readonly Answer[]): Iterable<Mutant> {
  const { text, toolCalls } = answer;
  const found = findJson(text);
  if (found !== undefined) {
    const { value, rebuild } = found;
    const alternatives = others.flatMap((other) => findJson(other.text)?.value ?? []);
    yield* changeValue({ root: value, alternatives }, '$', (json) => ({ ...answer, text: rebuild(json) }));
  } else {
    yield* changeNumbersOfText(answer);
    yield* negateText(answer);
    yield* hedgeText(answer, others);
  }
  for (const [index, call] of toolCalls.entries()) {
    if (call.arguments === undefined) continue;
    const rebuild: Rebuild = (json) => {
      const changed = { ...call, arguments: JSON.parse(json) as JsonValue, rawArguments: json };
      return { ...answer, toolCalls: toolCalls.map((other, at) => (at === index ? changed : other)) };
    };
    const alternatives = others.flatMap((other) => {
      return other.toolCalls.filter(({ name }) => name === call.name).map((same) => same.arguments ?? null);
    });
    yield* changeValue({ root: call.arguments, alternatives }, `${call.name}.$`, rebuild);
  }
}

/** The JSON object or array that a text is, or that its code block holds. */
function findJson(text: string): { readonly value: unknown; readonly rebuild: (json: string) => string } | undefined {
  const whole = parseJson(text);
  if (whole.ok) return typeof whole.value === 'object' ? { value: whole.value, rebuild: (json) => json } : undefined;
  const block = findCodeBlock(text, '');
  const inside = block === undefined ? undefined : parseJson(block);
  if (block === undefined || inside?.ok !== true) return undefined;
  return { value: inside.value, rebuild: (json) => text.replace(block, () => json) };
}

interface ChangedValue {
  readonly root: unknown;
  /** Values of the same kind that are wrong here. */
  readonly alternatives: readonly unknown[];
}

function* changeValue({ root, alternatives }: ChangedValue, prefix: string, rebuild: Rebuild): Iterable<Mutant> {
  for (const { kind, path, detail, value } of takeFirst(changesOf(root, alternatives))) {
    yield { kind, detail: `${detail} ${prefix}${path}`, answer: rebuild(JSON.stringify(value)) };
  }
}

/** The first changes of each kind: an answer with thousands of fields is measured by its first. */
export function* takeFirst<Change extends { readonly kind: MutationKind }>(
  changes: Iterable<Change>,
): Iterable<Change> {
  const counts = new Map<MutationKind, number>();
  for (const change of changes) {
    const count = (counts.get(change.kind) ?? 0) + 1;
    counts.set(change.kind, count);
    if (count <= maxOfAKind) yield change;
  }
}

interface Change {
  readonly kind: MutationKind;
  /** Below the root. */
  readonly path: string;
  /** The change, without its place. */
  readonly detail: string;
  /** The whole value with the change in it. */
  readonly value: unknown;
}

function* changesOf(value: unknown, alternatives: readonly unknown[]): Iterable<Change> {
  if (typeof value === 'number') {
    yield { kind: 'number-changed', path: '', detail: 'another number at', value: otherNumber(value) };
  } else if (typeof value === 'boolean') {
    yield { kind: 'negated', path: '', detail: `${!value} at`, value: !value };
  } else if (typeof value === 'string') {
    const other = alternatives.find((one): one is string => isLabel(one) && one.trim() !== value.trim());
    if (!isLabel(value) || other === undefined) return;
    const hedge = `${value} or ${other}`;
    yield { kind: 'hedged', path: '', detail: `${quote(hedge, 80)} at`, value: hedge };
  } else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const [index, item] of items.entries()) {
      const same = alternatives.map((other) =>
        Array.isArray(other) ? (other as readonly unknown[])[index] : undefined,
      );
      for (const change of changesOf(item, same))
        yield { ...change, path: `[${index}]${change.path}`, value: items.with(index, change.value) };
    }
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      const { [key]: item, ...rest } = value;
      yield { kind: 'field-dropped', path: `.${key}`, detail: 'without', value: rest };
      const same = alternatives.map((other) =>
        isJsonObject(other) && Object.hasOwn(other, key) ? other[key] : undefined,
      );
      for (const change of changesOf(item, same))
        yield { ...change, path: `.${key}${change.path}`, value: withKey(value, key, change.value) };
    }
  }
}

const longestLabel = 40;

/** A short answer on one line, such as the name of a queue. */
function isLabel(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= longestLabel && !value.includes('\n');
}

/** The next one, or half of one so large that its next is itself. */
function otherNumber(value: number): number {
  return value + 1 === value ? value / 2 : value + 1;
}

/** A copy with one member replaced, in the same order. The key is data, even if it is `__proto__`. */
function withKey(value: object, key: string, item: unknown): unknown {
  return Object.fromEntries(
    Object.entries(value).map(([name, old]): [string, unknown] => [name, name === key ? item : old]),
  );
}

/** Changes all numbers of a text at once, because a single one may not matter. */
function* changeNumbersOfText(answer: WithoutSteps): Iterable<Mutant> {
  const text = answer.text.replaceAll(/\d{1,15}/g, (digits) => String(Number(digits) + 1));
  if (text === answer.text) return;
  yield { kind: 'number-changed', detail: 'every number of the text is changed', answer: { ...answer, text } };
}

const statement = /\b(is|are|was|were|will|can|could|should|must|has|have|does|do|did|may)\b(?!['’]t\b)(?: (not)\b)?/iu;

/** "is" becomes "is not" and "is not" becomes "is"; a label becomes "not billing". */
function* negateText(answer: WithoutSteps): Iterable<Mutant> {
  const { text } = answer;
  if (text.trim() === '') return;
  const negated = statement.test(text)
    ? text.replace(statement, (_, verb: string, not?: string) => (not === undefined ? `${verb} not` : verb))
    : `${isLabel(text) ? 'not' : 'It is not so:'} ${text.trimStart()}`;
  yield { kind: 'negated', detail: quote(negated, 80), answer: { ...answer, text: negated } };
}

/** Names a wrong answer beside the right one. */
function* hedgeText(answer: WithoutSteps, others: readonly Answer[]): Iterable<Mutant> {
  const own = answer.text.trim();
  if (own === '') return;
  const other = others.map(({ text }) => text.trim()).find((text) => text !== '' && text !== own);
  const isShort = isLabel(own) && (other === undefined || isLabel(other));
  const text = isShort
    ? `${own} or ${other ?? 'something else'}`
    : `${own}\n\nOr else:\n\n${other ?? 'Something else.'}`;
  yield { kind: 'hedged', detail: quote(text, 80), answer: { ...answer, text } };
}

/**
 * A text on which a check that forbids something, or limits a length, must fail. It is split, so that no scanner takes
 * its secrets for real.
 */
const forbidden = [
  'Write to jane.doe@example.com or call +1 415 555 0132.',
  `My card is ${['4111', '1111', '1111', '1111'].join(' ')}, my key ${['sk', 'proj', 'a1B2c3D4e5F6g7H8'.repeat(3)].join('-')}.`,
  '我们没有找到任何东西。这里没有什么可以帮助您的。',
].join('\n');

function* disturb(answer: WithoutSteps): Iterable<Mutant> {
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

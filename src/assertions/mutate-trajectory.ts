import { isJsonObject, type JsonValue } from '../json/json.ts';
import type { AgentStep, AnsweredCall, ToolCall } from '../model/run/completion.ts';
import { shortenText } from '../text/shorten.ts';
import { type Answer, type Mutant, type MutationKind, takeFirst } from './mutate-answer.ts';

export interface MutateTrajectoryOptions {
  /** Calls that the right answer does not make. */
  readonly forbidden: readonly ToolCall[];
  /** False if the case says that the order of its calls does not matter. */
  readonly isOrdered: boolean;
}

/** Every wrong path to the same text. Calls made at once have no order, so they are not reordered. */
export function* mutateTrajectory(answer: Answer, options: MutateTrajectoryOptions): Iterable<Mutant> {
  const { steps } = answer;
  if (steps === undefined) return;
  for (const { kind, detail, path } of takeFirst(changePath(steps, options))) {
    yield { kind, detail, answer: { ...answer, steps: path, toolCalls: path.flatMap(({ calls }) => calls) } };
  }
}

interface ChangedPath {
  readonly kind: MutationKind;
  readonly detail: string;
  readonly path: readonly AgentStep[];
}

function* changePath(
  steps: readonly AgentStep[],
  { forbidden, isOrdered }: MutateTrajectoryOptions,
): Iterable<ChangedPath> {
  const last = steps.at(-1);
  if (last !== undefined && steps.some(({ calls }) => calls.length > 0)) {
    yield { kind: 'did-nothing', detail: 'the same text without a call', path: [{ ...last, calls: [] }] };
  }
  for (const call of forbidden) {
    const extra = { text: '', calls: [call] };
    const detail = `calls ${nameOf(call)} too`;
    yield { kind: 'forbidden-call', detail, path: steps.toSpliced(steps.length - 1, 0, extra) };
  }
  for (const [at, { calls }] of steps.entries()) {
    for (const [place, call] of calls.entries()) yield* changeCall(steps, at, place, call);
  }
  if (isOrdered) yield* reorder(steps);
}

function* changeCall(
  steps: readonly AgentStep[],
  at: number,
  place: number,
  call: AnsweredCall,
): Iterable<ChangedPath> {
  const step = steps[at];
  if (step === undefined) return;
  const where = `${nameOf(call)} at step ${at + 1}`;
  const rest = step.calls.toSpliced(place, 1);
  const isNeeded = rest.length > 0 || at === steps.length - 1;
  const dropped = isNeeded ? steps.with(at, { ...step, calls: rest }) : steps.toSpliced(at, 1);
  yield { kind: 'call-dropped', detail: `without ${where}`, path: dropped };
  const again = { text: '', calls: [call] };
  yield { kind: 'call-doubled', detail: `${where} twice`, path: steps.toSpliced(at + 1, 0, again) };
  for (const { path, value } of changeTexts(call.arguments, '$')) {
    const changed = { ...call, arguments: value, rawArguments: JSON.stringify(value) };
    const changedStep = { ...step, calls: step.calls.with(place, changed) };
    const detail = `another text at ${nameOf(call)}.${path}`;
    yield { kind: 'argument-changed', detail, path: steps.with(at, changedStep) };
  }
}

/** Exchanges the calls of each two neighbouring steps, if they differ. */
function* reorder(steps: readonly AgentStep[]): Iterable<ChangedPath> {
  for (const [at, first] of steps.entries()) {
    const second = steps[at + 1];
    const [before, after] = [first.calls[0], second?.calls[0]];
    if (second === undefined || before === undefined || after === undefined) continue;
    if (writeCalls(first) === writeCalls(second)) continue;
    const path = steps.with(at, { ...first, calls: second.calls }).with(at + 1, { ...second, calls: first.calls });
    yield { kind: 'calls-reordered', detail: `${nameOf(after)} before ${nameOf(before)}`, path };
  }
}

function writeCalls({ calls }: AgentStep): string {
  return JSON.stringify(calls.map(({ name, rawArguments }) => [name, rawArguments]));
}

/** The arguments with one text replaced at a time. Numbers are changed as in any answer. */
function* changeTexts(
  value: JsonValue | undefined,
  path: string,
): Iterable<{ readonly path: string; readonly value: JsonValue }> {
  if (typeof value === 'string') yield { path, value: otherText(value) };
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const change of changeTexts(item, `${path}[${index}]`))
        yield { path: change.path, value: value.with(index, change.value) };
    }
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      for (const change of changeTexts(value[key], `${path}.${key}`)) {
        const entries = Object.entries(value).map(([name, old]) => [name, name === key ? change.value : old]);
        yield { path: change.path, value: Object.fromEntries(entries) as JsonValue };
      }
    }
  }
}

/** Another number for a text of digits, such as an id; another word for any other. */
function otherText(text: string): string {
  return /^\d{1,15}$/.test(text) ? String(Number(text) + 1).padStart(text.length, '0') : `${text}x`;
}

function nameOf({ name }: ToolCall): string {
  return shortenText(name, 60);
}

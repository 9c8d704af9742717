import { canonicalJson, writeJson } from '../../json/canonical-json.ts';
import { describePath, describeValue, findDifference } from '../../json/deep-equal.ts';
import type { JsonValue } from '../../json/json.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { AgentStep, AnsweredCall } from '../../model/run/completion.ts';
import { formatCount } from '../../text/format-amount.ts';
import { groupBy } from '../../text/group-by.ts';
import { quote, shortenText } from '../../text/shorten.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';

/** The differences between an agent's steps and the baseline's. */
export interface TrajectoryComparison {
  /** `now calls issue_refund at step 2`; the most telling first, empty if both sides took the same path. */
  readonly differences: readonly string[];
  /** The calls of each side that the other does not make in the same way. */
  readonly changedBefore: ReadonlySet<AnsweredCall>;
  readonly changedNow: ReadonlySet<AnsweredCall>;
}

/** The steps of an agent, and the final state of its tools. */
export interface AgentPath {
  readonly trajectory: readonly AgentStep[];
  readonly state?: JsonValue | undefined;
}

/** Compares the paths of two answers: calls, arguments, order, steps, results and state. Calls made at once have no order. */
export function compareTrajectories(was: AgentPath, is: AgentPath): TrajectoryComparison {
  const [before, now] = [was.trajectory, is.trajectory];
  const [callsBefore, callsNow] = [listCalls(before), listCalls(now)];
  const same = pairCalls(callsBefore, callsNow, (call) => `${call.name} ${call.key}`);
  const isPaired = new Set(same.flat());
  const restBefore = callsBefore.filter((call) => !isPaired.has(call));
  const restNow = callsNow.filter((call) => !isPaired.has(call));
  const other = pairCalls(restBefore, restNow, ({ name }) => name);
  const isSameTool = new Set(other.flat());
  const gone = restBefore.filter((call) => !isSameTool.has(call));
  const added = restNow.filter((call) => !isSameTool.has(call));
  const moved = findMoved(same);
  const results = same.filter(([old, found]) => hasOtherResult(old.call, found.call));
  // A cell that ended at a call made none of the later ones, which says nothing of the agent.
  const isCut = now.at(-1)?.calls.some(({ result }) => result === undefined) === true;
  const differences = [
    ...describeAdded(added, callsBefore, callsNow),
    ...(isCut ? [] : describeGone(gone, callsBefore, callsNow)),
    ...other.map(([old, found]) => describeArguments(old, found)),
    ...(moved === undefined ? [] : [describeMoved(moved)]),
    ...describeStepCount(before.length, now.length, isCut),
    ...results.map(([, found]) => `gets another result of ${nameOf(found)} at step ${found.step}`),
    ...describeState(was.state, is.state),
  ];
  const changed = [...other, ...(moved ?? []), ...results];
  return {
    differences,
    changedBefore: new Set([...gone, ...changed.map(([old]) => old)].map(({ call }) => call)),
    changedNow: new Set([...added, ...changed.map(([, found]) => found)].map(({ call }) => call)),
  };
}

/** The differences in one line; undefined if there is none. */
export function describeTrajectoryChange(was: AgentPath, is: AgentPath): string | undefined {
  const { differences } = compareTrajectories(was, is);
  if (differences.length === 0) return undefined;
  const more = differences.length - maxDescribed;
  return `${differences.slice(0, maxDescribed).join('; ')}${more > 0 ? `; and ${formatCount(more, 'more difference')}` : ''}`;
}

const maxDescribed = 3;

interface PlacedCall {
  readonly call: AnsweredCall;
  readonly name: string;
  /** Equal for calls whose arguments are equal as JSON. */
  readonly key: string;
  /** Counted from 1. */
  readonly step: number;
}

type CallPair = readonly [before: PlacedCall, now: PlacedCall];

function listCalls(steps: readonly AgentStep[]): readonly PlacedCall[] {
  return steps.flatMap(({ calls }, at) =>
    calls.map((call) => ({ call, name: call.name, key: keyOf(call), step: at + 1 })),
  );
}

function keyOf({ rawArguments }: AnsweredCall): string {
  const parsed = parseJson(rawArguments);
  return parsed.ok ? canonicalJson(plainNumbers(parsed.value)) : rawArguments;
}

/** Pairs the calls of equal keys, in their order. */
function pairCalls(
  before: readonly PlacedCall[],
  now: readonly PlacedCall[],
  keyOfCall: (call: PlacedCall) => string,
): readonly CallPair[] {
  const open = groupBy(before, keyOfCall);
  return now.flatMap((is): readonly CallPair[] => {
    const was = open.get(keyOfCall(is))?.shift();
    return was === undefined ? [] : [[was, is]];
  });
}

/** Finds two calls whose order changed. Calls of one step have no order. */
function findMoved(same: readonly CallPair[]): readonly [CallPair, CallPair] | undefined {
  for (const [index, first] of same.entries()) {
    for (const second of same.slice(index + 1)) {
      if (first[1].step < second[1].step && first[0].step > second[0].step) return [first, second];
    }
  }
  return undefined;
}

function hasOtherResult({ result: was }: AnsweredCall, { result: is }: AnsweredCall): boolean {
  if (was === undefined || is === undefined) return false;
  return was.content !== is.content || was.isError !== is.isError;
}

function describeAdded(
  added: readonly PlacedCall[],
  before: readonly PlacedCall[],
  now: readonly PlacedCall[],
): readonly string[] {
  return [...groupBy(added, ({ name }) => name).values()].flatMap((calls) => {
    const [first] = calls;
    const [name, made] = [nameOf(first), countCalls(before, first.name)];
    if (made > 0 && calls.length > 1) return [`calls ${name} ${describeTimes(first.name, before, now)}`];
    if (made > 0) return [`calls ${name} once more at step ${first.step}, with ${showArguments(first)}`];
    if (calls.length > 1) return [`now calls ${name} ${calls.length} times, first at step ${first.step}`];
    return [`now calls ${name} at step ${first.step}`];
  });
}

function describeGone(
  gone: readonly PlacedCall[],
  before: readonly PlacedCall[],
  now: readonly PlacedCall[],
): readonly string[] {
  return [...groupBy(gone, ({ name }) => name)].map(([name, [first]]) => {
    const shown = nameOf(first);
    return countCalls(now, name) === 0
      ? `no longer calls ${shown}`
      : `calls ${shown} ${describeTimes(name, before, now)}`;
  });
}

/** `once, was 3 times`. */
function describeTimes(name: string, before: readonly PlacedCall[], now: readonly PlacedCall[]): string {
  const [is, was] = [countCalls(now, name), countCalls(before, name)].map((count) => {
    return count === 1 ? 'once' : `${count} times`;
  });
  return `${is}, was ${was}`;
}

function countCalls(calls: readonly PlacedCall[], name: string): number {
  return calls.filter((call) => call.name === name).length;
}

/** `calls find_order with {"id":8} at step 1, was {"id":7}`; of long arguments the first that differs. */
function describeArguments(was: PlacedCall, is: PlacedCall): string {
  const start = `calls ${nameOf(is)} with`;
  const [old, found] = [parseJson(was.call.rawArguments), parseJson(is.call.rawArguments)];
  if (Math.max(was.key.length, is.key.length) > maxArguments && old.ok && found.ok) {
    const difference = findDifference(plainNumbers(old.value), plainNumbers(found.value));
    if (difference !== undefined && difference.path.length > 0) {
      const path = describePath(difference.path);
      return `${start} another ${shortenText(path, maxArguments)} at step ${is.step}: ${describeValue(difference.found)}, was ${describeValue(difference.expected)}`;
    }
  }
  return `${start} ${showArguments(is)} at step ${is.step}, was ${showArguments(was)}`;
}

function describeMoved([[, first], [, second]]: readonly [CallPair, CallPair]): string {
  const isSameTool = first.name === second.name;
  const [one, two] = [first, second].map((call) =>
    isSameTool ? `${nameOf(call)}(${showArguments(call)})` : nameOf(call),
  );
  return `calls ${one} before ${two}, was after it`;
}

function describeStepCount(before: number, now: number, isCut: boolean): readonly string[] {
  if (now === before || (isCut && now < before)) return [];
  return [`takes ${formatCount(now, 'step')}, was ${before}`];
}

/** The first difference of the final states; none if a side keeps no state. */
function describeState(was: JsonValue | undefined, is: JsonValue | undefined): readonly string[] {
  const difference = was === undefined || is === undefined ? undefined : findDifference(was, is);
  if (difference === undefined) return [];
  const path = shortenText(describePath(difference.path), maxArguments);
  return [
    `leaves ${describeValue(difference.found)} at ${path} of the state, was ${describeValue(difference.expected)}`,
  ];
}

function nameOf({ name }: PlacedCall): string {
  return shortenText(name, maxName);
}

/** The arguments as the model wrote them, without extra blanks. */
function showArguments({ call }: PlacedCall): string {
  const parsed = parseJson(call.rawArguments);
  const text = parsed.ok ? writeJson(parsed.value) : undefined;
  return text === undefined ? quote(call.rawArguments, maxArguments) : shortenText(text, maxArguments);
}

const maxName = 60;
const maxArguments = 80;

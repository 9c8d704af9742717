import * as z from 'zod';
import { type ArgumentMismatch, findArgumentMismatch } from '../../json/match-arguments.ts';
import type { ArgumentMatch } from '../../json/plain-path.ts';
import { parsePlainPath } from '../../json/plain-path.ts';
import type { ToolCall } from '../../model/run/completion.ts';
import { listFirst } from '../../text/format-amount.ts';
import { quote, shortenText } from '../../text/shorten.ts';
import { type AssertionPorts, type CheckOutcome, type CompletionView, defineAssertion, runBounded } from '../define.ts';
import { type Bounds, countRangeParam, describeBounds, isWithin } from '../params.ts';
import { schemaParam } from '../structure/json.ts';

export const nameParam = z.string().min(1, { error: 'must not be empty' });

const ignoreParam = z.string().transform((path, context) => {
  const steps = parsePlainPath(path);
  if (steps !== undefined) return steps;
  context.addIssue({ code: 'custom', message: 'must be a plain path such as $.id, $.items[0] or $.items[*].id' });
  return z.NEVER;
});

const namedCallParam = nameParam.transform((name) => ({ name, compare: 'subset' as const }));

const describedCallParam = z.strictObject({
  name: nameParam.describe('The tool.'),
  args: z.record(z.string(), z.unknown()).optional().describe('The arguments it is called with.'),
  compare: z.enum(['subset', 'exact']).default('subset').describe('subset: it may have further arguments.'),
  schema: schemaParam.optional().describe('A JSON Schema for its arguments.'),
  ignore: z.array(ignoreParam).optional().describe('Paths in the arguments that are not compared, such as $.id.'),
});

/** A call, however often it is made. */
export const callParam = z.union([namedCallParam, describedCallParam], {
  error: 'must be the name of a tool, or a map of name, args, compare, schema and ignore',
});

export const wantedCallParam = z.union(
  [
    namedCallParam,
    describedCallParam.extend({
      count: countRangeParam.optional().describe('How many calls of it fit; 1 or more where it is left out.'),
    }),
  ],
  { error: 'must be the name of a tool, or a map of name, args, compare, schema, ignore and count' },
);

/** A tool call that is expected. */
interface WantedCall extends Wanted {
  readonly count?: Bounds | undefined;
}

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.union([item.transform((one) => [one]), z.array(item).min(1, { error: 'needs at least one tool' })]);

export const toolCalls = defineAssertion({
  summary: 'the model calls given tools, with given arguments, in a given order, or none',
  family: 'behaviour',
  example: 'toolCalls: { value: [{ name: find_order, args: { id: 7 } }], order: exact }',
  failsOn: { text: 'It is on its way.' },
  definition: "the APIs' tool calls in one normal form; JSON Schema 2020-12 for arguments",
  main: 'value',
  calls: ['value'],
  defaultSelect: 'toolCalls',
  params: z
    .strictObject({
      value: listOf(wantedCallParam)
        .optional()
        .describe('The calls: names, or maps of name, args, compare, schema, ignore and count.'),
      names: listOf(nameParam).optional().describe('The names of the calls, where arguments do not matter.'),
      order: z
        .enum(['any', 'ordered', 'exact'])
        .default('any')
        .describe('any; ordered: in this order, others may stand between; exact: these and no others, in this order.'),
      count: countRangeParam.optional().describe('How many calls there are in all.'),
      none: z.boolean().optional().describe('True: the model calls no tool.'),
      step: z
        .int({ error: 'must be a whole number' })
        .min(1, { error: 'must be at least 1: the first answer' })
        .optional()
        .describe('The answer of the model that is checked, from 1; without it all that lead to the last one.'),
    })
    .refine(({ value, names, count, none }) => [value, names, count, none].some((param) => param !== undefined), {
      error: 'needs value, names, count or none',
    })
    .refine(({ value, names }) => value === undefined || names === undefined, {
      error: 'takes value or names, not both',
    })
    .refine(({ value, names, count, none }) => none !== true || (value ?? names ?? count) === undefined, {
      error: 'none: true goes with neither value nor names nor count',
    }),
  check(_target, { value, names, order, count, none, step }, { completion, ports }): CheckOutcome {
    if (completion.isPathUnknown === true && completion.isTextAlone === true) return { error: unknownCalls };
    const answer = step === undefined ? completion : findStep(completion, step);
    if (typeof answer === 'string') return { pass: false, missing: true, reason: answer };
    const calls = answer.toolCalls;
    const found = describeCalls(calls, answer.text);
    if (none !== undefined && (calls.length === 0) !== none) {
      return { pass: false, reason: `wanted ${none ? 'no tool call' : 'a tool call'}: found ${found}` };
    }
    if (count !== undefined && !isWithin(calls.length, count)) {
      return {
        pass: false,
        reason: `makes ${calls.length} tool calls, wanted ${describeBounds(count)}: found ${found}`,
      };
    }
    const wanted: readonly WantedCall[] | undefined = value ?? names?.map((name) => ({ name, compare: 'subset' }));
    if (wanted === undefined) return { pass: true, reason: `found ${found}` };
    return checkWanted(wanted, calls, order, found, ports);
  },
});

const unknownCalls =
  'the program answers with text alone, so the tools that it called are unknown: return an object with text and toolCalls, or steps';

/** Checks that the wanted calls are made, each as often as it says, and in the wanted order. */
export function checkWanted(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  order: 'any' | 'ordered' | 'exact',
  found: string,
  ports: AssertionPorts,
): CheckOutcome {
  // A call that must be made several times is expected several times.
  const runs = order === 'exact' ? findRuns(wanted, calls, ports) : undefined;
  const surplus = findSurplus(wanted, calls, found, ports);
  if (order === 'exact' && runs === undefined && surplus !== undefined) return surplus;
  const expected = wanted.flatMap((want, at) => Array.from({ length: runs?.[at] ?? countRange(want).min }, () => want));
  const outcome = checkCalls(expected, calls, order, found, ports);
  return 'error' in outcome || !outcome.pass ? outcome : (surplus ?? outcome);
}

function countRange({ count }: WantedCall): { readonly min: number; readonly max: number } {
  if (count === undefined) return { min: 1, max: 1 };
  return { min: count.min ?? 0, max: count.max ?? Number.POSITIVE_INFINITY };
}

/** Counts the consecutive repetitions of each wanted call. Undefined if there are other calls. */
function findRuns(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  ports: AssertionPorts,
): readonly number[] | undefined {
  const failed = new Set<string>();
  function fit(index: number, start: number): readonly number[] | undefined {
    const want = wanted[index];
    if (want === undefined) return start === calls.length ? [] : undefined;
    if (failed.has(`${index} ${start}`)) return undefined;
    const { min, max } = countRange(want);
    for (let made = 0; made <= max; made += 1) {
      const rest = made < min ? undefined : fit(index + 1, start + made);
      if (rest !== undefined) return [made, ...rest];
      const next = calls[start + made];
      if (next === undefined || findMismatch(want, next, ports) !== undefined) break;
    }
    failed.add(`${index} ${start}`);
    return undefined;
  }
  return fit(0, 0);
}

/** Finds a step by its number, or the reason why there is none. */
function findStep(
  { steps, text, toolCalls }: CompletionView,
  step: number,
): Pick<CompletionView, 'text' | 'toolCalls'> | string {
  const all = steps ?? [{ text, calls: toolCalls }];
  const found = all[step - 1];
  if (found !== undefined) return { text: found.text, toolCalls: found.calls };
  return `there is no step ${step}: the model answered ${all.length === 1 ? 'once' : `${all.length} times`}`;
}

function checkCalls(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  order: 'any' | 'ordered' | 'exact',
  found: string,
  ports: AssertionPorts,
): CheckOutcome {
  const errors: string[] = [];
  const mismatch = (wantedIndex: number, callIndex: number): string | undefined => {
    const want = wanted[wantedIndex];
    const call = calls[callIndex];
    if (want === undefined || call === undefined) return 'it is not made';
    const outcome = findMismatch(want, call, ports);
    if (outcome?.error !== undefined) errors.push(outcome.error);
    return outcome?.reason;
  };
  const partners =
    order === 'any' ? pairInAnyOrder(wanted, calls, mismatch) : pairInOrder(wanted, calls, order, mismatch);
  const [error] = errors;
  if (error !== undefined) return { error };
  const unpaired = partners.indexOf(undefined);
  const score =
    partners.filter((partner) => partner !== undefined).length /
    Math.max(wanted.length, order === 'exact' ? calls.length : 0, 1);
  if (unpaired !== -1) {
    const reason =
      (order === 'ordered' ? describeTooEarly(wanted, calls, partners, mismatch) : undefined) ??
      describeUnpaired(wanted, calls, unpaired, order === 'exact' ? unpaired : undefined, mismatch);
    return { pass: false, score, reason: `${reason}: found ${found}` };
  }
  if (order === 'exact' && calls.length > wanted.length) {
    return {
      pass: false,
      score,
      reason: `makes ${calls.length} tool calls, wanted exactly ${wanted.length}: found ${found}`,
    };
  }
  return { pass: true, reason: `makes the wanted tool calls: found ${found}` };
}

/** Finds an expected call that is made more often than it may be. */
function findSurplus(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  found: string,
  ports: AssertionPorts,
): CheckOutcome | undefined {
  for (const want of wanted) {
    if (want.count?.max === undefined) continue;
    const mismatches = calls.map((call) => findMismatch(want, call, ports));
    const error = mismatches.find((mismatch) => mismatch?.error !== undefined)?.error;
    if (error !== undefined) return { error };
    const fitting = mismatches.filter((mismatch) => mismatch === undefined).length;
    if (fitting <= want.count.max) continue;
    const reason = `${fitting} calls of ${quote(want.name, 60)} fit, wanted ${describeBounds(want.count)}`;
    return { pass: false, reason: `${reason}: found ${found}` };
  }
  return undefined;
}

type Mismatch = (wantedIndex: number, callIndex: number) => string | undefined;

function pairInOrder(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  order: 'ordered' | 'exact',
  mismatch: Mismatch,
): readonly (number | undefined)[] {
  let next = 0;
  return wanted.map((_, index) => {
    if (order === 'exact') return mismatch(index, index) === undefined ? index : undefined;
    // The earliest fitting call leaves most for the wanted ones that follow.
    for (let at = next; at < calls.length; at += 1) {
      if (mismatch(index, at) !== undefined) continue;
      next = at + 1;
      return at;
    }
    return undefined;
  });
}

/**
 * Pairs every wanted call with a call of its own, by augmenting paths (Kuhn 1955). A vague one must not take the call
 * of a specific one.
 */
function pairInAnyOrder(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  mismatch: Mismatch,
): readonly (number | undefined)[] {
  const fits = wanted.map((_, index) =>
    calls.flatMap((__, callIndex) => (mismatch(index, callIndex) === undefined ? [callIndex] : [])),
  );
  const takenBy = new Map<number, number>();
  const place = (index: number, tried: Set<number>): boolean =>
    (fits[index] ?? []).some((callIndex) => {
      if (tried.has(callIndex)) return false;
      tried.add(callIndex);
      const holder = takenBy.get(callIndex);
      if (holder !== undefined && !place(holder, tried)) return false;
      takenBy.set(callIndex, index);
      return true;
    });
  for (const index of wanted.keys()) place(index, new Set());
  const partners = new Map([...takenBy].map(([callIndex, index]) => [index, callIndex]));
  return wanted.map((_, index) => partners.get(index));
}

/** Names the wanted call that is made, but before the one it must follow. */
function describeTooEarly(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  partners: readonly (number | undefined)[],
  mismatch: Mismatch,
): string | undefined {
  const index = partners.indexOf(undefined);
  const [want, previous] = [wanted[index], wanted[index - 1]];
  const isMade = calls.some((_, at) => !partners.includes(at) && mismatch(index, at) === undefined);
  if (want === undefined || previous === undefined || !isMade) return undefined;
  return `calls ${quote(want.name, 60)} before ${quote(previous.name, 60)}, wanted after it`;
}

function describeUnpaired(
  wanted: readonly WantedCall[],
  calls: readonly ToolCall[],
  index: number,
  onlyCall: number | undefined,
  mismatch: Mismatch,
): string {
  const name = wanted[index]?.name ?? '';
  const candidates = onlyCall === undefined ? [...calls.keys()].filter((at) => calls[at]?.name === name) : [onlyCall];
  const [nearest] = candidates;
  const why = nearest === undefined ? undefined : mismatch(index, nearest);
  const place = onlyCall === undefined || onlyCall >= calls.length ? '' : ` as call ${onlyCall + 1}`;
  return `no fitting call of ${quote(name, 60)}${place}${why === undefined ? '' : `, ${why}`}`;
}

function describeCalls(calls: readonly ToolCall[], text: string): string {
  if (calls.length === 0) return `no tool call but ${quote(text)}`;
  return listFirst(calls.map(describeCall), 6);
}

export function describeCall({ name, rawArguments }: ToolCall): string {
  return `${shortenText(name, 60)}(${shortenText(rawArguments, 80)})`;
}

/** An expected call. */
interface Wanted extends ArgumentMatch {
  readonly name: string;
}

/** Why a call is not the wanted one; undefined if it is. */
export function findMismatch(wanted: Wanted, call: ToolCall, ports: AssertionPorts): ArgumentMismatch | undefined {
  if (call.name !== wanted.name) return { reason: `the call is of ${quote(call.name, 60)}` };
  return findArgumentMismatch(wanted, call.rawArguments, (cheap, run) => runBounded(cheap, ports, run));
}

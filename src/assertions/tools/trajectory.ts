import * as z from 'zod';
import { canonicalJson } from '../../json/canonical-json.ts';
import { describePath, describeValue, findDifference } from '../../json/deep-equal.ts';
import { isJsonObject, type JsonValue } from '../../json/json.ts';
import type { AgentStep, AnsweredCall, ToolCall } from '../../model/run/completion.ts';
import { quote } from '../../text/shorten.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { type AssertionPorts, type CheckOutcome, type CompletionView, defineAssertion } from '../define.ts';
import { type Bounds, countRangeParam, describeBounds, isWithin } from '../params.ts';
import { argumentsOf } from '../targets.ts';
import {
  callParam,
  checkWanted,
  describeCall,
  findMismatch,
  listOf,
  nameParam,
  wantedCallParam,
} from './tool-calls.ts';

const checked = ['calls', 'never', 'after', 'counts', 'steps', 'noRepeats', 'state'] as const;

const trajectoryParams = z
  .strictObject({
    calls: listOf(wantedCallParam)
      .optional()
      .describe('Calls that must be made: names, or maps of name, args, compare, schema, ignore and count.'),
    order: z
      .enum(['any', 'ordered', 'exact'])
      .default('any')
      .describe('any; ordered: in this order, others may stand between; exact: these and no others, in this order.'),
    compare: z
      .enum(['subset', 'exact'])
      .optional()
      .describe('How the arguments of all calls are compared; without it as each call says.'),
    never: listOf(callParam).optional().describe('Calls that must not be made: names, or maps as in calls.'),
    after: z
      .record(nameParam, listOf(callParam))
      .refine(hasMembers, { error: 'needs at least one tool' })
      .optional()
      .describe(
        'Tools, each with the calls that it must come after. Those must have a result that is no error, in an earlier step.',
      ),
    counts: z
      .record(nameParam, countRangeParam)
      .refine(hasMembers, { error: 'needs at least one tool' })
      .optional()
      .describe('How often tools are called, by their name.'),
    steps: countRangeParam.optional().describe('How many answers the model gives, the last one included.'),
    noRepeats: z
      .union([z.literal(true), listOf(nameParam)], { error: 'must be true, or the names of tools' })
      .optional()
      .describe('No call is made twice with the same arguments; true: of no tool, or the names of tools.'),
    state: z
      .unknown()
      .refine((state) => !isJsonObject(state) || hasMembers(state), {
        error: 'is {}, which any state holds: for an empty one, write equals: {} with select: state',
      })
      .optional()
      .describe("The final state of the case's tools: a value that it must hold, further members allowed."),
  })
  .refine((params) => checked.some((key) => params[key] !== undefined), {
    error: 'needs one of calls, never, after, counts, steps, noRepeats and state',
  })
  .refine(({ calls, order }) => order === 'any' || calls !== undefined, { error: 'order needs calls' });

/** An empty map would pass whatever is called. */
function hasMembers(map: object): boolean {
  return Object.keys(map).length > 0;
}

export const trajectory = defineAssertion({
  summary:
    'an agent takes the wanted path: its tool calls, their order, what it never calls, its steps and final state',
  family: 'behaviour',
  example:
    'trajectory: { calls: [find_order, issue_refund], order: ordered, never: [delete_order], steps: { max: 4 } }',
  failsOn: { text: 'Refunded.' },
  definition: "the tool calls of all the model's answers, in their order; JSON Schema 2020-12 for arguments",
  calls: ['calls', 'never', 'after'],
  defaultSelect: 'toolCalls',
  params: trajectoryParams,
  check(_target, params, { completion, ports }): CheckOutcome {
    if (completion.isPathUnknown === true) return { error: unknownPath };
    const steps = stepsOf(completion);
    const calls = steps.flatMap((step) => step.calls);
    const found = describeSteps(steps);
    const path = { steps, calls, state: completion.state, found, ports };
    const fault = [checkNever, checkAfter, checkCalls, checkCounts, checkSteps, checkRepeats, checkState]
      .map((check) => check(params, path))
      .find((outcome) => outcome !== undefined);
    return fault ?? { pass: true, reason: `takes the wanted path: ${found}` };
  },
});

/** A text alone would pass for an agent that calls nothing. */
const unknownPath =
  'the program reports no steps, so the tools that it called are unknown: return steps or messages, or the transcript of an agent';

type Params = z.output<typeof trajectoryParams>;

/** The steps of the model, for the check. */
interface Path {
  readonly steps: readonly AgentStep[];
  readonly calls: readonly AnsweredCall[];
  readonly state: JsonValue | undefined;
  readonly found: string;
  readonly ports: AssertionPorts;
}

/** The fault of a path; undefined if the checked part is right. */
type Fault = CheckOutcome | undefined;

/** An answer without steps is a path of one. */
function stepsOf({ steps, text, toolCalls }: CompletionView): readonly AgentStep[] {
  return steps ?? [{ text, calls: toolCalls }];
}

/** Checks `never` first, because a forbidden call is the most important reason. */
function checkNever({ never = [] }: Params, { steps, ports }: Path): Fault {
  for (const [at, { calls }] of steps.entries()) {
    for (const call of calls) {
      for (const forbidden of never) {
        const mismatch = findMismatch(forbidden, call, ports);
        if (mismatch?.error !== undefined) return { error: mismatch.error };
        if (mismatch === undefined) {
          return { pass: false, reason: `calls ${describeCall(call)} at step ${at + 1}, which it must never call` };
        }
        if (call.name === forbidden.name && !isReadable(call)) {
          const why = 'whose arguments are not JSON: it may be one that it must never make';
          return { pass: false, reason: `calls ${describeCall(call)} at step ${at + 1}, ${why}` };
        }
      }
    }
  }
  return undefined;
}

/** A call without arguments has none that could not be read. */
function isReadable(call: ToolCall): boolean {
  return call.rawArguments.trim() === '' || argumentsOf(call) !== undefined;
}

/** A call that is made at once with the one it must come after did not wait for its result. */
function checkAfter({ after = {} }: Params, { steps, calls: all, ports }: Path): Fault {
  // A list of messages may leave all results out; if it has some, a call without one was never answered.
  const areKnown = all.some(({ result }) => result !== undefined);
  for (const [at, { calls }] of steps.entries()) {
    const before = steps.slice(0, at).flatMap((step) => step.calls);
    for (const call of calls) {
      const needed = Object.hasOwn(after, call.name) ? (after[call.name] ?? []) : [];
      for (const need of needed) {
        const mismatches = before.map((made) => findMismatch(need, made, ports));
        const error = mismatches.find((mismatch) => mismatch?.error !== undefined)?.error;
        if (error !== undefined) return { error };
        const fitting = before.filter((_, index) => mismatches[index] === undefined);
        if (fitting.some(({ result }) => (result === undefined ? !areKnown : result.isError !== true))) continue;
        const why =
          fitting.length > 0
            ? `got ${fitting.some(({ result }) => result === undefined) ? 'no result' : 'only an error'}`
            : mismatches.find((_, index) => before[index]?.name === need.name)?.reason;
        const reason = `calls ${describeCall(call)} at step ${at + 1}, before it has a result of ${quote(need.name, 60)}`;
        return { pass: false, reason: why === undefined ? reason : `${reason}, ${why}` };
      }
    }
  }
  return undefined;
}

function checkCalls({ calls: wanted, order, compare }: Params, { calls, found, ports }: Path): Fault {
  if (wanted === undefined) return undefined;
  const exact = wanted.map((want) => (compare === undefined ? want : { ...want, compare }));
  const outcome = checkWanted(exact, calls, order, found, ports);
  return 'error' in outcome || !outcome.pass ? outcome : undefined;
}

function checkCounts({ counts = {} }: Params, { calls, found }: Path): Fault {
  for (const [name, bounds] of Object.entries(counts)) {
    const callCount = calls.filter((call) => call.name === name).length;
    if (!isWithin(callCount, bounds))
      return { pass: false, reason: describeCount(`calls ${quote(name, 60)}`, callCount, bounds, found) };
  }
  return undefined;
}

function checkSteps({ steps: bounds }: Params, { steps, found }: Path): Fault {
  if (bounds === undefined || isWithin(steps.length, bounds)) return undefined;
  return { pass: false, reason: `takes ${steps.length} steps, wanted ${describeBounds(bounds)}: ${found}` };
}

function describeCount(what: string, made: number, bounds: Bounds, found: string): string {
  return `${what} ${made === 1 ? 'once' : `${made} times`}, wanted ${describeBounds(bounds)}: ${found}`;
}

function checkRepeats({ noRepeats }: Params, { calls }: Path): Fault {
  if (noRepeats === undefined) return undefined;
  const seen = new Set<string>();
  for (const call of calls) {
    if (noRepeats !== true && !noRepeats.includes(call.name)) continue;
    const text = `${call.name} ${canonicalArguments(call)}`;
    if (seen.has(text)) return { pass: false, reason: `makes the call ${describeCall(call)} twice` };
    seen.add(text);
  }
  return undefined;
}

function canonicalArguments(call: ToolCall): string {
  const parsed = argumentsOf(call);
  return parsed === undefined ? call.rawArguments : canonicalJson(plainNumbers(parsed));
}

const noState = "the case's tools keep no state: a module of tools does, or an agent that reports its state";

function checkState({ state: wanted }: Params, { state }: Path): Fault {
  if (wanted === undefined) return undefined;
  if (state === undefined) {
    return { pass: false, missing: true, reason: noState };
  }
  const difference = findDifference(plainNumbers(wanted), state, true);
  if (difference === undefined) return undefined;
  const place = describePath(difference.path);
  const [expected, found] = [describeValue(difference.expected), describeValue(difference.found)];
  return { pass: false, reason: `${place} of the final state: expected ${expected}, found ${found}` };
}

/** The calls of each step, numbered: `1 find_order({"id":7}) → 2 "It is on its way."`. */
function describeSteps(steps: readonly AgentStep[]): string {
  const shown = steps.slice(0, maxShownSteps).map(({ text, calls }, at) => {
    const stepSummary = calls.length === 0 ? quote(text, 80) : calls.slice(0, 4).map(describeCall).join(' + ');
    return `${at + 1} ${stepSummary}${calls.length > 4 ? ` + ${calls.length - 4} more` : ''}`;
  });
  return `${shown.join(' → ')}${steps.length > maxShownSteps ? ` → ${steps.length - maxShownSteps} more` : ''}`;
}

const maxShownSteps = 8;

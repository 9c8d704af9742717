import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { toZodSchema } from '../../json/to-zod-schema.ts';
import type { AssertionInput, AssertionPlugin, CodeOutcome, LoadedPlugin } from '../../model/own-code.ts';
import { DeadlineError, describeThrown } from '../../text/deadline.ts';
import { plainNumbers, replaceLongNumbers } from '../../text/exact-numbers.ts';
import { quote, shortenText } from '../../text/shorten.ts';
import type { CheckAssertion, CheckContext, CheckOutcome, Target } from '../define.ts';
import { durationParam } from '../params.ts';
import { describeToolCalls } from '../targets.ts';

export const argsParam = z
  .unknown()
  .optional()
  .meta({ description: 'Any value for your code; strings in it are templates over vars and expected.' });

/** What bounds code of the user's own. */
export const codeParams = {
  files: z
    .array(z.string().min(1))
    .default([])
    .describe("Further files that decide the verdict: with the code's own they are part of the case's hash."),
  timeout: durationParam
    .pipe(z.number().gt(0, { error: 'must be more than 0' }))
    .prefault('10s')
    .describe('How long one check may take.'),
  memoryMb: z
    .int()
    .min(16, { error: 'must be 16 or more' })
    .default(512)
    .describe('How much memory it may take, in MB.'),
};

/** The answer as own code is given it. */
export function buildInput(target: Target, args: unknown, { completion }: CheckContext): AssertionInput {
  const { text, reasoning, refusal, toolCalls, finishReason, usage, latencyMs, costUsd } = completion;
  return {
    target: target.kind === 'text' ? target.text : toJson(target.value),
    text,
    ...defined({ reasoning, refusal }),
    toolCalls: describeToolCalls(toolCalls).map((call) => ({ name: call.name, arguments: toJson(call.arguments) })),
    ...defined({ finishReason, usage }),
    latencyMs: latencyMs ?? null,
    costUsd: costUsd ?? null,
    args: args === undefined ? null : toJson(args),
  };
}

/** Parsed answers and parameters from YAML are JSON once their numbers are plain; who runs the code writes the long ones. */
function toJson(value: unknown): JsonValue {
  return plainNumbers(value) as JsonValue;
}

const verdictSchema = z.strictObject({
  pass: z.boolean(),
  score: z.number().min(0).max(1).exactOptional(),
  reason: z.string().exactOptional(),
});

const maxReasonLength = 1000;

/** What the code said, if it is a verdict; an error in all other cases. */
export function readVerdict(outcome: CodeOutcome, code: string): CheckOutcome {
  const name = quote(code, 80);
  if ('fault' in outcome) return { error: `${name} ${outcome.fault}` };
  const { returned } = outcome;
  const parsed = verdictSchema.safeParse(returned);
  if (!parsed.success)
    return { error: `${name} gave no verdict {pass, score?, reason?}: ${describeFault(returned, parsed.error)}` };
  const { pass, score, reason = '' } = parsed.data;
  const said = reason.trim() === '' ? `${name} says ${pass ? 'pass' : 'fail'}` : shortenText(reason, maxReasonLength);
  return { pass, reason: said, ...defined({ score }) };
}

function describeFault(returned: unknown, { issues }: z.ZodError): string {
  const found = shortenText(JSON.stringify(returned), 120);
  if (!isJsonObject(returned)) return `found ${found}`;
  const faults = issues.slice(0, 3).map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  return `${faults.join('; ')}: found ${found}`;
}

const defaultTimeoutMs = 10_000;

/**
 * An assertion of a plug-in, which runs in this process: its author is trusted like the config that names it. A check
 * that loops or never settles is stopped, and what it throws or returns wrongly is an errored check.
 */
export function createPluginAssertion({ plugin, hash }: LoadedPlugin<AssertionPlugin>): CheckAssertion {
  const { name, summary, example, params, main, timeoutMs = defaultTimeoutMs } = plugin;
  return {
    summary,
    family: 'own code',
    example: example ?? `${name}: {}`,
    params: params === undefined ? z.strictObject({}) : toZodSchema(params),
    ...defined({ main }),
    plugin: { plugin, hash },
    async check(target, checked, context): Promise<CheckOutcome> {
      const { args: _args, ...input } = buildInput(target, undefined, context);
      // A JavaScript number can't hold a long one.
      const held = replaceLongNumbers(input, ({ source }) => source) as typeof input;
      const run = () => plugin.check({ ...held, params: checked });
      try {
        const outcome = await settle(context.ports.deadline(run, timeoutMs), timeoutMs);
        return readVerdict(outcome, name);
      } catch (error) {
        // A deadline has its own words, further up.
        if (error instanceof DeadlineError) throw error;
        return { error: `${name} threw ${describeThrown(error)}` };
      }
    },
  };
}

/** A deadline for synchronous code can't stop a promise: the promise is abandoned. */
async function settle(returned: unknown, timeoutMs: number): Promise<CodeOutcome> {
  if (!(returned instanceof Object) || !('then' in returned)) return { returned };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CodeOutcome>((resolve) => {
    timer = setTimeout(() => resolve({ fault: `took longer than ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(returned).then((value: unknown) => ({ returned: value })), late]);
  } finally {
    clearTimeout(timer);
  }
}

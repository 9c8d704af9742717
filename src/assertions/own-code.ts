import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { toZodSchema } from '../json/to-zod-schema.ts';
import { systemClock } from '../model/clock.ts';
import type { SelectSpec } from '../model/run/verdict.ts';
import type {
  AssertionInput,
  AssertionPlugin,
  CodeOutcome,
  LoadedPlugin,
  SelectInput,
} from '../model/suite/own-code.ts';
import { findShellSign, splitCommand } from '../text/code/command-line.ts';
import { DeadlineError, describeThrown, runOnceWithDeadline } from '../text/deadline.ts';
import { quote, shortenText } from '../text/shorten.ts';
import { replaceLongNumbers, toJson } from '../text/yaml/exact-numbers.ts';
import {
  type CheckAssertion,
  type CheckContext,
  type CheckOutcome,
  defineAssertion,
  type Selected,
  type Target,
} from './define.ts';
import { memoryLimitParam, timeLimitParam } from './params.ts';
import { describeToolCalls } from './targets.ts';

const argsParam = z
  .unknown()
  .optional()
  .meta({ description: 'Any value for your code; strings in it are templates over vars and expected.' });

const envParam = z
  .array(z.string().min(1))
  .default([])
  .describe('Names of variables that it may see beside the basic ones.');

/** The limits of the user's own code. */
const codeParams = {
  files: z
    .array(z.string().min(1))
    .default([])
    .describe("Further files that decide the verdict: with the code's own they are part of the case's hash."),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Patterns of further files that it reads: data, and imports that can't be followed."),
  timeout: timeLimitParam('10s').describe('How long one check may take.'),
  memoryMb: memoryLimitParam(512),
};

/** The answer as own code is given it. */
function buildInput(target: Target, args: unknown, { completion }: CheckContext): AssertionInput {
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

const verdictSchema = z
  .strictObject({
    pass: z.boolean(),
    score: z.number().min(0).max(1).exactOptional(),
    reason: z.string().exactOptional(),
  })
  // A threshold of the case counts scores, so a pass of 0 and a failure of 1 would say yes and no.
  .refine(({ pass, score }) => score !== Number(!pass), { error: '"pass" and "score" contradict each other' });

const maxReasonLength = 1000;

/** The returned verdict; an error if the code returned anything else. */
function readVerdict(outcome: CodeOutcome, code: string): CheckOutcome {
  const name = quote(code, 80);
  if ('fault' in outcome) return { error: `${name} ${outcome.fault}` };
  const { returned } = outcome;
  const parsed = verdictSchema.safeParse(returned);
  if (!parsed.success)
    return { error: `${name} gave no verdict {pass, score?, reason?}: ${describeFault(returned, parsed.error)}` };
  const { pass, score, reason = '' } = parsed.data;
  const shownReason =
    reason.trim() === '' ? `${name} says ${pass ? 'pass' : 'fail'}` : shortenText(reason, maxReasonLength);
  return { pass, reason: shownReason, ...defined({ score }) };
}

function describeFault(returned: unknown, { issues }: z.ZodError): string {
  const found = shortenText(JSON.stringify(returned), 120);
  if (!isJsonObject(returned)) return `found ${found}`;
  const faults = issues.slice(0, 3).map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  return `${faults.join('; ')}: found ${found}`;
}

const defaultTimeoutMs = 10_000;

/**
 * An assertion of a plug-in. It runs in this process, because its author is trusted like the config that names it. A
 * check that loops or never settles is stopped. If it throws or returns an invalid value, the check is errored.
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
        const outcome = await settle(runOnceWithDeadline(run, timeoutMs), timeoutMs);
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
  let stopTimer: (() => void) | undefined;
  const late = new Promise<CodeOutcome>((resolve) => {
    stopTimer = systemClock.startTimer(timeoutMs, () => resolve({ fault: `took longer than ${timeoutMs} ms` }));
  });
  try {
    return await Promise.race([Promise.resolve(returned).then((value: unknown) => ({ returned: value })), late]);
  } finally {
    stopTimer?.();
  }
}

/** The export runs in a child that is kept for the next answers, so that not every check starts Node. */
export const moduleAssertion = defineAssertion({
  summary:
    'your own check: a function that a JavaScript or TypeScript file exports, in a child process with a deadline',
  family: 'own code',
  example: 'module: { value: checks/polite.ts, args: { name: "{{name}}" } }',
  failsOn: { text: 'Hello.' },
  definition: 'your own code',
  main: 'value',
  code: 'module',
  params: z.strictObject({
    value: z.string().min(1).describe('The file, from the folder of the file that names it; no template.'),
    export: z.string().min(1).default('default').describe('The export that is called with the answer.'),
    args: argsParam,
    env: envParam,
    ...codeParams,
  }),
  async check(target, { value, export: exportName, args, env, timeout, memoryMb }, context): Promise<CheckOutcome> {
    const { code, ports } = context;
    if (ports.ownCode === undefined || code?.file === undefined) return { error: `${value} can't be run here` };
    const input = buildInput(target, args, context);
    const call = { file: code.file, exportName, envNames: env, input, timeoutMs: timeout, memoryMb };
    return readVerdict(await ports.ownCode.runModule(call), value);
  },
});

/**
 * Selects by the user's own function: its return value is checked in place of the answer. It also gets the variables of
 * the case.
 */
export async function selectByCode(
  { name, exportName, code }: SelectSpec & { kind: 'module' },
  context: CheckContext,
): Promise<Selected> {
  const { completion, ports } = context;
  const isUnknown = true;
  if (ports.ownCode === undefined || code.file === undefined)
    return { missing: `${quote(name)} can't be run here`, isUnknown };
  const given = buildInput({ kind: 'text', text: completion.text }, undefined, context);
  const input: SelectInput = { ...given, vars: context.input?.vars ?? {}, ...defined({ state: completion.state }) };
  const outcome = await ports.ownCode.runModule({
    file: code.file,
    exportName,
    input,
    timeoutMs: defaultTimeoutMs,
    memoryMb: 512,
    noun: 'value',
    maxReturnedBytes: 16 * 1024 * 1024,
  });
  if ('fault' in outcome) return { missing: `${quote(name)} ${outcome.fault}`, isUnknown };
  const { returned } = outcome;
  if (returned === undefined || returned === null) return { missing: `${quote(name)} returned nothing`, isUnknown };
  return typeof returned === 'string' ? { kind: 'text', text: returned } : { kind: 'json', value: returned };
}

export const wordsParam = z.union(
  [
    z.array(z.string().min(1)).min(1),
    z.string().transform((line, context) => {
      const words = splitCommand(line);
      if (words !== undefined && words.length > 0 && findShellSign(line) === undefined) return [...words];
      context.addIssue({ code: 'custom', message: 'names no program' });
      return z.NEVER;
    }),
  ],
  {
    error({ input }) {
      const sign = typeof input === 'string' ? findShellSign(input) : undefined;
      if (sign === undefined) return 'must be a command with closed quotes, or a list of its words';
      return `has ${sign}, which only a shell reads: write sh -c "…", or put it in quotes`;
    },
  },
);

/** Started without a shell for every answer, in the folder of the file that names it. */
export const exec = defineAssertion({
  summary: 'your own check: a program that reads the answer as JSON on stdin and writes a verdict on stdout',
  family: 'own code',
  example: 'exec: { value: "python3 checks/polite.py", args: { name: "{{name}}" } }',
  failsOn: { text: 'Hello.' },
  definition: 'your own program',
  main: 'value',
  code: 'command',
  params: z.strictObject({
    value: wordsParam.describe('The command, without a shell; no template.'),
    args: argsParam,
    env: envParam,
    ...codeParams,
  }),
  async check(target, { value, args, env, timeout, memoryMb }, context): Promise<CheckOutcome> {
    const { code, ports } = context;
    const shown = value.join(' ');
    if (ports.ownCode === undefined || code === undefined) return { error: `${shown} can't be run here` };
    const input = buildInput(target, args, context);
    const { folder } = code;
    const call = { argv: value, folder, envNames: env, input, timeoutMs: timeout, memoryMb };
    return readVerdict(await ports.ownCode.runCommand(call), shown);
  },
});

/** Checks that were written for promptfoo, as checks of llmcheck. `llmcheck import promptfoo` writes modules that call this. */
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { defined } from '../json/defined.ts';
import { tryParsePlainJson } from '../json/parse-json.ts';
import type { AssertionInput, AssertionModule, AssertionVerdict, SelectInput } from '../model/suite/own-code.ts';
import { loadTemplateEngine } from '../templates/template.ts';
import { buildFunctionBody } from '../text/code/function-body.ts';
import { describe, execFileAsync, hideMissing } from './provider.ts';
import { render } from './template.ts';

export {
  promptfooClaudeAgent,
  promptfooCodex,
  promptfooExec,
  promptfooHttp,
  promptfooProvider,
} from './provider.ts';

/** A function that was written for a `javascript` assertion. */
// oxlint-disable-next-line typescript/no-explicit-any -- JavaScript that was written without types
export type PromptfooCheck = (output: any, context: any) => unknown;

export interface PromptfooCheckOptions {
  /** The least number that passes if the function returns a number. Without it, every number above 0 passes. */
  readonly threshold?: number;
  /** True for `not-javascript`. */
  readonly inverse?: boolean;
  /** True if the provider is asked for JSON by a schema: promptfoo then gives the check the parsed answer. */
  readonly json?: boolean;
  /** True if the check selects the answer's state, which holds all that a custom provider returned. */
  readonly state?: boolean;
}

/** Calls the check as promptfoo does, and reads what it returns as promptfoo does. */
export function promptfooCheck(check: PromptfooCheck, options: PromptfooCheckOptions = {}): AssertionModule {
  return async (input) => {
    const missing: string[] = [];
    try {
      const returned = await check(readOutput(input, options), buildContext(input, options, missing));
      if (missing[0] === undefined) return readResult(returned, options);
    } catch (error) {
      // In promptfoo a check that throws fails, even if it is inverted.
      if (missing[0] === undefined) return { pass: false, reason: `the check threw ${describe(error)}` };
    }
    throw new Error(`context.${missing[0]} of promptfoo is not given here: only vars and config are`);
  };
}

/** Like `promptfooCheck`, for a function that a file exports as `name`, or as its default. */
export function promptfooFile(
  file: Readonly<Record<string, unknown>>,
  name?: string,
  options: PromptfooCheckOptions = {},
): AssertionModule {
  return promptfooCheck(findFunction(file, name), options);
}

/** The default export of CommonJS and of compiled modules may be an object with the exports. */
function findFunction(file: Readonly<Record<string, unknown>>, name: string | undefined): PromptfooCheck {
  const main = file['default'];
  const nested = typeof main === 'object' && main !== null ? (main as Readonly<Record<string, unknown>>) : {};
  const exported =
    name === undefined ? (typeof main === 'function' ? main : nested['default']) : (file[name] ?? nested[name]);
  if (typeof exported !== 'function')
    throw new TypeError(`the file exports no function${name === undefined ? '' : ` called ${name}`}`);
  return exported as PromptfooCheck;
}

/** Code that contains `{{variables}}`. Promptfoo replaces them by their values, and then runs the code. */
export function promptfooTemplate(code: string): PromptfooCheck {
  return (output: unknown, context: { readonly vars: Readonly<Record<string, string | undefined>> }) => {
    const filled = code.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => String(context.vars[name] ?? ''));
    const call = compileFunction(buildFunctionBody(filled.trimEnd()), ['output', 'context']) as PromptfooCheck;
    return call(output, context);
  };
}

/** The function that a file exports as `name`, or as its default. */
export function promptfooFunction(file: Readonly<Record<string, unknown>>, name?: string): PromptfooCheck {
  return findFunction(file, name);
}

export type PromptfooTransformOptions = Pick<PromptfooCheckOptions, 'json' | 'state'> & {
  /** True if the check takes a text: the result is then written as JSON. */
  readonly text?: boolean;
};

/** Applies the functions to an answer, each to the result of the one before it, as promptfoo does. */
export function promptfooTransform(
  steps: readonly PromptfooCheck[],
  { text = false, ...options }: PromptfooTransformOptions = {},
): (input: SelectInput) => Promise<unknown> {
  return async (input) => {
    const missing: string[] = [];
    const { metadata } = Object(input.state) as { readonly metadata?: unknown };
    const given = { vars: input.vars, ...defined({ metadata }) };
    const unknown = ['prompt', 'metadata'].filter((name) => !Object.hasOwn(given, name));
    const context = hideMissing(given, unknown, missing);
    let output = readOutput({ ...input, target: options.state === true ? (input.state ?? {}) : input.text }, options);
    for (const step of steps) {
      output = await step(output, context);
      if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to transforms`);
      if (output === undefined || output === null) throw new Error('the transform returned nothing');
    }
    return text && typeof output !== 'string' ? JSON.stringify(output) : output;
  };
}

/** A text for a judge: the context that `contextSteps` extract from an answer, and the answer after `steps`. */
export function promptfooContext(
  contextSteps: readonly PromptfooCheck[],
  steps: readonly PromptfooCheck[],
  options: PromptfooTransformOptions = {},
): (input: SelectInput) => Promise<string> {
  const extractContext = promptfooTransform(contextSteps, options);
  const transform = promptfooTransform(steps, { ...options, text: true });
  return async (input) => {
    const texts = [await extractContext(input)].flat();
    if (texts.length === 0 || !texts.every((text) => typeof text === 'string' && text !== ''))
      throw new Error('contextTransform returned no text and no list of texts');
    return `Context:\n${texts.join('\n\n')}\n\nAnswer:\n${String(await transform(input))}`;
  };
}

/** Calls a function of the Python file that the import writes beside the suite. */
export function promptfooPython(file: URL, call: string): PromptfooCheck {
  return async (output: unknown, context: unknown) => {
    const running = execFileAsync('python3', [fileURLToPath(file), call], { maxBuffer: 16 * 1024 * 1024 });
    running.child.stdin?.end(JSON.stringify({ output, context }));
    return JSON.parse((await running).stdout) as unknown;
  };
}

/** A prompt whose messages a function of the file returns. It is called as promptfoo calls it. */
export function promptfooPrompt(
  file: Readonly<Record<string, unknown>>,
  name?: string,
  config: unknown = {},
): (vars: Readonly<Record<string, unknown>>) => Promise<unknown> {
  const build = findFunction(file, name);
  return async (vars) => {
    const missing: string[] = [];
    const returned: unknown = await build(hideMissing({ vars, config }, ['provider'], missing), undefined);
    if (missing[0] !== undefined) throw new Error(`${missing[0]} of promptfoo is not given to prompts here`);
    return readPrompt(returned);
  };
}

/** A prompt whose variables `change` replaces first, as `transformVars` does. Texts are templates. */
export function promptfooVars(
  change: PromptfooCheck,
  prompt: string | readonly { readonly role: string; readonly content: string }[] | ((vars: object) => unknown),
): (vars: Readonly<Record<string, unknown>>) => Promise<unknown> {
  return async (vars) => {
    const missing: string[] = [];
    const changed: unknown = await change({ ...vars }, hideMissing({ prompt: {} }, ['uuid'], missing));
    if (missing[0] !== undefined)
      throw new Error(`context.${missing[0]} of promptfoo is not given to transformVars here`);
    if (typeof changed !== 'object' || changed === null) throw new Error('transformVars returned no variables');
    if (Object.values(changed).some((value) => typeof value === 'string' && value.startsWith('file://')))
      throw new Error('transformVars returned the name of a file, which is not read here');
    const all = { ...vars, ...changed };
    if (typeof prompt === 'function') return prompt(all);
    await loadTemplateEngine();
    if (typeof prompt === 'string') return render(prompt, all);
    return prompt.map((message) => ({ ...message, content: render(message.content, all) }));
  };
}

/** A function may return a text, a chat, a chat as a JSON text, or `{prompt}` with one of them. */
function readPrompt(returned: unknown): unknown {
  const { prompt, config } = Object(returned) as Readonly<Record<string, unknown>>;
  if (prompt !== undefined && config !== undefined)
    throw new Error('the function returned a config, which a prompt has no equivalent of here');
  const content = prompt ?? returned;
  if (typeof content !== 'string') return isChat(content) ? content : JSON.stringify(content);
  if (/\{\{|\{%/.test(content)) throw new Error('the function returned a template, which is not rendered here');
  const parsed = tryParsePlainJson(content);
  return isChat(parsed) ? parsed : content;
}

function isChat(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((message) => typeof message === 'object' && message !== null && 'role' in message)
  );
}

function readOutput({ target, text, toolCalls }: AssertionInput, { json, state }: PromptfooCheckOptions): unknown {
  if (state === true) return (Object(target) as { readonly output?: unknown }).output ?? text;
  // For an answer of tool calls without text, promptfoo gives the check the list of calls.
  if (target === '' && text === '' && toolCalls.length > 0) {
    return toolCalls.map(({ name, arguments: args }) => ({
      type: 'function',
      function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
    }));
  }
  const parsed = json === true && typeof target === 'string' ? tryParsePlainJson(target) : undefined;
  return parsed === undefined ? target : parsed;
}

/** Members of promptfoo's context that llmcheck can't give, unless an option or the test adds them. */
const unavailableNames = ['prompt', 'test', 'logProbs', 'provider', 'providerResponse', 'trace', 'metadata'];

function buildContext(input: AssertionInput, options: PromptfooCheckOptions, missing: string[]): object {
  const { vars = {}, config = {}, test } = Object(input.args) as Readonly<Record<string, unknown>>;
  const own =
    test === undefined ? {} : { test: hideMissing({ ...Object(test), vars }, ['assert', 'options'], missing) };
  const names = unavailableNames.filter((name) => !Object.hasOwn(own, name));
  if (options.state !== true) return hideMissing({ vars, config, ...own }, names, missing);
  const providerResponse = { ...(Object(input.target) as object), output: readOutput(input, options) };
  const { metadata } = providerResponse as { readonly metadata?: unknown };
  const given = { vars, config, providerResponse, ...own, ...defined({ metadata }) };
  const unknown = names.filter((name) => name !== 'providerResponse' && name !== 'metadata');
  return hideMissing(given, unknown, missing);
}

function readResult(returned: unknown, { threshold, inverse = false }: PromptfooCheckOptions): AssertionVerdict {
  if (typeof returned === 'boolean') {
    return { pass: returned !== inverse, reason: `the check returned ${returned}` };
  }
  if (typeof returned === 'number' && Number.isFinite(returned)) {
    const isEnough = threshold === undefined ? returned > 0 : returned >= threshold;
    return buildVerdict(isEnough !== inverse, returned, `the check returned ${returned}`);
  }
  if (isGrading(returned)) {
    const { pass, score, reason } = returned;
    const shown = [reason, ...describeParts(returned)].join('; ');
    // A pass of 0 that the code itself gives is a contradiction, and no verdict.
    if (pass && !inverse) return { pass, score: limit(score), reason: shown };
    return buildVerdict(pass !== inverse, score, shown);
  }
  return {
    pass: false,
    reason: `the check returned no boolean, number or {pass, score, reason}: ${describe(returned)}`,
  };
}

/** The score is not inverted with the verdict: one that says the opposite is left out. */
function buildVerdict(pass: boolean, score: number, reason: string): AssertionVerdict {
  const limited = limit(score);
  return limited === Number(!pass) ? { pass, reason } : { pass, score: limited, reason };
}

interface Grading {
  readonly pass: boolean;
  readonly score: number;
  readonly reason: string;
  readonly namedScores?: unknown;
  readonly componentResults?: unknown;
}

function isGrading(value: unknown): value is Grading {
  if (typeof value !== 'object' || value === null) return false;
  const { pass, score, reason, namedScores, componentResults } = value as Readonly<Record<string, unknown>>;
  return (
    typeof pass === 'boolean' &&
    typeof score === 'number' &&
    Number.isFinite(score) &&
    typeof reason === 'string' &&
    (namedScores === undefined || typeof namedScores === 'object') &&
    (componentResults === undefined || Array.isArray(componentResults))
  );
}

/** The reason also names the scores and the reasons of failed components. */
function describeParts({ namedScores, componentResults }: Grading): readonly string[] {
  const scores = Object.entries(Object(namedScores) as object).map(([name, score]) => `${name} ${String(score)}`);
  const components = Array.isArray(componentResults) ? (componentResults as readonly unknown[]) : [];
  const failed = components.flatMap((part) => {
    const { pass, reason } = Object(part) as { readonly pass?: unknown; readonly reason?: unknown };
    return pass === false && typeof reason === 'string' ? [reason] : [];
  });
  return [...scores, ...failed];
}

/** Scores in promptfoo have no limits; here they are from 0 to 1. */
function limit(score: number): number {
  return Math.min(1, Math.max(0, score));
}

/** Checks that were written for promptfoo, as checks of llmcheck. `llmcheck import promptfoo` writes modules that call this. */
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { defined } from '../json/defined.ts';
import type { AssertionInput, AssertionModule, AssertionVerdict, SelectInput } from '../model/suite/own-code.ts';
import { loadTemplateEngine } from '../templates/template.ts';
import { attemptOr } from '../text/attempt.ts';
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
  /** A number that the function returns passes from here on; without it, above 0. */
  readonly threshold?: number;
  /** True for `not-javascript`. */
  readonly inverse?: boolean;
  /** True where promptfoo gives the check the answer's JSON: the provider is asked for a schema. */
  readonly json?: boolean;
  /** True where the check selects the state, which has all that a provider of one's own returned. */
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
      // What throws is a failed check there, whether inverted or not.
      if (missing[0] === undefined) return { pass: false, reason: `the check threw ${describe(error)}` };
    }
    throw new Error(`context.${missing[0]} of promptfoo is not given here: only vars and config are`);
  };
}

/** The same for a file: its function of that name, or the one that is the module. */
export function promptfooFile(
  file: Readonly<Record<string, unknown>>,
  name?: string,
  options: PromptfooCheckOptions = {},
): AssertionModule {
  return promptfooCheck(findFunction(file, name), options);
}

function findFunction(file: Readonly<Record<string, unknown>>, name: string | undefined): PromptfooCheck {
  const whole = file['default'];
  const inner = typeof whole === 'object' && whole !== null ? (whole as Readonly<Record<string, unknown>>) : {};
  const found =
    name === undefined ? (typeof whole === 'function' ? whole : inner['default']) : (file[name] ?? inner[name]);
  if (typeof found !== 'function')
    throw new TypeError(`the file exports no function${name === undefined ? '' : ` called ${name}`}`);
  return found as PromptfooCheck;
}

/** Code with names of variables in it: promptfoo fills their values in, and then calls what that makes. */
export function promptfooTemplate(code: string): PromptfooCheck {
  return (output: unknown, context: { readonly vars: Readonly<Record<string, string | undefined>> }) => {
    const filled = code.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => String(context.vars[name] ?? ''));
    const call = compileFunction(buildFunctionBody(filled.trimEnd()), ['output', 'context']) as PromptfooCheck;
    return call(output, context);
  };
}

/** The function of that name that a file exports, or the one that the file is. */
export function promptfooFunction(file: Readonly<Record<string, unknown>>, name?: string): PromptfooCheck {
  return findFunction(file, name);
}

/** `text` where a check of texts gets the value. */
export type PromptfooTransformOptions = Pick<PromptfooCheckOptions, 'json' | 'state'> & { readonly text?: boolean };

/** Makes of an answer what these functions make of it in turn, as promptfoo does. */
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

/** A text for a judge: the context that the first functions find in an answer, and the answer that the others leave. */
export function promptfooContext(
  finding: readonly PromptfooCheck[],
  steps: readonly PromptfooCheck[],
  options: PromptfooTransformOptions = {},
): (input: SelectInput) => Promise<string> {
  const [find, make] = [promptfooTransform(finding, options), promptfooTransform(steps, { ...options, text: true })];
  return async (input) => {
    const texts = [await find(input)].flat();
    if (texts.length === 0 || !texts.every((text) => typeof text === 'string' && text !== ''))
      throw new Error('contextTransform returned no text and no list of texts');
    return `Context:\n${texts.join('\n\n')}\n\nAnswer:\n${String(await make(input))}`;
  };
}

/** A function of the Python file that is written beside the suite. */
export function promptfooPython(file: URL, call: string): PromptfooCheck {
  return async (output: unknown, context: unknown) => {
    const running = execFileAsync('python3', [fileURLToPath(file), call], { maxBuffer: 16 * 1024 * 1024 });
    running.child.stdin?.end(JSON.stringify({ output, context }));
    return JSON.parse((await running).stdout) as unknown;
  };
}

/** Makes a prompt of the function that a file exports, and calls it as promptfoo does. */
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

/** Makes a prompt of what the first function makes of the variables of a test. Texts are templates. */
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

/** A text, which may hold a chat as JSON, a chat, or `{prompt}` of either. */
function readPrompt(returned: unknown): unknown {
  const { prompt, config } = Object(returned) as Readonly<Record<string, unknown>>;
  if (prompt !== undefined && config !== undefined)
    throw new Error('the function returned a config, which a prompt has no equivalent of here');
  const made = prompt ?? returned;
  if (typeof made !== 'string') return isChat(made) ? made : JSON.stringify(made);
  if (/\{\{|\{%/.test(made)) throw new Error('the function returned a template, which is not rendered here');
  const parsed = parseJson(made);
  return isChat(parsed) ? parsed : made;
}

function isChat(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((message) => typeof message === 'object' && message !== null && 'role' in message)
  );
}

/** The value of a JSON text; the text itself where it is none. */
function parseJson(text: string): unknown {
  return attemptOr((): unknown => JSON.parse(text), SyntaxError, text);
}

function readOutput({ target, text, toolCalls }: AssertionInput, { json, state }: PromptfooCheckOptions): unknown {
  if (state === true) return (Object(target) as { readonly output?: unknown }).output ?? text;
  // An answer of calls alone is the list of them there.
  if (target === '' && text === '' && toolCalls.length > 0) {
    return toolCalls.map(({ name, arguments: args }) => ({
      type: 'function',
      function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
    }));
  }
  return json === true && typeof target === 'string' ? parseJson(target) : target;
}

const MISSING = ['prompt', 'test', 'logProbs', 'provider', 'providerResponse', 'trace', 'metadata'];

function buildContext(input: AssertionInput, options: PromptfooCheckOptions, missing: string[]): object {
  const { vars = {}, config = {}, test } = Object(input.args) as Readonly<Record<string, unknown>>;
  const own =
    test === undefined ? {} : { test: hideMissing({ ...Object(test), vars }, ['assert', 'options'], missing) };
  const names = MISSING.filter((name) => !Object.hasOwn(own, name));
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
    return { pass: isEnough !== inverse, score: limit(returned), reason: `the check returned ${returned}` };
  }
  if (isGrading(returned)) {
    const { pass, score, reason } = returned;
    return { pass: pass !== inverse, score: limit(score), reason: [reason, ...describeParts(returned)].join('; ') };
  }
  return {
    pass: false,
    reason: `the check returned no boolean, number or {pass, score, reason}: ${describe(returned)}`,
  };
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

/** Named scores and the components that failed are part of the reason. */
function describeParts({ namedScores, componentResults }: Grading): readonly string[] {
  const scores = Object.entries(Object(namedScores) as object).map(([name, score]) => `${name} ${String(score)}`);
  const components = Array.isArray(componentResults) ? (componentResults as readonly unknown[]) : [];
  const failed = components.flatMap((part) => {
    const { pass, reason } = Object(part) as { readonly pass?: unknown; readonly reason?: unknown };
    return pass === false && typeof reason === 'string' ? [reason] : [];
  });
  return [...scores, ...failed];
}

/** A score is from 0 to 1 here. */
function limit(score: number): number {
  return Math.min(1, Math.max(0, score));
}

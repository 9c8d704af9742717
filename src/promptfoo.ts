/** Checks that were written for promptfoo, as checks of llmcheck. `llmcheck import promptfoo` writes modules that call this. */
import { execFile } from 'node:child_process';
import { chdir } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { AssertionInput, AssertionModule, AssertionVerdict, SelectInput } from './model/own-code.ts';
import { askClaudeAgent } from './promptfoo-agent.ts';
import type { PromptfooHttpCode, PromptfooRequest } from './promptfoo-http.ts';

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

/** A request as `module` providers are given it. */
interface ModuleRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly vars?: Readonly<Record<string, unknown>>;
}

interface ProviderOptions {
  readonly id: string;
  readonly label?: string;
  readonly config?: unknown;
  /** True where checks see all that the provider returns, as the state of its answer. */
  readonly state?: boolean;
}

/** Makes a provider of the class that a file exports, and asks it as promptfoo does. */
export function promptfooProvider(
  file: Readonly<Record<string, unknown>>,
  { state = false, ...options }: ProviderOptions,
  folder?: URL,
): (request: ModuleRequest) => Promise<object> {
  const Provider = findDefault(file);
  let provider: { callApi(prompt: string, context: object): unknown } | undefined;
  return async (request) => {
    // The child serves providers of this config alone.
    if (folder !== undefined) chdir(fileURLToPath(folder));
    provider ??= Reflect.construct(Provider, [options]) as NonNullable<typeof provider>;
    const { prompt, context, missing } = readRequest(request);
    const returned = await provider.callApi(prompt, context);
    if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to providers here`);
    return readResponse(returned, state);
  };
}

/** Runs a program with the prompt, its options and the context as its last arguments, as promptfoo does. */
export function promptfooExec(
  words: readonly string[],
  { state = false, ...options }: ProviderOptions,
  folder: URL,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    const { prompt, context } = readRequest(request);
    const [program = '', ...args] = words;
    const last = [prompt, JSON.stringify(options), JSON.stringify(context)];
    const running = execFileAsync(program, [...args, ...last], {
      cwd: fileURLToPath(folder),
      maxBuffer: 16 * 1024 * 1024,
    });
    running.child.stdin?.end();
    const { stdout, stderr } = await running;
    const output = stripVTControlCharacters(stdout).trim();
    if (output === '' && stderr.trim() !== '') throw new Error(stripVTControlCharacters(stderr).trim());
    return readResponse({ output }, state);
  };
}

/** Asks Claude's agent SDK, which `load` imports, with these options of it. Its run is the answer's steps. */
export function promptfooClaudeAgent(
  load: () => Promise<unknown>,
  { state = false, options }: { readonly state?: boolean; readonly options: Readonly<Record<string, unknown>> },
  folder: URL,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    chdir(fileURLToPath(folder));
    const { messages, ...response } = await askClaudeAgent(load, options, readRequest(request).prompt);
    // A run without an answer says why itself.
    if (response['output'] === undefined) return { messages };
    return {
      ...readResponse({ ...response, tokenUsage: undefined }, false),
      messages,
      ...(state ? { state: buildState(response) } : {}),
    };
  };
}

const execFileAsync = promisify(execFile);

/** Asks a server as the http provider does, and takes of the reply what its code makes of it. */
export function promptfooHttp(
  config: PromptfooRequest,
  code: PromptfooHttpCode = {},
  state = false,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    // Modules that only check need no client.
    const { askHttp } = await import('./promptfoo-http.ts');
    const { prompt, context, missing } = readRequest(request);
    const returned = await askHttp(config, code, { prompt, vars: request.vars ?? {}, context });
    if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to providers here`);
    return readResponse(returned, state);
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
    const given = { vars: input.vars, ...(metadata === undefined ? {} : { metadata }) };
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

/** A function of the Python file that is written beside the suite. */
export function promptfooPython(file: URL, call: string): PromptfooCheck {
  return async (output: unknown, context: unknown) => {
    const running = execFileAsync('python3', [fileURLToPath(file), call], { maxBuffer: 16 * 1024 * 1024 });
    running.child.stdin?.end(JSON.stringify({ output, context }));
    return JSON.parse((await running).stdout) as unknown;
  };
}

/** Several messages are one JSON text there. */
function readRequest({ messages, vars }: ModuleRequest) {
  const [only] = messages;
  const chat = JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
  const prompt = messages.length === 1 && only !== undefined ? only.content : chat;
  const missing: string[] = [];
  const given = { prompt: { raw: prompt, label: prompt }, ...(vars === undefined ? {} : { vars }) };
  const unknown = ['vars', 'test', 'filters'].filter((name) => !Object.hasOwn(given, name));
  return { prompt, context: hideMissing(given, unknown, missing), missing };
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
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** `{output, error, tokenUsage}` as an answer. */
function readResponse(returned: unknown, keepsState: boolean): object {
  const { output, error, tokenUsage } = Object(returned) as Readonly<Record<string, unknown>>;
  if (error !== undefined && error !== null && error !== '')
    throw new Error(typeof error === 'string' ? error : describe(error));
  if (output === undefined) throw new Error('the provider returned no output');
  const { prompt, completion } = Object(tokenUsage) as Readonly<Record<string, unknown>>;
  const isCounted = typeof prompt === 'number' && typeof completion === 'number';
  return {
    text: typeof output === 'string' ? output : JSON.stringify(output),
    ...(keepsState ? { state: buildState(returned) } : {}),
    ...(isCounted ? { usage: { inputTokens: prompt, outputTokens: completion } } : {}),
  };
}

/** All that was returned, as JSON; a text is the answer's own. */
function buildState(returned: unknown): unknown {
  const { output, ...rest } = Object(returned) as Readonly<Record<string, unknown>>;
  return JSON.parse(JSON.stringify(typeof output === 'string' ? rest : { ...rest, output })) as unknown;
}

/** The function or class that a file is: CommonJS and compiled modules nest it. */
function findDefault(file: Readonly<Record<string, unknown>>): () => unknown {
  const whole = file['default'];
  const inner = typeof whole === 'object' && whole !== null ? (whole as { readonly default?: unknown }).default : whole;
  if (typeof inner !== 'function') throw new TypeError('the file exports no function or class as its default');
  return inner as () => unknown;
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
  const { vars = {}, config = {} } = Object(input.args) as { readonly vars?: unknown; readonly config?: unknown };
  if (options.state !== true) return hideMissing({ vars, config }, MISSING, missing);
  const providerResponse = { ...(Object(input.target) as object), output: readOutput(input, options) };
  const { metadata } = providerResponse as { readonly metadata?: unknown };
  const given = { vars, config, providerResponse, ...(metadata === undefined ? {} : { metadata }) };
  const unknown = MISSING.filter((name) => name !== 'providerResponse' && name !== 'metadata');
  return hideMissing(given, unknown, missing);
}

/** What is not known here must not be undefined in silence: the names that are read are put into `missing`. */
function hideMissing(context: object, names: readonly string[], missing: string[]): object {
  return new Proxy(context, {
    get(target, key) {
      if (typeof key === 'string' && names.includes(key)) missing.push(key);
      return Reflect.get(target, key) as unknown;
    },
  });
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

function describe(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : String(JSON.stringify(value)).slice(0, 120);
}

/** Providers that were written for promptfoo: code, programs, agents and servers. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { defined } from '../json/defined.ts';
import { askClaudeAgent, askCodex, type CodexOptions } from './agent.ts';
import type { PromptfooHttpCode, PromptfooRequest } from './http.ts';

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

/** Packages such as graceful-fs put their own `chdir` in the place of Node's, and remember the folder. */
function enter(folder: URL): void {
  process.chdir(fileURLToPath(folder));
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
    if (folder !== undefined) enter(folder);
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

/** Asks the Codex SDK, which `load` imports, with these options of it. Its run is the answer's steps. */
export function promptfooCodex(
  load: () => Promise<unknown>,
  options: CodexOptions,
  folder: URL,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    enter(folder);
    return { messages: await askCodex(load, options, readRequest(request).prompt) };
  };
}

/** Asks Claude's agent SDK, which `load` imports, with these options of it. Its run is the answer's steps. */
export function promptfooClaudeAgent(
  load: () => Promise<unknown>,
  { state = false, options }: { readonly state?: boolean; readonly options: Readonly<Record<string, unknown>> },
  folder: URL,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    enter(folder);
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

export const execFileAsync = promisify(execFile);

/** Asks a server as the http provider does, and takes of the reply what its code makes of it. */
export function promptfooHttp(
  config: PromptfooRequest,
  code: PromptfooHttpCode = {},
  state = false,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    // Modules that only check need no client.
    const { askHttp } = await import('./http.ts');
    const { prompt, context, missing } = readRequest(request);
    const returned = await askHttp(config, code, { prompt, vars: request.vars ?? {}, context });
    if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to providers here`);
    return readResponse(returned, state);
  };
}

/** Several messages are one JSON text there. */
function readRequest({ messages, vars }: ModuleRequest) {
  const [only] = messages;
  const chat = JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
  const prompt = messages.length === 1 && only !== undefined ? only.content : chat;
  const missing: string[] = [];
  const given = { prompt: { raw: prompt, label: prompt }, ...defined({ vars }) };
  const unknown = ['vars', 'test', 'filters'].filter((name) => !Object.hasOwn(given, name));
  return { prompt, context: hideMissing(given, unknown, missing), missing };
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

/** What is not known here must not be undefined in silence: the names that are read are put into `missing`. */
export function hideMissing(context: object, names: readonly string[], missing: string[]): object {
  return new Proxy(context, {
    get(target, key) {
      if (typeof key === 'string' && names.includes(key)) missing.push(key);
      return Reflect.get(target, key) as unknown;
    },
  });
}

export function describe(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : String(JSON.stringify(value)).slice(0, 120);
}

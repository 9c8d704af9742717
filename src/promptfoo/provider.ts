/** Providers that were written for promptfoo: code, programs, agents and servers. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { defined } from '../json/defined.ts';
import { askClaudeAgent, askCodex, type CodexOptions } from './agent.ts';
import type { PromptfooHttpCode, PromptfooRequest } from './http.ts';

/** The request that a `module` provider receives. */
interface ModuleRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly vars?: Readonly<Record<string, unknown>>;
}

interface ProviderOptions {
  readonly id: string;
  readonly label?: string;
  readonly config?: unknown;
  /** True if checks read all that the provider returns, as the answer's state. */
  readonly state?: boolean;
}

/** Calls `process.chdir` rather than an import: graceful-fs replaces that member to remember the folder. */
function enter(folder: URL): void {
  process.chdir(fileURLToPath(folder));
}

/** A provider of the class that a file exports. It is constructed and called as promptfoo does. */
export function promptfooProvider(
  file: Readonly<Record<string, unknown>>,
  { state = false, ...options }: ProviderOptions,
  folder?: URL,
): (request: ModuleRequest) => Promise<object> {
  const Provider = findDefault(file);
  let provider: { callApi(prompt: string, context: object): unknown } | undefined;
  return async (request) => {
    // The child process runs only providers of one config, so that its folder may change.
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

/** Asks the Codex SDK, which `load` imports, with these SDK options. The run becomes the answer's steps. */
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

/** Asks Claude's agent SDK, which `load` imports, with these SDK options. The run becomes the answer's steps. */
export function promptfooClaudeAgent(
  load: () => Promise<unknown>,
  { state = false, options }: { readonly state?: boolean; readonly options: Readonly<Record<string, unknown>> },
  folder: URL,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    enter(folder);
    const { messages, ...response } = await askClaudeAgent(load, options, readRequest(request).prompt);
    // The messages of a run without an answer say why it has none.
    if (response['output'] === undefined) return { messages };
    return {
      ...readResponse({ ...response, tokenUsage: undefined }, false),
      messages,
      ...defined({ state: state ? buildState(response) : undefined }),
    };
  };
}

export const execFileAsync = promisify(execFile);

/** Sends a request as promptfoo's http provider does. The config's code may read the answer from the reply. */
export function promptfooHttp(
  config: PromptfooRequest,
  code: PromptfooHttpCode = {},
  state = false,
): (request: ModuleRequest) => Promise<object> {
  return async (request) => {
    // Imported late, because modules with checks alone need no HTTP client.
    const { askHttp } = await import('./http.ts');
    const { prompt, context, missing } = readRequest(request);
    const returned = await askHttp(config, code, { prompt, vars: request.vars ?? {}, context });
    if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to providers here`);
    return readResponse(returned, state);
  };
}

/** Promptfoo's prompt is one text: several messages are written as JSON. */
function readRequest({ messages, vars }: ModuleRequest) {
  const [only] = messages;
  const chat = JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
  const prompt = messages.length === 1 && only !== undefined ? only.content : chat;
  const missing: string[] = [];
  const given = { prompt: { raw: prompt, label: prompt }, ...defined({ vars }) };
  const unknown = ['vars', 'test', 'filters'].filter((name) => !Object.hasOwn(given, name));
  return { prompt, context: hideMissing(given, unknown, missing), missing };
}

/** Turns promptfoo's `{output, error, tokenUsage}` into an answer. */
function readResponse(returned: unknown, keepsState: boolean): object {
  const { output, error, tokenUsage } = Object(returned) as Readonly<Record<string, unknown>>;
  if (error !== undefined && error !== null && error !== '')
    throw new Error(typeof error === 'string' ? error : describe(error));
  if (output === undefined) throw new Error('the provider returned no output');
  const { prompt, completion } = Object(tokenUsage) as Readonly<Record<string, unknown>>;
  const isCounted = typeof prompt === 'number' && typeof completion === 'number';
  return {
    text: typeof output === 'string' ? output : JSON.stringify(output),
    ...defined({
      state: keepsState ? buildState(returned) : undefined,
      usage: isCounted ? { inputTokens: prompt, outputTokens: completion } : undefined,
    }),
  };
}

/** All that was returned, as JSON. An `output` of text is left out, because it is the answer's text. */
function buildState(returned: unknown): unknown {
  const { output, ...rest } = Object(returned) as Readonly<Record<string, unknown>>;
  return JSON.parse(JSON.stringify(typeof output === 'string' ? rest : { ...rest, output })) as unknown;
}

/** The function or class that a file exports as its default. CommonJS and compiled modules nest it in an object. */
function findDefault(file: Readonly<Record<string, unknown>>): () => unknown {
  const main = file['default'];
  const exported = typeof main === 'object' && main !== null ? (main as { readonly default?: unknown }).default : main;
  if (typeof exported !== 'function') throw new TypeError('the file exports no function or class as its default');
  return exported as () => unknown;
}

/** Notes in `missing` which of these names code reads. Without that, code would use `undefined` and seem to work. */
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

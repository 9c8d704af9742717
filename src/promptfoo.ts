/** Checks that were written for promptfoo, as checks of llmcheck. `llmcheck import promptfoo` writes modules that call this. */
import type { AssertionInput, AssertionModule, AssertionVerdict } from './model/own-code.ts';

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
}

/** Calls the check as promptfoo does, and reads what it returns as promptfoo does. */
export function promptfooCheck(check: PromptfooCheck, options: PromptfooCheckOptions = {}): AssertionModule {
  return async (input) => {
    const missing: string[] = [];
    try {
      const returned = await check(readOutput(input, options), buildContext(input, missing));
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
  const whole = file['default'];
  const inner = typeof whole === 'object' && whole !== null ? (whole as Readonly<Record<string, unknown>>) : {};
  const found =
    name === undefined ? (typeof whole === 'function' ? whole : inner['default']) : (file[name] ?? inner[name]);
  if (typeof found !== 'function')
    throw new TypeError(`the file exports no function${name === undefined ? '' : ` called ${name}`}`);
  return promptfooCheck(found as PromptfooCheck, options);
}

/** A request as `module` providers are given it. */
interface ModuleRequest {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Makes a provider of the class that a file exports, and asks it as promptfoo does. */
export function promptfooProvider(
  file: Readonly<Record<string, unknown>>,
  options: { readonly id: string; readonly label?: string; readonly config?: unknown },
): (request: ModuleRequest) => Promise<object> {
  const Provider = findDefault(file);
  let provider: { callApi(prompt: string, context: object): unknown } | undefined;
  return async ({ messages }) => {
    provider ??= Reflect.construct(Provider, [options]) as NonNullable<typeof provider>;
    const [only] = messages;
    const chat = JSON.stringify(messages.map(({ role, content }) => ({ role, content })));
    const prompt = messages.length === 1 && only !== undefined ? only.content : chat;
    const missing: string[] = [];
    const context = hideMissing({ prompt: { raw: prompt, label: prompt } }, ['vars', 'test', 'filters'], missing);
    const returned = await provider.callApi(prompt, context);
    if (missing[0] !== undefined) throw new Error(`context.${missing[0]} of promptfoo is not given to providers here`);
    return readResponse(returned);
  };
}

/** `{output, error, tokenUsage}` as an answer. */
function readResponse(returned: unknown): object {
  const { output, error, tokenUsage } = Object(returned) as Readonly<Record<string, unknown>>;
  if (error !== undefined && error !== null && error !== '')
    throw new Error(typeof error === 'string' ? error : describe(error));
  if (output === undefined) throw new Error('the provider returned no output');
  const { prompt, completion } = Object(tokenUsage) as Readonly<Record<string, unknown>>;
  const isCounted = typeof prompt === 'number' && typeof completion === 'number';
  return {
    text: typeof output === 'string' ? output : JSON.stringify(output),
    ...(isCounted ? { usage: { inputTokens: prompt, outputTokens: completion } } : {}),
  };
}

/** The function or class that a file is: CommonJS and compiled modules nest it. */
function findDefault(file: Readonly<Record<string, unknown>>): () => unknown {
  const whole = file['default'];
  const inner = typeof whole === 'object' && whole !== null ? (whole as { readonly default?: unknown }).default : whole;
  if (typeof inner !== 'function') throw new TypeError('the file exports no function or class as its default');
  return inner as () => unknown;
}

function readOutput({ target, text, toolCalls }: AssertionInput, { json }: PromptfooCheckOptions): unknown {
  // An answer of calls alone is the list of them there.
  if (target === '' && text === '' && toolCalls.length > 0) {
    return toolCalls.map(({ name, arguments: args }) => ({
      type: 'function',
      function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
    }));
  }
  if (json !== true || typeof target !== 'string') return target;
  try {
    return JSON.parse(target) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return target;
    throw error;
  }
}

const MISSING = ['prompt', 'test', 'logProbs', 'provider', 'providerResponse', 'trace', 'metadata'];

function buildContext({ args }: AssertionInput, missing: string[]): object {
  const { vars = {}, config = {} } = Object(args) as { readonly vars?: unknown; readonly config?: unknown };
  return hideMissing({ vars, config }, MISSING, missing);
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

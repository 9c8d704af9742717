import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Problem, ProblemCode, SourceLocation } from '../model/problem.ts';
import type { PromptModel } from '../model/suite/prompt-file.ts';
import { TemplateError } from '../templates/template-error.ts';
import { createLineIndex, type Position } from '../text/line-index.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { describeLongNumber, findLongNumbers, longNumberHint, toJson } from '../text/yaml/exact-numbers.ts';
import { parseYaml, type YamlText } from '../text/yaml/yaml-text.ts';

type Path = readonly PropertyKey[];

/** Text of a prompt file, which collects problems with their places. */
export interface PromptText {
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly at: (path: Path, part?: 'key' | 'value') => SourceLocation;
  /** Maps a position within the text at a path to one in the file. */
  readonly within: (path: Path, line: number, column: number) => Position;
  readonly report: Say;
  readonly warn: Say;
  /** Runs a template reader; undefined after a template error, which is reported. */
  readonly attempt: <T>(read: () => T, locate: (line: number, column: number) => Position) => T | undefined;
  readonly locationOf: (position: Position) => SourceLocation;
}

/** A prompt file in a format with data beside the text. */
export interface PromptDocument extends PromptText {
  /** The data; undefined if unreadable, which is reported. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

type Say = (code: ProblemCode, message: string, at: SourceLocation, hint?: string) => void;

/** Opens a text and reports the syntax errors of its YAML or JSON part, which begins at `start`. */
export function openText(path: string, text: string, data: YamlText, start = 0): PromptText {
  const lines = createLineIndex(text);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const locationOf = (position: Position): SourceLocation => ({
    file: path,
    ...position,
    excerpt: lines.excerptAround(position),
  });
  const atOffset = (offset: number) => locationOf(lines.positionAt(start + offset));
  const report: Say = (code, message, at, hint) =>
    void problems.push({ code, severity: 'error', message, at, ...defined({ hint }) });
  for (const { message, offset, hint } of data.errors) report('syntax', message, atOffset(offset), hint);
  return {
    path,
    problems,
    warnings,
    locationOf,
    at: (keys, part = 'value') => atOffset(data.find(keys, part)),
    within: (keys, line, column) => lines.positionAt(start + data.findWithin(keys, line, column)),
    report,
    warn: (code, message, at, hint) =>
      void warnings.push({ code, severity: 'warning', message, at, ...defined({ hint }) }),
    attempt(read, locate) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        report('invalid-template', error.message, locationOf(locate(error.line ?? 1, error.column ?? 1)), error.hint);
        return undefined;
      }
    },
  };
}

/** Opens a prompt file. `data` is its YAML part, which begins at `start`. */
export function openDocument(path: string, text: string, data = text, start = 0): PromptDocument {
  const yaml = parseYaml(data);
  const value = yaml.errors.length > 0 ? undefined : readRoot(yaml.value);
  const document = { ...openText(path, text, yaml, start), value };
  if (yaml.errors.length === 0 && value === undefined) {
    const at = document.locationOf(createLineIndex(text).positionAt(start));
    document.report('invalid-value', 'the data of a prompt file must be a map of keys', at);
  }
  for (const { path: keys, number } of findLongNumbers(value)) {
    // Test data become variables, which keep all digits.
    if (keys[0] === 'testData') continue;
    document.report('invalid-value', describeLongNumber(number), document.at(keys), longNumberHint);
  }
  return document;
}

export function reportUnknownKeys(
  { report, at }: PromptText,
  path: Path,
  value: object,
  noun: string,
  known: readonly string[],
): void {
  for (const key of Object.keys(value).filter((other) => !known.includes(other))) {
    const hint = didYouMean(key, known) ?? `known here: ${known.join(', ')}`;
    report('unknown-key', `unknown key "${key}" in ${noun}`, at([...path, key], 'key'), hint);
  }
}

/** Reads the data. Nothing between the marks means no data. */
function readRoot(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === null || value === undefined) return {};
  return isRecord(value) ? value : undefined;
}

/** Reads an optional text. Reports any other value. */
export function readText(document: PromptDocument, path: Path, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  document.report('invalid-value', `${String(path.at(-1))} must be a text`, document.at(path));
  return undefined;
}

/** Name of the value at a path: a key, or an entry of a list. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  return typeof last === 'number' ? `an entry of ${String(path.at(-2))}` : String(last);
}

/** Reads an optional map. Reports any other value. */
export function readMap(
  document: PromptDocument,
  path: Path,
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (isRecord(value)) return value;
  document.report('invalid-value', `${nameOf(path)} must be a map`, document.at(path));
  return undefined;
}

/** Names of parameters in the formats and in Chat Completions. Adapters translate the latter for their API. */
const paramNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    maxTokens: 'max_tokens',
    maxOutputTokens: 'max_tokens',
    maxCompletionTokens: 'max_completion_tokens',
    topP: 'top_p',
    topK: 'top_k',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    stopSequences: 'stop',
    allowMultipleToolCalls: 'parallel_tool_calls',
  }),
);

/** Renames parameters to the names of Chat Completions. Unknown ones keep their names. */
export function renameParams(params: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [paramNames.get(key) ?? key, toJson(value)]));
}

/** Adapters by publisher, in the spelling of GitHub, Genkit and Prompty. */
const adapterOf: ReadonlyMap<string, string> = new Map(
  Object.entries({
    openai: 'openai',
    azure: 'azure',
    azure_openai: 'azure',
    foundry: 'azure',
    anthropic: 'anthropic',
    google: 'gemini',
    googleai: 'gemini',
    gemini: 'gemini',
    vertexai: 'vertex',
    mistral: 'mistral',
    'mistral-ai': 'mistral',
    cohere: 'cohere',
    deepseek: 'deepseek',
    xai: 'xai',
    groq: 'groq',
    ollama: 'ollama',
    openrouter: 'openrouter',
    together: 'together',
    bedrock: 'bedrock',
  }),
);

/** Finds the model of `publisher/model`, or an OpenAI model without publisher, as in older files. */
export function findModel(written: string, at: SourceLocation): PromptModel {
  const slash = written.indexOf('/');
  const publisher = slash === -1 ? undefined : written.slice(0, slash);
  if (publisher === undefined) return buildModel(written, isOpenai(written) ? 'openai' : undefined, written, at);
  return buildModel(written, adapterOf.get(publisher.toLowerCase()), written.slice(slash + 1), at);
}

/** Finds a model whose vendor is under a separate key. */
export function findVendorModel(vendor: string, model: string, at: SourceLocation): PromptModel {
  return buildModel(model, adapterOf.get(vendor.toLowerCase()), model, at);
}

function buildModel(written: string, adapter: string | undefined, model: string, at: SourceLocation): PromptModel {
  if (adapter !== undefined && model !== '') return { written, use: `${adapter}:${model}`, at };
  return {
    written,
    hint: `name a provider in the suite, or one with id: ${written} in the config`,
    at,
  };
}

function isOpenai(model: string): boolean {
  return /^(?:gpt-|chatgpt-|o\d)/i.test(model);
}

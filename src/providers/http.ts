import * as z from 'zod';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { compileJsonPath, jsonPathParam } from '../json/json-path.ts';
import type { FinishReason, ToolCall, Usage } from '../model/run/completion.ts';
import { compileTemplate, isTemplate, renderValue } from '../templates/template.ts';
import { TemplateError } from '../templates/template-error.ts';
import { rootOf } from '../templates/template-values.ts';
import { attempt } from '../text/attempt.ts';
import { DeadlineError, runWithDeadline } from '../text/deadline.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type Answer, buildToolCall, count, filtered, malformed, refuseLostCalls } from './answer.ts';
import { kindOfApiError } from './failures/classify-failure.ts';
import { describeText, readApiError } from './failures/read-api-error.ts';
import { defineHttpAdapter, type HttpFormat } from './http-adapter.ts';
import { mapFinishReason } from './openai/dialect.ts';
import { joinSystem, type OutgoingRequest } from './outgoing-request.ts';

const optionalPath = jsonPathParam.exactOptional();

/** JSONPath of each part of the answer's body. */
const response = z.strictObject({
  text: optionalPath.describe("The answer's text."),
  reasoning: optionalPath.describe('Its reasoning.'),
  refusal: optionalPath.describe('A refusal.'),
  toolCalls: optionalPath.describe('A list of tool calls; name, arguments and id are looked up in each.'),
  toolName: jsonPathParam.default('$.name').describe('The name within a tool call.'),
  toolArguments: jsonPathParam.default('$.arguments').describe('The arguments within a tool call.'),
  toolId: jsonPathParam.default('$.id').describe('The id within a tool call.'),
  finishReason: optionalPath.describe('Why the model stopped.'),
  inputTokens: optionalPath.describe('All input tokens.'),
  outputTokens: optionalPath.describe('All output tokens.'),
  cachedInputTokens: optionalPath.describe("Input tokens read from the provider's cache."),
  cacheWriteTokens: optionalPath.describe("Input tokens written to the provider's cache."),
  reasoningTokens: optionalPath.describe('Output tokens that are reasoning.'),
  model: optionalPath.describe('The model that answered.'),
  responseId: optionalPath.describe("The answer's id."),
  error: optionalPath.describe('If this path selects something, the answer is an error.'),
});

type ResponsePaths = z.output<typeof response>;

/** Variables that a request template can read. */
const variables: readonly string[] = ['model', 'prompt', 'system', 'messages', 'params', 'trial', 'vars'];

const request = z
  .unknown()
  .superRefine((value, context) => {
    for (const problem of listTemplates(value).flatMap(findProblems))
      context.addIssue({ code: 'custom', message: problem });
  })
  .describe('The body, JSON whose strings are templates over model, prompt, system, messages, params, trial and vars.');

export const httpOptions = z.strictObject({
  request: request.default({ prompt: '{{ prompt }}' }),
  response: response.default({
    text: '$.text',
    toolName: '$.name',
    toolArguments: '$.arguments',
    toolId: '$.id',
  }),
});

function listTemplates(value: unknown): readonly string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(listTemplates);
  return typeof value === 'string' && isTemplate(value) ? [value] : [];
}

/** Names of case variables in a template: `ticket` for `{{ vars.ticket }}`. */
function findVars(value: unknown): readonly string[] {
  return [...new Set(listVariables(value).flatMap((path) => /^vars\.([^.[]+)/.exec(path)?.[1] ?? []))];
}

/** Roots of all variables in a template, such as `messages`. */
function findParts(value: unknown): ReadonlySet<string> {
  return new Set(listVariables(value).map(rootOf));
}

function listVariables(value: unknown): readonly string[] {
  return listTemplates(value).flatMap((source) => compileTemplate(source).variables);
}

function findProblems(source: string): readonly string[] {
  const template = attempt(() => compileTemplate(source), TemplateError);
  if (template instanceof TemplateError) return [template.message];
  return template.variables.flatMap((path) => {
    const root = rootOf(path);
    return variables.includes(root) ? [] : [`"${path}" is not a part of a request: ${variables.join(', ')}`];
  });
}

export const http = defineHttpAdapter({
  summary: 'any JSON endpoint: the request by a template, the answer by JSONPath',
  example: 'http:my-app',
  // The template and the paths determine the answer, so they are part of the version.
  version: ({ options }) => `http-2:${sha256Hex(JSON.stringify(httpOptions.parse(options))).slice(0, 12)}`,
  options: httpOptions,
  presetOf: () => ({ title: 'a JSON endpoint', exampleModel: 'my-app', priceProvider: 'http' }),
  varsOf({ options }) {
    const names = findVars(httpOptions.parse(options).request);
    return names.length === 0 ? undefined : names;
  },
  readsOf: ({ options }) => findParts(httpOptions.parse(options).request),
  formatOf: ({ options }) => createHttpFormat(httpOptions.parse(options)),
});

/** Time limit per query: a path may visit the same nodes many times. */
const queryLimitMs = 1000;

/** Returns the values at a path, without nulls. */
type Query = (root: unknown) => readonly unknown[];

/** Builds a format from the user's template for requests and paths for answers. */
function createHttpFormat(options: { readonly request: unknown; readonly response: ResponsePaths }): HttpFormat {
  const build = compileRequest(options.request as JsonValue);
  const paths = compilePaths(options.response);
  return {
    // Files are sent inside messages.
    takes: findParts(options.request).has('messages') ? /./ : /(?!)/,
    pathOf: () => '',
    buildBody: (request) => build(describeRequest(request)),
    readAnswer(body, { latencyMs }) {
      const read = attempt(() => readAnswer(body, latencyMs, paths, options.response), DeadlineError);
      if (read instanceof DeadlineError) return malformed(`a path of \`response\` ${read.message}`);
      return refuseLostCalls(read);
    },
  };
}

function describeRequest({ model, messages, params, trial, vars }: OutgoingRequest): Readonly<Record<string, unknown>> {
  const lastQuestion = messages.findLast(({ role }) => role === 'user');
  return {
    model,
    prompt: lastQuestion?.content ?? '',
    system: joinSystem(messages) ?? '',
    messages: messages.map(({ role, content, files, toolCalls, toolCallId, name, isError }) => ({
      role,
      content,
      ...defined({
        files: files?.map((file) => ({ ...file })),
        toolCalls: toolCalls?.map((call) => ({ id: call.id ?? null, name: call.name, arguments: call.rawArguments })),
        toolCallId,
        name,
        isError,
      }),
    })),
    params,
    trial,
    ...defined({ vars }),
  };
}

/** A compiled JSON value whose strings may be templates. */
type RequestTemplate = (vars: Readonly<Record<string, unknown>>) => JsonValue;

/**
 * Compiles a request. A string that is exactly `{{ path }}` keeps the value's type; every other string becomes text.
 * Keys are no templates. Throws a `TemplateError` for an invalid template. The returned function throws one if a
 * variable is missing.
 */
function compileRequest(value: JsonValue): RequestTemplate {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return () => value;
    const template = compileTemplate(value);
    return (vars) => renderValue(template, vars) as JsonValue;
  }
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map(compileRequest);
    return (vars) => items.map((item) => item(vars));
  }
  if (typeof value !== 'object' || value === null) return () => value;
  const members = Object.entries(value).map(([key, member]) => [key, compileRequest(member)] as const);
  return (vars) => Object.fromEntries(members.map(([key, member]) => [key, member(vars)]));
}

function compilePaths(paths: ResponsePaths): Readonly<Record<keyof ResponsePaths, Query>> {
  const none: Query = () => [];
  const compile = (source: string | undefined): Query => {
    if (source === undefined) return none;
    const path = compileJsonPath(source);
    const query: Query = (root) => path.query(root).filter((value) => value !== null && value !== undefined);
    return path.costly ? (root) => runWithDeadline(() => query(root), queryLimitMs) : query;
  };
  const keys = Object.keys(response.shape) as (keyof ResponsePaths)[];
  return Object.fromEntries(keys.map((key) => [key, compile(paths[key])])) as Record<keyof ResponsePaths, Query>;
}

type Paths = ReturnType<typeof compilePaths>;

function readAnswer(body: unknown, latencyMs: number, paths: Paths, sources: ResponsePaths): Answer {
  const error = paths.error(body).find((value) => value !== false && value !== '');
  if (error !== undefined) return describeError(error);
  const usage = readUsage(body, paths);
  const texts = paths.text(body);
  const calls = paths
    .toolCalls(body)
    .flatMap((found) => (Array.isArray(found) ? (found as readonly unknown[]) : [found]));
  const toolCalls = calls.map((call) => readToolCall(call, paths));
  const refusal = textAt(paths.refusal, body);
  if (texts.length === 0 && toolCalls.length === 0 && refusal === undefined) {
    const found = `there is nothing at ${sources.text ?? sources.toolCalls ?? 'the paths of `response`'}`;
    return malformed(found, usage);
  }
  const rawFinishReason = textAt(paths.finishReason, body);
  const finishReason = readFinishReason(rawFinishReason, toolCalls, refusal);
  if (finishReason === 'contentFilter') return filtered(rawFinishReason, usage);
  return {
    completion: defined({
      text: texts.map(toText).join(''),
      toolCalls,
      finishReason,
      latencyMs,
      reasoning: textAt(paths.reasoning, body),
      refusal,
      rawFinishReason,
      usage,
      model: textAt(paths.model, body),
      responseId: textAt(paths.responseId, body),
      isTextAlone: sources.toolCalls === undefined ? (true as const) : undefined,
    }),
  };
}

function describeError(error: unknown): Answer {
  const apiError = readApiError({ error: error as JsonValue }) ?? { message: toText(error), words: [] };
  const message = `the endpoint reported an error: ${describeText(apiError.message === '' ? toText(error) : apiError.message)}`;
  return { failure: { kind: kindOfApiError(apiError), message } };
}

function readToolCall(call: unknown, paths: Paths): ToolCall {
  const [name, called, id] = [paths.toolName(call)[0], paths.toolArguments(call)[0], paths.toolId(call)[0]];
  return buildToolCall(id, name === undefined ? '' : toText(name), called);
}

function readFinishReason(
  raw: string | undefined,
  toolCalls: readonly ToolCall[],
  refusal: string | undefined,
): FinishReason | undefined {
  if (raw !== undefined) return mapFinishReason(raw);
  if (toolCalls.length > 0) return 'toolCalls';
  return refusal === undefined ? undefined : 'refusal';
}

/** Reads the usage; undefined if a total is missing. */
function readUsage(body: unknown, paths: Paths): Usage | undefined {
  const inputTokens = count(paths.inputTokens(body)[0]);
  const outputTokens = count(paths.outputTokens(body)[0]);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens,
    ...defined({
      cachedInputTokens: count(paths.cachedInputTokens(body)[0]),
      cacheWriteTokens: count(paths.cacheWriteTokens(body)[0]),
      reasoningTokens: count(paths.reasoningTokens(body)[0]),
    }),
  };
}

function textAt(query: Query, body: unknown): string | undefined {
  const texts = query(body).map(toText);
  return texts.length === 0 ? undefined : texts.join('');
}

/** Returns a string unchanged and any other value as JSON. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

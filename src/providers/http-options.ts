import * as z from 'zod';
import { compileJsonPath, JsonPathError } from '../lib/json-path.ts';
import { compileTemplate, isTemplate } from '../lib/template.ts';
import { TemplateError } from '../lib/template-error.ts';
import type { JsonValue } from '../model/json.ts';

const jsonPath = z.string().superRefine((source, context) => {
  try {
    compileJsonPath(source);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

const optionalPath = jsonPath.exactOptional();

/** Where in the answer's body each part stands, as JSONPath. */
const response = z.strictObject({
  text: optionalPath,
  reasoning: optionalPath,
  refusal: optionalPath,
  /** A list of calls; the three below are looked up in each of them. */
  toolCalls: optionalPath,
  toolName: jsonPath.default('$.name'),
  toolArguments: jsonPath.default('$.arguments'),
  toolId: jsonPath.default('$.id'),
  finishReason: optionalPath,
  inputTokens: optionalPath,
  outputTokens: optionalPath,
  cachedInputTokens: optionalPath,
  cacheWriteTokens: optionalPath,
  reasoningTokens: optionalPath,
  model: optionalPath,
  responseId: optionalPath,
  /** Where something stands here, the answer is an error. */
  error: optionalPath,
});

export type ResponsePaths = z.output<typeof response>;

/** What templates of the request can read. */
const variables: readonly string[] = ['model', 'prompt', 'system', 'messages', 'params', 'trial'];

const request = z
  .unknown()
  .superRefine((value, context) => {
    for (const problem of findProblems(value)) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('The body, JSON whose strings are templates over model, prompt, system, messages, params and trial.');

export const httpOptions = z.strictObject({
  request: request.default({ prompt: '{{ prompt }}' }),
  response: response.default({
    text: '$.text',
    toolName: '$.name',
    toolArguments: '$.arguments',
    toolId: '$.id',
  }),
});

function findProblems(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(findProblems);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(findProblems);
  if (typeof value !== 'string' || !isTemplate(value)) return [];
  try {
    return compileTemplate(value).variables.flatMap((path) => {
      const root = /^[^.[]*/.exec(path)?.[0] ?? path;
      return variables.includes(root) ? [] : [`"${path}" is nothing that a request has: ${variables.join(', ')}`];
    });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [error.message];
  }
}

/** As checked by the schema: YAML holds nothing else once its numbers are plain. */
export type HttpRequestBody = JsonValue;

import * as z from 'zod';
import { compileJsonPath, JsonPathError } from '../../json/json-path.ts';
import { compileTemplate, isTemplate } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';

const jsonPath = z.string().superRefine((source, context) => {
  try {
    compileJsonPath(source);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

const optionalPath = jsonPath.exactOptional();

/** The JSONPath of each part in the answer's body. */
const response = z.strictObject({
  text: optionalPath.describe("The answer's text."),
  reasoning: optionalPath.describe('Its reasoning.'),
  refusal: optionalPath.describe('A refusal.'),
  toolCalls: optionalPath.describe('A list of tool calls; name, arguments and id are looked up in each.'),
  toolName: jsonPath.default('$.name').describe('The name within a tool call.'),
  toolArguments: jsonPath.default('$.arguments').describe('The arguments within a tool call.'),
  toolId: jsonPath.default('$.id').describe('The id within a tool call.'),
  finishReason: optionalPath.describe('Why the model stopped.'),
  inputTokens: optionalPath.describe('All input tokens.'),
  outputTokens: optionalPath.describe('All output tokens.'),
  cachedInputTokens: optionalPath.describe("Input tokens read from the provider's cache."),
  cacheWriteTokens: optionalPath.describe("Input tokens written to the provider's cache."),
  reasoningTokens: optionalPath.describe('Output tokens that are reasoning.'),
  model: optionalPath.describe('The model that answered.'),
  responseId: optionalPath.describe("The answer's id."),
  error: optionalPath.describe('Where something stands here, the answer is an error.'),
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

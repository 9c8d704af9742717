import * as z from 'zod';
import { isJsonObject } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import type { Completion, ProviderFailure } from '../../model/completion.ts';
import { replaceLongNumbers } from '../../text/exact-numbers.ts';
import { buildToolCall, halfCharacter, hasHalfCharacter } from '../answer.ts';
import { describeText } from '../failures/describe-text.ts';

export const execOutputs = ['auto', 'text', 'json'] as const;

export type ExecOutput = (typeof execOutputs)[number];

type Read = { readonly completion: Completion } | { readonly failure: ProviderFailure };

/** Reads what a program wrote: an answer object, or text. A failure's message continues a sentence about the program. */
export function readExecOutput(stdout: string, output: ExecOutput, latencyMs: number): Read {
  return refuseHalfCharacter(readOutput(stdout, output, latencyMs));
}

function readOutput(stdout: string, output: ExecOutput, latencyMs: number): Read {
  const body = output === 'text' ? undefined : parseObject(stdout);
  const read = body === undefined ? undefined : readObject(body, latencyMs);
  if (read !== undefined && ('completion' in read || read.failure.kind === 'contentFilter')) return read;
  if (output === 'json') {
    return read ?? { failure: { kind: 'malformed', message: 'wrote no answer object: no JSON object' } };
  }
  // An answer that is some other JSON object stays the text it is. The newline that ends a program's output is not the answer's.
  return { completion: { text: stdout.replace(/\r?\n$/, ''), toolCalls: [], latencyMs } };
}

/** Reads `{text, toolCalls?, usage?, …}`, the form in which a user's own code answers. */
export function readAnswerObject(body: unknown, latencyMs: number): Read {
  return refuseHalfCharacter(readObject(body, latencyMs));
}

function refuseHalfCharacter(read: Read): Read {
  if ('failure' in read || !hasHalfCharacter(read.completion)) return read;
  return { failure: { kind: 'malformed', message: `wrote ${halfCharacter}` } };
}

function readObject(body: unknown, latencyMs: number): Read {
  const parsed = answer.safeParse(body);
  if (parsed.success) return readAnswer(parsed.data, latencyMs);
  const [issue] = parsed.error.issues;
  const found = `${issue?.path.join('.') ?? ''} ${issue?.message}`.trim();
  return { failure: { kind: 'malformed', message: `wrote no answer object: ${describeText(found)}` } };
}

const count = z.int().min(0);

const jsonSchema = z.json();

/** Numbers that no double keeps are JSON too. */
const jsonValue = z
  .unknown()
  .refine((value) => jsonSchema.safeParse(replaceLongNumbers(value, Number)).success, { error: 'must be JSON' });

const answer = z.strictObject({
  text: z.string(),
  reasoning: z.string().exactOptional(),
  refusal: z.string().exactOptional(),
  toolCalls: z
    .array(z.strictObject({ id: z.string().exactOptional(), name: z.string().min(1), arguments: jsonValue }))
    .default([]),
  finishReason: z.enum(['stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'other']).exactOptional(),
  usage: z
    .strictObject({
      inputTokens: count,
      outputTokens: count,
      cachedInputTokens: count.exactOptional(),
      cacheWriteTokens: count.exactOptional(),
      reasoningTokens: count.exactOptional(),
    })
    .exactOptional(),
  model: z.string().exactOptional(),
});

function readAnswer({ toolCalls, ...rest }: z.infer<typeof answer>, latencyMs: number): Read {
  if (rest.finishReason === 'contentFilter') {
    return { failure: { kind: 'contentFilter', message: 'reported that a content filter refused the answer' } };
  }
  const completion: Completion = {
    ...rest,
    toolCalls: toolCalls.map((call) => buildToolCall(call.id, call.name, call.arguments)),
    // Without a word, calls of tools speak for themselves.
    ...(toolCalls.length > 0 && rest.finishReason === undefined ? { finishReason: 'toolCalls' } : {}),
    latencyMs,
  };
  return { completion };
}

function parseObject(stdout: string): unknown {
  if (!stdout.trimStart().startsWith('{')) return undefined;
  try {
    const body: unknown = parseShallowJson(stdout);
    return isJsonObject(body) ? body : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

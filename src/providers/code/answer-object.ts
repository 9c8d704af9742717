import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { isJsonObject } from '../../json/json.ts';
import { parseShallowJson } from '../../json/parse-json.ts';
import { type Completion, type CompletionOutcome, finishReasons } from '../../model/completion.ts';
import { replaceLongNumbers } from '../../text/exact-numbers.ts';
import { type Answer, buildToolCall, fail, halfCharacter, hasHalfCharacter, toOutcome } from '../answer.ts';
import { describeText } from '../failures/read-api-error.ts';
import { buildSteps, readSteps, takenMessages, takenStep } from './taken-steps.ts';

export const execOutputs = ['auto', 'text', 'json'] as const;

export type ExecOutput = (typeof execOutputs)[number];

/** Reads what a program wrote: an answer object, or text. A failure's message continues a sentence about the program. */
export function readExecOutput(stdout: string, output: ExecOutput, latencyMs: number): Answer {
  return refuseHalfCharacter(readOutput(stdout, output, latencyMs));
}

function readOutput(stdout: string, output: ExecOutput, latencyMs: number): Answer {
  const found = output === 'text' ? undefined : parseObject(stdout);
  // Without a text, only who asks for JSON means an answer object.
  const body = output === 'auto' && isJsonObject(found) && found['text'] === undefined ? undefined : found;
  const read = body === undefined ? undefined : readObject(body, latencyMs);
  if (read !== undefined && ('completion' in read || read.failure.kind === 'contentFilter')) return read;
  if (output === 'json') {
    return read ?? { failure: { kind: 'malformed', message: 'wrote no answer object: no JSON object' } };
  }
  // Any other JSON object is a text. The newline that ends a program's output is no part of the answer.
  return { completion: { text: stdout.replace(/\r?\n$/, ''), toolCalls: [], latencyMs } };
}

/** Reads what a function returned: `{text, toolCalls?, usage?, …}` or only the text. */
export function readReturned(returned: unknown, latencyMs: number): Answer {
  return refuseHalfCharacter(readObject(typeof returned === 'string' ? { text: returned } : returned, latencyMs));
}

/** The outcome of a call of the user's code, whose `name` begins the message of a failure. */
export function nameOutcome(name: string, answer: Answer): CompletionOutcome {
  if ('completion' in answer) return toOutcome(answer);
  return fail({ ...answer.failure, message: `${name} ${answer.failure.message}` });
}

function refuseHalfCharacter(read: Answer): Answer {
  if ('failure' in read || !hasHalfCharacter(read.completion)) return read;
  return { failure: { kind: 'malformed', message: `wrote ${halfCharacter}` } };
}

function readObject(body: unknown, latencyMs: number): Answer {
  const parsed = answer.safeParse(body);
  if (parsed.success) return buildAnswer(parsed.data, latencyMs);
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
  text: z.string().exactOptional(),
  reasoning: z.string().exactOptional(),
  refusal: z.string().exactOptional(),
  toolCalls: z
    .array(z.strictObject({ id: z.string().exactOptional(), name: z.string().min(1), arguments: jsonValue }))
    .default([]),
  finishReason: z.enum(finishReasons).exactOptional(),
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
  steps: z.array(takenStep).min(1).exactOptional(),
  messages: takenMessages.exactOptional(),
});

type WrittenAnswer = z.infer<typeof answer>;

function buildAnswer(
  { toolCalls: written, steps: taken, messages, ...rest }: WrittenAnswer,
  latencyMs: number,
): Answer {
  if (rest.finishReason === 'contentFilter') {
    return { failure: { kind: 'contentFilter', message: 'reported that a content filter refused the answer' } };
  }
  const steps = taken === undefined ? messages && readSteps(messages) : buildSteps(taken);
  const last = steps?.at(-1);
  const text = rest.text ?? last?.text;
  if (text === undefined)
    return { failure: { kind: 'malformed', message: `wrote no answer object: ${noText(messages)}` } };
  // Calls that have a result were answered by the agent itself.
  const open = last?.calls.every(({ result }) => result === undefined) === true ? last.calls : [];
  const toolCalls = written.map((call) => buildToolCall(call.id, call.name, call.arguments)).concat(open);
  const completion: Completion = {
    ...rest,
    text,
    toolCalls,
    ...defined({ steps }),
    // Code that gives no reason and calls tools stopped for these calls.
    ...(toolCalls.length > 0 && rest.finishReason === undefined ? { finishReason: 'toolCalls' } : {}),
    latencyMs,
  };
  return { completion };
}

function noText(messages: WrittenAnswer['messages']): string {
  return messages === undefined
    ? 'text is missing'
    : 'messages hold no message of the assistant after the last one of the user';
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

import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonValue } from '../../json/json.ts';
import { type AnsweredJson, tryParseAnswer } from '../../json/parse-json.ts';
import {
  type AgentStep,
  type AnsweredCall,
  type Completion,
  type CompletionOutcome,
  finishReasons,
  type ProviderFailure,
  type Usage,
} from '../../model/run/completion.ts';
import { attempt } from '../../text/attempt.ts';
import { plainNumbers, replaceLongNumbers } from '../../text/yaml/exact-numbers.ts';
import { type Answer, buildToolCall, fail, halfCharacter, hasHalfCharacter, toOutcome, usageOf } from '../answer.ts';
import { describeText } from '../failures/read-api-error.ts';
import {
  findTranscript,
  readEvents,
  readTranscript,
  type TranscriptForm,
  transcriptForms,
} from './transcripts/index.ts';
import { areAiSdkSteps, readAiSdkSteps } from './transcripts/read-messages.ts';
import { buildResult, type Transcript, TranscriptFault } from './transcripts/read-parts.ts';

export const execOutputs = ['auto', 'text', 'json', ...transcriptForms] as const;

export type ExecOutput = (typeof execOutputs)[number];

/**
 * Reads a program's output: an answer object, an agent's transcript, or text. A failure's message continues a sentence
 * about the program.
 */
export function readExecOutput(stdout: string, output: ExecOutput, latencyMs: number): Answer {
  return refuseHalfCharacter(refuseFault(() => readOutput(stdout, output, latencyMs)));
}

/** Finds the failure in the transcript of a failed program; undefined if there is none. */
export function readFailedTranscript(stdout: string, output: ExecOutput): ProviderFailure | undefined {
  if (output === 'text' || output === 'json') return undefined;
  const read = refuseFault(() => readOutput(stdout, output, 0));
  // stderr says more than a cut-off transcript.
  return 'failure' in read && read.failure.kind !== 'malformed' ? read.failure : undefined;
}

/** Turns an unreadable transcript into a failure. */
function refuseFault(read: () => Answer): Answer {
  const answer = attempt(read, TranscriptFault);
  return answer instanceof TranscriptFault ? { failure: answer.toFailure() } : answer;
}

function readOutput(stdout: string, output: ExecOutput, latencyMs: number): Answer {
  if (isTranscriptForm(output)) return buildTranscript(readTranscript(stdout, output), latencyMs);
  const transcript = output === 'auto' ? findTranscript(stdout) : undefined;
  if (transcript !== undefined) return buildTranscript(transcript, latencyMs);
  const found = output === 'text' ? undefined : parseObject(stdout);
  // An object without `text` is an answer object only for `output: json`.
  const isText = output === 'auto' && isJsonObject(found?.value) && found.value['text'] === undefined;
  const read = found === undefined || isText ? undefined : readObject(found.value, latencyMs);
  if (read !== undefined && found?.repeated !== undefined) {
    const message = `wrote no answer object: ${describeText(found.repeated)}`;
    return { failure: { kind: 'malformed', message, ...defined({ usage: usageOf(read) }) } };
  }
  if (read !== undefined && ('completion' in read || read.failure.kind === 'contentFilter')) return read;
  if (output === 'json') {
    return read ?? { failure: { kind: 'malformed', message: 'wrote no answer object: no JSON object' } };
  }
  // Any other JSON object is text. The newline at the end of the output is not part of the answer.
  return readText(stdout.replace(/\r?\n$/, ''), latencyMs);
}

/** Reads a function's return value: `{text, toolCalls?, usage?, …}` or a text. */
export function readReturned(returned: unknown, latencyMs: number): Answer {
  return refuseHalfCharacter(
    typeof returned === 'string' ? readText(returned, latencyMs) : refuseFault(() => readObject(returned, latencyMs)),
  );
}

function readText(text: string, latencyMs: number): Answer {
  return { completion: { text, toolCalls: [], latencyMs, isTextAlone: true } };
}

/** Outcome of a call of the user's code. A failure's message starts with `name`. */
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

/** Numbers too long for a double are JSON too. */
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
      costUsd: z.number().min(0).exactOptional(),
    })
    .exactOptional(),
  model: z.string().exactOptional(),
  steps: z.array(z.unknown()).exactOptional(),
  messages: z.array(z.looseObject({})).exactOptional(),
  state: jsonValue.exactOptional(),
});

type WrittenAnswer = z.infer<typeof answer>;

function buildAnswer(
  { toolCalls: written, steps: taken, messages, state, ...rest }: WrittenAnswer,
  latencyMs: number,
): Answer {
  if (rest.finishReason === 'contentFilter') return filtered(rest.usage);
  const transcript = readTaken(taken, messages);
  const text = rest.text ?? textOf(transcript);
  if (text === undefined) {
    return { failure: { kind: 'malformed', message: 'wrote no answer object: text is missing' } };
  }
  const own = written.map((call) => buildToolCall(call.id, call.name, call.arguments));
  // A module's function may return values that are no JSON.
  const more = defined({ state: state as JsonValue | undefined });
  return joinAnswer(transcript, { ...rest, text, toolCalls: own, ...more, latencyMs });
}

function buildTranscript(transcript: Transcript, latencyMs: number): Answer {
  return joinAnswer(transcript, { text: textOf(transcript) ?? '', toolCalls: [], latencyMs });
}

/** Joins the program's own answer with its transcript. The program's own members win. */
function joinAnswer(transcript: Transcript | undefined, own: Completion): Answer {
  const { steps, usage, model, finishReason } = transcript ?? {};
  if (finishReason === 'contentFilter') return filtered(own.usage ?? usage);
  // The agent answered the calls that have a result itself.
  const last = steps?.at(-1);
  const open = last?.calls.every(({ result }) => result === undefined) === true ? last.calls : [];
  const toolCalls = [...own.toolCalls, ...open];
  // Without a reason, tool calls mean `toolCalls`.
  const reason = toolCalls.length > 0 ? 'toolCalls' : finishReason;
  return {
    completion: { ...defined({ usage, model, finishReason: reason }), ...own, toolCalls, ...defined({ steps }) },
  };
}

/** The answer's text: that of the last step, unless the transcript has its own. */
function textOf(transcript: Transcript | undefined): string | undefined {
  return transcript?.text ?? transcript?.steps.at(-1)?.text;
}

function filtered(usage: Usage | undefined): Answer {
  const message = 'reported that a content filter refused the answer';
  return { failure: { kind: 'contentFilter', message, ...defined({ usage }) } };
}

function isTranscriptForm(output: ExecOutput): output is TranscriptForm {
  return transcriptForms.some((form) => form === output);
}

function parseObject(stdout: string): AnsweredJson | undefined {
  return stdout.trimStart().startsWith('{') ? tryParseAnswer(stdout) : undefined;
}

/** A step of the user's own agent: its text, and its calls with their results. */
const takenStep = z.strictObject({
  text: z.string().default(''),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string().exactOptional(),
        name: z.string().min(1),
        arguments: z.unknown(),
        result: z.unknown().optional(),
        isError: z.boolean().exactOptional(),
      }),
    )
    .default([]),
});

const takenSteps = z.strictObject({ steps: z.array(takenStep).min(1) });

/** Reads an answer object's agent: steps in the documented form or the Vercel AI SDK's, or messages. */
function readTaken(
  steps: readonly unknown[] | undefined,
  messages: readonly unknown[] | undefined,
): Transcript | undefined {
  if (steps === undefined) return messages === undefined ? undefined : readEvents(messages);
  const plain = plainNumbers(steps) as readonly JsonValue[];
  if (areAiSdkSteps(plain)) return readAiSdkSteps(plain);
  const parsed = takenSteps.safeParse({ steps });
  if (parsed.success) return { steps: buildSteps(parsed.data.steps) };
  const [issue] = parsed.error.issues;
  throw new TranscriptFault(
    `wrote no answer object: ${describeText(`${issue?.path.join('.') ?? ''} ${issue?.message}`.trim())}`,
  );
}

function buildSteps(steps: readonly z.output<typeof takenStep>[]): readonly AgentStep[] {
  return steps.map(({ text, toolCalls }) => ({
    text,
    calls: toolCalls.map(({ id, name, arguments: args, result, isError }): AnsweredCall => {
      const call = buildToolCall(id, name, args);
      return result === undefined ? call : { ...call, result: buildResult(result, isError === true) };
    }),
  }));
}

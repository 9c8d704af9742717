import * as z from 'zod';
import type { JsonValue } from '../../json/json.ts';
import type { AgentStep, AnsweredCall } from '../../model/completion.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { buildToolCall } from '../answer.ts';
import { describeText } from '../failures/read-api-error.ts';
import { areAiSdkSteps, readAiSdkSteps } from './transcripts/ai-sdk.ts';
import { readEvents } from './transcripts/index.ts';
import { buildResult } from './transcripts/read-parts.ts';
import { type Transcript, TranscriptFault } from './transcripts/transcript.ts';

/** A step as an agent of the user's own reports it: what it said, and the calls it made with their results. */
const takenStep = z.strictObject({
  text: z.string().default(''),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string().exactOptional(),
        name: z.string().min(1),
        arguments: z.unknown(),
        result: z.unknown(),
        isError: z.boolean().exactOptional(),
      }),
    )
    .default([]),
});

const takenSteps = z.strictObject({ steps: z.array(takenStep).min(1) });

/** What an answer object says of its agent: its steps in the documented form or as the Vercel AI SDK has them, or messages. */
export function readTaken(
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

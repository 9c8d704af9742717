import * as z from 'zod';
import { parseExactJson } from '../lib/parse-json.ts';
import type { FailureKind } from '../model/completion.ts';
import type { AttemptAnswer, AttemptTask, QueuedProvider } from '../model/queue.ts';

const failureKinds = [
  'auth',
  'notFound',
  'badRequest',
  'contextLength',
  'contentFilter',
  'rateLimit',
  'quota',
  'overloaded',
  'server',
  'network',
  'timeout',
  'malformed',
  'recording',
  'cacheMiss',
  'check',
  'budget',
  'aborted',
] as const satisfies readonly FailureKind[];

/**
 * Why what came out of Redis is no call of this program; undefined where it is one. Anybody who can write there can put
 * anything there, and what is wrong would show deep in an adapter.
 */
export function findTaskFault(value: unknown): string | undefined {
  const parsed = taskSchema.safeParse(value);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the job'}: ${issue?.message ?? 'not readable'}`;
}

const limit = z.number().positive().optional();

const taskSchema = z.object({
  runId: z.string().min(1),
  timeoutMs: z.number(),
  tokens: z.number().nonnegative(),
  limits: z.object({ concurrency: limit, rpm: limit, tpm: limit, accountRpm: limit, accountTpm: limit }),
  request: z.object({
    messages: z.array(
      z.looseObject({
        role: z.string(),
        content: z.string(),
        toolCalls: z.array(z.looseObject({ name: z.string() })).optional(),
        attachments: z.array(z.looseObject({ path: z.string() })).optional(),
      }),
    ),
    params: z.record(z.string(), z.unknown()),
    trial: z.int().nonnegative(),
    origin: z.looseObject({ suite: z.string(), prompt: z.string(), provider: z.string(), caseId: z.string() }),
  }),
});

export function isTask(value: unknown): value is AttemptTask {
  return findTaskFault(value) === undefined;
}

export function readAnswer(text: string): AttemptAnswer | undefined {
  const value: Partial<AttemptAnswer> | undefined = parse(text);
  return answerSchema.safeParse(value).success ? (value as AttemptAnswer) : undefined;
}

const count = z.number().nonnegative();

const answerSchema = z.object({
  isTimeUp: z.boolean(),
  elapsedMs: count,
  outcome: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('completed'),
      attempts: count,
      completion: z.looseObject({
        text: z.string(),
        toolCalls: z.array(z.looseObject({ name: z.string(), rawArguments: z.string() })),
        latencyMs: count.optional(),
        usage: z.looseObject({ inputTokens: count, outputTokens: count }).optional(),
      }),
    }),
    z.object({
      status: z.literal('failed'),
      attempts: count,
      failure: z.looseObject({ kind: z.enum(failureKinds), message: z.string() }),
    }),
  ]),
});

export function readProviders(text: string): readonly QueuedProvider[] {
  const value = parse(text);
  if (!Array.isArray(value)) return [];
  return value.filter(
    (item: unknown): item is QueuedProvider =>
      typeof item === 'object' && item !== null && 'stamp' in item && 'label' in item,
  );
}

/** What a worker tells of itself. */
export interface WorkerCard {
  readonly id: string;
  readonly version: string;
  readonly concurrency: number;
  readonly stamps: readonly string[];
}

export function readCard(text: string): WorkerCard | undefined {
  const value: Partial<WorkerCard> | undefined = parse(text);
  const isCard =
    typeof value?.id === 'string' &&
    typeof value.version === 'string' &&
    typeof value.concurrency === 'number' &&
    Array.isArray(value.stamps);
  return isCard ? (value as WorkerCard) : undefined;
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = parseExactJson(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

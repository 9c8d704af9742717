import * as z from 'zod';
import { writeJson } from '../json/canonical-json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import { type CompletionOutcome, type CompletionRequest, failureKinds } from '../model/run/completion.ts';
import { attemptOr } from '../text/attempt.ts';

/** A run's message to a worker: one attempt of one call. Address and key come from the worker's own checkout. */
export interface AttemptTask {
  readonly runId: string;
  readonly request: QueuedRequest;
  readonly timeoutMs: number;
}

/** A request without the provider's data, because an address may contain a secret. */
type QueuedRequest = Pick<CompletionRequest, 'messages' | 'params' | 'trial' | 'origin' | 'vars' | 'workspace'>;

/** The outcome of an attempt. */
export interface AttemptAnswer {
  readonly outcome: CompletionOutcome;
  readonly isTimeUp: boolean;
  readonly elapsedMs: number;
}

/** A provider as a queue knows it. */
export interface QueuedProvider {
  /** Its queue's name: a hash of the program's version and of everything that can affect an answer. */
  readonly queue: string;
  /** For messages: the provider's id. */
  readonly label: string;
}

/** Limits set by hand that Redis holds over all workers and runs. */
export interface QueueLimits {
  readonly concurrency?: number;
  readonly rpm?: number;
}

/** The schema of a task. Other programs can write to Redis too, and a wrong message would fail deep in an adapter. */
const taskSchema = z.object({
  runId: z.string().min(1),
  timeoutMs: z.number(),
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
    vars: z.record(z.string(), z.unknown()).optional(),
    workspace: z.array(z.object({ path: z.string(), from: z.string(), sha256: z.string() })).exactOptional(),
    origin: z.looseObject({ suite: z.string(), prompt: z.string(), provider: z.string(), caseId: z.string() }),
  }),
});

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

const runSchema = z.object({
  version: z.string(),
  providers: z.array(z.object({ queue: z.string(), label: z.string() })),
});

const workerSchema = z.object({ version: z.string(), concurrency: z.number(), queues: z.array(z.string()) });

/** The data about a run for workers. */
export interface RunInfo {
  readonly version: string;
  readonly providers: readonly QueuedProvider[];
}

/** The data about a worker for runs. */
export interface WorkerInfo {
  readonly version: string;
  /** Calls at once. */
  readonly concurrency: number;
  readonly queues: readonly string[];
}

/** Replaces the information of a run once it is over. */
export const endedRun = 'ended';

/** Writes a message as text, because the JSON of BullMQ would change numbers that no double holds. */
export function writeMessage(message: AttemptTask | AttemptAnswer): string {
  return writeJson(message) ?? '';
}

/** The call of a job, or the reason why its data is not a call. */
export function readTask(data: unknown): { readonly task: AttemptTask } | { readonly fault: string } {
  const value = typeof data === 'string' ? parse(data) : data;
  const [issue] = taskSchema.safeParse(value).error?.issues ?? [];
  // The schema's own copy would lack the members that it doesn't name.
  if (issue === undefined) return { task: value as AttemptTask };
  return { fault: `${issue.path.join('.') || 'the job'}: ${issue.message}` };
}

export function readAnswer(returned: unknown): AttemptAnswer | undefined {
  const value = typeof returned === 'string' ? parse(returned) : returned;
  return answerSchema.safeParse(value).success ? (value as AttemptAnswer) : undefined;
}

export function readRunInfo(text: string): RunInfo | undefined {
  return runSchema.safeParse(parse(text)).data;
}

export function readWorkerInfo(text: string): WorkerInfo | undefined {
  return workerSchema.safeParse(parse(text)).data;
}

function parse(text: string): unknown {
  return attemptOr(() => parseExactJson(text), SyntaxError, undefined);
}

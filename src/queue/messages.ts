import * as z from 'zod';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { parseExactJson } from '../json/parse-json.ts';
import { type CompletionOutcome, type CompletionRequest, failureKinds, type Message } from '../model/run/completion.ts';
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

const messageSchema = z.strictObject({
  role: z.string(),
  content: z.string(),
  toolCalls: z
    .array(
      z.strictObject({
        id: z.string().optional(),
        name: z.string(),
        arguments: z.unknown().optional(),
        rawArguments: z.string().optional(),
      }),
    )
    .optional(),
  attachments: z
    .array(
      z.strictObject({ path: z.string(), mediaType: z.string(), bytes: z.unknown().optional(), sha256: z.string() }),
    )
    .optional(),
  toolCallId: z.string().optional(),
  name: z.string().optional(),
  isError: z.literal(true).optional(),
  continuation: z.unknown().optional(),
});

/**
 * The schema of a task. Other programs can write to Redis too, and a wrong message would fail deep in an adapter. It is
 * strict: a further member could take the place of one that the worker adds, such as the model.
 */
const taskSchema = z.strictObject({
  runId: z.string().min(1),
  timeoutMs: z.number().positive(),
  request: z.strictObject({
    messages: z.array(messageSchema),
    params: z.record(z.string(), z.unknown()),
    trial: z.int().nonnegative(),
    vars: z.record(z.string(), z.unknown()).optional(),
    workspace: z.array(z.strictObject({ path: z.string(), from: z.string(), sha256: z.string() })).exactOptional(),
    origin: z.strictObject({ suite: z.string(), prompt: z.string(), provider: z.string(), caseId: z.string() }),
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

/** The part of a request that a job holds, without a member that a worker would refuse. */
export function toQueuedRequest(request: CompletionRequest): QueuedRequest {
  const { messages, params, trial, vars, workspace } = request;
  const { suite, prompt, provider, caseId } = request.origin;
  return {
    messages: messages.map(toQueuedMessage),
    params,
    trial,
    origin: { suite, prompt, provider, caseId },
    ...defined({ vars, workspace }),
  };
}

function toQueuedMessage(message: Message): Message {
  const { role, content, attachments, toolCalls, toolCallId, name, isError, continuation } = message;
  const files = attachments?.map(({ path, mediaType, bytes, sha256 }) => ({ path, mediaType, bytes, sha256 }));
  const calls = toolCalls?.map((call) => {
    const { id, name: tool, arguments: parsed, rawArguments } = call;
    return { ...defined({ id }), name: tool, arguments: parsed, rawArguments };
  });
  return {
    role,
    content,
    ...defined({ attachments: files, toolCalls: calls, toolCallId, name, isError, continuation }),
  };
}

/** Writes a message as text, because the JSON of BullMQ would change numbers that no double holds. */
export function writeMessage(message: AttemptTask | AttemptAnswer): string {
  return writeJson(message) ?? '';
}

/** The call of a job, or the reason why its data is not a call. */
export function readTask(data: unknown): { readonly task: AttemptTask } | { readonly fault: string } {
  const value = typeof data === 'string' ? parse(data) : data;
  const [issue] = taskSchema.safeParse(value).error?.issues ?? [];
  // The schema's own copy would have numbers of another form.
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

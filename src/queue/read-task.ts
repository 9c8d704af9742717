import type { AttemptAnswer, AttemptTask, QueuedProvider } from '../model/queue.ts';

/** What came out of Redis, if it is what this program puts in. Its members are those of its own version: the queue is named after it. */
export function isTask(value: unknown): value is AttemptTask {
  if (typeof value !== 'object' || value === null) return false;
  const task = value as Partial<AttemptTask>;
  return (
    typeof task.runId === 'string' &&
    typeof task.timeoutMs === 'number' &&
    typeof task.tokens === 'number' &&
    typeof task.limits === 'object' &&
    typeof task.request === 'object' &&
    Array.isArray(task.request.messages)
  );
}

export function readAnswer(text: string): AttemptAnswer | undefined {
  const value: Partial<AttemptAnswer> | undefined = parse(text);
  const isAnswer =
    value !== undefined &&
    typeof value.isTimeUp === 'boolean' &&
    typeof value.elapsedMs === 'number' &&
    typeof value.outcome === 'object' &&
    (value.outcome.status === 'completed' || value.outcome.status === 'failed');
  return isAnswer ? (value as AttemptAnswer) : undefined;
}

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
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

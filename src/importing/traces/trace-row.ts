import type { RecordedCall, TurnMessage } from '../data-sets/chat-messages.ts';

/** What a model answered, as far as it was recorded. */
export interface RecordedAnswer {
  readonly text: string | undefined;
  readonly calls: readonly RecordedCall[];
}

export const noAnswer: RecordedAnswer = { text: undefined, calls: [] };

/** A call of a model as it was recorded in production. */
export interface TraceRow {
  /** `trace 4bf9…, span 00f0…`; every part as the file has it. */
  readonly origin: readonly string[];
  readonly messages: readonly TurnMessage[];
  /** Variables that the file has as such. */
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly answer: RecordedAnswer;
}

/** Why a call can't be a case. */
export interface RefusedRow {
  readonly refused: string;
}

export interface FoundRow {
  /** 1-based: where it begins. */
  readonly line: number;
  readonly row: TraceRow | RefusedRow;
}

/** Reads the parts of a file. None for what is no call of a model. */
export interface TraceReader {
  read(value: unknown, line: number): Iterable<FoundRow>;
  /** The calls whose parts were still to come. */
  end(): Iterable<FoundRow>;
}

export function describeOrigin(parts: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(parts).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [name === 'at' ? value : `${name} ${value}`] : [],
  );
}

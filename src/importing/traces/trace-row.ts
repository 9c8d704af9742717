import type { ChatMessage } from '../data-sets/chat-messages.ts';

/** A call of a model as it was recorded in production. */
export interface TraceRow {
  /** `trace 4bf9…, span 00f0…`; every part as the file has it. */
  readonly origin: readonly string[];
  readonly messages: readonly ChatMessage[];
  /** Variables that the file has as such. */
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly answer: string | undefined;
}

/** Why a call can't be a case. */
export interface RefusedRow {
  readonly refused: string;
}

/** Reads one part of a file. None for what is no call of a model. */
export type ReadTracePart = (value: unknown) => readonly (TraceRow | RefusedRow)[];

export function describeOrigin(parts: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(parts).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [name === 'at' ? value : `${name} ${value}`] : [],
  );
}

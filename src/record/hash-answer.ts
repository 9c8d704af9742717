import { Buffer } from 'node:buffer';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { CallRecord } from '../model/cell.ts';
import type { CellRow, RowHead } from '../model/record.ts';
import { sha256Hex } from '../text/sha256.ts';

/** Of a text and its tool calls. */
export function hashAnswer({
  output,
  toolCalls,
}: Required<Pick<CellRow, 'output'>> & Pick<CellRow, 'toolCalls'>): string {
  return shorten(sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`));
}

/**
 * Of what was asked and of all that came back, the API's own id and the measured time with it: an answer from the cache
 * or a recording has the one that it had when it came, and a new call that answers alike has another.
 */
export function identifyAnswer(calls: readonly Pick<CallRecord, 'requestHash' | 'completion'>[]): string {
  return shorten(sha256Hex(canonicalJson(calls.map(({ requestHash, completion }) => [requestHash, completion]))));
}

/** A slice would keep all 64 digits alive, a hundred thousand times. */
function shorten(hex: string): string {
  return Buffer.from(hex.slice(0, 16), 'latin1').toString('latin1');
}

/** Of a row's answer, as it was recorded with it or else from the answer; undefined where there was none. */
export function answerHashOf(
  row: Pick<RowHead, 'answerHash'> & Pick<CellRow, 'output' | 'toolCalls'>,
): string | undefined {
  const { answerHash, output, toolCalls } = row;
  if (answerHash !== undefined || output === undefined) return answerHash;
  return hashAnswer({ output, ...defined({ toolCalls }) });
}

import { Buffer } from 'node:buffer';
import { canonicalJson } from '../json/canonical-json.ts';
import type { CallRecord } from '../model/cell.ts';
import { completionText } from '../model/completion.ts';
import type { CellRow, RowHead } from '../model/record.ts';
import { sha256Hex } from '../text/sha256.ts';

/** A hash of an answer's text and tool calls. */
export function hashAnswer({ output, toolCalls }: Pick<CellRow, 'toolCalls'> & { readonly output: string }): string {
  return shorten(sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`));
}

/**
 * Names one answer by a hash of the request and the whole response, with the API's own id and the measured time. An
 * answer from the cache or a recording keeps its name; a new call that answers the same has another one.
 */
export function identifyAnswer(calls: readonly Pick<CallRecord, 'requestHash' | 'completion'>[]): string {
  const texts = calls.map(
    ({ requestHash, completion }) => `[${JSON.stringify(requestHash)},${completionText(completion)}]`,
  );
  return shorten(sha256Hex(`[${texts.join(',')}]`));
}

/** Copies the digits: a slice would keep all 64 of them in memory, for each of 100,000 rows. */
function shorten(hex: string): string {
  return Buffer.from(hex.slice(0, 16), 'latin1').toString('latin1');
}

/** The hash of a row's answer, as recorded or from the answer itself; undefined where there was none. */
export function answerHashOf(
  row: Pick<RowHead, 'answerHash'> & Pick<CellRow, 'output' | 'toolCalls'>,
): string | undefined {
  const { answerHash, output, toolCalls } = row;
  if (answerHash !== undefined || output === undefined) return answerHash;
  return hashAnswer({ output, toolCalls });
}

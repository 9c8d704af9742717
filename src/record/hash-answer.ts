import { Buffer } from 'node:buffer';
import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CellRow } from '../model/record.ts';

/** Of text and tool calls; undefined where there was no answer. */
export function hashAnswer({ output, toolCalls }: Pick<CellRow, 'output' | 'toolCalls'>): string | undefined {
  if (output === undefined) return undefined;
  const hex = sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`);
  // A slice would keep all 64 digits alive, a hundred thousand times.
  return Buffer.from(hex.slice(0, 16), 'latin1').toString('latin1');
}

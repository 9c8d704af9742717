import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CellRow } from '../model/record.ts';

/** Of text and tool calls; undefined where there was no answer. */
export function hashAnswer({ output, toolCalls }: Pick<CellRow, 'output' | 'toolCalls'>): string | undefined {
  if (output === undefined) return undefined;
  return sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`).slice(0, 16);
}

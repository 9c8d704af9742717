import { Buffer } from 'node:buffer';
import { writeJson } from '../json/canonical-json.ts';
import type { CellRow, RowHead } from '../model/record.ts';
import { isRowHead } from './row-guards.ts';

/**
 * A row as its line, without the line break: its head, then `identity`, then the rest. Counting and comparing parse the
 * heads alone, which are a third of the bytes.
 */
export function renderRow(row: CellRow): string {
  // A head without the hash of an answer would say that there was none; a line that begins with the identity has no head.
  if (row.answerHash === undefined && row.output !== undefined) {
    const { identity, ...rest } = row;
    return writeJson({ identity, ...rest }) ?? '';
  }
  const line: { readonly [Key in keyof Required<CellRow>]: CellRow[Key] | undefined } = {
    type: row.type,
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId: row.caseId,
    trial: row.trial,
    stamp: row.stamp,
    status: row.status,
    observe: row.observe,
    mustPass: row.mustPass,
    group: row.group,
    slices: row.slices,
    classified: row.classified,
    confirmation: row.confirmation,
    side: row.side,
    cached: row.cached,
    score: row.score,
    latencyMs: row.latencyMs,
    position: row.position,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    judgeCostUsd: row.judgeCostUsd,
    answerHash: row.answerHash,
    answerId: row.answerId,
    usage: row.usage,
    model: row.model,
    skip: row.skip,
    identity: row.identity,
    at: row.at,
    calls: row.calls,
    asked: row.asked,
    output: row.output,
    reasoning: row.reasoning,
    refusal: row.refusal,
    toolCalls: row.toolCalls,
    finishReason: row.finishReason,
    systemFingerprint: row.systemFingerprint,
    checks: row.checks,
    attempts: row.attempts,
    error: row.error,
  };
  // Arguments of tools may hold numbers that no double keeps.
  return (row.toolCalls === undefined ? undefined : writeJson(line)) ?? JSON.stringify(line);
}

/**
 * The head of a row's line; undefined where the line has to be parsed whole. It is where `renderRow` did not write it, or
 * wrote the usage behind the head, as older versions did. The quotes of such a key inside a text would be escaped, so the
 * first one is the row's own.
 */
export function parseRowHead(line: Buffer): RowHead | undefined {
  const end = line.indexOf(',"identity":');
  if (end === -1 || !line.subarray(-1).equals(closingBrace)) return undefined;
  try {
    const head: unknown = JSON.parse(`${line.toString('utf8', 0, end)}}`);
    return isRowHead(head) && (head.answerHash === undefined || head.usage !== undefined) ? head : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const closingBrace = Buffer.from('}');

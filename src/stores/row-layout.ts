import { Buffer } from 'node:buffer';
import type { CellRow, RowHead } from '../model/record.ts';
import { isRowHead } from './row-guards.ts';

/**
 * A row as its line, without the line break: its head, then `identity`, then the bulk of it. Who counts or compares
 * 100,000 rows reads the heads alone, which are a third of the bytes and a fifth of the objects.
 */
export function renderRow(row: CellRow): string {
  const { type, suite, prompt, provider, caseId, trial, stamp, status, observe, mustPass, confirmation, ...more } = row;
  const { cached, score, latencyMs, costUsd, spentUsd, judgeCostUsd, answerHash, model, skip, identity, ...bulk } =
    more;
  // A head without the hash of an answer would say that there was none.
  if (answerHash === undefined && bulk.output !== undefined) return renderWithoutHead(row);
  const key = { type, suite, prompt, provider, caseId, trial, stamp, status, observe, mustPass, confirmation };
  const rest = { cached, score, latencyMs, costUsd, spentUsd, judgeCostUsd, answerHash, model, skip, identity };
  return `{${[key, rest, bulk].map((part) => JSON.stringify(part).slice(1, -1)).join(',')}}`;
}

/** What stands before the identity is no head then. */
function renderWithoutHead({ identity, ...row }: CellRow): string {
  return JSON.stringify({ identity, ...row });
}

const identityKey = Buffer.from(',"identity":');

/**
 * The head of a row's line; undefined where the line is no row that was laid out by `renderRow`, so that it has to be
 * parsed whole. Inside a text the quotes would be escaped, so the first such key is the row's own.
 */
export function parseRowHead(line: Buffer): RowHead | undefined {
  const end = line.indexOf(identityKey);
  if (end === -1 || line.at(-1) !== closingBrace) return undefined;
  try {
    const head: unknown = JSON.parse(`${line.toString('utf8', 0, end)}}`);
    return isRowHead(head) ? head : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const closingBrace = 0x7d;

import { Buffer } from 'node:buffer';
import type { Cell } from '../model/cell.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { inputBytes, maxOutputTokens, perMessageOverhead } from './estimate-tokens.ts';

/** Requests of a cell: the prompt's own, and one for each user turn and for each group of tool results. */
export function countRequests({ turns }: Cell): number {
  return 1 + turns.filter((_, index) => isAsked(turns, index)).length;
}

/** The most that a cell asks judges: each vote, and once more where a reply can't be read. */
export function countJudgeRequests({ checks, turns }: Cell): number {
  const ofTurns = turns.flatMap((turn) => (turn.kind === 'user' ? turn.checks : []));
  return countVotes([...checks, ...ofTurns]) * 2;
}

/** An upper bound of what all requests of a cell cost: each later one holds all that was said before it. */
export function boundCell(
  { request, turns }: Cell,
  boundOf: (inputTokens: number, outputTokens: number) => number | undefined,
): number | undefined {
  const output = maxOutputTokens(request);
  if (output === undefined) return undefined;
  let input = inputBytes(request);
  let sum = boundOf(input, output);
  for (const [index, turn] of turns.entries()) {
    input += Buffer.byteLength(turn.content) + perMessageOverhead;
    if (!isAsked(turns, index)) continue;
    input += output + perMessageOverhead;
    const bound = boundOf(input, output);
    sum = sum === undefined || bound === undefined ? undefined : sum + bound;
  }
  return sum;
}

/** Results of several calls go in one request, after the last of them. */
function isAsked(turns: Cell['turns'], index: number): boolean {
  return turns[index]?.kind === 'user' || turns[index + 1]?.kind !== 'toolResult';
}

function countVotes(checks: readonly CheckSpec[]): number {
  return checks.reduce((sum, { asks, assertion, params, children = [] }) => {
    if (asks === undefined) return sum + countVotes(children);
    const { votes = 1 } = params as { readonly votes?: number };
    return sum + votes * (assertion === 'pairwise' ? 2 : 1);
  }, 0);
}

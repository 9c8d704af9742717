import { defined } from '../../json/defined.ts';
import type { Judgement } from '../../model/run/verdict.ts';

/** One vote of a judge, or the reason why there is none. */
export type Vote<Side extends string> =
  | { readonly side: Side; readonly score: number; readonly reason: string; readonly model?: string }
  | { readonly error: string };

export type Count<Side extends string> =
  | {
      readonly side: Side;
      /** The mean over the votes that could be read. */
      readonly score: number;
      /** The reason of the first vote for the winning side. */
      readonly reason: string;
      /** "2 of 3 votes, agreement 0.67"; empty for a single vote. */
      readonly shown: string;
      readonly judgement: Pick<Judgement, 'votes' | 'agreement' | 'model'>;
    }
  | { readonly error: string };

/** The side with more than half of all votes, of which some may be unreadable; else `undecided`, if it is given. */
export function countVotes<Side extends string>(votes: readonly Vote<Side>[], undecided?: Side): Count<Side> {
  const cast = votes.filter((vote) => 'side' in vote);
  const counts = new Map<Side, number>();
  for (const { side } of cast) counts.set(side, (counts.get(side) ?? 0) + 1);
  const majority = [...counts].find(([, count]) => count > votes.length / 2)?.[0];
  const side = majority ?? (cast.length === votes.length ? undecided : undefined);
  if (side === undefined) {
    const errors = votes.flatMap((vote) => ('error' in vote ? [vote.error] : []));
    return { error: `${votes.length > 1 ? `${errors.length} of ${votes.length} votes: ` : ''}${errors[0] ?? ''}` };
  }
  const count = counts.get(side) ?? 0;
  const agreement = count / votes.length;
  const lost = cast.length === votes.length ? '' : `, ${votes.length - cast.length} unreadable`;
  const [first] = [...cast.filter((vote) => vote.side === side), ...cast];
  const model = cast.find((vote) => vote.model !== undefined)?.model;
  return {
    side,
    score: cast.reduce((sum, { score }) => sum + score, 0) / Math.max(1, cast.length),
    reason: first?.reason ?? '',
    shown: votes.length === 1 ? '' : `${count} of ${votes.length} votes, agreement ${agreement.toFixed(2)}${lost}`,
    judgement: { votes: votes.length, agreement, ...defined({ model }) },
  };
}

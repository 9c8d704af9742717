import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { quote } from '../../text/shorten.ts';
import { type CheckContext, type CheckOutcome, defineAssertion } from '../define.ts';
import { numberParam, reaches, soughtParam } from '../params.ts';
import { textOf } from '../targets.ts';
import type { FramedPart } from './ask-judge.ts';
import { type AskJudge, describeInput, type JudgeReply, prepareJudge, type VoteNumber } from './ask-judge.ts';
import { buildSchema, judgeParams } from './rubric.ts';
import { countVotes, type Vote } from './votes.ts';

/** Compares with the answer of the other side to the same case and trial: the baseline's, or another version's of this run. */
export const pairwise = defineAssertion({
  summary: 'a judge that sees both finds the answer no worse than that of the other side, whichever it sees first',
  family: 'judge',
  example: 'pairwise: Which answer is more helpful?',
  failsOn: { text: 'Ask someone else.' },
  definition:
    "the judge's verdict in both orders, against position bias: Wang et al. 2023, https://arxiv.org/abs/2305.17926",
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  comparesOther: true,
  params: z.strictObject({
    value: soughtParam.describe('What the better answer is better at.'),
    ...judgeParams,
    min: numberParam
      .refine((value) => value > 0 && value <= 1, { error: 'must be more than 0 and at most 1' })
      .default(0.5)
      .describe('A win scores 1, a tie 0.5, a loss 0. The default lets a tie pass, and 1 asks for a win.'),
  }),
  async check(target, { value, votes, input, min }, context): Promise<CheckOutcome> {
    const { accepted } = context;
    if (accepted === undefined) return describeMissing(context);
    if ('missing' in accepted) return { error: `the other side's answer can't be compared: ${accepted.missing}` };
    const [own, other] = [textOf(target), textOf(accepted)];
    if (own === other) return toOutcome('tie', 0.5, min, 'both answers are the same', context);
    const parts = [{ title: 'criterion', text: value }, ...(input ? describeInput(context.input) : [])];
    const ownFirst = prepareOrder(parts, own, other, context);
    const otherFirst = prepareOrder(parts, other, own, context);
    const compared = await Promise.all(
      Array.from({ length: votes }, (_, vote) => compare(ownFirst, otherFirst, { vote, votes })),
    );
    const counted = countVotes(
      compared.map(({ vote }) => vote),
      'tie',
    );
    if ('error' in counted) return counted;
    const { side, shown, reason, judgement } = counted;
    const outcome = toOutcome(
      side,
      scores[side],
      min,
      `${shown === '' ? '' : `${shown}: `}${quote(reason, 300)}`,
      context,
    );
    const positions = sumPositions(compared.flatMap(({ places }) => places));
    return { ...outcome, judgement: { judge: context.asks ?? '', ...judgement, positions } };
  },
});

type Side = 'win' | 'tie' | 'loss';
type Place = 'first' | 'second' | 'tie';

interface Compared {
  readonly vote: Vote<Side>;
  /** The winning place in each order in which the answers were shown. */
  readonly places: readonly Place[];
}

const scores: Readonly<Record<Side, number>> = { win: 1, tie: 0.5, loss: 0 };

/** Asks in both orders. A judge whose verdict depends on the order gives a tie. */
async function compare(ownFirst: AskOrder, otherFirst: AskOrder, number: VoteNumber): Promise<Compared> {
  const asIs = toSide(await ownFirst(number), 'first');
  if ('error' in asIs) return { vote: asIs, places: [] };
  const swapped = toSide(await otherFirst(number), 'second');
  if ('error' in swapped) return { vote: swapped, places: [asIs.place] };
  const places = [asIs.place, swapped.place];
  const model = defined({ model: asIs.model });
  if (asIs.side === swapped.side) {
    return { vote: { side: asIs.side, score: scores[asIs.side], reason: asIs.reason, ...model }, places };
  }
  const reason = `the two orders disagree, which is a tie: ${asIs.side} shown first, ${swapped.side} shown second`;
  return { vote: { side: 'tie', score: 0.5, reason, ...model }, places };
}

type Reply = z.output<typeof replySchema>;
type AskOrder = AskJudge<Reply>;

function prepareOrder(parts: readonly FramedPart[], a: string, b: string, context: CheckContext): AskOrder {
  const shown = [...parts, { title: 'answer A', text: a }, { title: 'answer B', text: b }];
  return prepareJudge({ task, parts: shown, form, jsonSchema, schema: replySchema }, context);
}

type Asked =
  | { readonly side: Side; readonly place: Place; readonly reason: string; readonly model?: string }
  | { readonly error: string };

/** The reply's verdict on our own answer, given the place at which it was shown. */
function toSide(reply: JudgeReply<Reply>, ownPlace: Place): Asked {
  if ('error' in reply) return reply;
  const { winner, reason } = reply.value;
  const place: Place = winner === 'tie' ? 'tie' : winner === 'A' ? 'first' : 'second';
  const side: Side = place === 'tie' ? 'tie' : place === ownPlace ? 'win' : 'loss';
  return { side, place, reason, ...defined({ model: reply.model }) };
}

const task =
  'You compare two answers, A and B, by one criterion. The order in which they stand says nothing of their worth, and neither ' +
  'does their length. Say which is better by the criterion, or that neither is.';
const form = '{"reason": "one or two sentences", "winner": "A" or "B" or "tie"}';
const jsonSchema = buildSchema('winner', { type: 'string', enum: ['A', 'B', 'tie'] });

const replySchema = z.object({
  reason: z.string(),
  winner: z
    .string()
    .transform((winner) => winner.trim().toLowerCase())
    .pipe(z.enum(['a', 'b', 'tie']))
    .transform((winner) => (winner === 'tie' ? 'tie' : winner === 'a' ? 'A' : 'B')),
});

const descriptions: Readonly<Record<Side, string>> = {
  win: 'better than the answer of the other side',
  tie: 'neither better nor worse than the answer of the other side',
  loss: 'worse than the answer of the other side',
};

function toOutcome(side: Side, score: number, min: number, why: string, { asks = '' }: CheckContext) {
  const judgement = { judge: asks, votes: 0, agreement: 1 };
  return { pass: reaches(score, min), score, reason: `${descriptions[side]}: ${why}`, judgement };
}

function describeMissing({ input }: CheckContext): CheckOutcome {
  if (input?.other === 'reference') {
    return { pass: true, isIdle: true, reason: 'not asked: this is the version that others are compared with' };
  }
  return {
    error:
      'there is no other answer to compare with: accept a baseline that holds this case ' +
      '("llmcheck baseline accept" after a first run), or run a version that it replaces beside it',
  };
}

function sumPositions(places: readonly Place[]): Readonly<Record<Place, number>> {
  const sum = { first: 0, second: 0, tie: 0 };
  for (const place of places) sum[place] += 1;
  return sum;
}

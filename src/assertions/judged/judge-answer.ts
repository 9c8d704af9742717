import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { Judgement } from '../../model/verdict.ts';
import { quote } from '../../text/shorten.ts';
import type { CheckContext, CheckOutcome, Target } from '../define.ts';
import { numberParam, reaches } from '../params.ts';
import { textOf } from '../targets.ts';
import type { FramedPart } from './ask-judge.ts';
import { describeInput, prepareJudge } from './ask-judge.ts';

export interface JudgeOptions {
  readonly task: string;
  readonly votes: number;
  readonly input: boolean;
  /** The score that passes; undefined: the judge says pass or fail. */
  readonly threshold: number | undefined;
}

/** Lets the check's judge hold one answer against a standard, as often as there are votes. */
export async function judgeAnswerBy(
  standard: FramedPart,
  target: Target,
  { task, votes, input, threshold }: JudgeOptions,
  context: CheckContext,
): Promise<CheckOutcome> {
  const parts = [standard, ...(input ? describeInput(context.input) : []), { title: 'answer', text: textOf(target) }];
  const shape = threshold === undefined ? passShape : scoreShape;
  const ask = prepareJudge({ task, parts, ...shape, schema: replySchema }, context);
  const cast = await Promise.all(
    Array.from({ length: votes }, async (_, vote): Promise<Vote<'pass' | 'fail'>> => {
      const reply = await ask({ vote, votes });
      if ('error' in reply) return reply;
      const { reason } = reply.value;
      const model = reply.model === undefined ? {} : { model: reply.model };
      return { ...decide(reply.value, threshold), reason, ...model };
    }),
  );
  const counted = countVotes(cast);
  if ('error' in counted) return counted;
  const { side, score, shown, reason, judgement } = counted;
  const pass = side === 'pass';
  const scored = threshold === undefined ? '' : ` (score ${score.toFixed(2)}, wanted ${threshold})`;
  const word = `judge "${context.asks ?? ''}" says ${side}${scored}${shown === '' ? '' : ` by ${shown}`}`;
  return {
    pass,
    score,
    reason: `${word}: ${quote(reason, 300)}`,
    judgement: { judge: context.asks ?? '', ...judgement },
  };
}

type Reply = z.output<typeof replySchema>;

/** Further members do no harm; a score out of its range is no score. */
const replySchema = z
  .object({ reason: z.string(), pass: z.boolean().optional(), score: z.number().min(0).max(1).optional() })
  .refine(({ pass, score }) => pass !== undefined || score !== undefined, { error: 'neither "pass" nor "score"' });

/** What was asked for decides; where a judge gives the other one alone, that does. */
function decide({ pass, score }: Reply, threshold: number | undefined): { side: 'pass' | 'fail'; score: number } {
  const given = score ?? (pass === true ? 1 : 0);
  const passes = threshold === undefined ? (pass ?? reaches(given, 0.5)) : reaches(given, threshold);
  // A score beside a word that was asked for is not what was asked for.
  return { side: passes ? 'pass' : 'fail', score: threshold === undefined ? Number(passes) : given };
}

interface ReplyShape {
  readonly form: string;
  readonly jsonSchema: JsonObject;
}

const passShape: ReplyShape = {
  form: '{"reason": "one or two sentences", "pass": true or false}',
  jsonSchema: buildSchema('pass', { type: 'boolean' }),
};

const scoreShape: ReplyShape = {
  form: '{"reason": "one or two sentences", "score": a number from 0 (not at all) to 1 (fully)}',
  jsonSchema: buildSchema('score', { type: 'number' }),
};

/** The reason comes first, so that the word follows from it. */
export function buildSchema(name: string, schema: JsonObject): JsonObject {
  return {
    type: 'object',
    properties: { reason: { type: 'string' }, [name]: schema },
    required: ['reason', name],
    additionalProperties: false,
  };
}

/** What every assertion that asks a judge may have. */
export const judgeParams = {
  judge: z
    .string()
    .min(1, { error: 'must not be empty' })
    .optional()
    .describe("The id of one of the suite's judges; may be left out where there is only one."),
  votes: z
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be 1 or more' })
    .max(15, { error: 'must be 15 or less' })
    .refine((votes) => votes % 2 === 1, { error: 'must be odd, so that there is a majority' })
    .default(1)
    .describe('How often the judge is asked; the majority decides.'),
  input: z
    .boolean()
    .default(true)
    .describe("Shows the judge the case's variables and the conversation; never the prompt."),
};

export const thresholdParam = numberParam
  .refine((value) => value > 0 && value <= 1, { error: 'must be more than 0 and at most 1' })
  .meta({ type: 'number', exclusiveMinimum: 0, maximum: 1 });

/** One vote of a judge, or why it is none. */
export type Vote<Side extends string> =
  | { readonly side: Side; readonly score: number; readonly reason: string; readonly model?: string }
  | { readonly error: string };

export type Count<Side extends string> =
  | {
      readonly side: Side;
      /** The mean over the votes that could be read. */
      readonly score: number;
      /** That of the first vote on the winning side. */
      readonly reason: string;
      /** "2 of 3 votes, agreement 0.67"; empty for a single vote. */
      readonly shown: string;
      readonly judgement: Pick<Judgement, 'votes' | 'agreement' | 'model'>;
    }
  | { readonly error: string };

/** The side of more than half of the votes, whatever the unreadable ones would have said; else `undecided`, where there is one. */
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
  const agreement = (counts.get(side) ?? 0) / votes.length;
  const [first] = [...cast.filter((vote) => vote.side === side), ...cast];
  const model = cast.find((vote) => vote.model !== undefined)?.model;
  return {
    side,
    score: cast.reduce((sum, { score }) => sum + score, 0) / Math.max(1, cast.length),
    reason: first?.reason ?? '',
    shown:
      votes.length === 1
        ? ''
        : `${counts.get(side) ?? 0} of ${votes.length} votes, agreement ${agreement.toFixed(2)}${describeLost(votes.length - cast.length)}`,
    judgement: { votes: votes.length, agreement, ...defined({ model }) },
  };
}

function describeLost(count: number): string {
  return count === 0 ? '' : `, ${count} unreadable`;
}

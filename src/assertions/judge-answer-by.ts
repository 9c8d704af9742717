import * as z from 'zod';
import type { JsonObject } from '../json/json.ts';
import { quote } from '../text/quote.ts';
import { prepareJudge } from './ask-judge.ts';
import { countVotes, type Vote } from './count-votes.ts';
import type { CheckContext, CheckOutcome, Target } from './define.ts';
import { describeInput } from './describe-input.ts';
import type { FramedPart } from './frame-parts.ts';
import { reaches } from './reference-texts.ts';
import { textOf } from './target-text.ts';

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

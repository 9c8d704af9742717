import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import { quote } from '../../text/shorten.ts';
import { type CheckContext, type CheckOutcome, defineAssertion, type Target } from '../define.ts';
import { numberParam, reaches, soughtParam, valueParam } from '../params.ts';
import { textOf } from '../targets.ts';
import { readWorkspace } from '../workspace.ts';
import { describeInput, type FramedPart, prepareJudge } from './ask-judge.ts';
import { countVotes, type Vote } from './votes.ts';

interface JudgeOptions {
  readonly task: string;
  readonly votes: number;
  readonly input: boolean;
  /** The least score that passes; undefined if the judge gives pass or fail. */
  readonly threshold: number | undefined;
}

/** Asks the check's judge whether an answer meets a standard, once for each vote. */
async function judgeAnswerBy(
  standard: FramedPart,
  target: Target,
  { task, votes, input, threshold }: JudgeOptions,
  context: CheckContext,
): Promise<CheckOutcome> {
  const parts = [
    standard,
    ...(input ? describeInput(context.input) : []),
    { title: 'answer', text: textOf(target) },
    ...describeFiles(target, context),
  ];
  const shape = threshold === undefined ? passShape : scoreShape;
  const ask = prepareJudge({ task, parts, ...shape, schema: buildReplySchema(threshold) }, context);
  const cast = await Promise.all(
    Array.from({ length: votes }, async (_, vote): Promise<Vote<'pass' | 'fail'>> => {
      const reply = await ask({ vote, votes });
      if ('error' in reply) return reply;
      const { reason } = reply.value;
      return { ...decide(reply.value, threshold), reason, ...defined({ model: reply.model }) };
    }),
  );
  const counted = countVotes(cast);
  if ('error' in counted) return counted;
  const { side, score, shown, reason, judgement } = counted;
  const pass = side === 'pass';
  const scored = threshold === undefined ? '' : ` (score ${score.toFixed(2)}, wanted ${threshold})`;
  const verdict = `judge "${context.asks ?? ''}" says ${side}${scored}${shown === '' ? '' : ` by ${shown}`}`;
  return {
    pass,
    score,
    reason: `${verdict}: ${quote(reason, 300)}`,
    judgement: { judge: context.asks ?? '', ...judgement },
  };
}

type Reply = z.output<typeof replySchema>;

/** The reply of a judge. Additional members are ignored. A score out of range makes the reply invalid. */
const replySchema = z.looseObject({
  reason: z.string(),
  pass: z.boolean().optional(),
  score: z.number().min(0).max(1).optional(),
});

/** A judge that writes "Pass" says something, and may say the opposite. */
function isMisspelt(name: string): boolean {
  return name !== 'pass' && name !== 'score' && /^\W*(?:pass|score)\W*$/i.test(name);
}

/** A reply that lacks what was asked for, or that says yes and no, is no verdict. */
function buildReplySchema(threshold: number | undefined) {
  return replySchema
    .refine((reply) => !Object.keys(reply).some(isMisspelt), { error: '"pass" or "score" is spelled another way' })
    .refine(({ pass, score }) => pass !== undefined || score !== undefined, { error: 'neither "pass" nor "score"' })
    .refine(({ score }) => threshold === undefined || score !== undefined, { error: 'no "score"' })
    .refine((reply) => !contradictsItself(reply, threshold), { error: '"pass" and "score" contradict each other' });
}

/** A judge that is asked for a score does not know the threshold, so its yes may mean less than that. */
function contradictsItself({ pass, score }: Reply, threshold = evenScore): boolean {
  if (pass === undefined || score === undefined) return false;
  return pass ? !reaches(score, Math.min(threshold, evenScore)) : reaches(score, threshold);
}

/** The score from which on a judge that gives a score alone says yes. */
const evenScore = 0.5;

/** Without a threshold, pass or fail decides, or a score in its place; with one, the score does. */
function decide({ pass, score }: Reply, threshold: number | undefined): { side: 'pass' | 'fail'; score: number } {
  const known = score ?? 0;
  const passes = threshold === undefined ? (pass ?? reaches(known, evenScore)) : reaches(known, threshold);
  // If pass or fail was requested, an additional score does not count.
  return { side: passes ? 'pass' : 'fail', score: threshold === undefined ? Number(passes) : known };
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

/** The reason comes first, so that the verdict follows from it. */
export function buildSchema(name: string, schema: JsonObject): JsonObject {
  return {
    type: 'object',
    properties: { reason: { type: 'string' }, [name]: schema },
    required: ['reason', name],
    additionalProperties: false,
  };
}

/** The parameters of every assertion that asks a judge. */
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

const thresholdParam = numberParam
  .refine((value) => value > 0 && value <= 1, { error: 'must be more than 0 and at most 1' })
  .meta({ type: 'number', exclusiveMinimum: 0, maximum: 1 })
  .optional()
  .describe('Asks for a score from 0 to 1 and passes from here on. Without it the judge says pass or fail.');

/** The most characters of a workspace's files that a judge sees. */
const maxChars = 100_000;

/** The files that a program changed in its workspace, for a judge of its whole answer. */
function describeFiles(target: Target, { completion }: CheckContext): readonly FramedPart[] {
  const workspace = readWorkspace(completion);
  if (workspace === undefined || target.kind !== 'text' || target.text !== completion.text) return [];
  const { created, changed, deleted } = workspace;
  let left = maxChars;
  const blocks = [...Object.entries(created), ...Object.entries(changed)].map(([path, file]) => {
    const kind = Object.hasOwn(created, path) ? 'created' : 'changed';
    if (!('text' in file)) return `${kind} ${path}, which is no text`;
    left -= file.text.length;
    return left < 0 ? `${kind} ${path}, which is too long to be shown` : `${kind} ${path}:\n${file.text}`;
  });
  const all = [...blocks, ...deleted.map((path) => `deleted ${path}`)];
  return [{ title: 'files', text: all.length === 0 ? 'no file was changed' : all.join('\n\n') }];
}

/** A judge passes any answer against an empty reference. */
function isSaid(value: unknown): boolean {
  if (typeof value === 'object') return value !== null && Object.keys(value).length > 0;
  return typeof value !== 'string' || value.trim() !== '';
}

export const rubric = defineAssertion({
  summary: 'a judge finds that the answer meets a criterion',
  family: 'judge',
  example: 'rubric: The answer is polite and promises no refund.',
  failsOn: { text: 'You will surely get your money back!' },
  definition: "the judge's verdict; LLM as a judge: Zheng et al. 2023, https://arxiv.org/abs/2306.05685",
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  params: z.strictObject({
    value: soughtParam.refine(isSaid, { error: 'must not be blank' }).describe('The criterion, in plain words.'),
    ...judgeParams,
    threshold: thresholdParam,
  }),
  check: (target, { value, threshold, ...options }, context) =>
    judgeAnswerBy({ title: 'criterion', text: value }, target, { ...options, threshold, task: rubricTask }, context),
});

const rubricTask =
  'You judge one answer by one criterion. Say whether the answer meets the criterion, no more and no less.';

export const factual = defineAssertion({
  summary: 'a judge finds that the answer says what a reference says and contradicts nothing of it',
  family: 'judge',
  example: 'factual: "{{expected}}"',
  failsOn: { text: 'It is a technical matter.' },
  definition: "the judge's verdict on a reference answer; Zheng et al. 2023, https://arxiv.org/abs/2306.05685",
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  params: z.strictObject({
    value: valueParam.refine(isSaid, { error: 'must not be null or empty' }).describe('The reference answer.'),
    ...judgeParams,
    threshold: thresholdParam,
  }),
  check(target, { value, threshold, ...options }, context) {
    const reference = typeof value === 'string' ? value : textOf({ kind: 'json', value });
    return judgeAnswerBy(
      { title: 'reference', text: reference },
      target,
      { ...options, threshold, task: factualTask },
      context,
    );
  },
});

const factualTask =
  'You compare the facts of an answer with those of a reference, which is right. The answer passes if it states what the ' +
  'reference states and contradicts nothing of it. Wording, style, length and further facts that fit do not matter.';

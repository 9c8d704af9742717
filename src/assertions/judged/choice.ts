import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import type { Message } from '../../model/run/completion.ts';
import { quote } from '../../text/shorten.ts';
import { defineAssertion } from '../define.ts';
import { numberParam, soughtParam } from '../params.ts';
import { textOf } from '../targets.ts';
import { withoutThoughts } from './ask-judge.ts';
import { judgeParams } from './rubric.ts';

const choiceParam = z.strictObject({
  choice: soughtParam.describe('A text that the reply may hold; letter case does not count.'),
  score: numberParam
    .refine((score) => score >= 0 && score <= 1, { error: 'must be from 0 to 1' })
    .meta({ type: 'number', minimum: 0, maximum: 1 })
    .describe('What it is worth; more than 0 passes.'),
});

export const choice = defineAssertion({
  summary: 'a judge answers a question in your own words; the first choice that its reply contains decides',
  family: 'judge',
  example:
    'choice: {value: "Is this polite? {answer} Say yes or no.", choices: [{choice: "yes", score: 1}, {choice: "no", score: 0}]}',
  failsOn: { text: 'Find it yourself.' },
  definition:
    'the first choice whose text the reply holds, in lower case: the evaluators of GitHub Models, https://github.com/github/gh-models',
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  params: z.strictObject({
    value: soughtParam
      .superRefine((value, context) => {
        if (value.includes('{answer}')) return;
        const hint = 'write {answer} where the answer belongs, or {{completion}} in a prompt file of GitHub';
        const message = 'holds no {answer}, so the judge would not see the answer';
        context.addIssue({ code: 'custom', message, params: { hint } });
      })
      .describe('The question to the judge, word for word; {answer} is replaced by the answer.'),
    choices: z
      .array(choiceParam)
      .min(1, { error: 'needs at least one choice' })
      .describe('In the order in which they are looked for.'),
    system: soughtParam.optional().describe('A system message before the question.'),
    judge: judgeParams.judge,
  }),
  async check(target, { value, choices, system }, { ports, asks }) {
    if (asks === undefined || ports.ask === undefined) return { error: 'no judge is available here' };
    // A function, so that no "$" in an answer counts as a pattern.
    const question = value.replaceAll('{answer}', () => textOf(target));
    const messages: readonly Message[] = [
      ...(system === undefined ? [] : [{ role: 'system', content: system } as const]),
      { role: 'user', content: question },
    ];
    const reply = await ports.ask({ kind: 'judge', model: asks, messages, vote: 0, votes: 1 });
    if ('failure' in reply) return { error: `judge "${asks}" gave no reply: ${reply.failure}` };
    const replyText = withoutThoughts(reply.text).trim().toLowerCase();
    const found = choices.find((option) => replyText.includes(option.choice.toLowerCase()));
    const judgement = { judge: asks, votes: 1, agreement: 1, ...defined({ model: reply.model }) };
    if (found === undefined) {
      const known = choices.map((option) => quote(option.choice)).join(', ');
      return {
        pass: false,
        missing: true,
        reason: `judge "${asks}" names none of ${known}: ${quote(reply.text, 200)}`,
        judgement,
      };
    }
    return {
      pass: found.score > 0,
      score: found.score,
      reason: `judge "${asks}" says ${quote(found.choice)}, worth ${found.score}: ${quote(reply.text, 200)}`,
      judgement,
    };
  },
});

import * as z from 'zod';
import { type CheckOutcome, defineCombinator } from './define.ts';
import { joinReasons, scoreOf } from './outcome.ts';

export const anyOf = defineCombinator({
  summary: 'at least one of several assertions holds; the score is the highest',
  family: 'combinator',
  example: 'anyOf: [{ contains: refund }, { contains: money back }]',
  failsOn: { text: 'It is on its way.' },
  definition: 'the maximum of the scores',
  params: z.strictObject({}),
  children: 'many',
  combine(outcomes): CheckOutcome {
    const checked = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome]));
    const score = Math.max(0, ...checked.map(scoreOf));
    const passing = checked.find(({ pass }) => pass);
    if (passing !== undefined) return { pass: true, score, reason: `any of: ${passing.reason}` };
    const failed = outcomes.find((outcome) => 'error' in outcome);
    if (failed !== undefined) return failed;
    const isMissing = checked.some(({ missing }) => missing === true);
    return {
      pass: false,
      score,
      reason: `none of: ${joinReasons(checked)}`,
      ...(isMissing && { missing: true as const }),
    };
  },
});

import * as z from 'zod';
import { type CheckOutcome, defineCombinator } from './define.ts';
import { joinReasons, scoreOf } from './outcome.ts';

export const allOf = defineCombinator({
  summary: 'every one of several assertions holds; the score is the lowest',
  family: 'combinator',
  example: 'allOf: [{ contains: refund }, { length: { max: 80, unit: words } }]',
  failsOn: { text: 'It is on its way.' },
  definition: 'the minimum of the scores',
  params: z.strictObject({}),
  children: 'many',
  combine(outcomes): CheckOutcome {
    const checked = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome]));
    const failing = checked.filter(({ pass }) => !pass);
    const score = Math.min(1, ...checked.map(scoreOf));
    const decided = failing.some(({ missing }) => missing !== true);
    const failed = outcomes.find((outcome) => 'error' in outcome);
    if (failed !== undefined && !decided) return failed;
    if (failing.length === 0) return { pass: true, score, reason: `all of: ${joinReasons(checked)}` };
    return {
      pass: false,
      score,
      reason: `not all of: ${joinReasons(failing)}`,
      ...(!decided && { missing: true as const }),
    };
  },
});

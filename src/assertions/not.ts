import * as z from 'zod';
import { defineCombinator } from './define.ts';

export const not = defineCombinator({
  summary: 'an assertion does not hold; what is missing or can not be checked stays so',
  family: 'combinator',
  example: 'not: { contains: refund guaranteed }',
  failsOn: { text: 'You have a refund guaranteed.' },
  definition: 'the inverse: 1 − score',
  params: z.strictObject({}),
  children: 'one',
  combine([child]) {
    if (child === undefined) return { error: 'not has no assertion' };
    if ('error' in child || child.missing === true) return child;
    const score = 1 - (child.score ?? (child.pass ? 1 : 0));
    return { pass: !child.pass, score, reason: `not: ${child.reason}` };
  },
});

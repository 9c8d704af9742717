import * as z from 'zod';
import { type CheckOutcome, defineCombinator } from './define.ts';

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

/** An outcome of a check that could be made. */
export type Judged = Exclude<CheckOutcome, { readonly error: string }>;

/** In [0, 1] whatever a check computed. */
export function scoreOf({ pass, score }: Judged): number {
  if (score === undefined || Number.isNaN(score)) return pass ? 1 : 0;
  return Math.min(1, Math.max(0, score));
}

export function joinReasons(outcomes: readonly Judged[]): string {
  const shown = outcomes.slice(0, 5).map(({ reason }) => reason);
  return `${shown.join('; ')}${outcomes.length > 5 ? `; and ${outcomes.length - 5} more` : ''}`;
}

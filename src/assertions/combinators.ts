import * as z from 'zod';
import { type CheckOutcome, type Combinator, type Made, scoreOf } from './define.ts';

export const not: Combinator = {
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
    return { pass: !child.pass, score: 1 - (child.score ?? (child.pass ? 1 : 0)), reason: `not: ${child.reason}` };
  },
};

export const anyOf: Combinator = {
  summary: 'at least one of several assertions holds; the score is the highest',
  family: 'combinator',
  example: 'anyOf: [{ contains: refund }, { contains: money back }]',
  failsOn: { text: 'It is on its way.' },
  definition: 'the maximum of the scores',
  params: z.strictObject({}),
  children: 'many',
  combine(outcomes) {
    const made = outcomes.filter(isMade);
    const score = Math.max(0, ...made.map(scoreOf));
    const passing = made.find(({ pass }) => pass);
    if (passing !== undefined) return { pass: true, score, reason: `any of: ${passing.reason}` };
    const errored = outcomes.find((outcome) => 'error' in outcome);
    if (errored !== undefined) return errored;
    const failure = { pass: false, score, reason: `none of: ${joinReasons(made)}` };
    return made.some(({ missing }) => missing === true) ? { ...failure, missing: true } : failure;
  },
};

export const allOf: Combinator = {
  summary: 'every one of several assertions holds; the score is the lowest',
  family: 'combinator',
  example: 'allOf: [{ contains: refund }, { length: { max: 80, unit: words } }]',
  failsOn: { text: 'It is on its way.' },
  definition: 'the minimum of the scores',
  params: z.strictObject({}),
  children: 'many',
  combine(outcomes) {
    const made = outcomes.filter(isMade);
    const score = Math.min(1, ...made.map(scoreOf));
    const failing = made.filter(({ pass }) => !pass);
    const isDecided = failing.some(({ missing }) => missing !== true);
    const errored = outcomes.find((outcome) => 'error' in outcome);
    if (errored !== undefined && !isDecided) return errored;
    if (failing.length === 0) return { pass: true, score, reason: `all of: ${joinReasons(made)}` };
    const failure = { pass: false, score, reason: `not all of: ${joinReasons(failing)}` };
    return isDecided ? failure : { ...failure, missing: true };
  },
};

function joinReasons(outcomes: readonly Made[]): string {
  const shown = outcomes.slice(0, 5).map(({ reason }) => reason);
  return `${shown.join('; ')}${outcomes.length > 5 ? `; and ${outcomes.length - 5} more` : ''}`;
}

function isMade(outcome: CheckOutcome): outcome is Made {
  return !('error' in outcome);
}

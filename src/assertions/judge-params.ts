import * as z from 'zod';
import { numberParam } from './param-schemas.ts';

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

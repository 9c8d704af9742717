import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { scoreBleu } from '../../text/similarity.ts';
import { splitTokens } from '../../text/words.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { ignoreCaseParam, minScoreParam, reaches, referencesParam } from '../params.ts';
import { textOf } from '../targets.ts';

/** Parting a longer answer, or counting its runs, takes too long. */
const maxChars = 200_000;
const maxTokens = 100_000;

/** Of one sentence, with the tokens and the smoothing that sacreBLEU has by default (Post 2018, https://aclanthology.org/W18-6319). */
export const bleu = defineAssertion({
  summary: 'runs of up to four words of the text occur in a reference: sentence BLEU (Papineni 2002)',
  family: 'similarity',
  example: 'bleu: { value: "The cat sat on the mat.", min: 0.4 }',
  failsOn: { text: 'A dog lay there.' },
  definition:
    'Papineni et al. 2002, BLEU: a Method for Automatic Evaluation of Machine Translation; tokens and smoothing as in sacreBLEU (Post 2018): 13a, exp, effective order',
  params: z.strictObject({
    value: referencesParam.describe('The reference, or several.'),
    min: minScoreParam.describe('The score that passes, from 0 to 1.'),
    smoothing: z
      .enum(['none', 'addOne', 'exp'])
      .default('exp')
      .describe(
        'For runs without a match: exp (NIST: a half, a quarter … of one), addOne (Lin and Och 2004), none (the score is 0).',
      ),
    ignoreCase: ignoreCaseParam,
  }),
  check(target, { value, min, smoothing, ignoreCase }): CheckOutcome {
    const text = textOf(target);
    if (text.length > maxChars) {
      return { error: `the answer is too long for BLEU (${text.length} characters): select a part of it` };
    }
    const split = (part: string) => splitTokens(ignoreCase ? part.toLowerCase() : part);
    const tokens = split(text);
    if (tokens.length > maxTokens) {
      return { error: `the answer is too long for BLEU (${tokens.length} tokens): select a part of it` };
    }
    const score = scoreBleu(tokens, value.map(split), smoothing);
    return {
      pass: reaches(score, min),
      score,
      reason: `BLEU ${score.toFixed(3)}, wanted at least ${min}: found ${quote(text)}`,
    };
  },
});

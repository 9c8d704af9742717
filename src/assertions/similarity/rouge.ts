import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type RougeScore, scoreRougeL, scoreRougeN } from '../../text/similarity.ts';
import { splitWords } from '../../text/words.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { minScoreParam, reaches, referencesParam } from '../params.ts';
import { textOf } from '../targets.ts';

/** Longer texts would take seconds to align. */
const maxPairs = 300_000_000;

/** Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"; of several references the best counts. */
export const rouge = defineAssertion({
  summary: 'the words of the text overlap with a reference: ROUGE-N or ROUGE-L, without stemming (Lin 2004)',
  family: 'similarity',
  example: 'rouge: { value: "The refund takes five days.", n: L, min: 0.5 }',
  failsOn: { text: 'No.' },
  definition:
    'Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries; as rouge-score without its stemmer, but letters that are not ASCII count',
  params: z.strictObject({
    value: referencesParam.describe('The reference, or several, of which the best counts.'),
    n: z
      .literal([1, 2, 3, 4, 5, 6, 7, 8, 9, 'L'], {
        error: 'must be a whole number from 1 to 9, or L',
      })
      .default(1)
      .describe('Words in a run, or L for the longest common subsequence.'),
    measure: z
      .enum(['f', 'recall', 'precision'])
      .default('f')
      .describe('Recall is of the reference, precision of the answer, f their harmonic mean.'),
    min: minScoreParam.describe('The score that passes.'),
    ignoreCase: z.boolean().default(true).describe('Upper and lower case are the same.'),
  }),
  check(target, { value, n, measure, min, ignoreCase }): CheckOutcome {
    const text = textOf(target);
    const split = (part: string) => splitWords(ignoreCase ? part.toLowerCase() : part);
    const words = split(text);
    const references = value.map(split);
    const longest = references.reduce((most, reference) => Math.max(most, reference.length), 0);
    if (n === 'L' && words.length * longest > maxPairs) {
      return {
        error: `the texts are too long for ROUGE-L (${words.length} and ${longest} words): select a part of the answer`,
      };
    }
    const scores = references.map(
      (reference): RougeScore => (n === 'L' ? scoreRougeL(words, reference) : scoreRougeN(words, reference, n)),
    );
    const best = scores.reduce((most, score) => (score[measure] > most[measure] ? score : most));
    const score = best[measure];
    const parts = `recall ${best.recall.toFixed(3)}, precision ${best.precision.toFixed(3)}, f ${best.f.toFixed(3)}`;
    return {
      pass: reaches(score, min),
      score,
      reason: `ROUGE-${n} ${parts}; wanted ${measure} of at least ${min}: found ${quote(text)}`,
    };
  },
});

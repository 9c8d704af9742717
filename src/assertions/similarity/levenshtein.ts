import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { measureEditDistance } from '../../text/similarity.ts';
import { diffTexts, normaliseText } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { countParam, ignoreCaseParam, minScoreParam, reaches, textParam, trimTextsParam } from '../params.ts';
import { textOf } from '../targets.ts';

/** Levenshtein 1966, "Binary codes capable of correcting deletions, insertions and reversals". */
export const levenshtein = defineAssertion({
  summary: 'the text is near to another: by edited characters, or by similarity, 1 − distance / the longer length',
  family: 'similarity',
  example: 'levenshtein: { value: "Your refund is on its way.", min: 0.8 }',
  failsOn: { text: 'No.' },
  definition: 'Levenshtein 1966, Binary codes capable of correcting deletions, insertions and reversals',
  params: z
    .strictObject({
      value: textParam.describe('The text to compare with.'),
      max: countParam.optional().describe('The most edits that pass.'),
      min: minScoreParam.optional().describe('The least similarity that passes.'),
      ignoreCase: ignoreCaseParam,
      trim: trimTextsParam,
    })
    .refine(({ max, min }) => max !== undefined || min !== undefined, {
      error: 'needs max (edits) or min (similarity)',
    }),
  check(target, { value, max, min, ...options }): CheckOutcome {
    const text = textOf(target);
    const [expected, found] = [normaliseText(value, options), normaliseText(text, options)];
    const { distance: edits, isExact, similarity, longest } = measureEditDistance(expected, found);
    const pass = (max === undefined || edits <= max) && (min === undefined || reaches(similarity, min));
    // The least possible distance proves a failure, never a pass.
    if (!isExact && pass) {
      return { error: `the texts are too long to compare (${longest} characters): select a part of the answer` };
    }
    const bounds = [
      max === undefined ? '' : `at most ${max} edits`,
      min === undefined ? '' : `a similarity of at least ${min}`,
    ];
    const wanted = bounds.filter((bound) => bound !== '').join(' and ');
    const shown = `${isExact ? '' : 'at least '}${edits} edit${edits === 1 ? '' : 's'} from ${quote(value)}, similarity ${similarity.toFixed(3)}`;
    const reason = `is ${shown}, wanted ${wanted}: found ${quote(text)}`;
    return { pass, score: similarity, reason, ...(!pass && { diff: diffTexts(value, text) }) };
  },
});

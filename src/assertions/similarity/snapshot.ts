import * as z from 'zod';
import { deepEqual, describeValue } from '../../json/deep-equal.ts';
import { quote } from '../../text/shorten.ts';
import { measureEditDistance } from '../../text/words/similarity.ts';
import { diffTexts, diffValues } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion, type Target } from '../define.ts';
import { minScoreParam, reaches } from '../params.ts';
import { textOf } from '../targets.ts';

/**
 * Compares with the accepted answer of the same case, trial and selection. Similarity is computed as in `levenshtein`.
 */
export const snapshot = defineAssertion({
  summary: 'the answer is the accepted one: exactly, up to white space and case, or by similarity',
  family: 'baseline',
  example: 'snapshot: normalised',
  failsOn: { text: 'Your parcel is lost.' },
  definition: 'equality of code points, or of JSON values; similarity as in levenshtein',
  main: 'value',
  comparesAccepted: true,
  params: z.strictObject({
    value: z
      .enum(['exact', 'normalised'])
      .default('exact')
      .describe('normalised: runs of white space are one space, upper and lower case are the same.'),
    min: minScoreParam.optional().describe('The least similarity that passes; without it the two must be the same.'),
  }),
  check(target, { value, min }, { accepted }): CheckOutcome {
    if (accepted === undefined) {
      return {
        error:
          'no accepted answer: accept a baseline with "llmcheck baseline accept" that holds this case with its output',
      };
    }
    if ('missing' in accepted) return { error: `the accepted answer can't be compared: ${accepted.missing}` };
    if (target.kind === 'json' && accepted.kind === 'json' && value === 'exact' && min === undefined) {
      return compareValues(target.value, accepted.value);
    }
    return compareTexts(target, accepted, value === 'normalised', min);
  },
});

function compareValues(found: unknown, expected: unknown): CheckOutcome {
  if (deepEqual(expected, found)) return { pass: true, reason: `is the accepted answer: ${describeValue(found)}` };
  const reason = `is not the accepted answer: accepted ${describeValue(expected)}, found ${describeValue(found)}`;
  return { pass: false, reason, diff: diffValues(expected, found) };
}

function compareTexts(target: Target, accepted: Target, normalise: boolean, min: number | undefined): CheckOutcome {
  const [found, expected] = [textOf(target), textOf(accepted)];
  const [foundForm, expectedForm] = normalise ? [normaliseSpace(found), normaliseSpace(expected)] : [found, expected];
  if (foundForm === expectedForm) return { pass: true, reason: `is the accepted answer: ${quote(found)}` };
  const difference = { diff: diffTexts(expected, found) };
  const named = `accepted ${quote(expected)}, found ${quote(found)}`;
  if (min === undefined) return { pass: false, reason: `is not the accepted answer: ${named}`, ...difference };
  const { isExact, similarity, longest } = measureEditDistance(expectedForm, foundForm);
  const pass = reaches(similarity, min);
  // The least possible distance proves a failure, never a pass.
  if (!isExact && pass) return { error: `the answers are too long to compare (${longest} characters): select a part` };
  const shown = `${isExact ? '' : 'at most '}${similarity.toFixed(3)}`;
  const reason = `is similar to the accepted answer by ${shown}, wanted ${min}: ${named}`;
  return { pass, score: similarity, reason, ...(!pass && difference) };
}

function normaliseSpace(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();
}

import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { formatCount } from '../../text/format-amount.ts';
import { quote } from '../../text/shorten.ts';
import {
  measureEditDistance,
  type RougeScore,
  scoreBleu,
  scoreRougeL,
  scoreRougeN,
} from '../../text/words/similarity.ts';
import { splitTokens, splitWords } from '../../text/words/words.ts';
import { diffTexts, normaliseText } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import {
  countParam,
  ignoreCaseParam,
  minScoreParam,
  reaches,
  referencesParam,
  textParam,
  trimTextsParam,
} from '../params.ts';
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
    const shown = `${isExact ? '' : 'at least '}${formatCount(edits, 'edit')} from ${quote(value)}, similarity ${similarity.toFixed(3)}`;
    const reason = `is ${shown}, wanted ${wanted}: found ${quote(text)}`;
    return { pass, score: similarity, reason, ...defined({ diff: pass ? undefined : diffTexts(value, text) }) };
  },
});

/** Longer texts would take seconds to align. */
const maxPairs = 200_000_000;

/** Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"; of several references the best counts. */
export const rouge = defineAssertion({
  summary: 'the words of the text overlap with a reference: ROUGE-N or ROUGE-L, without stemming (Lin 2004)',
  family: 'similarity',
  example: 'rouge: { value: "The refund takes five days.", n: L, min: 0.5 }',
  failsOn: { text: 'No.' },
  definition:
    'Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries. As rouge-score without its stemmer, but letters that are not ASCII count',
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

/** The longest answer. Splitting a longer one into words, or counting its n-grams, takes too long. */
const maxChars = 200_000;

const maxTokens = 100_000;

/**
 * Computes BLEU of one sentence, with the default tokens and smoothing of sacreBLEU (Post 2018,
 * https://aclanthology.org/W18-6319).
 */
export const bleu = defineAssertion({
  summary: 'runs of up to four words of the text occur in a reference: sentence BLEU (Papineni 2002)',
  family: 'similarity',
  example: 'bleu: { value: "The cat sat on the mat.", min: 0.4 }',
  failsOn: { text: 'A dog lay there.' },
  definition:
    'Papineni et al. 2002, BLEU: a Method for Automatic Evaluation of Machine Translation. Tokens and smoothing as in sacreBLEU (Post 2018): 13a, exp, effective order',
  params: z.strictObject({
    value: referencesParam.describe('The reference, or several.'),
    min: minScoreParam.describe('The score that passes, from 0 to 1.'),
    smoothing: z
      .enum(['none', 'addOne', 'exp'])
      .default('exp')
      .describe('For runs without a match: exp (NIST: ½, ¼ … of one), addOne (Lin and Och 2004), none (scores 0).'),
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

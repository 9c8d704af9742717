import { estimateTokenCount } from 'tokenx';
import * as z from 'zod';
import { countCharacters, countLines, countSentences, countWords } from '../lib/count-text.ts';
import { quote } from '../lib/quote.ts';
import { defineAssertion } from './define.ts';
import { countParam, describeBounds, hasBound, isOrdered, isWithin } from './param-schemas.ts';
import { textOf } from './target-text.ts';

const units = ['chars', 'words', 'sentences', 'lines', 'tokens'] as const;

export const length = defineAssertion({
  summary: 'the text has a number of characters, words, sentences, lines or (estimated) tokens',
  family: 'text',
  example: 'length: { max: 80, unit: words }',
  failsOn: { text: 'word '.repeat(81) },
  definition: 'words, sentences: Unicode Standard Annex 29',
  params: z
    .strictObject({
      min: countParam.optional().describe('The least that passes.'),
      max: countParam.optional().describe('The most that passes.'),
      unit: z.enum(units).default('chars').describe('What is counted; tokens are an estimate.'),
    })
    .refine(hasBound, { error: 'needs min or max' })
    .refine(isOrdered, { error: 'min is greater than max' }),
  check(target, { unit, ...bounds }) {
    const text = textOf(target);
    const count = countUnits(text, unit);
    const shown =
      unit === 'tokens' ? `~${count} tokens (estimated)` : `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
    return {
      pass: isWithin(count, bounds),
      reason: `has ${shown}, wanted ${describeBounds(bounds)}: found ${quote(text)}`,
    };
  },
});

function countUnits(text: string, unit: (typeof units)[number]): number {
  switch (unit) {
    case 'chars':
      return countCharacters(text);
    case 'words':
      return countWords(text);
    case 'sentences':
      return countSentences(text);
    case 'lines':
      return countLines(text);
    case 'tokens':
      return estimateTokenCount(text);
  }
}

import { estimateTokenCount } from 'tokenx';
import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type Count, countCharacters, countLines, countSentences, countWords } from '../../text/words/words.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { boundsParams, describeBounds, isWithin, withBounds } from '../params.ts';
import { textOf } from '../targets.ts';

const units = ['chars', 'words', 'sentences', 'lines', 'tokens'] as const;

export const length = defineAssertion({
  summary: 'the text has a number of characters, words, sentences, lines or (estimated) tokens',
  family: 'text',
  example: 'length: { max: 80, unit: words }',
  failsOn: { text: 'word '.repeat(81) },
  definition:
    'words are parted by white space, or by Unicode Standard Annex 29 in scripts without it. Sentences end at the closing marks of all scripts',
  params: withBounds(
    z.strictObject({
      ...boundsParams,
      unit: z.enum(units).default('chars').describe('What is counted; tokens are an estimate.'),
    }),
  ),
  check(target, { unit, ...bounds }): CheckOutcome {
    const text = textOf(target);
    const { count, exact } = countUnits(text, unit);
    const isDecided = exact || (bounds.max === undefined ? count >= (bounds.min ?? 0) : count > bounds.max);
    if (!isDecided) return { error: 'the answer is too long for its words to be counted: select a part of it' };
    const counted =
      unit === 'tokens' ? `~${count} tokens (estimated)` : `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
    const shown = exact ? counted : `at least ${counted}`;
    const reason = `has ${shown}, wanted ${describeBounds(bounds)}: found ${quote(text)}`;
    return { pass: isWithin(count, bounds), reason };
  },
});

function countUnits(text: string, unit: (typeof units)[number]): Count {
  switch (unit) {
    case 'chars':
      return { count: countCharacters(text), exact: true };
    case 'words':
      return countWords(text);
    case 'sentences':
      return { count: countSentences(text), exact: true };
    case 'lines':
      return { count: countLines(text), exact: true };
    case 'tokens':
      return { count: estimateTokenCount(text), exact: true };
  }
}

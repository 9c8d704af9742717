import * as z from 'zod';
import { detectLanguage } from '../text/detect-language.ts';
import { languageCodes } from '../text/language-profiles.ts';
import { quote } from '../text/quote.ts';
import { type CheckOutcome, defineAssertion } from './define.ts';
import { minScoreParam, reaches } from './reference-texts.ts';
import { textOf } from './target-text.ts';

const codeParam = z.enum(languageCodes, { error: `must be one of ${languageCodes.join(', ')}` });

/** By script, common words and letters; code blocks and addresses don't count. The score is the languages' share of the evidence. */
export const language = defineAssertion({
  summary: 'the text is in a language, as its script, common words and letters tell; short texts tell little',
  family: 'text',
  example: 'language: en',
  failsOn: { text: 'Das Paket ist schon auf dem Weg zu dir.' },
  definition: 'ISO 639-1 codes',
  main: 'value',
  params: z.strictObject({
    value: z
      .union([codeParam.transform((code) => [code]), z.array(codeParam).min(1)], {
        error: `must be one of ${languageCodes.join(', ')}, or a list of them`,
      })
      .describe('The ISO 639-1 code, or several that pass.'),
    min: minScoreParam.default(0.5).describe('The share of the evidence that must speak for it.'),
  }),
  check(target, { value, min }): CheckOutcome {
    const text = textOf(target);
    const guesses = detectLanguage(text);
    const [best] = guesses;
    if (best === undefined) {
      return { pass: false, missing: true, reason: `nothing in the text tells a language: found ${quote(text)}` };
    }
    const wanted: readonly string[] = value;
    const score = guesses.reduce((sum, { code, share }) => (wanted.includes(code) ? sum + share : sum), 0);
    const shown = guesses.slice(0, 3).map(({ code, share }) => `${code} ${share.toFixed(2)}`);
    const pass = reaches(score, min);
    return {
      pass,
      score,
      reason: `looks like ${shown.join(', ')}, wanted ${value.join(' or ')}: found ${quote(text)}`,
    };
  },
});

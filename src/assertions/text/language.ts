import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { minScoreParam, reaches } from '../params.ts';
import { textOf } from '../targets.ts';
import {
  cyrillicProfiles,
  type LanguageCode,
  type LanguageProfile,
  languageCodes,
  latinProfiles,
  singleScripts,
} from './language-profiles.ts';

const codeParam = z.enum(languageCodes, { error: `must be one of ${languageCodes.join(', ')}` });

/**
 * Detects the language by script, common words and letters, without code blocks and addresses. The score is the
 * expected languages' share of the evidence.
 */
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

// Of the 40 texts of its test, tinyld's light build names 30 right and franc-min 28; these profiles name all.

/** The share of a text's evidence for each language, the likeliest first. The shares add up to 1. */
export type LanguageGuesses = readonly { readonly code: string; readonly share: number }[];

/** The part of a text that is examined. More text would not change the result. */
const maxLength = 50_000;

/** Guesses the language of a text from its script, its commonest words and its letters; none if nothing speaks for any. */
export function detectLanguage(text: string): LanguageGuesses {
  const sample = keepProse(text.slice(0, 2 * maxLength)).slice(0, maxLength);
  const evidence = new Map<string, number>();
  const add = (guesses: LanguageGuesses, letters: number) => {
    for (const { code, share } of guesses) evidence.set(code, (evidence.get(code) ?? 0) + share * letters);
  };
  for (const [pattern, code] of scriptPatterns) add([{ code, share: 1 }], count(sample, pattern));
  const han = count(sample, /\p{Script=Han}/gu);
  const kana = count(sample, /[\p{Script=Hiragana}\p{Script=Katakana}]/gu);
  // Japanese writes about half of its characters in kana; a few of them in a Chinese text are a name.
  if (han + kana > 0) add([{ code: kana * 10 >= han ? 'ja' : 'zh', share: 1 }], han + kana);
  const arabic = count(sample, /\p{Script=Arabic}/gu);
  if (arabic > 0) add([{ code: count(sample, /[پچژگکی]/gu) * 20 >= arabic ? 'fa' : 'ar', share: 1 }], arabic);
  add(weighProfiles(sample, /\p{Script=Latin}/u, latinProfiles), count(sample, /\p{Script=Latin}/gu));
  add(weighProfiles(sample, /\p{Script=Cyrillic}/u, cyrillicProfiles), count(sample, /\p{Script=Cyrillic}/gu));
  return rank(evidence);
}

const scriptPatterns: readonly (readonly [RegExp, LanguageCode])[] = singleScripts.map(([script, code]) => [
  new RegExp(`\\p{Script=${script}}`, 'gu'),
  code,
]);

const webAddress = /\b(?:https?:\/\/|www\.)\S{1,2000}/g;
const anyAddress = new RegExp(`${webAddress.source}|\\S{1,64}@\\S{1,255}`, 'g');

/** Code, tags and addresses are of no language. */
function keepProse(text: string): string {
  return (
    text
      .replace(
        /^[ \t]{0,20}(?:```|~~~)[^\n]*\n(?:(?![ \t]{0,20}(?:```|~~~))[^\n]*\n)*(?:[ \t]{0,20}(?:```|~~~)[^\n]*)?/gm,
        ' ',
      )
      .replace(/`[^`\n]{1,200}`/g, ' ')
      // The pattern of an e-mail address is slow: it is tried from every character.
      .replace(text.includes('@') ? anyAddress : webAddress, ' ')
      .replace(/<\/?[a-z][^<>]{0,200}>/gi, ' ')
  );
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

const wordsAndMarks = /[\p{L}\p{M}]+|[¿¡]/gu;
/** The weight of a rare letter, relative to a word that only one language of the script has. */
const letterWeight = 0.5;

function weighProfiles(text: string, script: RegExp, profiles: readonly LanguageProfile[]): LanguageGuesses {
  const scores = new Map<string, number>();
  const add = (code: string, weight: number) => scores.set(code, (scores.get(code) ?? 0) + weight);
  for (const [word, count] of tallyWords(text)) {
    if (!script.test(word) && !/[¿¡]/.test(word)) continue;
    const speakers = profiles.filter(({ words }) => words.has(word));
    // A word that several languages have says less of each.
    for (const { code } of speakers) add(code, count / speakers.length);
    const writers = profiles.filter(({ letters }) => hasAny(word, letters));
    for (const { code } of writers) add(code, (count * letterWeight) / writers.length);
  }
  return rank(sharpen(scores));
}

/** Texts repeat their commonest words, and each is looked up once. */
function tallyWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.normalize('NFC').toLowerCase().match(wordsAndMarks) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function hasAny(word: string, letters: string): boolean {
  for (const letter of letters) if (word.includes(letter)) return true;
  return false;
}

/**
 * Cubes the scores to separate the first from the rest. Similar languages share words, so even a clear text gives them
 * some score.
 */
function sharpen(scores: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...scores].map(([code, score]) => [code, score ** 3]));
}

function rank(scores: ReadonlyMap<string, number>): LanguageGuesses {
  const total = [...scores.values()].reduce((sum, score) => sum + score, 0);
  if (total === 0) return [];
  return [...scores]
    .filter(([, score]) => score > 0)
    .map(([code, score]) => ({ code, share: score / total }))
    .sort((a, b) => b.share - a.share || (a.code < b.code ? -1 : 1));
}

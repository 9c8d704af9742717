import * as z from 'zod';
import { canonicalJson, spell } from '../../json/canonical-json.ts';
import { describeValue } from '../../json/deep-equal.ts';
import { parseJson } from '../../json/parse-json.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { measureCommonSubsequence } from '../../text/words/similarity.ts';
import { isScalar, normaliseText, normaliseValue, type TextOptions } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion, type Target } from '../define.ts';
import { ignoreCaseParam, reaches, valueParam } from '../params.ts';

export const list = defineAssertion({
  summary: 'the items of a list are the expected ones, as a set or in order; the score is F1',
  family: 'structure',
  example: 'list: { value: [apples, pears], min: 0.8 }',
  failsOn: { text: 'apples, plums' },
  definition: 'F1: van Rijsbergen 1979, Information Retrieval, chapter 7',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: z
      .union([z.array(valueParam), z.string().transform((text) => readListItems(text).items)], {
        error: 'must be a list, or a text that is read as one',
      })
      .refine((items) => items.length > 0, { error: 'needs at least one item' })
      .describe('The expected items.'),
    ordered: z.boolean().default(false).describe('The order counts, and so does how often an item occurs.'),
    min: z.number().gt(0).max(1).default(1).describe('The F1 score that passes; 1 wants equality.'),
    ignoreCase: ignoreCaseParam,
    trim: z.boolean().default(true).describe('White space around items does not count.'),
  }),
  check(target, { value, ordered, min, ...options }): CheckOutcome {
    const found = itemsOf(target);
    if (found === undefined) return { pass: false, reason: `is not a list: found ${describeTarget(target)}` };
    const wantedKeys = value.map((item) => keyOf(item, found.from, options));
    const foundKeys = found.items.map((item) => keyOf(item, found.from, options));
    const score = ordered ? scoreSequences(wantedKeys, foundKeys) : scoreSets(new Set(wantedKeys), new Set(foundKeys));
    return {
      pass: reaches(score, min),
      score,
      reason: `${describeMatch(value, wantedKeys, found, foundKeys)}; F1 ${score.toFixed(2)}${min < 1 ? `, wanted ${min}` : ''}`,
    };
  },
});

function itemsOf(target: Target): ListItems | undefined {
  if (target.kind === 'text') return readListItems(target.text);
  if (Array.isArray(target.value)) return { items: target.value, from: 'json' };
  return typeof target.value === 'string' ? readListItems(target.value) : undefined;
}

/** The comparison key of an item. Items of a text are compared by spelling, items of JSON by type and value. */
function keyOf(item: unknown, from: ListItems['from'], options: TextOptions): string {
  if (from !== 'json' && isScalar(item)) return normaliseText(item === null ? 'null' : spell(item), options);
  return canonicalJson(normaliseValue(item, options));
}

function scoreSets(wanted: ReadonlySet<string>, found: ReadonlySet<string>): number {
  let common = 0;
  for (const key of wanted) if (found.has(key)) common += 1;
  return (2 * common) / (wanted.size + found.size);
}

const maxPairs = 300_000_000;

/** F1 of the longest common subsequence. For very long lists, F1 of the items at equal places. */
function scoreSequences(wanted: readonly string[], found: readonly string[]): number {
  const isShort = wanted.length * found.length <= maxPairs;
  const common = isShort
    ? measureCommonSubsequence(wanted, found)
    : wanted.filter((key, index) => key === found[index]).length;
  return (2 * common) / (wanted.length + found.length);
}

function describeMatch(
  wanted: readonly unknown[],
  wantedKeys: readonly string[],
  found: ListItems,
  foundKeys: readonly string[],
): string {
  const foundSet = new Set(foundKeys);
  const wantedSet = new Set(wantedKeys);
  const absent = wanted.filter((_, index) => !foundSet.has(wantedKeys[index] ?? ''));
  const extra = found.items.filter((_, index) => !wantedSet.has(foundKeys[index] ?? ''));
  const parts = [
    absent.length === 0 ? '' : `missing ${describeItems(absent)}`,
    extra.length === 0 ? '' : `unexpected ${describeItems(extra)}`,
  ].filter((part) => part !== '');
  const source = found.from === 'json' ? '' : ` from ${found.from}`;
  const size = `${formatCount(found.items.length, 'item')}${source}`;
  return `found ${size}: ${parts.length === 0 ? describeItems(found.items) : parts.join(', ')}`;
}

function describeItems(items: readonly unknown[]): string {
  const named = items.map((item) => (isScalar(item) ? JSON.stringify(spell(item).slice(0, 60)) : describeValue(item)));
  return listFirst(named, 8);
}

function describeTarget(target: Target): string {
  return describeValue(target.kind === 'text' ? target.text : target.value);
}

/** Items as they were found, and whether they are JSON values or pieces of text. */
interface ListItems {
  readonly items: readonly unknown[];
  readonly from: 'json' | 'lines' | 'bullets' | 'commas';
}

const bullet = /^\s*(?:[-*+•‣◦–]|\(?\d{1,4}[.)])\s+/;

/**
 * Reads a list from a text. It takes a JSON array first, then bulleted or numbered lines, whatever is around them, then
 * all lines. A single line is split at commas or semicolons.
 */
function readListItems(text: string): ListItems {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    const parsed = parseJson(trimmed);
    if (parsed.ok && Array.isArray(parsed.value)) return { items: parsed.value, from: 'json' };
  }
  const lines = trimmed.split('\n').filter((line) => line.trim() !== '');
  const bulleted = lines.filter((line) => bullet.test(line));
  if (bulleted.length > 0) return { items: bulleted.map((line) => line.replace(bullet, '').trim()), from: 'bullets' };
  if (lines.length > 1) return { items: lines.map((line) => line.trim()), from: 'lines' };
  const separator = trimmed.includes(';') ? ';' : ',';
  const items = trimmed.split(separator).map((item) => item.trim());
  return { items: items.filter((item) => item !== ''), from: 'commas' };
}

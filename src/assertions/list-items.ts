import { parseJson } from '../json/parse-json.ts';

/** Items as they were found, and whether they are JSON values or pieces of text. */
export interface ListItems {
  readonly items: readonly unknown[];
  readonly from: 'json' | 'lines' | 'bullets' | 'commas';
}

const bullet = /^\s*(?:[-*+•‣◦–]|\(?\d{1,4}[.)])\s+/;

/**
 * Reads a list out of a text: a JSON array; else its bulleted or numbered lines, whatever stands around them;
 * else its lines; else, of a single line, what its commas or semicolons part.
 */
export function readListItems(text: string): ListItems {
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

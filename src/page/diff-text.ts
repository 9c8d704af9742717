import { type Change, diffLines, diffWordsWithSpace } from 'diff';
import { clipText } from '../text/shorten.ts';

export interface DiffPart {
  readonly text: string;
  readonly kind: 'same' | 'removed' | 'added';
}

/** What changed from one text to the other, by words or else by lines; undefined where that would take too long. */
export function diffTexts(before: string, after: string): readonly DiffPart[] | undefined {
  const [a, b] = [clipText(before, maxChars), clipText(after, maxChars)];
  const changes = diffWordsWithSpace(a, b, limits) ?? diffLines(a, b, limits);
  if (changes === undefined) return undefined;
  return joinParts(changes.map(toPart));
}

/** True where only the start of the texts is compared. */
export function isBeyondDiff(before: string, after: string): boolean {
  return Math.max(before.length, after.length) > maxChars;
}

const maxChars = 20_000;
const limits = { timeout: 300, maxEditLength: 1000 };

function toPart({ value, added, removed }: Change): DiffPart {
  return { text: value, kind: added ? 'added' : removed ? 'removed' : 'same' };
}

/** Changed words with nothing but a space between them read as one change. */
function joinParts(parts: readonly DiffPart[]): readonly DiffPart[] {
  const joined: DiffPart[] = [];
  for (let index = 0; index < parts.length; ) {
    const part = parts[index];
    if (part === undefined || part.kind === 'same') {
      if (part !== undefined) joined.push(part);
      index += 1;
      continue;
    }
    let [removed, added] = ['', ''];
    for (; index < parts.length; index += 1) {
      const next = parts[index];
      if (next === undefined) break;
      if (next.kind === 'removed') removed += next.text;
      else if (next.kind === 'added') added += next.text;
      else if (next.text.trim() === '' && !next.text.includes('\n') && isChanged(parts[index + 1])) {
        removed += next.text;
        added += next.text;
      } else break;
    }
    if (removed !== '') joined.push({ text: removed, kind: 'removed' });
    if (added !== '') joined.push({ text: added, kind: 'added' });
  }
  return joined;
}

function isChanged(part: DiffPart | undefined): boolean {
  return part !== undefined && part.kind !== 'same';
}

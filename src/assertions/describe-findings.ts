import { quote } from '../text/quote.ts';

/** Enough of what was found to find it again, and too little to use it: reasons end up in CI logs. */
export function veil(found: string): string {
  const characters = Array.from(found);
  const shown = Math.min(4, Math.floor(characters.length / 4));
  return `${quote(`${characters.slice(0, shown).join('')}…`)} (${characters.length} characters)`;
}

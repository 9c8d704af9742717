import { distance } from 'fastest-levenshtein';

const maxDistance = 2;
/** Shorter ones begin too many names. */
const minPrefix = 4;

/** The known name that a mistyped one most likely means; undefined if none is near. */
export function findNearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let nearest: string | undefined;
  // A short name is near to everything: of up to three letters one may differ.
  let best = (name.length <= 3 ? 1 : maxDistance) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > maxDistance) continue;
    const lower = candidate.toLowerCase();
    const found = isSwap(wanted, lower) ? 1 : distance(wanted, lower);
    // A name of one letter shares nothing with another one.
    if (found < best && found < Math.max(wanted.length, lower.length)) {
      nearest = candidate;
      best = found;
    }
  }
  return nearest ?? findLonger(wanted, known);
}

/** True if one letter is wrong, missing or too much, or two are swapped. */
export function isTypo(name: string, meant: string): boolean {
  return distance(name, meant) === 1 || isSwap(name, meant);
}

/** True if two letters that follow each other are swapped, as in `rnu`. */
function isSwap(a: string, b: string): boolean {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return `${a.slice(0, at)}${a.charAt(at + 1)}${a.charAt(at)}${a.slice(at + 2)}` === b;
}

/** The one name that a shortened one begins, as `postgre` does. */
function findLonger(wanted: string, known: Iterable<string>): string | undefined {
  if (wanted.length < minPrefix) return undefined;
  const longer = [...known].filter((candidate) => candidate.toLowerCase().startsWith(wanted));
  return longer.length === 1 ? longer[0] : undefined;
}

/** `did you mean "contains"?`, or undefined if no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const nearest = findNearest(name, known);
  return nearest === undefined ? undefined : `did you mean "${nearest}"?`;
}

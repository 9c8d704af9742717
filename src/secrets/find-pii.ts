import { passesLuhn, readIban } from './identifier-checks.ts';

export const piiKinds = ['email', 'phone', 'iban', 'card', 'ssn'] as const;

export type PiiKind = (typeof piiKinds)[number];

export interface PiiFinding {
  readonly kind: PiiKind;
  readonly text: string;
  readonly index: number;
}

interface PiiOptions {
  readonly kinds: readonly PiiKind[];
  /** In lower case. */
  readonly ignore: ReadonlySet<string>;
  readonly limit: number;
}

/** Personal data in a text by its form and its check digits, in the order of kinds. */
export function findPii(text: string, { kinds, ignore, limit }: PiiOptions): readonly PiiFinding[] {
  const findings: PiiFinding[] = [];
  for (const kind of kinds) {
    for (const finding of searches[kind](text)) {
      if (findings.length >= limit) return findings;
      if (!ignore.has(finding.text.toLowerCase())) findings.push({ kind, ...finding });
    }
  }
  return findings;
}

type Place = Omit<PiiFinding, 'kind'>;

const searches: Readonly<Record<PiiKind, (text: string) => Iterable<Place>>> = {
  email: (text) => (text.includes('@') ? findMatches(text, emailPattern, isEmail) : []),
  phone: (text) => findMatches(text, phonePattern, isPhone),
  iban: findIbans,
  card: (text) => findMatches(text, cardPattern, isCard),
  ssn: (text) => findMatches(text, ssnPattern, () => true),
};

// Each pattern starts where a run starts and is bounded, so that the search is linear.
const emailPattern =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}][\p{L}\p{N}-]{0,62}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu;
const phonePattern =
  /(?<![\p{L}\p{N}.,/+-])(?<!\d:)(?:\+|\()?\d(?:[ ().\u00a0/-]{0,3}\d){6,16}(?![\p{L}\p{N}])(?![.,:/-]\d)/gu;
const cardPattern = /(?<![\p{L}\p{N}.-])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}])(?![.-]\d)/gu;
/** The areas 000, 666 and 900 to 999, the group 00 and the serial 0000 are never given out. */
const ssnPattern = /(?<![\p{L}\p{N}-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\p{L}\p{N}])(?!-\d)/gu;

function* findMatches(text: string, pattern: RegExp, accept: (found: string) => boolean): Iterable<Place> {
  for (const match of text.matchAll(pattern)) if (accept(match[0])) yield { text: match[0], index: match.index };
}

function isEmail(found: string): boolean {
  const [local = ''] = found.split('@', 1);
  return !local.includes('..') && !local.endsWith('.');
}

/** E.164 with its plus, a number of North America with separators, or one in groups after a leading 0. */
function isPhone(found: string): boolean {
  const digits = found.replace(/\D/g, '');
  if (found.startsWith('+')) return digits.length >= 8 && digits.length <= 15 && !digits.startsWith('0');
  if (/^(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}$/.test(found)) return true;
  const groups = found.split(/[ ().\u00a0/-]+/).filter((group) => group !== '');
  return /^\(?0[1-9]/.test(found) && digits.length >= 9 && digits.length <= 12 && groups.length > 1 && !isDate(groups);
}

function isDate(groups: readonly string[]): boolean {
  return (
    groups.length >= 3 &&
    /^\d{2}$/.test(groups[0] ?? '') &&
    /^\d{2}$/.test(groups[1] ?? '') &&
    /^\d{4}$/.test(groups[2] ?? '')
  );
}

function isCard(found: string): boolean {
  const digits = found.replace(/\D/g, '');
  return /^(?:3[0-9]|4|5[0-9]|6[0-9]|2[2-7])/.test(digits) && !/^(\d)\1*$/.test(digits) && passesLuhn(digits);
}

const ibanStart = /(?<![\p{L}\p{N}])[A-Za-z]{2}\d{2}/gu;

function* findIbans(text: string): Iterable<Place> {
  for (const match of text.matchAll(ibanStart)) {
    const found = readIban(text, match.index);
    if (found !== undefined) yield { text: found, index: match.index };
  }
}

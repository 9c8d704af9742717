import { Buffer, isUtf8 } from 'node:buffer';
import { SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { findSecrets } from './find-secrets.ts';

export const piiKinds = ['email', 'phone', 'iban', 'card', 'ssn'] as const;

export type PiiKind = (typeof piiKinds)[number];

interface PiiFinding {
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
  phone: (text) => findNumbers(text, phonePattern, isPhone, usualPhone),
  iban: findIbans,
  card: (text) => findNumbers(text, cardPattern, isCard, usualCard),
  ssn: (text) => findMatches(text, ssnPattern, () => true),
};

// Each pattern starts where a run starts and is bounded, so that the search is linear. Most look at the first character before
// they look behind. V8 stops optimizing regexes in a process that has compiled many. A million emoji would then take 1 s
// instead of 20 ms.
const emailPattern =
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+-][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}][\p{L}\p{N}-]{0,62}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu;

/** As they are written, so that one is found beside other numbers. */
const usualPhone = /^(?:\+|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}$|0\d{2,4}[ /-]\d{5,8}$)/;
const usualCard = /^(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})$/;

const phonePattern =
  /(?=[+(\d])(?<![\p{L}\p{N}.,/+-])(?<!\d:)(?:\+|\()?\d(?:[ ().\u00a0/-]{0,3}\d){6,16}(?![\p{L}\p{N}])(?![.,:/-]\d)/gu;

const cardPattern = /(?=\d)(?<![\p{L}\p{N}.-])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}])(?![.-]\d)/gu;

/** The areas 000, 666 and 900 to 999, the group 00 and the serial 0000 are never given out. */
const ssnPattern =
  /(?=\d)(?<![\p{L}\p{N}-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\p{L}\p{N}])(?!-\d)/gu;

function* findMatches(text: string, pattern: RegExp, accept: (found: string) => boolean): Iterable<Place> {
  for (const match of text.matchAll(pattern)) if (accept(match[0])) yield { text: match[0], index: match.index };
}

/** Numbers in runs of digits. Of a run that is none as a whole, the groups that look like one: other numbers may be beside it. */
function* findNumbers(text: string, pattern: RegExp, accept: (found: string) => boolean, usual: RegExp) {
  const search = new RegExp(pattern);
  for (let match = search.exec(text); match !== null; match = search.exec(text)) {
    const [run] = match;
    const { index } = match;
    const parts = Array.from(run.matchAll(/\d(?=[ \u00a0])/g), (end) => run.slice(0, end.index + 1)).reverse();
    const found = accept(run) ? run : parts.find((part) => usual.test(part) && accept(part));
    if (found !== undefined) yield { text: found, index };
    search.lastIndex = index + (found ?? parts.at(-1) ?? run).length;
  }
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

function isDate([day = '', month = '', year = '']: readonly string[]): boolean {
  return /^\d{2}$/.test(day) && /^\d{2}$/.test(month) && /^\d{4}$/.test(year);
}

function isCard(found: string): boolean {
  const digits = found.replace(/\D/g, '');
  return /^(?:3[0-9]|4|5[0-9]|6[0-9]|2[2-7])/.test(digits) && !/^(\d)\1*$/.test(digits) && passesLuhn(digits);
}

const ibanStart = /(?=[A-Za-z])(?<![\p{L}\p{N}])[A-Za-z]{2}\d{2}/gu;

function* findIbans(text: string): Iterable<Place> {
  for (const match of text.matchAll(ibanStart)) {
    const found = readIban(text, match.index);
    if (found !== undefined) yield { text: found, index: match.index };
  }
}

/** The check digit of card numbers (ISO/IEC 7812-1, Luhn). */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** The IBAN that starts at a place, single spaces between its groups allowed; undefined where none does (ISO 13616). */
function readIban(text: string, start: number): string | undefined {
  const length = ibanLengths.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return undefined;
  let compact = '';
  let end = start;
  while (compact.length < length) {
    const character = text.charAt(end);
    if (/[A-Za-z0-9]/.test(character)) compact += character.toUpperCase();
    else if (character !== ' ' || text.charAt(end - 1) === ' ') return undefined;
    end += 1;
  }
  const endsWord = !/[\p{L}\p{N}]/u.test(text.charAt(end));
  return endsWord && passesMod97(compact) ? text.slice(start, end) : undefined;
}

/** The remainder of ISO/IEC 7064 (MOD 97-10), a digit at a time. */
function passesMod97(iban: string): boolean {
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Characters of an IBAN by country, as in the registry that SWIFT keeps. */
const ibanLengths: ReadonlyMap<string, number> = new Map(
  [
    'NO15 BE16 DK18 FI18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 CH21 HR21 LI21 LV21',
    'BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 TL23 SO23 AD24 CZ24 ES24 MD24 PK24',
    'RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 PL28 SV28 AL28 NI28',
    'FR27 GR27 IT27 MC27 MR27 SM27 DJ27 BI27 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 MT31 SC31 LC32 RU33 MN20 FK18 YE30 HN28',
  ].flatMap((line) => line.split(' ').map((entry): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))])),
);

/** From the first line of a key to its last, or to the end of a text that was cut. */
const keyBlock =
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g;

const everything = { ignore: new Set<string>(), limit: Number.POSITIVE_INFINITY };

/** Replaces keys and tokens by `***`, and personal data by its kind, such as `[email]`. */
export function maskPersonal(text: string): string {
  let masked = '';
  let end = 0;
  for (const place of findPlaces(text)) {
    if (place.index >= end) masked += text.slice(end, place.index) + place.shown;
    end = Math.max(end, place.index + place.text.length);
  }
  return masked + text.slice(end);
}

/** The keys, tokens and personal data in a text. */
export function findPersonal(text: string): readonly string[] {
  return findPlaces(text).map((place) => place.text);
}

interface Hidden {
  readonly index: number;
  readonly text: string;
  readonly shown: string;
}

function findPlaces(text: string): readonly Hidden[] {
  return [...findPlain(text), ...findEncoded(text)].sort((a, b) => a.index - b.index || b.text.length - a.text.length);
}

function findPlain(text: string): readonly Hidden[] {
  const keys = Array.from(text.matchAll(keyBlock), (match) => ({ index: match.index, text: match[0], shown: '***' }));
  const secrets = findSecrets(text, { ...everything, entropy: true }).map((found) => ({ ...found, shown: '***' }));
  const personal = findPii(text, { ...everything, kinds: piiKinds }).map((found) => ({
    ...found,
    shown: `[${found.kind}]`,
  }));
  return [...keys, ...secrets, ...personal];
}

const base64Run = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_=-])/g;

/** The sign of an address as URLs, JSON and HTML write it. */
const encodedAt = /%40|\\u0040|&#(?:64|x40);|&commat;/gi;
const addressRun = new RegExp(`(?<![\\w.%+~-])[\\w.%+~-]{1,80}(?:${encodedAt.source})[\\w.%-]{4,80}`, 'gi');

/** Runs of Base64 and of addresses in URLs, JSON and HTML that hold a key or personal data. */
function findEncoded(text: string): readonly Hidden[] {
  const runs = [...text.matchAll(base64Run), ...(/40|&/.test(text) ? text.matchAll(addressRun) : [])];
  return runs.flatMap((match) => {
    const [run] = match;
    const address = run.replaceAll(encodedAt, '@');
    const decoded = address === run ? decodeBase64(run) : address;
    return decoded !== undefined && findPlain(decoded).length > 0
      ? [{ index: match.index, text: run, shown: '***' }]
      : [];
  });
}

/** Undefined where a run is no Base64 of a text. */
function decodeBase64(run: string): string | undefined {
  const bytes = Buffer.from(run, 'base64');
  if (!isUtf8(bytes)) return undefined;
  const decoded = bytes.toString('utf8');
  return /\p{Cc}/u.test(decoded.replaceAll(/\s/g, '')) ? undefined : decoded;
}

/** Masks personal data in every text of a JSON value, including keys and numbers. */
export function maskPersonalJson(value: unknown): unknown {
  if (typeof value === 'string') return maskPersonal(value);
  if (typeof value === 'number' || value instanceof SpelledNumber) {
    const spelled = String(value);
    const masked = maskPersonal(spelled);
    return masked === spelled ? value : masked;
  }
  if (Array.isArray(value)) return value.map(maskPersonalJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [maskPersonal(key), maskPersonalJson(item)]));
}

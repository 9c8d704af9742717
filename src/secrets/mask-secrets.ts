import { Buffer } from 'node:buffer';
import { escapeRegex } from '../text/patterns/regex.ts';
import { SpelledNumber } from '../text/yaml/exact-numbers.ts';

export type Mask = (text: string) => string;

/** Shorter values occur in ordinary text: masking them would spoil the text and hide nothing. */
const minSecretLength = 8;

/** A shorter value in another letter case may be an ordinary word. */
const minCaselessLength = 16;

/** Fewer characters of a cut secret reveal nothing, and masking them would spoil words that only begin alike. */
const minShownUnits = 4;

/**
 * Replaces each secret by `***`. It finds the secret as written, or escaped once or more for JSON, a URL, a form, HTML
 * or XML. It also finds it in base64, alone or within a longer text such as `user:key`. A long secret is found in any
 * letter case, since servers and URLs change it. If a text was shortened (`…`) within a secret, the rest of the secret
 * is replaced.
 */
export function createMask(values: readonly string[]): Mask {
  // A value read from a file may end in a line feed that is not sent.
  const secrets = new Set(values.flatMap((value) => [value, value.trim()]));
  const forms = [...secrets]
    .filter(({ length }) => length >= minSecretLength)
    .flatMap((secret) => [{ before: '', units: buildUnits(secret), after: '' }, ...base64Forms(secret)]);
  if (forms.length === 0) return (text) => text;
  const patterns = forms.map(({ before, units, after }) => before + units.join('') + after);
  const any = new RegExp(patterns.join('|'));
  const each = patterns.map((pattern) => new RegExp(pattern, 'g'));
  const starts = forms.map(({ units }) => createStart(units));
  return (text) => {
    const masked = any.test(text) ? replacePlaces(text, findWhole(text, each)) : text;
    return masked.includes('…') ? replacePlaces(masked, findCut(masked, starts)) : masked;
  };
}

/** A secret in one encoding, as patterns. */
interface Form {
  /** Matches an encoded character before the secret that shares bits with it. */
  readonly before: string;
  /** One pattern for each character. */
  readonly units: readonly string[];
  /** Matches such a character after the secret, and padding. */
  readonly after: string;
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function buildUnits(secret: string): string[] {
  const units = Array.from(secret, characterPattern);
  return secret.length < minCaselessLength ? units : units.map(caselessLetter);
}

/** Matches a letter in both cases. Other patterns stay as they are. */
function caselessLetter(pattern: string): string {
  return /^[A-Za-z]$/.test(pattern) ? `[${pattern.toLowerCase()}${pattern.toUpperCase()}]` : pattern;
}

function characterPattern(character: string): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  // The longer ones first: an escape may begin with the character itself.
  const ways = [percentForm(character), ...jsonForms(character), ...markupForms(character), escapeRegex(character)];
  if (character === ' ') ways.push(String.raw`\+`);
  // A backslash before it may have been doubled by each text that holds the text.
  return String.raw`(?:\\*(?:${ways.join('|')}))`;
}

function percentForm(character: string): string {
  const hex = [...Buffer.from(character, 'utf8')].map((byte) => byte.toString(16).padStart(2, '0'));
  return hex.map((digits) => `%${caseless(digits)}`).join('');
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };

function jsonForms(character: string): string[] {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  const long = units.map((unit) => String.raw`\\+u${caseless(unit.toString(16).padStart(4, '0'))}`).join('');
  const short = shortEscapes[character];
  return short === undefined ? [long] : [long, String.raw`\\+${short}`];
}

const entities: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

function markupForms(character: string): string[] {
  const code = character.codePointAt(0) ?? 0;
  const named = entities[character];
  return [`&#0*${code};`, `&#[xX]0*${caseless(code.toString(16))};`, ...(named === undefined ? [] : [`&${named};`])];
}

function caseless(hex: string): string {
  return hex.replaceAll(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/**
 * Inside a longer text, such as `user:key`, only the characters made of the secret's own bits are the same. The
 * characters at its ends, which share bits with it, are masked too.
 */
function base64Forms(secret: string): Form[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor((shifted.length * 8) / 6);
    const inner = shifted.toString('base64').slice(start, end);
    const units = Array.from(inner, (own) => (own === '+' ? '[+-]' : own === '/' ? '[/_]' : own));
    const digit = '[A-Za-z0-9+/_-]';
    return {
      before: offset === 0 ? '' : `${digit}?`,
      units,
      after: (shifted.length * 8) % 6 === 0 ? '' : `${digit}?={0,2}`,
    };
  });
}

function findWhole(text: string, patterns: readonly RegExp[]): Place[] {
  const places: Place[] = [];
  for (const pattern of patterns) {
    for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
      places.push({ start: found.index, end: found.index + found[0].length });
      pattern.lastIndex = found.index + 1;
    }
  }
  return places;
}

/** Finds the start of a secret that was cut anywhere. */
interface Start {
  /** Matches the first characters, which must all be there. */
  readonly head: RegExp;
  /** One expression for each further character. Each is tried at the place where the last one ended. */
  readonly further: readonly RegExp[];
}

/** One expression with nested optional groups would be too deep for a key of some thousand characters. */
function createStart(units: readonly string[]): Start {
  return {
    head: new RegExp(units.slice(0, minShownUnits).join(''), 'g'),
    further: units.slice(minShownUnits).map((unit) => new RegExp(unit, 'y')),
  };
}

/** What follows the rest of a cut secret: perhaps half an escape and a closing quote, then `…`. */
const cutMark = /(?:%[\da-f]?|&#?\w{0,7}|\\+u[\da-f]{0,3})?\\*["'`]?…/iy;

function findCut(text: string, starts: readonly Start[]): Place[] {
  const places: Place[] = [];
  for (const { head, further } of starts) {
    for (let found = head.exec(text); found !== null; found = head.exec(text)) {
      let end = head.lastIndex;
      for (const unit of further) {
        unit.lastIndex = end;
        if (!unit.test(text)) break;
        end = unit.lastIndex;
      }
      cutMark.lastIndex = end;
      if (cutMark.test(text)) places.push({ start: found.index, end });
      head.lastIndex = found.index + 1;
    }
  }
  return places;
}

/** Secrets may overlap one another, so all places are found before any is replaced. */
function replacePlaces(text: string, places: Place[]): string {
  places.sort((a, b) => a.start - b.start);
  let masked = '';
  let end = 0;
  for (const place of places) {
    if (place.start >= end) masked += `${text.slice(end, place.start)}***`;
    end = Math.max(end, place.end);
  }
  return masked + text.slice(end);
}

/** Masks every string of a JSON value, keys included; numbers and structure stay. A value without a secret is returned as it is. */
export function maskJson<T>(value: T, mask: Mask): T {
  if (typeof value === 'string') return mask(value) as T & string;
  if (typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const masked = items.map((item) => maskJson(item, mask));
    return masked.every((item, index) => item === items[index]) ? value : (masked as T & unknown[]);
  }
  let isChanged = false;
  const entries = Object.entries(value).map(([key, item]: [string, unknown]) => {
    const entry = [mask(key), maskJson(item, mask)] as const;
    if (entry[0] !== key || entry[1] !== item) isChanged = true;
    return entry;
  });
  return isChanged ? (Object.fromEntries(entries) as T & object) : value;
}

const secretName = /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)/i;

/** Masks variables that are named like secrets, for output before the project is loaded. */
export function maskByName(env: Readonly<Record<string, string | undefined>>): Mask {
  return createMask(Object.entries(env).flatMap(([name, value]) => (secretName.test(name) ? (value ?? []) : [])));
}

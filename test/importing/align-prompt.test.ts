import { describe, expect, test } from 'vitest';
import { CutJsonError, splitJson } from '../../src/importing/data-sets/split-json.ts';
import { alignPrompt } from '../../src/importing/traces/align-prompt.ts';
import { openSeenTexts } from '../../src/importing/traces/near-duplicates.ts';
import { maskPersonal } from '../../src/secrets/personal-data.ts';
import { compileTemplate, splitPaths } from '../../src/templates/template.ts';
import fc from '../support/property.ts';

/** Letters that literals and values share, so that several readings are common. */
const shared = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', ':', 'é', '😀'), maxLength: 6 });
const names = fc.constantFrom('x', 'y', 'z');
const message = fc.array(
  fc.oneof(
    shared,
    names.map((name) => ({ name })),
  ),
  { minLength: 1, maxLength: 6 },
);

const partsOf = (source: string) =>
  (splitPaths(source) ?? []).map((part) =>
    typeof part === 'string' ? part : { path: part.path, id: part.path, read: (value: string) => ({ value }) },
  );

test('what a prompt renders gives its variables back, or is refused because another reading fits', () => {
  let count = 0;
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 3 }),
      fc.record({ x: shared, y: shared, z: shared }),
      (messages, vars) => {
        const sources = messages.map((parts) =>
          parts.map((part) => (typeof part === 'string' ? part : `{{ ${part.name} }}`)).join(''),
        );
        const texts = sources.map((source) => compileTemplate(source).render(vars));
        const found = alignPrompt(sources.map(partsOf), texts);
        const used = new Set(messages.flat().flatMap((part) => (typeof part === 'string' ? [] : [part.name])));
        expect(found.kind).not.toBe('none');
        if (found.kind !== 'one') return;
        count += 1;
        expect(Object.fromEntries(found.values)).toEqual(
          Object.fromEntries(Object.entries(vars).filter(([name]) => used.has(name as 'x'))),
        );
      },
    ),
  );
  expect(count).toBeGreaterThan(20);
});

test('a refusal has a second reading', () => {
  const parts = partsOf('{{ x }}-{{ y }}');
  expect(alignPrompt([parts], ['a-b']).kind).toBe('one');
  expect(alignPrompt([parts], ['a-b-c']).kind).toBe('several');
  expect(alignPrompt([parts], ['ab']).kind).toBe('none');
  expect(alignPrompt([partsOf('{{ x }}{{ y }}')], ['ab']).kind).toBe('several');
  expect(alignPrompt([parts, partsOf('{{ x }}')], ['a-b-c', 'a']).kind).toBe('one');
  const many = Array.from({ length: 12 }, (_, index) => `{{ v${index} }} `).join('');
  expect(alignPrompt([partsOf(`${many}!{{ v0 }}?`)], [' a'.repeat(40)]).kind).toBe('too-many');
});

test('a document comes out in the same parts however it is cut', () => {
  const rows = fc.array(fc.record({ id: fc.string(), 'a"\\': fc.jsonValue() }), { maxLength: 5 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 7 }), fc.boolean(), (items, size, isPretty) => {
      const document = JSON.stringify({ 'k"': [1, '{'], data: items }, null, isPretty ? 2 : 0);
      const text = `${document}\n${document}`;
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.slice(index * size, (index + 1) * size),
      );
      const parts = [...splitJson(chunks, (path) => path.join('.') === 'data.*')];
      expect(parts.map((part) => JSON.parse(part.text ?? '') as unknown)).toEqual(
        JSON.parse(JSON.stringify([...items, ...items])),
      );
    }),
  );
  expect(() => [...splitJson(['{"data": [{"a": 1}'], () => false)]).toThrow(CutJsonError);
});

describe('texts that were seen', () => {
  test('letter case, signs and blanks do not matter; one other word of many is near, of few is new', () => {
    const seen = openSeenTexts();
    const long =
      'please tell me where the parcel is that I ordered from your shop on the first day of this month and paid';
    expect(seen.add('Where is it?')).toBeUndefined();
    expect(seen.add('where is  it')).toBe('exact');
    expect(seen.add('Where was it?')).toBeUndefined();
    expect(seen.add(long)).toBeUndefined();
    expect(seen.add(`${long} already`)).toBe('near');
    expect(seen.add(long.split(' ').reverse().join(' '))).toBeUndefined();
    expect(seen.add('')).toBeUndefined();
    expect(seen.add('')).toBe('exact');
  });

  test('a copy with one word changed is found in nearly every text of 40 words and more, and far texts never', () => {
    const seen = openSeenTexts();
    const word = (text: number, place: number) => `w${(Math.imul(text * 71 + place, 0x9e3779b1) >>> 0) % 5000}`;
    const textOf = (text: number) => Array.from({ length: 40 + (text % 50) }, (_, place) => word(text, place));
    const found = Array.from({ length: 400 }, (_, text) => {
      const words = textOf(text);
      const first = seen.add(words.join(' '));
      return [first, seen.add(words.map((one, place) => (place === text % words.length ? 'changed' : one)).join(' '))];
    });
    expect(found.filter(([first]) => first !== undefined)).toEqual([]);
    expect(found.filter(([, second]) => second === 'near').length).toBeGreaterThan(380);
  });

  test('exact copies are found among more texts than near ones are compared with', { tags: 'slow' }, () => {
    const seen = openSeenTexts();
    const texts = Array.from({ length: 70_000 }, (_, text) => `${text} x`);
    expect(texts.filter((text) => seen.add(text) !== undefined)).toEqual([]);
    expect(texts.filter((text) => seen.add(`${text.toUpperCase()}!`) !== 'exact')).toEqual([]);
  });

  test('a text with most of its words changed is never near', { tags: 'slow' }, () => {
    const words = fc.array(
      fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'.split('').map((letter) => letter.repeat(3))),
      { minLength: 20, maxLength: 60 },
    );
    const seen = openSeenTexts();
    fc.assert(
      fc.property(words, (list) => {
        seen.add(list.join(' '));
        const other = list.map((word, index) => (index % 2 === 0 ? `${word}x` : word));
        expect(seen.add(other.join(' '))).toBeUndefined();
      }),
    );
  });
});

test('masking again changes nothing, and what is around a secret stays', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const masked = maskPersonal(`${before} ann@mail.example.org ${after}`);
      expect(masked).not.toContain('ann@mail.example.org');
      expect(maskPersonal(masked)).toBe(masked);
    }),
  );
  expect(maskPersonal('call +49 151 23456789 now')).toBe('call [phone] now');
});

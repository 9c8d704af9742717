import { describe, expect, test } from 'vitest';
import { TextList } from '../../src/lib/text-list.ts';
import { TextNumbers } from '../../src/lib/text-numbers.ts';
import fc from '../support/property.ts';

// More than are kept as they are, of every kind that is stored in its own way.
const texts = Array.from({ length: 20_000 }, (_, index) => {
  const kinds = [
    `case-${index}`,
    `Fälle ${index}`,
    `件 ${index}`,
    `half \ud800 ${index}`,
    `${index} ${'long '.repeat(20)}`,
  ];
  return kinds[index % kinds.length] ?? '';
});

describe('TextList', () => {
  test('gives back every text, however many there are', () => {
    const list = new TextList();
    const early = texts.filter((text, index) => {
      list.push(text);
      return list.at(index) !== text;
    });
    expect(early).toEqual([]);
    expect(list.length).toBe(texts.length);
    expect(texts.every((text, index) => list.at(index) === text)).toBe(true);
    expect(() => list.at(texts.length)).toThrow(RangeError);
  });

  test('gives back what came after it was cleared', () => {
    const list = new TextList(2);
    const long = 'x'.repeat(70_000);
    for (const text of ['a', long, 'b', long]) list.push(text);
    list.clear();
    expect(list.length).toBe(0);
    const again = [`${long}y`, 'c', long, 'd', 'e'];
    for (const text of again) list.push(text);
    expect(again.map((_, index) => list.at(index))).toEqual(again);
  });

  test('orders texts as they would order themselves, wherever they lie', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'a', 'ab', 'é', '\ud800', '\uffff'));
    fc.assert(
      fc.property(text, text, fc.constantFrom(0, 1000), (first, second, maxKept) => {
        const list = new TextList(maxKept);
        list.push(first);
        list.push(second);
        expect(Math.sign(list.compare(0, 1))).toBe(first < second ? -1 : first === second ? 0 : 1);
      }),
    );
  });
});

describe('TextNumbers', () => {
  test('finds each text again under its number, however many there are', () => {
    const numbers = new TextNumbers();
    const add = (text: string) => numbers.add(text, (number) => texts[number] === text);
    const wrong = texts.filter((text, index) => add(text) !== undefined || add(texts[index >> 1] ?? '') !== index >> 1);
    expect(wrong).toEqual([]);
    expect(texts.every((text, index) => add(text) === index)).toBe(true);
  });

  test('asks whether a text is the same, and takes no for an answer', () => {
    const numbers = new TextNumbers();
    expect(numbers.add('a', () => true)).toBeUndefined();
    expect(numbers.add('a', () => false)).toBeUndefined();
    expect(numbers.add('a', (number) => number === 1)).toBe(1);
  });
});

import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/json/canonical-json.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import fc from '../support/property.ts';

describe('canonicalJson', () => {
  test('parses back to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // JSON has one zero.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson({ inner: [reversed] })).toBe(canonicalJson({ inner: [object] }));
      }),
    );
  });

  test('is a fixed point: canonical text of parsed canonical text is the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test.each([
    [{ b: 1, a: 2, B: 3 }, '{"B":3,"a":2,"b":1}'],
    [{ kept: null, dropped: undefined, also: () => 1 }, '{"kept":null}'],
    [[undefined, Number.NaN, -0, 1e21], '[null,null,0,1e+21]'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['\uD800', '"\\ud800"'],
    [undefined, 'null'],
    [JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
    [{ a: { toJSON: () => undefined }, b: [{ toJSON: () => undefined }] }, '{"b":[null]}'],
  ])('writes %j as %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('sorts by UTF-16 code units, as RFC 8785 (3.2.3) does', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    const object = Object.fromEntries(keys.map((key) => [key, key]));
    expect(
      [...canonicalJson(object).matchAll(/:("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) => JSON.parse(text)),
    ).toEqual(sorted);
  });

  test('writes numbers that no double keeps with all their digits, in one spelling that is JSON', () => {
    const text = canonicalJson(parseExactJson('[5e999, 0.05e1001, 12.50e600, 123456789012345678901, -1e-999]'));
    expect(text).toBe('[5e999,5e999,1.25e601,123456789012345678901,-1e-999]');
    expect(canonicalJson(parseExactJson(text))).toBe(text);
  });

  test('refuses a bigint instead of guessing', () => {
    expect(() => canonicalJson({ n: 1n })).toThrow(TypeError);
  });
});

test('sha256Hex gives the published digest of "abc" (FIPS 180-2, appendix B.1)', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

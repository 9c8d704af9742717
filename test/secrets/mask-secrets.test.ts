import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { findQuerySecrets } from '../../src/secrets/find-secrets.ts';
import { createMask, maskJson } from '../../src/secrets/mask-secrets.ts';
import { findPersonal, maskPersonal, maskPersonalJson } from '../../src/secrets/personal-data.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { growsLinearly, mustEnd } from '../support/growth.ts';
import fc, { codePoint } from '../support/property.ts';

const secret = 'sk-live/4f+9"\\ü zz';
const mask = createMask([secret]);

describe('createMask', () => {
  it.each([
    ['as it stands', `key ${secret} end`, 'key *** end'],
    ['in JSON', JSON.stringify({ key: secret }), '{"key":"***"}'],
    ['in JSON within JSON, at least its start', JSON.stringify(JSON.stringify('sk-live-000000')), '"\\"***\\""'],
    ['in a URL', `https://x.example/?k=${encodeURIComponent(secret)}&a=1`, 'https://x.example/?k=***&a=1'],
    ['in a URL in lower case', encodeURIComponent(secret).replace(/%../g, (part) => part.toLowerCase()), '***'],
    ['in a form', new URLSearchParams({ k: 'pass word-word' }).toString(), 'k=***'],
    ['more than once', `${secret}${secret}, ${secret}`, '******, ***'],
  ])('masks a secret %s', (_, text, expected) => {
    expect(createMask([secret, 'sk-live-000000', 'pass word-word'])(text)).toBe(expected);
  });

  it.each<[secret: string, text: string, masked: string]>([
    ['pass word-word', 'pass+word-word', '***'],
    ['pass!word!word', 'pass+word+word', 'pass+word+word'],
    ['line1\nline2\tx', JSON.stringify('line1\nline2\tx'), '"***"'],
    ['line1\rline2\b\fx', JSON.stringify('line1\rline2\b\fx'), '"***"'],
    [`it's<a>&"secret`, 'it&apos;s&lt;a&gt;&amp;&quot;secret', '***'],
    [`it's<a>&"secret`, 'it&#39;s&#x3C;a&#0062;&#X26;&#x022;secret', '***'],
    ['one\u{1f600}two-x', 'one&#128512;two-x one%F0%9f%98%80two-x one\\ud83d\\uDE00two-x', '*** *** ***'],
    ['lone\ud800secret', 'lone%EF%BF%BDsecret', '***'],
    ['aaaaaaaa', 'aaaaaaaaa!', '***!'],
    ['1234567', '1234567', '1234567'],
    ['12345678', '12345678', '***'],
    ['abcdefghijklmno', 'ABCDEFGHIJKLMNO', 'ABCDEFGHIJKLMNO'],
    ['abcdefghijklmnop', 'ABCDEFGHIJKLMNOP', '***'],
    ['a1-b2-c3-d4', 'a1-… a1-b… a1-b2…', 'a1-… ***… ***…'],
    ['a1a1a1-secret', 'a1a1a1a1-sec…', 'a1***…'],
  ])('masks %j in %j', (own, text, masked) => {
    expect(createMask([own])(text)).toBe(masked);
  });

  it('masks the base64 of each length at each place to the bit', () => {
    for (const own of ['8+chars/', 'nine+char', 'ten?chars>', '~~~???>>>']) {
      for (const before of ['', 'u', 'u:', 'me:', 'you:']) {
        const start = Math.floor((before.length * 8) / 6);
        for (const encoding of ['base64', 'base64url'] as const) {
          const encoded = Buffer.from(before + own, 'utf8').toString(encoding);
          expect(createMask([own])(`a ${encoded}.`)).toBe(`a ${encoded.slice(0, start)}***.`);
          const inner = Buffer.from(`${before}${own}...`, 'utf8').toString(encoding);
          const end = Math.ceil(((before.length + own.length) * 8) / 6);
          expect(createMask([own])(inner)).toBe(`${inner.slice(0, start)}***${inner.slice(end)}`);
        }
      }
    }
  });

  it('masks base64, alone and wherever the secret lies within a longer text', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), fc.string({ unit: codePoint }), (before, after) => {
        for (const encoding of ['base64', 'base64url'] as const) {
          const encoded = Buffer.from(before + secret + after, 'utf8').toString(encoding);
          const masked = mask(`Basic ${encoded}`);
          expect(masked).toContain('***');
          expect(masked.length).toBeLessThan(encoded.length + 6);
        }
      }),
    );
    expect(mask(Buffer.from(secret).toString('base64')).replace(/\*{3}.?=*$/, '')).toBe('');
  });

  it('masks secrets that overlap or contain one another whole', () => {
    const both = createMask(['abcdefgh1234', '1234zzzz9999', 'abcdefgh']);
    expect(both('x abcdefgh1234zzzz9999 y')).toBe('x *** y');
    expect(both('abcdefgh abcdefgh1234')).toBe('*** ***');
    expect(createMask(['abababab'])('x abababababab y')).toBe('x *** y');
  });

  it('masks a value without the line feed that its file ended in', () => {
    expect(createMask(['secret-value\n'])('Bearer secret-value')).toBe('Bearer ***');
  });

  it('leaves values shorter than 8 characters alone', () => {
    expect(createMask(['1234567', ''])('1234567')).toBe('1234567');
    expect(createMask(['12345678'])('12345678')).toBe('***');
  });

  it('masks a secret of 16 characters in any letter case, a shorter one only as written', () => {
    expect(createMask(['Sk-Proj-AbCdEf16'])('sk-proj-abcdef16')).toBe('***');
    expect(createMask(['Sk-Proj-AbCdE15'])('sk-proj-abcde15, Sk-Proj-AbCdE15')).toBe('sk-proj-abcde15, ***');
  });

  it('masks a long secret in any letter case, whole and cut, and a short one only as written', () => {
    const long = 'sk-Proj-AbCdEf/0123';
    const both = createMask([long, 'Paragraph']);
    expect(both(`a ${long.toLowerCase()} b ${long.toUpperCase()} c ${encodeURIComponent(long).toLowerCase()}`)).toBe(
      'a *** b *** c ***',
    );
    expect(both('found "SK-PROJ-ABC"…')).toBe('found "***"…');
    expect(both('a paragraph, a Paragraph')).toBe('a paragraph, a ***');
  });

  it.each([
    ['in quotes', 'found "Bearer sk-live/4f+', '"… (300 characters)', 'found "Bearer ***"… (300 characters)'],
    ['without quotes', 'sk-live/4', '…', '***…'],
    ['in JSON, within an escape', 'sk-live/4f+9\\u00', '"…', '***\\u00"…'],
    ['in JSON within JSON', 'sk-live/4f', '\\"…', '***\\"…'],
    ['in a URL, within an escape', '?k=sk-live%2', '…', '?k=***%2…'],
    ['in base64', `Basic ${Buffer.from(`u:${secret}`).toString('base64').slice(0, 12)}`, '"…', 'Basic dTp***"…'],
  ])('masks what a cut left of a secret %s', (_, start, cut, expected) => {
    expect(mask(`${start}${cut}`)).toBe(expected);
  });

  it('leaves alone what only begins like a secret', () => {
    for (const text of ['sk-…', 'sk-live is a prefix… and so on', 'sk-live "quoted"']) expect(mask(text)).toBe(text);
  });

  it('masks what is left of a key of many thousand characters, wherever it was cut', () => {
    const long = Array.from({ length: 5000 }, (_, index) => String.fromCodePoint(97 + ((index * 7) % 26))).join('');
    expect(createMask([long])(`found "${long.slice(0, 4000)}"…`)).toBe('found "***"…');
  });

  it('takes a secret literally, whatever it looks like', () => {
    expect(createMask(['.*.*.*.*'])('harmless text .*.*.*.*')).toBe('harmless text ***');
    expect(createMask(['(a+)+$[^x'])('aaaaaaaa (a+)+$[^x')).toBe('aaaaaaaa ***');
    expect(createMask(['\ud800half-a-pair'])('\ud800half-a-pair')).toBe('***');
  });

  it('returns a text without secrets as it was', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(mask(text)).toBe(text);
      }),
    );
  });
});

/** Ways in which a text is written into another; each may be applied to the result of the one before. */
const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  (text) => new URLSearchParams({ k: text }).toString().slice(2),
  (text) => new URL(`http://h/?k=${text.replaceAll(/[#&%+]/g, encodeURIComponent)}`).search.slice(3),
  (text) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  (text) => JSON.stringify(text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')).slice(1, -1),
  (text) =>
    text.replaceAll(/[^\x20-\x7e]|["\\<>&]/gu, (character) =>
      [...Array(character.length).keys()]
        .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
        .join(''),
    ),
];

describe('createMask, for any secret', () => {
  const secrets = fc
    .string({
      minLength: 8,
      maxLength: 60,
      unit: fc.constantFrom(...Array.from(`ABCxyz012 !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~ü€😀`)),
    })
    .filter((text) => text.trim().length >= 8 && text.trim() === text);

  it('leaves nothing of it in any encoding, whatever is beside it', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(
        secrets,
        fc.constantFrom(...encodings),
        fc.constantFrom('', 'x', ' ', '"', '/'),
        (text, encode, edge) => {
          expect(createMask([text])(`${edge}${encode(text)}${edge}`)).toBe(`${edge}***${edge}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('leaves nothing of it in basic credentials, not even a bit at its edges', () => {
    fc.assert(
      fc.property(
        secrets,
        fc.string({ maxLength: 5, unit: fc.constantFrom('u', 's', 'e', 'r', '0', '1') }),
        (text, user) => {
          const start = Math.floor((Buffer.byteLength(user === '' ? '' : `${user}:`) * 8) / 6);
          for (const encoding of ['base64', 'base64url'] as const) {
            const encoded = Buffer.from(user === '' ? text : `${user}:${text}`, 'utf8').toString(encoding);
            expect(createMask([text])(`Basic ${encoded}`)).toBe(`Basic ${encoded.slice(0, start)}***`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

it.each([
  ['https://h/v1?key=abc&alt=json', ['key=abc']],
  ['https://h/v1?api_key=a%2Fb&api-version=2024-10-21', ['api_key=a/b']],
  ['https://h/v1?sig=x&access_token=y&X-Amz-Signature=z', ['sig=x', 'access_token=y', 'X-Amz-Signature=z']],
  ['https://h/v1?monkey=1&key=', []],
  ['no url', []],
])('the credentials in %s are found by their names', (url, expected) => {
  expect(findQuerySecrets(url).map(({ name, value }) => `${name}=${value}`)).toEqual(expected);
});

describe('a JSON value', () => {
  const mask = createMask(['s3cret-value']);

  it('is masked in its keys and texts, at any depth', () => {
    const number = new SpelledNumber(1, '1.0');
    expect(maskJson({ a: 's3cret-value!', 'x s3cret-value': [1, null, { b: 's3cret-value' }], number }, mask)).toEqual({
      a: '***!',
      'x ***': [1, null, { b: '***' }],
      number,
    });
    expect(maskJson('s3cret-value', mask)).toBe('***');
  });

  it('comes back as it was where it holds no secret', () => {
    const value = { a: ['x', { b: 1 }], c: null, d: new SpelledNumber(1, '1.0') };
    expect(maskJson(value, mask)).toBe(value);
    const list = ['x', { a: 'y' }];
    expect(maskJson(list, mask)).toBe(list);
  });
});

describe('personal data', () => {
  const key = `ghp_${'a1B2'.repeat(9)}`;
  const pem = '-----BEGIN RSA PRIVATE KEY-----\nabc\n';

  it.each<[text: string, masked: string | undefined]>([
    ['Mail ann@example.com, call +49 30 1234567.', 'Mail [email], call [phone].'],
    [`use ${key} or ${key}`, 'use *** or ***'],
    ['use aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0iL.', 'use ***.'],
    [`a ${pem}-----END RSA PRIVATE KEY----- b`, 'a *** b'],
    [`a ${pem}cut`, 'a ***'],
    [`in Base64 ${Buffer.from('mail ann@example.com').toString('base64')}.`, 'in Base64 ***.'],
    [`in Base64 ${Buffer.from('nothing to be seen here').toString('base64')}.`, undefined],
    ['GET /?user=ann%40example.com&x=1', 'GET /?user=***&x=1'],
    ['GET /?user=ann%40home', undefined],
    ['{"to":"ann\\u0040example.com"}', '{"to":"***"}'],
    ['<b>ann&#64;example.com</b>', '<b>***</b>'],
    ['order 12345 of 2024-05-06', undefined],
    ['GET /?user=ann%40example.com from bob@example.com', 'GET /?user=*** from [email]'],
    [`in Base64 ${Buffer.from('ann@example.com\u0000\u0001').toString('base64')}`, undefined],
    [`in Base64 ${Buffer.from('ann@example.com\n\t').toString('base64')}`, 'in Base64 ***'],
    [`in Base64 ${Buffer.from('ann@example.com\u00ff', 'latin1').toString('base64')}`, undefined],
  ])('of %j is masked', (text, masked = text) => {
    expect(maskPersonal(text)).toBe(masked);
    expect(findPersonal(text).length > 0).toBe(masked !== text);
  });

  it('is masked in each part of a JSON value, numbers included', () => {
    const number = new SpelledNumber(4.111111111111111e15, '4111111111111111.0');
    const value = {
      'ann@example.com': ['x', 4111111111111111, 5, null, true],
      n: number,
      m: new SpelledNumber(1, '1.0'),
      o: new SpelledNumber(4111111111111111, '4111111111111111'),
    };
    expect(maskPersonalJson(value)).toEqual({
      '[email]': ['x', '[card]', 5, null, true],
      n: number,
      m: value.m,
      o: '[card]',
    });
  });
});

describe('masks', () => {
  it('hide a value with the spaces around it, where it is too short without them', () => {
    const padded = createMask([' abcdef ']);
    expect([padded('x abcdef y'), padded('xabcdefy')]).toEqual(['x***y', 'xabcdefy']);
  });

  it.each(['one\ntwo-three', 'one\\ntwo-three', 'one\\u000atwo-three', 'one\\u000Atwo-three', 'one%0atwo-three'])(
    'hide a line feed as %j',
    (text) => {
      expect(createMask(['one\ntwo-three'])(text)).toBe('***');
    },
  );

  it('reach keys and values of JSON, and leave what holds no secret as it is', () => {
    const number = new SpelledNumber(1, '1.0');
    const plain = { a: [1, 'x', null, undefined, true], n: number };
    expect(maskJson(plain, mask)).toBe(plain);
    expect(maskJson({ [secret]: 1, a: number }, mask)).toEqual({ '***': 1, a: number });
    expect(maskJson([{ a: 1 }, { b: secret }], mask)).toEqual([{ a: 1 }, { b: '***' }]);
  });

  it('hide each of several personal data, the short one before the long one and the other way', () => {
    const [short, long] = ['a@b.example', 'long.name@example.com'];
    for (const text of [`to ${short} and ${long}.`, `to ${long} and ${short}.`])
      expect(maskPersonal(text)).toBe('to [email] and [email].');
    expect(maskPersonal(`card 4111 1111 1111 1111, ${short}, ${long}`)).toBe('card [card], [email], [email]');
  });
});

const perCharacter = (write: (code: number) => string) => (text: string) =>
  Array.from({ length: text.length }, (_, at) => write(text.charCodeAt(at))).join('');

const hexOf = (code: number, digits = 2) => code.toString(16).padStart(digits, '0');

/** Ways to write each character, which may be nested in one another. */
const spellings: Readonly<Record<string, (text: string) => string>> = {
  percent: (text) => [...Buffer.from(text)].map((byte) => `%${hexOf(byte)}`).join(''),
  decimal: perCharacter((code) => `&#${code};`),
  hexadecimal: perCharacter((code) => `&#x${hexOf(code)};`),
  json: perCharacter((code) => `\\u${hexOf(code, 4)}`),
  javascript: perCharacter((code) => (code > 255 ? `\\u{${hexOf(code)}}` : `\\x${hexOf(code)}`)),
  invisible: (text) => Array.from(text).join('\u200b'),
  hyphens: (text) => Array.from(text).join('\u00ad'),
};

/** Ways to write the bytes, at the most once around the others. */
const byteSpellings: Readonly<Record<string, (text: string) => string>> = {
  base64: (text) => Buffer.from(text).toString('base64'),
  'wrapped base64': (text) => wrap(Buffer.from(`some words before ${text} and after`).toString('base64')),
  'double base64': (text) => Buffer.from(Buffer.from(text).toString('base64')).toString('base64'),
  'wrapped double base64': (text) =>
    wrap(Buffer.from(wrap(Buffer.from(`user:${text}`).toString('base64'))).toString('base64')),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'hex with colons': (text) => [...Buffer.from(text)].map((byte) => hexOf(byte)).join(':'),
  'hex with prefixes': (text) => [...Buffer.from(text)].map((byte) => `0x${hexOf(byte)}`).join(', '),
  'hex in base64': (text) => Buffer.from(Buffer.from(text).toString('hex')).toString('base64'),
};

function wrap(text: string): string {
  return text.replaceAll(/.{20}/g, (line) => `${line}\n`);
}

describe('a mask decodes before it searches', () => {
  const key = 'sk-proj-aB3dE6gH9jK2mN5pQ8sT';
  const hide = createMask([key]);
  const names = Object.keys(spellings);

  it.each(names.flatMap((inner) => [[inner], ...names.map((outer) => [inner, outer])]))(
    'and finds a key written as %s %s',
    (...ways) => {
      const written = ways.reduce((text, name) => spellings[name ?? '']?.(text) ?? text, key);
      expect(hide(`key: ${written}.`)).toBe('key: ***.');
    },
  );

  it('and finds a key in three levels of any escapes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.values(spellings)), { minLength: 3, maxLength: 3 }), (ways) => {
        const short = 'k3y-Value';
        expect(createMask([short])(`(${ways.reduce((text, write) => write(text), short)})`)).toBe('(***)');
      }),
      { numRuns: 30 },
    );
  });

  it.each(Object.keys(byteSpellings))('and finds a key in %s', (name) => {
    const written = byteSpellings[name]?.(key) ?? '';
    for (const text of [written, JSON.stringify(written).slice(1, -1), encodeURIComponent(written)]) {
      const masked = hide(`key: ${text}.`);
      expect(masked).toContain('***');
      expect(masked.length).toBeLessThan(text.length / 2 + 60);
    }
  });

  it.each<[secret: string, text: string]>([
    ['pass%41word', 'pass%41word'],
    ['pass%41word', 'pass%2541word'],
    ['pass\\nword', 'pass\\nword'],
    ['pass\\nword', 'pass\\\\nword'],
    ['a&amp;b&#65;c', 'a&amp;amp;b&amp;#65;c'],
    ['a b+c d e', 'a+b%2bc+d%20e'],
  ])('and finds %j, which looks like an escape, in %j', (own, text) => {
    expect(createMask([own])(`x ${text} y`)).toBe('x *** y');
  });
});

describe('invisible characters', () => {
  const key = 'sk-proj-aB3dE6';
  const hide = createMask([key]);
  const isInvisible = (character: string) => /^(?:\p{Default_Ignorable_Code_Point}|\p{Cc})$/u.test(character);
  // Blanks are seen.
  const blanks = new Set(['\t', '\n', '\v', '\f', '\r', '\u0085']);

  it('hide no secret, whichever of Unicode they are', { tags: ['slow'] }, () => {
    const shown: string[] = [];
    for (let code = 0; code <= 0x10_ffff; code += 1) {
      const character = String.fromCodePoint(code);
      if (!isInvisible(character) || blanks.has(character)) continue;
      const masked = hide(`a ${Array.from(key).join(character)} b`);
      if (masked !== 'a *** b') shown.push(`U+${code.toString(16)}`);
    }
    expect(shown).toEqual([]);
  });
});

describe('a secret that is escaped and then encoded', () => {
  const secret = 'p@ss/w0rd&"x=Zz9';
  const percent = encodeURIComponent(secret);
  const entities = Array.from(secret, (character) => `&#${character.charCodeAt(0)};`).join('');
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

  it.each([
    base64(`user:${percent}`),
    base64(`user:${encodeURIComponent(percent)}`),
    base64(JSON.stringify({ password: secret })),
    base64(entities),
    base64(percent).replaceAll(/.{16}/g, '$&\n'),
    base64(`user:${secret}`).replaceAll(/.{16}/g, '$& '),
    encodeURIComponent(base64(percent)),
    Buffer.from(secret, 'utf8').toString('hex').replaceAll(/../g, '$&+'),
    Buffer.from(secret, 'utf8')
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$&.'),
  ])('is masked: %j', (text) => {
    const masked = createMask([secret])(text);
    expect(masked).toContain('***');
    const left = masked.replace('***', '');
    expect(left.length).toBeLessThan(24);
  });

  it.each([
    ['\\u{6b}\\u{65}\\u{79}\\u{2d}\\u{3', '***\\u{3…'],
    ['\\x6b\\x65\\x79\\x2d\\x3', '***\\x3…'],
    ['%d0%ba%d0%bb%d1%8e%d1%87%d0', '***%d0…'],
  ])('is masked where it is cut within an escape: %s', (text, masked) => {
    expect(createMask(['key-3456789', 'ключ-Секрет'])(`${text}…`)).toBe(masked);
  });
});

describe('a mask is linear in the length of a text', () => {
  const key = 'sk-proj-aB3dE6gH9jK2mN5pQ8sT';
  const hide = createMask([key, '\\"-/+secret!key']);

  // Each sign that a form of a key can begin with or consist of.
  it.each([
    '\\',
    '%',
    '%25',
    '&',
    '&#',
    '&#0',
    '&amp;',
    '\\u00',
    '\\u0041',
    '"',
    '…',
    '\\…',
    'sk-',
    'sk-proj-…',
    'A',
    '0',
    '=',
    '+',
    '\n',
    ' ',
    '\u200b',
    '0x',
    '41:',
    'c2stcHJvai1h',
    'AAAAAAAAAAAAAAAA\n',
    '41 ',
    '73 6b 2d 70 ',
    'AbC',
    'AbCé',
    'JTI1',
    '%25…',
    'ABCDEFGHIJKLMNOPQ ',
    'a word ',
    key,
  ])('also of %j alone', async (sign) => {
    const hideSigns = (chars: number) => hide(`sk${sign.repeat(Math.floor(chars / sign.length))}`);
    expect(await growsLinearly(hideSigns, 8000)).toBe(true);
  });

  it('and leaves 600,000 backslashes as they are', { tags: ['slow'] }, () => {
    const text = `sk${'\\'.repeat(600_000)}`;
    expect(mustEnd(() => hide(text))).toBe(text);
  });

  it('also in a text of many keys', { tags: ['slow'] }, async () => {
    const maskKeys = (count: number) => expect(maskPersonal('-----BEGIN PRIVATE KEY-----'.repeat(count))).toBe('***');
    expect(await growsLinearly(maskKeys, 2500)).toBe(true);
  });
});

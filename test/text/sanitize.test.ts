import { describe, expect, it } from 'vitest';
import {
  breakWorkflowCommands,
  escapeJsonText,
  escapeXml,
  sanitizeTerminal,
  splitUnsafe,
  toSafeLine,
} from '../../src/text/sanitize.ts';
import { findXmlFault } from '../support/find-xml-fault.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import fc, { codePoint } from '../support/property.ts';

const anyText = fc.oneof(
  fc.string({ unit: codePoint }),
  // Unlike fast-check's strings, these hold lone surrogates.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('::', '##', '[', 'vso[', '\n', '\r', ' ', '\t', '<', '&', ']]>', '\u001b', 'a'))
    .map((parts) => parts.join('')),
);

describe('sanitizeTerminal', () => {
  it('leaves no control character, bidirectional control or lone surrogate of any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(sanitizeTerminal(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\p{Surrogate}]/u);
      }),
    );
  });

  it('keeps line feeds and tabs where asked, and nothing else', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const kept = sanitizeTerminal(text, { keepNewlines: true, keepTabs: true }).replace(/[\n\t]/g, '');
        expect(kept).not.toMatch(/\p{Cc}/u);
      }),
    );
    expect(sanitizeTerminal('a\r\n\tb', { keepNewlines: true, keepTabs: true })).toBe('a\n\tb');
    expect(sanitizeTerminal('a\n\tb')).toBe('a␊␉b');
  });

  it('changes nothing that is already safe', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = sanitizeTerminal(text);
        expect(sanitizeTerminal(once)).toBe(once);
      }),
    );
    const ordinary = 'Grüße, 你好, नमस्ते, שלום, 👩‍👩‍👧‍👦 and a::b # 1';
    expect(sanitizeTerminal(ordinary)).toBe(ordinary);
  });

  it('shows what it took out', () => {
    expect(sanitizeTerminal('\u001b[31m\u009b1m\u202ex\u200b\ud800\u007f')).toBe(
      '␛[31m<U+009B>1m<U+202E>x<U+200B>\ufffd␡',
    );
  });
});

it('a line of any length is cut where no screen shows more', () => {
  expect(toSafeLine('a\nb')).toBe('a␊b');
  expect(toSafeLine('x'.repeat(2000))).toBe('x'.repeat(2000));
  expect(toSafeLine('x'.repeat(2001))).toBe(`${'x'.repeat(2000)}…`);
});

describe('splitUnsafe', () => {
  it('names runs of invisible characters between the texts around them', () => {
    expect(splitUnsafe('a\u200b\u200bb\n\u001b\u{e0041}')).toEqual([
      { text: 'a' },
      { mark: 'U+200B', count: 2 },
      { text: 'b\n' },
      { mark: 'U+001B', count: 1 },
      { mark: 'U+E0041', count: 1 },
    ]);
    expect(splitUnsafe('\u200bc')).toEqual([{ mark: 'U+200B', count: 1 }, { text: 'c' }]);
    expect(splitUnsafe('')).toEqual([]);
  });

  it('counts joiners next to plain letters alone', () => {
    expect(splitUnsafe('a\u200db')).toEqual([{ text: 'a' }, { mark: 'U+200D', count: 1 }, { text: 'b' }]);
    expect(splitUnsafe('👩‍👧')).toEqual([{ text: '👩‍👧' }]);
  });

  it('writes all marks beyond a number into one text', () => {
    expect(splitUnsafe('a\u200bb\u200b\u200bc\u200d', 2)).toEqual([
      { text: 'a' },
      { mark: 'U+200B', count: 1 },
      { text: 'b<U+200B><U+200B>c<U+200D>' },
    ]);
  });
});

describe('breakWorkflowCommands', () => {
  it.each([
    ['::error::x', ': :error::x'],
    ['a\n  ::error::x', 'a\n  : :error::x'],
    ['\u3000::warning::x', '\u3000: :warning::x'],
    ['x ##[error]y', 'x # #[error]y'],
    ['##VSO[task.complete]', '# #VSO[task.complete]'],
    ["##teamcity[testFailed name='x']", "# #teamcity[testFailed name='x']"],
    ['std::vector ## heading', 'std::vector ## heading'],
  ])('turns %j into %j', (text, expected) => {
    expect(breakWorkflowCommands(text)).toBe(expected);
  });

  it('takes linear time for a text of blanks and empty lines', () => {
    const text = `${'\n'.repeat(300_000)}${' '.repeat(300_000)}::x${'\r'.repeat(300_000)}`;
    expect(breakWorkflowCommands(text)).toContain(': :x');
  });
});

describe('escapeXml', () => {
  it('makes any text part of a well-formed document', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const document = `<a b="${escapeXml(text, { attribute: true })}">${escapeXml(text)}</a>`;
        expect(findXmlFault(document)).toBeUndefined();
        expect(document).not.toMatch(/^\s*::|##(?:\[|vso\[)/im);
      }),
    );
  });

  it('keeps line feeds in an element and shows them in an attribute', () => {
    expect(escapeXml('a\n"b"')).toBe('a\n&quot;b&quot;');
    expect(escapeXml('a\nb', { attribute: true })).toBe('a␊b');
    expect(escapeXml('a\r\nb')).toBe('a\nb');
    expect(escapeXml('a\r\nb', { attribute: true })).toBe('a␍␊b');
  });
});

describe('escapeJsonText', () => {
  it('keeps the value and hides every character that a terminal acts on', () => {
    const check = (text: string): void => {
      const escaped = escapeJsonText(JSON.stringify(text));
      expect(JSON.parse(escaped)).toBe(text);
      expect(escaped).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Surrogate}]|##(?:\[|vso\[|teamcity\[)/iu);
    };
    fc.assert(fc.property(anyText, check));
    for (const text of Object.values(hostileTexts).filter(({ length }) => length < 100_000)) check(text);
  });
});

describe('findXmlFault', () => {
  it.each([
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&x;</a>',
    '<a>\u0000</a>',
    '<a b="<"/>',
    'x<a/>',
    '<a>]]></a>',
    '<a>&</a>',
  ])('finds the fault of %j', (text) => {
    expect(findXmlFault(text)).toBeDefined();
  });
});

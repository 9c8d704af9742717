import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderDiff } from '../../src/reports/render-diff.ts';

const style = { colors: picocolors.createColors(false), width: 60, maxLines: 12 };

describe('renderDiff', () => {
  it('shows two short texts one above the other', () => {
    expect(renderDiff({ expected: 'billing', found: 'sales' }, style)).toEqual(['- billing', '+ sales']);
  });

  it('leaves out the middle of what two long lines have in common', () => {
    const before = `start ${'same words again and again '.repeat(20)}`;
    expect(renderDiff({ expected: `${before}end`, found: `${before}stop` }, style)).toEqual([
      '- …words again and again [-end-]',
      '+ …words again and again {+stop+}',
    ]);
  });

  it('marks the words that changed where most of a line is alike, several in a row as one', () => {
    const texts = { expected: 'Your refund is on its way today.', found: 'Your new order was sent on its way today.' };
    expect(renderDiff(texts, style)).toEqual([
      '- Your [-refund is-] on its way today.',
      '+ Your {+new order was sent+} on its way today.',
    ]);
  });

  it('marks them from a third of a line that is alike, and no words below it', () => {
    const found = 'Send the biggest order';
    expect(renderDiff({ expected: 'Send the refund', found }, style)[0]).toBe('- Send the [-refund-]');
    expect(renderDiff({ expected: 'Send a refund', found }, style)[0]).toBe('- Send a refund');
  });

  it('marks them by weight where there is colour, and not by brackets', () => {
    const colors = picocolors.createColors(true);
    const texts = { expected: 'Send the refund today.', found: 'Send the order today.' };
    expect(renderDiff(texts, { ...style, colors })).toEqual([
      colors.red(`- Send the ${colors.bold('refund')} today.`),
      colors.green(`+ Send the ${colors.bold('order')} today.`),
    ]);
  });

  it('compares lines that were changed one for one by their words', () => {
    const texts = { expected: 'same\nOffer a refund today.\nend', found: 'same\nOffer a discount today.\nend' };
    expect(renderDiff(texts, style)).toEqual([
      '  same',
      '- Offer a [-refund-] today.',
      '+ Offer a {+discount+} today.',
      '  end',
    ]);
  });

  it('shows changed lines with the lines around them', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const found = lines.with(10, 'other');
    expect(renderDiff({ expected: lines.join('\n'), found: found.join('\n') }, style)).toEqual([
      '  … 8 lines alike …',
      '  line 8',
      '  line 9',
      '- line 10',
      '+ other',
      '  line 11',
      '  line 12',
      '  … 7 lines alike …',
    ]);
  });

  it('makes spaces at the end of a line visible', () => {
    expect(renderDiff({ expected: 'yes', found: 'yes  ' }, style)).toEqual(['- yes', '+ yes··']);
  });

  it('spells out texts that look alike', () => {
    const [note, ...sides] = renderDiff({ expected: 'caf\u00e9', found: 'cafe\u0301' }, style);
    expect(note).toContain('look alike');
    expect(sides).toEqual(['- caf\\u00e9', '+ cafe\\u0301']);
    expect(renderDiff({ expected: '\u001b', found: '␛' }, style).slice(1)).toEqual(['- \\u001b', '+ \\u241b']);
  });

  it('never prints more lines than it may', () => {
    const texts = { expected: 'a\n'.repeat(500), found: 'b\n'.repeat(500) };
    const lines = renderDiff(texts, style);
    expect(lines).toHaveLength(13);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines/);
  });

  it('gives up on texts that have nothing in common, and shows where they start', () => {
    const words = (seed: number): string =>
      Array.from({ length: 3000 }, (_, index) => `w${(index * seed) % 1009}`).join(' ');
    const [note, expected, ...rest] = renderDiff({ expected: words(7), found: words(13) }, style);
    expect(note).toContain('too different');
    expect(expected).toMatch(/^- w0 w7 w14/);
    expect(rest.some((line) => line.startsWith('+ w0 w13'))).toBe(true);
  });

  it('says so where it did not read to the end', () => {
    const texts = { expected: 'x'.repeat(1_000_000), found: 'y'.repeat(1_000_000) };
    expect(renderDiff(texts, style).at(-1)).toContain('only 20000 characters');
  });

  it('starts at a difference that lies far from the start', () => {
    const same = 'same words '.repeat(30_000);
    expect(renderDiff({ expected: `${same}a`, found: `${same}b` }, style)).toEqual([
      '- …same words same words [-a-]',
      '+ …same words same words {+b+}',
    ]);
  });
});

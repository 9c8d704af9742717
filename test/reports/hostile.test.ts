import { describe, expect, it } from 'vitest';
import { reporters } from '../../src/reports/index.ts';
import { displayWidth } from '../../src/terminal/display-width.ts';
import { buildHostileReport } from '../support/build-hostile-report.ts';
import { plainStyle } from '../support/build-report.ts';
import { findHarm } from '../support/find-harm.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import fc, { codePoint } from '../support/property.ts';

describe.each(Object.entries(reporters))('%s', (name, reporter) => {
  for (const [text, hostile] of Object.entries(hostileTexts)) {
    it(`lets no harm through: ${text}`, { tags: hostile.length < 100_000 ? [] : ['slow'] }, () => {
      for (const style of name === 'terminal' ? terminalStyles : [plainStyle]) {
        expect(findHarm(name, [...reporter.render(buildHostileReport(hostile), style)].join(''))).toEqual([]);
      }
    });
  }

  it('lets no harm through whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint, maxLength: 60 }), (hostile) => {
        expect(findHarm(name, [...reporter.render(buildHostileReport(hostile), plainStyle)].join(''))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

const terminalStyles = [plainStyle, { ...plainStyle, verbose: true }, { ...plainStyle, quiet: true, width: 200 }];

describe('terminal', () => {
  it.each([40, 80, 200])('stays within %i columns', (width) => {
    for (const hostile of [
      '漢字かな交じり文'.repeat(12),
      '👩‍👩‍👧‍👦'.repeat(24),
      'word '.repeat(40),
      hostileTexts['a C1 control sequence'] ?? '',
    ]) {
      const report = buildHostileReport(hostile);
      for (const line of [...(reporters['terminal']?.render(report, { ...plainStyle, width }) ?? [])]
        .join('')
        .split('\n')) {
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('adds colour codes where colour is on, and only those', () => {
    const text = [
      ...(reporters['terminal']?.render(buildHostileReport('\u001b[5mblink'), { ...plainStyle, color: true }) ?? []),
    ].join('');
    // oxlint-disable-next-line no-control-regex -- Colours are what is counted.
    const codes = new Set(text.match(/\u001b[^m]*m/g));
    expect(codes).toContain('\u001b[31m');
    expect([...codes].every((code) => /^.\[\d+m$/.test(code))).toBe(true);
    expect(codes).not.toContain('\u001b[5m');
  });
});

import { describe, expect, it } from 'vitest';
import { reporters } from '../../src/reports/index.ts';
import { displayWidth } from '../../src/terminal/display-width.ts';
import { buildHostileReport } from '../support/build-hostile-report.ts';
import { plainStyle } from '../support/build-report.ts';
import { ctrfSchema } from '../support/ctrf-schema.ts';
import { findJunitFault } from '../support/find-junit-fault.ts';
import { findMarkdownFault } from '../support/find-markdown-fault.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import { parseTap } from '../support/parse-tap.ts';
import fc from '../support/property.ts';

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
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (hostile) => {
        expect(findHarm(name, [...reporter.render(buildHostileReport(hostile), plainStyle)].join(''))).toEqual([]);
      }),
      { numRuns: 60 },
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

/** What of the text would act on a reader's terminal, CI log or parser. */
function findHarm(name: string, text: string): unknown[] {
  const patterns = [
    // oxlint-disable-next-line no-control-regex -- Control characters are what must not be there.
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\p{Surrogate}]/u,
    // Commands are what the github report is made of; its own grammar is looked at below.
    ...(name === 'github' ? [] : [/^[^\S\r\n]*::/m]),
    /##(?:\[|vso\[|teamcity\[)/i,
  ];
  const found: unknown[] = patterns.map((pattern) => pattern.exec(text)?.[0]);
  return [...found, findFault(name, text)].filter((harm) => harm !== undefined);
}

function findFault(name: string, text: string): unknown {
  try {
    if (name === 'json') JSON.parse(text);
    if (name === 'jsonl') for (const line of text.trimEnd().split('\n')) JSON.parse(line);
    if (name === 'ctrf') ctrfSchema.parse(JSON.parse(text));
    if (name === 'tap') return parseTap(text).points.length === 6 ? undefined : 'a test point more or less';
    if (name === 'markdown') return findMarkdownFault(text);
    if (name === 'github')
      return text
        .trimEnd()
        .split('\n')
        .find((line) => !command.test(line));
    return name === 'junit' ? findJunitFault(text) : undefined;
  } catch (error) {
    return error;
  }
}

/** One whole command a line, with no percent sign, colon or comma in it that is not escaped. */
const command =
  /^::(?:error|warning|notice) (?:file=(?:[^%:,]|%25|%3A|%2C)+,line=\d+,(?:col=\d+,)?)?title=(?:[^%:,]|%25|%3A|%2C)*::(?:[^%]|%25|%0A)*$/;

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PageBlock, PageCase, PageCaseRow, PageIndex, PageSuite } from '../../src/model/report/page.ts';
import type { CaseReport, Report } from '../../src/model/report/report.ts';
import { reporters } from '../../src/reports/index.ts';
import { buildHostileReport } from '../support/build-hostile-report.ts';
import { buildCase, buildReport, buildReports, buildSuite, buildVariant, plainStyle } from '../support/build-report.ts';
import { hostileTexts } from '../support/hostile-texts.ts';
import fc, { codePoint } from '../support/property.ts';

describe('the page', () => {
  const html = render(buildHostileReport('x')).join('');

  test('runs its own script and style by their hashes and fetches nothing', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? '';
    const hash = (text: string) => createHash('sha256').update(text).digest('base64');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${hash(readPage(html).script)}'`);
    expect(policy).toContain(`style-src 'sha256-${hash(style)}'`);
    expect(policy).not.toMatch(/unsafe|connect-src|https?:/);
    expect(readPage(html).script.length).toBeGreaterThan(20_000);
    expect(html.replaceAll(/<script[^]*?<\/script>/g, '')).not.toMatch(/(?:src|href)="(?!data:)/);
  });

  test('holds each case once, and says of each cell where its detail is', () => {
    for (const report of Object.values(buildReports())) {
      const { index, cases } = readPage(render(report).join(''));
      const cells = index.suites.flatMap((suite) =>
        suite.cases.flatMap((row) => row.cells.map((cell) => [suite, row, cell] as const)),
      );
      expect(cells).toHaveLength(cases.length);
      for (const [suite, row, { item, variant, status }] of cells) {
        const { prompt, provider } = suite.variants[variant] ?? {};
        expect(cases[item]).toMatchObject({ suite: suite.suite, caseId: row.id, prompt, provider, status });
      }
    }
  });

  test.each(Object.entries(hostileTexts))('holds as data, letter for letter: %s', (_, hostile) => {
    const text = render(buildHostileReport(hostile)).join('');
    // The data and one script of the page: nothing of the text may open or close an element.
    const parts = text.match(/<script type="application\/json"/g)?.length ?? 0;
    expect(text.match(/<\/?script/gi)).toHaveLength(2 * parts + 2);
    const [first] = readPage(text).cases;
    const output = first?.trials[0]?.output;
    const start = { text: hostile.slice(0, 65_536), ofChars: hostile.length };
    expect(output).toEqual(hostile.length > 65_536 ? start : hostile);
  });

  test('holds any text letter for letter', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), (hostile) => {
        const { cases, index } = readPage(render(buildHostileReport(hostile)).join(''));
        expect(cases[0]?.trials[0]?.output).toBe(hostile);
        expect(index.suites[0]?.cases[0]?.id).toBe(hostile.slice(0, 300));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a large run', () => {
  test('is written block by block, each no larger than what opens at once', () => {
    const chunks = render(buildLarge(1000, 'word '.repeat(400)));
    const blocks = chunks.filter((chunk) => chunk.includes('id="block-'));
    expect(blocks.length).toBeGreaterThan(15);
    expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThan(200_000);
    const { index, cases } = readPage(chunks.join(''));
    expect(cases).toHaveLength(1000);
    expect(new Set(index.suites[0]?.cases.map(({ cells }) => cells[0]?.block)).size).toBe(blocks.length);
  });

  test('takes the rows of its tables out of the index, each once and in order', { tags: ['slow'] }, () => {
    const pair = ['v1', 'v2'].map((prompt) => buildVariant({ prompt }));
    const suite = (name: string, count: number) => ({
      ...buildSuite([], { suite: name, variants: pair }),
      cases: () => buildMany(count, ['v1', 'v2']),
    });
    const counts = [1300, 200, 400];
    const { index, rowsOf } = readPage(
      render(buildReport(counts.map((count, place) => suite(`suite ${place}`, count)))).join(''),
    );
    for (const [place, found] of index.suites.entries()) {
      const rows = rowsOf(found);
      expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: counts[place] ?? 0 }, (_, at) => idOf(at)));
      // A case whose cells came before and after a block was full is one row still.
      expect(rows.every(({ cells }) => cells.map(({ variant }) => variant).join() === '0,1')).toBe(true);
    }
    expect(index.suites.map(({ rowBlocks }) => rowBlocks)).toEqual([[0, 1], undefined, [2]]);
    const inIndex = index.suites.flatMap(({ cases }) => cases.flatMap(({ cells }) => cells));
    expect(inIndex.length).toBeLessThanOrEqual(1000);
  });

  test('of up to a thousand cells is found whole in the index', () => {
    const { index } = readPage(render(buildLarge(1000, 'billing')).join(''));
    expect(index.suites[0]?.cases).toHaveLength(1000);
    expect(index.suites[0]?.rowBlocks).toBeUndefined();
  });

  test('keeps less of each text once the page is full, and says how much there was', { tags: 'slow' }, () => {
    const long = 'x'.repeat(60_000);
    const { cases } = readPage(render(buildLarge(800, long)).join(''));
    expect(cases[0]?.trials[0]?.output).toBe(long);
    expect(cases.at(-1)?.trials[0]?.output).toEqual({ text: long.slice(0, 4096), ofChars: 60_000 });
  });
});

function render(report: Report): readonly string[] {
  return [...(reporters['html']?.render(report, plainStyle) ?? [])];
}

interface ReadPage {
  readonly index: PageIndex;
  readonly cases: readonly PageCase[];
  /** All rows of a suite's table. */
  readonly rowsOf: (suite: PageSuite) => readonly PageCaseRow[];
  readonly script: string;
}

/** As a browser cuts it: what stands between the tags that open and close a script. */
function readPage(html: string): ReadPage {
  const scripts = [...html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)];
  const textOf = (id: string) => scripts.filter(([, attributes = '']) => attributes.includes(`id="${id}`));
  return {
    index: JSON.parse(textOf('index')[0]?.[2] ?? '') as PageIndex,
    rowsOf: ({ rowBlocks = [], cases }) => [
      ...rowBlocks.flatMap((number) => JSON.parse(textOf(`rows-${number}"`)[0]?.[2] ?? '') as readonly PageCaseRow[]),
      ...cases,
    ],
    cases: textOf('block-').flatMap(([, , text = '']) => JSON.parse(text) as PageBlock),
    script: scripts.find(([, attributes]) => attributes === '')?.[2] ?? '',
  };
}

function buildLarge(count: number, output: string): Report {
  return buildReport([{ ...buildSuite([]), cases: () => buildMany(count, ['v2'], output) }]);
}

function* buildMany(count: number, prompts: readonly string[], output = 'billing'): Generator<CaseReport> {
  for (let at = 0; at < count; at += 1) {
    for (const prompt of prompts) yield buildCase({ caseId: idOf(at), prompt }, [{ output }]);
  }
}

function idOf(place: number): string {
  return `case-${String(place).padStart(6, '0')}`;
}

// What the html report costs: writing it, opening it as a table or as whole answers, and filtering it, at 10,000 cells and at 100,000.
//   node scripts/run-ts.mjs bench/page.ts [CELLS …]
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import type { CaseReport, Report } from '../src/model/report/report.ts';
import { reporters } from '../src/reports/index.ts';
import { buildCase, buildReport, buildSuite, buildVariant, plainStyle } from '../test/support/build-report.ts';
import { chromiumPath, openBrowser } from '../test/support/open-browser.ts';

const variants = ['v1', 'v2'].flatMap((prompt) => ['mini', 'large'].map((provider) => ({ prompt, provider })));
const openings = 5;
const queries = ['refund', 'case-012', 'late parcel', 'e', 'nothing at all', 'shipping'];
const words = 'the parcel was late and the refund for order is on its way billing shipping account other'.split(' ');

const sizes = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'llmcheck-bench-'));
if (chromiumPath === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
const browser = await openBrowser();
try {
  for (const cells of sizes.length === 0 ? [10_000, 100_000] : sizes) await measure(cells, browser);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(cells: number, browser: Browser): Promise<void> {
  const path = join(folder, `${cells}.html`);
  const { writtenMs, peakBytes } = write(buildLarge(cells), path);
  const opened: number[] = [];
  const filtered: number[] = [];
  const answers: number[] = [];
  for (let opening = 0; opening < openings; opening += 1) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const started = performance.now();
    await page.goto(`${pathToFileURL(path).href}#/cases`);
    await page.locator('.matrix tbody th').first().waitFor();
    opened.push(performance.now() - started);
    for (const query of queries) filtered.push(await page.evaluate<number>(filterBy(query)));
    for (const place of [0, 1]) filtered.push(await page.evaluate<number>(toggleStatus(place)));
    await page.close();
    answers.push(await openAnswers(path, browser));
  }
  const size = (statSync(path).size / 1e6).toFixed(1);
  console.log(`${cells} cells (${cells / variants.length} cases × ${variants.length} variants), ${size} MB`);
  console.log(`  written in ${writtenMs.toFixed(0)} ms, heap at most ${(peakBytes / 1e6).toFixed(0)} MB`);
  console.log(`  open, table drawn: ${describe(opened)}`);
  console.log(`  open, whole answers drawn: ${describe(answers)}`);
  console.log(`  filter, to the next frame: ${describe(filtered)}`);
}

async function openAnswers(path: string, browser: Browser): Promise<number> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const started = performance.now();
  await page.goto(`${pathToFileURL(path).href}#/cases?layout=answers`);
  await page.locator('.answer-cell pre').first().waitFor();
  const elapsed = performance.now() - started;
  await page.close();
  return elapsed;
}

/** Text by text, as a run writes it. */
function write(report: Report, path: string) {
  const file = openSync(path, 'w');
  const started = performance.now();
  let peakBytes = 0;
  for (const chunk of reporters['html']?.render(report, plainStyle) ?? []) {
    writeSync(file, chunk);
    peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed);
  }
  closeSync(file);
  return { writtenMs: performance.now() - started, peakBytes };
}

/** Cases are made as they are read, like those of a record. */
function buildLarge(cells: number): Report {
  const perVariant = cells / variants.length;
  const suite = {
    ...buildSuite([], { variants: variants.map((variant) => buildVariant({ ...variant, planned: perVariant })) }),
    *cases(): Generator<CaseReport> {
      for (let at = 0; at < perVariant; at += 1) {
        for (const [place, variant] of variants.entries()) yield buildLargeCase(at, place, variant);
      }
    },
  };
  return buildReport([suite]);
}

function buildLargeCase(at: number, place: number, variant: (typeof variants)[number]): CaseReport {
  const caseId = `case-${String(at).padStart(6, '0')}`;
  const text = (length: number) =>
    Array.from({ length }, (_, word) => words[(at * 7 + place * 3 + word * word) % words.length]).join(' ');
  const passed = (at * 13 + place) % 11 !== 0;
  const checks = ['contains', 'length', 'rubric'].map((assertion, check) => ({
    assertion,
    pass: passed || check > 0,
    score: passed || check > 0 ? 1 : 0,
    reason: `${assertion}: found ${text(8)}`,
  }));
  const asked = {
    messages: [
      { role: 'system', content: text(60) },
      { role: 'user', content: text(40) },
    ],
    tags: [words[at % 5] ?? ''],
  };
  return buildCase({ ...variant, caseId, status: passed ? 'passed' : 'failed' }, [
    { output: text(70), checks, asked, latencyMs: 300 + ((at * 37) % 900) },
  ]);
}

/** From a keystroke until the browser has drawn what it changed. */
function filterBy(query: string): string {
  return `new Promise((resolve) => {
    const input = document.querySelector('input[type=search]');
    const started = performance.now();
    input.value = ${JSON.stringify(query)};
    input.dispatchEvent(new Event('input', { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  })`;
}

function toggleStatus(place: number): string {
  return `new Promise((resolve) => {
    const started = performance.now();
    document.querySelectorAll('.toggle input')[${place}].click();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
  })`;
}

function describe(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `median ${median.toFixed(0)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms of ${times.length}`;
}

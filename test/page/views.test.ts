import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrendPoint } from '../../src/model/report/history.ts';
import type { CaseReport, ClassComparison, ClassReport, Report } from '../../src/model/report/report.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { reporters } from '../../src/reports/index.ts';
import { buildContract, buildFinding } from '../support/build-contracts.ts';
import {
  buildCase,
  buildComparison,
  buildReport,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
  plainStyle,
} from '../support/build-report.ts';
import { chromiumPath, openBrowser, openWatched } from '../support/open-browser.ts';

if (chromiumPath === undefined) console.warn('skipped: there is no Chromium here (apt-get install chromium)');

/** The elements of each view, as files: what the page shows of every field of a report. */
describe.skipIf(chromiumPath === undefined)('the elements of the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-views-'));
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await openBrowser();
    ({ page } = await openWatched(browser, { width: 1280, colorScheme: 'light' }));
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string, report: Report, route = ''): Promise<void> {
    const path = join(folder, `${name}.html`);
    if (!existsSync(path)) writeFileSync(path, [...(reporters['html']?.render(report, plainStyle) ?? [])].join(''));
    await page.goto(`${pathToFileURL(path).href}#/${route}`);
    await page.waitForFunction(isDrawn);
  }

  const manySided = buildManySided();
  const variant = 'v2/openai%3Agpt-4o-mini';
  test.each([
    ['overview', ''],
    ['contracts', 'contracts'],
    ['cases', 'cases'],
    ['cases-filtered', 'cases?status=failed%2Cerrored&suite=triage&tag=money&prompt=v2'],
    ['cases-changed', 'cases?change=regressed'],
    ['cases-none', 'cases?text=nothing+fits'],
    ['case-asked', `case/triage/asked/${variant}`],
    ['case-trials', `case/triage/trials/${variant}?tag=money`],
    ['case-errored', `case/triage/errored/${variant}?status=errored`],
    ['case-skipped', `case/triage/skipped/${variant}`],
    ['case-tool', `case/triage/tool/${variant}`],
    ['case-tolerated', `case/triage/tolerated/${variant}`],
    ['case-missing', 'case/a/b/c/d'],
  ])('%s', async (name, route) => {
    await open('many-sided', manySided, route);
    const elements = await page.evaluate<string>(listElements);
    await expect(elements).toMatchFileSnapshot(`__file_snapshots__/${name}.html`);
  });

  test('the table holds the rows in sight, and gaps for the others', { tags: ['slow'] }, async () => {
    await open('long', buildLong(), 'cases');
    const lookAtRows = `({
      ids: [...document.querySelectorAll('.matrix tbody th .line:first-child')].map((line) => line.textContent),
      gaps: [...document.querySelectorAll('.matrix .gap td')].map((cell) => cell.style.height),
    })`;
    interface Rows {
      readonly ids: readonly string[];
      readonly gaps: readonly string[];
    }
    const top = await page.evaluate<Rows>(lookAtRows);
    expect([top.ids[0], top.gaps]).toEqual(['case-000', [`${56 * (200 - top.ids.length)}px`]]);
    await page.evaluate("document.querySelector('.matrix').scrollTo(0, 56 * 100)");
    await page.getByText('case-099').waitFor();
    const middle = await page.evaluate<Rows>(lookAtRows);
    expect([middle.ids[0], middle.gaps]).toEqual([
      'case-092',
      [`${56 * 92}px`, `${56 * (200 - 92 - middle.ids.length)}px`],
    ]);
    // Other filters show other rows, from the first one.
    await page.getByRole('searchbox').fill('case-19');
    await page.getByText('case-190').waitFor();
    expect(await page.evaluate(lookAtRows)).toMatchObject({ ids: expect.arrayContaining(['case-199']), gaps: [] });
  });

  test('as many tolerated cases as broken ones are both listed', async () => {
    await open('long', buildLong());
    expect(await page.locator('section .entries').allInnerTexts()).toEqual([expect.stringContaining('case-001')]);
    await page.getByText('Let through by the gate: 1 case').click();
    expect(await page.locator('details .groups').allInnerTexts()).toEqual([expect.stringContaining('case-002')]);
  });

  test('a run that passed has neither breaches nor broken cases', async () => {
    await open('passed', buildReport([buildSuite([buildCase()])]));
    const titles = await page.locator('main :is(h1, h2)').allInnerTexts();
    expect(titles).toEqual([expect.stringMatching(/^Passed/), expect.stringMatching(/^support-triage/)]);
    expect(await page.locator('main').innerText()).toMatch(/The case passes[^]*nothing to compare with/);
  });

  test('the comparison has a column for the steps of agents, where there are some', { tags: ['slow'] }, async () => {
    const steps = { baseline: 2, candidate: 4, delta: 1, low: 0.5, high: 1.5, p: 0.001 };
    const variants = [buildVariant({ comparison: buildComparison({ steps }) })];
    await open('steps', buildReport([buildSuite([buildCase()], { variants })]));
    const table = page.locator('.comparisons');
    expect(await table.locator('thead').innerText()).toMatch(/Cost\s+Steps\s+Latency/i);
    expect(await table.locator('tbody').innerText()).toContain('2.0 → 4.0, +100.0 %');
    await open(
      'passed-plain',
      buildReport([buildSuite([buildCase()], { variants: [buildVariant({ comparison: buildComparison() })] })]),
    );
    expect(await page.locator('.comparisons thead').innerText()).toMatch(/Cost\s+Latency/i);
  });

  test('the arrow keys move from cell to cell', { tags: ['slow'] }, async () => {
    await open('many-sided', manySided, 'cases?suite=triage');
    await page.locator('.matrix td a').first().focus();
    const hrefs: string[] = [];
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight', 'ArrowRight', 'x']) {
      await page.keyboard.press(key);
      hrefs.push(await page.evaluate<string>("document.activeElement.getAttribute('href').split('?')[0]"));
    }
    const [errored, fixed, fixedBefore] = ['errored/v2', 'fixed/v2', 'fixed/v1'].map(
      (cell) => `#/case/triage/${cell}/openai%3Agpt-4o-mini`,
    );
    expect(hrefs).toEqual([errored, fixed, errored, errored, errored, errored, errored]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toContain(fixedBefore);
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toContain(fixed);
  });

  test('filters are set one by one, and taken back', { tags: ['slow'] }, async () => {
    await open('many-sided', manySided, 'cases');
    const query = () => new URL(page.url()).hash.replace('#/cases', '');
    await page.getByLabel('failed').check();
    await page.getByLabel('errored').check();
    await page.getByLabel('Suite').selectOption('triage');
    await page.getByLabel('Change').selectOption('regressed');
    expect(query()).toBe('?status=failed%2Cerrored&change=regressed&suite=triage');
    expect(await page.getByRole('status').innerText()).toContain('1 of 7 cases');
    await page.getByLabel('failed').uncheck();
    await page.getByLabel('Change').selectOption('');
    expect(query()).toBe('?status=errored&suite=triage');
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(query()).toBe('');
    expect(await page.getByRole('status').innerText()).toBe('8 cases');
  });

  test('another trial is shown where it is chosen', async () => {
    await open('many-sided', manySided, `case/triage/trials/${variant}`);
    const pressed = () => page.locator('.trials button[aria-pressed="true"]').innerText();
    expect(await pressed()).toMatch(/^1/);
    await page.getByRole('button', { name: '2 (confirmation)' }).click();
    expect(await pressed()).toMatch(/^2/);
    expect(await page.getByText('found "sales"').count()).toBe(1);
  });
});

/** A case's block is read after its page is drawn; two frames later, every effect of Preact has run. */
const isDrawn = `new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() =>
  resolve(document.querySelector('h1') !== null && document.querySelector('.wait') === null))))`;

const listElements = String.raw`(() => {
  const lines = [document.title];
  const add = (node, depth) => {
    const indent = '  '.repeat(depth);
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data.trim() !== '') lines.push(indent + JSON.stringify(node.data));
      return;
    }
    const attributes = [...node.attributes].map(({ name, value }) => ' ' + name + '="' + value + '"');
    const state = [node.checked ? ' checked' : '', node.value ? ' value: ' + node.value : ''].join('');
    lines.push(indent + '<' + node.localName + attributes.join('') + '>' + state);
    for (const child of node.childNodes) add(child, depth + 1);
  };
  add(document.querySelector('main'), 0);
  return lines.join('\n') + '\n';
})()`;

const asked = {
  tags: ['money', 'urgent'],
  description: 'A customer wants money back.',
  messages: [
    { role: 'system', content: 'You answer customers.' },
    { role: 'user', content: 'Where is my money?', attach: ['bill.pdf'] },
    { role: 'assistant', content: 'x'.repeat(50), ofChars: 70_000 },
  ],
  turns: [
    { role: 'tool' as const, name: 'lookup', content: '{"paid":true}' },
    { role: 'user' as const, content: 'And when?' },
  ],
};

const answered: Partial<CellRow> = {
  asked,
  output: 'Your refund is on its way.\nIt takes ten days.',
  reasoning: 'The customer paid twice.',
  refusal: 'I will not name the date.',
  model: 'gpt-4o-mini-2024-07-18',
  finishReason: 'stop',
  usage: { inputTokens: 12_345, cachedInputTokens: 1024, outputTokens: 2000, reasoningTokens: 1500 },
  score: 0.25,
  attempts: 2,
  costUsd: null,
  latencyMs: 61_500,
  calls: [
    { requestHash: 'a', cached: false, attempts: 1, costUsd: null, text: 'One moment.' },
    { requestHash: 'b', cached: false, attempts: 1, costUsd: null, text: 'Your refund is on its way.' },
  ],
  checks: [
    { assertion: 'json', pass: true, score: 1, reason: 'is JSON', turn: 1 },
    { assertion: 'length', pass: false, score: 0, reason: '45 characters, at most 40 wanted', weight: 0 },
    {
      assertion: 'equals',
      name: 'days',
      pass: false,
      score: 0,
      reason: 'line 2 differs',
      required: true,
      weight: 3,
      diff: {
        expected: 'Your refund is on its way.\nIt takes two days.',
        found: 'Your refund is on its way.\nIt takes ten days.',
      },
    },
    {
      assertion: 'rubric',
      pass: false,
      score: 0.5,
      reason: 'the judges disagree',
      error: 'one judge did not answer',
      judgement: {
        judge: 'polite',
        check: 'polite',
        model: 'gpt-4o',
        votes: 3,
        agreement: 2 / 3,
      },
    },
  ],
};

/** Every kind of case, variant, comparison, contract, breach and remark. */
function buildClassComparison(): ClassComparison {
  const change = { p: 0.001, low: -0.4, high: -0.05 };
  return {
    cases: 20,
    f1: { maxDrop: 0.05, baseline: 1, candidate: 0.79, delta: -0.21, ...change },
    recall: [
      { class: 'billing', cases: 14, baseline: 1, candidate: 1, delta: 0, ...change },
      { class: 'legal', cases: 6, maxDrop: 0.1, baseline: 1, candidate: 0.5, delta: -0.5, ...change },
    ],
    cells: [
      { truth: 'legal', found: 'legal', baseline: 6, candidate: 3, entered: [] },
      { truth: 'legal', found: 'billing', baseline: 0, candidate: 2, entered: ['suit', 'threat'] },
      { truth: 'legal', found: null, baseline: 0, candidate: 1, entered: ['lawyer'] },
      { truth: 'billing', found: 'billing', baseline: 14, candidate: 14, entered: [] },
    ],
  };
}

function buildClassReport(): ClassReport {
  return {
    names: ['billing', 'legal'],
    cells: [
      { truth: 'billing', found: 'billing', cases: 14 },
      { truth: 'legal', found: 'billing', cases: 2 },
      { truth: 'legal', found: 'legal', cases: 3 },
      { truth: 'legal', found: null, cases: 1 },
    ],
    scores: [
      {
        class: 'billing',
        cases: 14,
        recall: { value: 1, low: 0.78, high: 1 },
        precision: { value: 0.875, low: 0.64, high: 0.97 },
        f1: { value: 0.93, low: 0.78, high: 0.98 },
      },
      {
        class: 'legal',
        cases: 6,
        recall: { value: 0.5, low: 0.19, high: 0.81 },
        precision: { value: 1, low: 0.44, high: 1 },
        f1: { value: 0.67, low: 0.32, high: 0.9 },
      },
    ],
    macro: { precision: 0.94, recall: 0.75, f1: { value: 0.79, low: 0.6, high: 0.92 } },
    others: [{ found: '<b>sales\u202e</b>', answers: 1 }],
  };
}

function buildManySided(): Report {
  const place = { prompt: 'v2', provider: 'openai:gpt-4o-mini' };
  const before = { status: 'passed', output: 'Your refund is on its way.\nIt takes two days.' } as const;
  const failing = { asked, checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'found "sales"' }] };
  const error = { kind: 'network' as const, message: 'the connection was reset', status: 502, attempts: 3 };
  const cases: CaseReport[] = [
    buildCase({ caseId: 'asked', status: 'failed', change: 'regressed', baseline: before }, [answered]),
    buildUnansweredCase(
      { caseId: 'errored', status: 'errored', baseline: { ...before, reason: 'it was right' } },
      { error, attempts: 0 },
    ),
    buildCase({ caseId: 'fixed', change: 'fixed' }, [{ cached: true, latencyMs: 900, mustPass: true }]),
    buildCase({ caseId: 'fixed', prompt: 'v1', observe: true, status: 'failed' }, [failing]),
    buildUnansweredCase(
      { caseId: 'skipped', status: 'skipped' },
      { skip: { reason: 'case', message: 'not written yet' } },
    ),
    buildCase({ caseId: 'tolerated', status: 'failed', change: 'stillFailing' }, [failing]),
    buildCase({ caseId: 'tool', status: 'failed', change: 'added' }, [
      {
        output: '',
        toolCalls: [
          { id: '1', name: 'refund', arguments: { id: 1 }, rawArguments: '{"id":1}' },
          { name: 'close', arguments: {}, rawArguments: 'not JSON' },
        ],
        checks: failing.checks,
      },
    ]),
    buildCase({ caseId: 'trials', status: 'flaky', change: 'flaky', baseline: before }, [
      { status: 'passed', asked },
      { ...failing, status: 'failed', confirmation: true },
      { status: 'passed', asked },
    ]),
  ];
  const comparison = buildComparison({
    outcome: 'failed',
    against: { source: 'git:main', prompt: 'v1' },
    passRate: { baseline: 0.98, candidate: 0.9, delta: -0.08, low: -0.12, high: -0.028, p: 0.001 },
    costUsd: { baseline: 0.01, candidate: 0.0125, delta: 0.25, low: 0.21, high: 0.29, p: 0.001 },
    cases: {
      regressed: ['asked'],
      drifted: [],
      fixed: ['fixed'],
      stillFailing: ['tolerated'],
      flaky: ['trials'],
      added: ['tool'],
      removed: ['a', 'b', 'c', 'd', 'e', 'f'],
      redefined: ['skipped'],
    },
    classes: buildClassComparison(),
    unmatched: Array.from({ length: 21 }, (_, at) => `params.p${at}: 0 → 1`),
    advice: ['to certify 5 pts: ~300 cases'],
    notes: ['38 of 40 answers are those that the baseline holds'],
    accepted: [{ metric: 'the case "old" was removed' }],
    prompts: {
      baseline: [{ role: 'system', content: 'You answer customers.\nBe brief.' }],
      candidate: [{ role: 'system', content: 'You answer customers.\nBe very brief.' }],
    },
  });
  const variants = [
    buildVariant({ prompt: 'v1', planned: 2, failed: 1, replacedBy: 'v2' }),
    buildVariant({
      ...place,
      planned: 8,
      passed: 3,
      failed: 4,
      errored: 1,
      skipped: 1,
      passRate: { value: 0.375, low: 0.137, high: 0.694, n: 8 },
      costUsd: 0.5,
      comparison,
      classes: buildClassReport(),
      latencies: () => ({ candidate: [100, 110, 200, 450, 900, 61_500], baseline: [90, 100, 120, 400] }),
    }),
    buildVariant({
      prompt: 'v2',
      provider: 'an-unpriced-provider-of-a-long-name:model',
      passRate: { value: null, low: null, high: null, n: 0 },
      score: { mean: null, low: null, high: null },
      costUsd: null,
      latencyMs: { p50: null, p95: null },
    }),
  ];
  const triage = buildSuite(cases, { suite: 'triage', variants });
  const other = buildSuite([buildCase({ caseId: 'letter', status: 'failed' }, [failing])], {
    suite: 'letters',
    path: 'evals/letters.eval.yaml',
    variants: [buildVariant({ passed: 0, failed: 1, latencies: () => ({ candidate: [420], baseline: [] }) })],
  });
  const contract = buildContract({
    suite: 'triage',
    findings: [
      buildFinding({ severity: 'info', path: '' }),
      buildFinding({ severity: 'warn' }),
      buildFinding({ severity: 'error', approved: true }),
      buildFinding({ severity: 'error', at: { file: 'evals/triage.eval.yaml', line: 3, column: 1 } }),
    ],
  });
  const breach = { code: 'pass-rate-min' as const, suite: 'triage' };
  return buildReport([triage, other], {
    decision: {
      outcome: 'failed',
      warnings: ['the price of the model is not known'],
      loosenedCases: Array.from({ length: 12 }, (_, at) => ({
        suite: at === 0 ? 'triage' : 'letters',
        ...place,
        caseId: `eased-${at}`,
        mustPass: at === 1,
        before: [`contains "ok ${at}"`],
        after: ['length {"min":1}'],
        ...(at > 0 && { reason: `"ok ${at}" is missing` }),
      })),
      breaches: [
        { ...breach, ...place, message: 'pass rate 37.5 % is below the minimum of 90.0 %' },
        { ...breach, ...place, code: 'case-broken', caseId: 'asked', message: 'asked passed before' },
        ...Array.from({ length: 50 }, (_, at) => ({ ...breach, message: `one more reason, number ${at + 1}` })),
      ],
    },
    exitCode: 1,
    notes: ['2 of 9 answers came from the cache'],
    contracts: [
      contract,
      { ...contract, prompt: 'v3', findings: [] },
      { ...contract, prompt: 'v4', findings: [buildFinding({ severity: 'warn' })], observed: [] },
    ],
    trends: () => [{ suite: 'triage', ...place, points: [trendPoint(1, true), trendPoint(2), trendPoint(3)] }],
  });
}

/** More rows than a screen has; one case is broken, and one that failed before is tolerated. */
function buildLong(): Report {
  const cases = Array.from({ length: 200 }, (_, at) => {
    const caseId = `case-${String(at).padStart(3, '0')}`;
    if (at === 1) return buildCase({ caseId, status: 'failed', change: 'regressed' });
    return at === 2 ? buildCase({ caseId, status: 'failed', change: 'stillFailing' }) : buildCase({ caseId });
  });
  const { cases: unchanged } = buildComparison();
  const comparison = buildComparison({
    outcome: 'failed',
    cases: { ...unchanged, regressed: ['case-001'], stillFailing: ['case-002'] },
  });
  const breach = { code: 'case-broken', caseId: 'case-001', message: 'it passed before' } as const;
  return buildReport([buildSuite(cases, { variants: [buildVariant({ comparison, failed: 2 })] })], {
    decision: { outcome: 'failed', warnings: [], breaches: [breach] },
    exitCode: 1,
  });
}

function trendPoint(day: number, isPartial = false): TrendPoint {
  return {
    runId: `2026030${day}-101500-abcd`,
    startedAt: `2026-03-0${day}T10:15:00.000Z`,
    isPartial,
    passRate: { value: 1 - day / 8, low: 0.5 - day / 8, high: 1, n: 8 },
    costUsd: day === 1 ? null : 0.5 * day,
    latencyMs: { p50: day === 2 ? null : 420, p95: 980 },
  };
}

import { createHash } from 'node:crypto';
import { script, style } from 'virtual:page';
import { defined } from '../../json/defined.ts';
import type { PromptFindings } from '../../model/comparison/finding.ts';
import type { PageCase, PageContract, PageIndex, PageSuite } from '../../model/report/page.ts';
import type { Report } from '../../model/report/report.ts';
import { variantKey } from '../../model/run/cell.ts';
import { escapeJsonText, escapeXml } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { createFindGateEffect } from '../cases/gate-effect.ts';
import { describeVerdict, needsReview, outcomeWord } from '../headline.ts';
import type { Reporter } from '../reporter.ts';
import { describeCounts, describeNextStep, warningsElsewhere } from '../run-facts.ts';
import { buildPageCase, type PageLimits } from './page-case.ts';
import { buildPageFailures } from './page-failures.ts';
import { buildPageVariant, buildPrompts, buildRemarks, createPageRows, type RowBlock } from './page-suite.ts';

export const html: Reporter = {
  summary: 'one self-contained page: verdict, cases × variants, each case with its answers, charts; nothing is fetched',
  extension: 'html',
  /** Cases are written as they are read, so that the size of a run does not matter. */
  *render(report) {
    const suites = report.suites.map(({ suite }) => suite).join(', ');
    const title = `${outcomeWord(report)}: ${suites === '' ? 'no suite' : suites} – llmcheck`;
    yield renderPageHead({ title, isServed: false });
    for (const piece of buildPageData(report, { maxIndexCells })) {
      const id = piece.kind === 'index' ? 'index' : `${piece.kind}-${piece.number}`;
      // Browsers do not execute JSON. The page parses each piece when it needs it.
      yield `<script type="application/json" id="${id}">${piece.json}</script>\n`;
    }
    yield renderPageFoot();
  },
};

/** The most cells in the index: a few hundred kilobytes of rows. */
const maxIndexCells = 1000;

interface PageDocument {
  readonly title: string;
  /** True for `llmcheck view`: the page asks the server that sent it, and no other. */
  readonly isServed: boolean;
}

/** The page up to its data. It can run and fetch nothing but its own script and style. */
export function renderPageHead({ title, isServed }: PageDocument): string {
  return [
    '<!doctype html>',
    `<html lang="en" data-source="${isServed ? 'server' : 'file'}">`,
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${contentPolicy(isServed)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="generator" content="llmcheck">',
    `<title>${escapeXml(title)}</title>`,
    `<link rel="icon" href="${icon}">`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<div id="app"></div>',
    '<noscript><p class="noscript">This report is drawn by its own script, which is switched off. The json, markdown and junit reports need none.</p></noscript>',
    '',
  ].join('\n');
}

/** The part of the page after the data. */
export function renderPageFoot(): string {
  return `<script>${script}</script>\n</body>\n</html>\n`;
}

/** The page may run its own script and use its own style, both by hash. */
export function contentPolicy(isServed: boolean): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash(script)}'`,
    `style-src 'sha256-${hash(style)}'`,
    'img-src data:',
    ...(isServed ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%232f5fd0'/%3E%3Cpath d='M4 8.4l2.7 2.7L12 5.4' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E";

/** A part of the page's data as JSON that is safe inside HTML. The index comes after the details and table rows. */
export type PagePiece =
  | { readonly kind: 'block' | 'rows'; readonly number: number; readonly json: string }
  | { readonly kind: 'index'; readonly json: string };

/**
 * Reads each case once. Memory holds one block and the table rows of the index. Table rows beyond `maxIndexCells` cells
 * become pieces of their own; by default the index holds them all.
 */
export function* buildPageData(
  report: Report,
  { maxIndexCells = Number.POSITIVE_INFINITY }: { readonly maxIndexCells?: number } = {},
): Generator<PagePiece> {
  const writer = createBlockWriter();
  const tables = createPageRows(maxIndexCells);
  const trends = report.trends?.() ?? [];
  const suites: PageSuite[] = [];
  for (const suite of report.suites) {
    const findEffect = createFindGateEffect(report, suite);
    const rows = tables.open(suite);
    for (const entry of suite.cases()) {
      const effect = findEffect(entry);
      const fullRows = rows.add(entry, effect, writer.place());
      const block = writer.add((limits) => buildPageCase(suite.suite, entry, effect, limits));
      if (block !== undefined) yield block;
      yield* rowPieces(fullRows);
    }
    yield* rowPieces(rows.end());
    suites.push({
      suite: suite.suite,
      path: suite.path,
      variants: suite.variants.map((variant) =>
        buildPageVariant(
          variant,
          trends.find((trend) => trend.suite === suite.suite && variantKey(trend) === variantKey(variant)),
        ),
      ),
      prompts: buildPrompts(suite),
      remarks: buildRemarks(report, suite),
      ...rows.list(),
    });
  }
  const last = writer.end();
  if (last !== undefined) yield last;
  yield { kind: 'index', json: renderHtmlJson(buildIndex(report, suites)) };
}

function rowPieces(block: RowBlock | undefined): PagePiece[] {
  return block === undefined ? [] : [{ kind: 'rows', number: block.number, json: renderHtmlJson(block.rows) }];
}

/** JSON that can't end a script element and has no invisible control characters; a parser reads the same value. */
function renderHtmlJson(value: unknown): string {
  return escapeJsonText(JSON.stringify(value)).replace(/[<>&]/g, (sign) => htmlSigns[sign] ?? sign);
}

const htmlSigns: Readonly<Record<string, string>> = {
  '<': String.raw`\u003c`,
  '>': String.raw`\u003e`,
  '&': String.raw`\u0026`,
};

function buildIndex(report: Report, suites: readonly PageSuite[]): PageIndex {
  const { tool, run, decision, exitCode, totals, notes, contracts = [], swaps = [] } = report;
  const { id, startedAt, durationMs, complete, stopReason, recordPath } = run;
  return {
    tool,
    run: { id, startedAt, durationMs, complete, ...defined({ stopReason, recordPath }) },
    verdict: {
      outcome: decision.outcome,
      exitCode,
      word: outcomeWord(report),
      text: describeVerdict(report),
      ...defined({ needsReview: needsReview(report) || undefined }),
      counts: describeCounts(report),
    },
    totals,
    failures: buildPageFailures(report),
    ...defined({ nextStep: describeNextStep(report) }),
    warnings: warningsElsewhere(report).map(clip),
    notes: [...swaps.map(({ conclusion }) => conclusion), ...notes].map(clip),
    suites,
    contracts: contracts.map(buildContract),
  };
}

function buildContract({ suite, prompt, against, findings, observed = [] }: PromptFindings): PageContract {
  return {
    suite,
    prompt,
    against,
    findings: findings.map(({ old: _old, new: _new, ...finding }) => ({ ...finding, message: clip(finding.message) })),
    observed: observed.map(({ message, offenders }) => ({
      message: clip(message),
      offenders: offenders.map(({ caseId, reason }) => ({ caseId, reason: clip(reason) })),
    })),
  };
}

function clip(text: string): string {
  return clipText(text, maxMessageChars);
}

const maxMessageChars = 4000;

/** Fills blocks that are small enough to parse quickly. To limit the size of a page, later texts are cut shorter. */
function createBlockWriter() {
  let items: string[] = [];
  let size = 0;
  let number = 0;
  let written = 0;
  return {
    place: () => ({ block: number, item: items.length }),
    add(build: (limits: PageLimits) => PageCase): PagePiece | undefined {
      const json = renderHtmlJson(build(written < generousChars ? generous : written < tightChars ? tight : bare));
      items.push(json);
      size += json.length;
      written += json.length;
      return size < blockChars ? undefined : flush();
    },
    end: () => (items.length === 0 ? undefined : flush()),
  };

  function flush(): PagePiece {
    const block: PagePiece = { kind: 'block', number, json: `[${items.join(',\n')}]` };
    items = [];
    size = 0;
    number += 1;
    return block;
  }
}

const blockChars = 100_000;
const generousChars = 40_000_000;
const tightChars = 120_000_000;
const generous: PageLimits = { answerChars: 65_536, textChars: 16_384 };
const tight: PageLimits = { answerChars: 4096, textChars: 2048 };
const bare: PageLimits = { answerChars: 512, textChars: 256 };

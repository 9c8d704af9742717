import { createHash } from 'node:crypto';
import { script, style } from 'virtual:page';
import { escapeXml } from '../../text/sanitize.ts';
import type { Reporter } from '../reporter.ts';
import { buildPageData } from './page-data.ts';

export const html: Reporter = {
  summary: 'one self-contained page: verdict, cases × variants, each case with its answers, charts; nothing is fetched',
  extension: 'html',
  /** Cases are written as they are read, so that the size of a run does not matter. */
  *render(report) {
    const suites = report.suites.map(({ suite }) => suite).join(', ');
    const title = `${report.decision.outcome}: ${suites === '' ? 'no suite' : suites} – llmcheck`;
    yield renderPageHead({ title, isServed: false });
    for (const piece of buildPageData(report, { maxIndexCells })) {
      const id = piece.kind === 'index' ? 'index' : `${piece.kind}-${piece.number}`;
      // Browsers do not execute JSON. The page parses each piece when it needs it.
      yield `<script type="application/json" id="${id}">${piece.json}</script>\n`;
    }
    yield renderPageFoot();
  },
};

/** Some hundred kilobytes of rows. */
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

/** What follows the data. */
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

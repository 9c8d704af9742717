import { createHash } from 'node:crypto';
import { script, style } from 'virtual:page';
import { escapeXml } from '../text/sanitize.ts';

export interface PageDocument {
  readonly title: string;
  /** Of `llmcheck view`: the page asks the server that sent it, and no other. */
  readonly isServed: boolean;
}

/** The page up to where its data begins. Nothing in it can be fetched or run but its own script and style. */
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

/** One piece of the page's data; not executed, and parsed when it is asked for. */
export function renderPagePiece(id: string, json: string): string {
  return `<script type="application/json" id="${id}">${json}</script>\n`;
}

/** What a browser may do for the page: run and style what stands in it, by hash. */
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

// Renders the scenarios of test/cli/verdict as GitHub shows them, so that a person can look at them:
// npm run screenshots:github -- FOLDER
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import MarkdownIt from 'markdown-it';
import { chromium } from 'playwright-core';

const scenarios = 'test/cli/verdict/snapshots';
const folder = resolve(process.argv[2] ?? 'screenshots');
const markdown = new MarkdownIt({ html: true });

/** A comment, the narrower page of a check, and the annotations of a job. */
const views = [
  { name: 'comment', width: 860, file: 'markdown.md', render: (text) => markdown.render(text) },
  { name: 'check', width: 640, file: 'markdown.md', render: (text) => markdown.render(text) },
  { name: 'annotations', width: 860, file: 'github.txt', render: renderAnnotations },
];

/** What matters of GitHub's style for width and height. */
const style = `
body { margin: 0; padding: 16px; box-sizing: border-box; color: #1f2328; }
body, td, th { font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif, "Noto Color Emoji"; }
h3 { font-size: 1.25em; line-height: 1.25; margin: 0 0 16px; }
p, ul, pre, table, details { margin: 0 0 16px; }
ul { padding-left: 2em; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }
td, th { border: 1px solid #d1d9e0; padding: 6px 13px; }
th { font-weight: 600; }
code { font: 85% ui-monospace, SFMono-Regular, Menlo, monospace; background: #818b981f; padding: .2em .4em; border-radius: 6px; }
pre { background: #f6f8fa; padding: 16px; overflow: auto; border-radius: 6px; }
pre code { background: none; padding: 0; }
.annotation { border: 1px solid #d1d9e0; border-left-width: 4px; border-radius: 6px; padding: 8px 12px; margin-bottom: 8px; }
.annotation.error { border-left-color: #cf222e; }
.annotation.warning { border-left-color: #9a6700; }
.annotation pre { background: none; padding: 0; margin: 4px 0 0; font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
`;

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => hasFile(path));
if (executablePath === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  for (const scenario of readdirSync(scenarios)) {
    for (const { name, width, file, render } of views) {
      const page = await browser.newPage({ viewport: { width, height: 200 } });
      await page.setContent(`<style>${style}</style>${render(readFileSync(join(scenarios, scenario, file), 'utf8'))}`);
      await page.screenshot({ path: join(folder, `${scenario}-${name}.png`), fullPage: true });
      await page.close();
    }
  }
} finally {
  await browser.close();
}
console.log(`wrote the screenshots to ${folder}`);

function hasFile(path) {
  try {
    return readFileSync(path).length > 0;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Workflow commands as the boxes that a job shows. */
function renderAnnotations(text) {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, level, properties = '', message = ''] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? [];
      const {
        title = '',
        file = '',
        line: at = '',
      } = Object.fromEntries(properties.split(',').map((property) => property.split('=').map(unescape)));
      const place = file === '' ? '' : `<div>${escapeHtml(`${file}#L${at}`)}</div>`;
      return `<div class="annotation ${level}"><b>${escapeHtml(title)}</b>${place}<pre>${escapeHtml(unescape(message))}</pre></div>`;
    })
    .join('');
}

function unescape(text) {
  return text.replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');
}

function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

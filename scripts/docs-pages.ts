import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockPlace, runBlock } from './docs-blocks.ts';

/** Renders the generated region of a name. */
export type RenderRegion = (name: string) => Promise<string> | string;

/** The pages of the documentation, relative to the root. */
export function listPages(root: string): readonly string[] {
  const docs = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', ...docs.sort(), 'evals/README.md', 'fixtures/README.md'];
}

/** A fenced block: its info string, its lines, and the heading that it stands under. */
export interface Fence {
  readonly info: string;
  readonly lines: readonly string[];
  readonly heading: string;
  /** 0-based, of the opening fence and of the closing one. */
  readonly start: number;
  readonly end: number;
}

export function findFences(text: string): readonly Fence[] {
  const lines = text.split('\n');
  const fences: Fence[] = [];
  let heading = '';
  for (let start = 0; start < lines.length; start += 1) {
    const line = lines[start] ?? '';
    const [, ticks, info] = /^(`{3,})(.*)$/.exec(line) ?? [];
    if (ticks === undefined || info === undefined) {
      if (/^#{1,2} /.test(line)) heading = line.replace(/^#+ /, '');
      continue;
    }
    const end = lines.indexOf(ticks, start + 1);
    if (end === -1) throw new Error(`line ${start + 1} opens a fence that nothing closes`);
    fences.push({ info: info.trim(), lines: lines.slice(start + 1, end), heading, start, end });
    start = end;
  }
  return fences;
}

/** The page as it should be: every console block run anew, every generated region rendered anew. */
export async function renderPage(text: string, root: string, renderRegion: RenderRegion): Promise<string> {
  return renderBlocks(await renderRegions(text, renderRegion), root);
}

const places: Readonly<Record<string, BlockPlace>> = {
  console: 'evals',
  'console init': 'init',
  'console here': 'here',
};

async function renderBlocks(text: string, root: string): Promise<string> {
  const lines = text.split('\n');
  const fences = findFences(text);
  const rendered: string[] = [];
  let from = 0;
  for (const fence of fences) {
    const place = places[fence.info];
    if (place === undefined) continue;
    const files = new Map<string, string>();
    // A block sees the files that stand above it under the same heading: "```yaml evals/x.eval.yaml".
    for (const other of fences) {
      const [, path] = other.info.split(' ');
      if (other.start < fence.start && other.heading === fence.heading && path !== undefined && /[./]/.test(path))
        files.set(path, `${other.lines.join('\n')}\n`);
    }
    const shown = await runBlock({ place, files, lines: fence.lines }, root);
    rendered.push(...lines.slice(from, fence.start + 1), ...(isSame(fence.lines, shown) ? fence.lines : shown));
    from = fence.end;
  }
  return [...rendered, ...lines.slice(from)].join('\n');
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return normalize(before.join('\n')) === normalize(after.join('\n'));
}

/** How long a run took and which version ran differ from one run to the next; nothing else may. */
export function normalize(output: string): string {
  return output
    .replaceAll(/\btook \d+(?:\.\d+)? (?:ms|s|min)\b/g, 'took …')
    .replaceAll(/\bllmcheck \d+\.\d+\.\d+\b/g, 'llmcheck …');
}

async function renderRegions(text: string, renderRegion: RenderRegion): Promise<string> {
  const pattern = /(<!-- generated: ([\w-]+) -->\n)[\s\S]*?(<!-- end of [\w-]+ -->)/g;
  let rendered = '';
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, open = '', name = '', close = ''] = match;
    rendered += `${text.slice(from, match.index)}${open}${(await renderRegion(name)).trim()}\n${close}`;
    from = match.index + whole.length;
  }
  return rendered + text.slice(from);
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockPlace, runBlock, type Session, withSession } from './docs-blocks.ts';

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

/** The page as it should be: with the present output of every console block and every generated region. */
export async function renderPage(text: string, root: string, renderRegion: RenderRegion): Promise<string> {
  return renderBlocks(await renderRegions(text, renderRegion), root);
}

const places: Readonly<Record<string, BlockPlace>> = {
  console: 'evals',
  'console init': 'init',
  'console here': 'here',
};

/** `console step` blocks of a page share one folder, which starts empty. */
const step = 'console step';

async function renderBlocks(text: string, root: string): Promise<string> {
  const fences = findFences(text);
  if (!fences.some(({ info }) => info === step))
    return replaceBlocks(text, fences, (fence) => runFence(fence, fences, root));
  return withSession((session) => replaceBlocks(text, fences, (fence) => takeStep(fence, session)));
}

/** Replaces the lines of each fence by what `run` returns; undefined keeps them. */
async function replaceBlocks(
  text: string,
  fences: readonly Fence[],
  run: (fence: Fence) => Promise<readonly string[] | undefined>,
): Promise<string> {
  const lines = text.split('\n');
  const rendered: string[] = [];
  let from = 0;
  for (const fence of fences) {
    const shown = await run(fence);
    if (shown === undefined) continue;
    rendered.push(...lines.slice(from, fence.start + 1), ...(isSame(fence.lines, shown) ? fence.lines : shown));
    from = fence.end;
  }
  return [...rendered, ...lines.slice(from)].join('\n');
}

/** Runs a block in a folder of its own, with the files that the page shows above it under the same heading. */
async function runFence(fence: Fence, fences: readonly Fence[], root: string): Promise<readonly string[] | undefined> {
  const place = places[fence.info];
  if (place === undefined) return undefined;
  const files = new Map<string, string>();
  for (const other of fences) {
    const path = pathOf(other);
    if (other.start < fence.start && other.heading === fence.heading && path !== undefined)
      files.set(path, contentOf(other));
  }
  return runBlock({ place, files, lines: fence.lines }, root);
}

/** Writes a file that the page shows into the shared folder, or runs a block there. */
async function takeStep(fence: Fence, session: Session): Promise<readonly string[] | undefined> {
  const path = pathOf(fence);
  if (path !== undefined) session.write(path, contentOf(fence));
  return fence.info === step ? session.run(fence.lines) : undefined;
}

/** "```yaml evals/x.eval.yaml" shows a file. */
function pathOf({ info }: Fence): string | undefined {
  const [, path] = info.split(' ');
  return path !== undefined && /[./]/.test(path) ? path : undefined;
}

function contentOf({ lines }: Fence): string {
  return `${lines.join('\n')}\n`;
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return normalize(before.join('\n')) === normalize(after.join('\n'));
}

/** How long a run took and which version ran differ from one run to the next; nothing else may. */
export function normalize(output: string): string {
  return (
    output
      .replaceAll(/^\d+ planned = .*(?:\n {2}\S.*)*/gm, normalizeTotals)
      // Of unknown cost: answers of a program that was run just now. Recorded answers have a price and a latency.
      .replaceAll(/ {2}unknown {2}p50 \d.*$/gm, '  unknown  p50 …')
      .replaceAll(/\btook \d+(?:\.\d+)? (?:ms|s|min)\b/g, 'took …')
      .replaceAll(/\bllmcheck \d+\.\d+\.\d+\b/g, 'llmcheck …')
  );
}

/** Where the counts of a run break into lines depends on how long it took. */
function normalizeTotals(lines: string): string {
  return lines.replaceAll(/\s+/g, ' ').replace(/ · \d+(?:\.\d+)? (?:ms|s|min)\b/, ' · …');
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

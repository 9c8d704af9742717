import type { PageBlock, PageCaseRow, PageIndex, PageRun, PageSuite } from '../model/page.ts';
import type { Subject } from './route.ts';

/** Where the page has its data from. A block is asked for when one of its cases is opened. */
export interface PageSource {
  index(): Promise<PageIndex>;
  block(number: number): Promise<PageBlock>;
}

/** The data that stands in the file; each part is parsed when it is wanted. */
export function openFile(): PageSource {
  return keepBlocks({
    index: async () => joinRows(await readElement<PageIndex>('index')),
    block: (number) => readElement<PageBlock>(`block-${number}`),
  });
}

/** The data of a run, or of two, from the server that sent the page. */
export function openServed(subject: Subject): PageSource {
  const path = servedPath(subject);
  return keepBlocks({
    index: () => ask<PageIndex>(`${path}/index`),
    block: (number) => ask<PageBlock>(`${path}/block/${number}`),
  });
}

export function askRuns(): Promise<readonly PageRun[]> {
  return ask<readonly PageRun[]>('/api/runs');
}

/** The same index with every row in its suite. */
async function joinRows({ suites, ...index }: PageIndex): Promise<PageIndex> {
  const joined: PageSuite[] = [];
  for (const { rowBlocks = [], cases, ...suite } of suites) {
    const parts: (readonly PageCaseRow[])[] = [];
    for (const number of rowBlocks) parts.push(await readElement<readonly PageCaseRow[]>(`rows-${number}`));
    joined.push({ ...suite, cases: [...parts.flat(), ...cases] });
  }
  return { ...index, suites: joined };
}

async function readElement<T>(id: string): Promise<T> {
  const text = document.getElementById(id)?.textContent;
  if (text === undefined || text === null) throw new Error('This file is not whole: a part of its data is missing.');
  return JSON.parse(text) as T;
}

async function ask<T>(path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: 'application/json' } });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error('The server does not answer: is `llmcheck view` still running?', { cause: error });
  }
  if (response.ok) return (await response.json()) as T;
  throw new Error((await response.text()) || `The server answered ${response.status}.`);
}

function servedPath(subject: Subject): string {
  switch (subject.kind) {
    case 'run':
      return `/api/run/${encodeURIComponent(subject.id)}`;
    case 'compare':
      return `/api/compare/${encodeURIComponent(subject.a)}/${encodeURIComponent(subject.b)}`;
    case 'file':
      throw new Error('A file has its data in itself.');
  }
}

function keepBlocks(source: PageSource): PageSource {
  const kept = new Map<number, Promise<PageBlock>>();
  return {
    index: () => {
      kept.clear();
      return source.index();
    },
    block(number) {
      const known = kept.get(number);
      if (known !== undefined) return known;
      const block = source.block(number);
      // The last few: going back and forth is free, and reading on does not fill the memory.
      for (const old of kept.keys()) {
        if (kept.size < maxBlocks) break;
        kept.delete(old);
      }
      kept.set(number, block);
      return block;
    },
  };
}

const maxBlocks = 16;

import type { PageBlock, PageCaseRow, PageIndex, PageSuite } from '../model/page.ts';
import type { PageRun, PageRunVerdict } from '../model/page-runs.ts';
import type { Subject } from './route.ts';

/** The data of a report. A block is loaded when one of its cases is opened. */
export interface PageSource {
  index(): Promise<PageIndex>;
  block(number: number): Promise<PageBlock>;
}

/** The data in the file itself; each part is parsed when it is needed. */
export function openFile(): PageSource {
  return keepBlocks({
    index: async () => joinRows(await readElement<PageIndex>('index')),
    block: (number) => readElement<PageBlock>(`block-${number}`),
  });
}

/** The data of a run, or of a comparison of two, from the server that sent the page. */
export function openServed(subject: Subject): PageSource {
  const path = servedPath(subject);
  return keepBlocks({
    index: () => fetchJson<PageIndex>(`${path}/index`),
    block: (number) => fetchJson<PageBlock>(`${path}/block/${number}`),
  });
}

export function fetchRuns(): Promise<readonly PageRun[]> {
  return fetchJson<readonly PageRun[]>('/api/runs');
}

export function fetchVerdict(id: string): Promise<PageRunVerdict> {
  return fetchJson<PageRunVerdict>(`/api/run/${encodeURIComponent(id)}/verdict`);
}

/** The index with the table rows of all pieces. */
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
  if (text === undefined || text === null) throw new Error('This file is incomplete: a part of its data is missing.');
  return JSON.parse(text) as T;
}

async function fetchJson<T>(path: string): Promise<T> {
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
      // Keeps the last few blocks, so that going back is free and memory stays bounded.
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

/** Loads a value and calls back with it or with a message about the problem. The returned function cancels that. */
export function load<T>(
  read: () => Promise<T>,
  onValue: (value: T) => void,
  onProblem: (problem: string) => void,
): () => void {
  let isOver = false;
  const run = async () => {
    try {
      const value = await read();
      if (!isOver) onValue(value);
    } catch (error) {
      if (!isOver) onProblem(error instanceof Error ? error.message : String(error));
    }
  };
  void run();
  return () => {
    isOver = true;
  };
}

/** Calls back with the id of each run whose record changed, until the returned function is called. */
export function onRunChanged(onRun: (runId: string) => void): () => void {
  const events = new EventSource('/api/events');
  events.addEventListener('run', (event: MessageEvent<string>) => onRun(decodeURIComponent(event.data)));
  return () => events.close();
}

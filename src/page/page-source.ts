import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { PageBlock, PageCase, PageCaseRow, PageCell, PageIndex, PageSuite } from '../model/report/page.ts';
import type { PageRun, PageRunVerdict } from '../model/report/page-runs.ts';
import { hrefOf, type Subject, type View } from './route.ts';

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
function load<T>(
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

/**
 * The last value that was read, and the error of a later reading. Reads again when `subscribe` calls back, one reading
 * at a time.
 */
export function useLatest<T>(
  read: () => Promise<T>,
  subscribe: (again: () => void) => (() => void) | undefined,
): { readonly value?: T; readonly problem?: string } {
  const [state, setState] = useState<{ readonly value?: T; readonly problem?: string }>({});
  useEffect(() => {
    let isOver = false;
    let isReading = false;
    let isStale = false;
    const readAgain = async (): Promise<void> => {
      isStale = true;
      if (isReading || isOver) return;
      isReading = true;
      isStale = false;
      try {
        const value = await read();
        if (!isOver) setState({ value });
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (!isOver) setState((before) => ({ ...before, problem }));
      }
      isReading = false;
      if (isStale) await readAgain();
    };
    void readAgain();
    const stop = subscribe(() => void readAgain());
    return () => {
      isOver = true;
      stop?.();
    };
  }, [read, subscribe]);
  return state;
}

/** Calls back with the id of each run whose record changed, until the returned function is called. */
export function onRunChanged(onRun: (runId: string) => void): () => void {
  const events = new EventSource('/api/events');
  events.addEventListener('run', (event: MessageEvent<string>) => onRun(decodeURIComponent(event.data)));
  return () => events.close();
}

/** The data that every part of a report can use. */
interface PageState {
  readonly index: PageIndex;
  readonly source: PageSource;
  readonly subject: Subject;
}

export const PageContext = createContext<PageState | undefined>(undefined);

export function usePage(): PageState & { readonly href: (view: View) => string } {
  const state = useContext(PageContext);
  if (state === undefined) throw new Error('outside of a report');
  return { ...state, href: (view) => hrefOf(state.subject, view) };
}

/** `running` until the run of this page has ended. Only a served page knows that. */
export function useProgress(): 'running' | undefined {
  const { subject, index } = usePage();
  const [isRunning, setIsRunning] = useState(false);
  useEffect(() => {
    if (subject.kind !== 'run' || index.run.complete) {
      setIsRunning(false);
      return undefined;
    }
    return load(
      fetchRuns,
      (runs) => setIsRunning(runs.some(({ id, state }) => id === subject.id && state === 'running')),
      // The report itself shows that the server does not answer.
      () => setIsRunning(false),
    );
  }, [subject, index]);
  return isRunning ? 'running' : undefined;
}

/** The details of a cell; a text says why there are none, and undefined means that they are loading. */
export function useDetail(cell: PageCell | undefined): PageCase | string | undefined {
  const { source } = usePage();
  const [found, setFound] = useState<{ readonly of: PageCell; readonly detail: PageCase | string }>();
  useEffect(() => {
    if (cell === undefined) return undefined;
    return load(
      () => source.block(cell.block),
      (block) => setFound({ of: cell, detail: block[cell.item] ?? 'The record has changed: load the page again.' }),
      (problem) => setFound({ of: cell, detail: problem }),
    );
  }, [source, cell]);
  return found?.of === cell ? found?.detail : undefined;
}

/** The result of `measure`, which runs again whenever the element's size changes. */
export function useSize(
  box: { readonly current: HTMLElement | null },
  initial: number,
  measure: (element: HTMLElement) => number,
): number {
  const [size, setSize] = useState(initial);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const update = () => setSize(measure(element));
    update();
    const observer = new ResizeObserver(update);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

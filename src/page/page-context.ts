import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { PageCase, PageCell, PageIndex } from '../model/page.ts';
import { fetchRuns, load, type PageSource } from './page-source.ts';
import { hrefOf, type Subject, type View } from './route.ts';

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

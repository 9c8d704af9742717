import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { PageIndex } from '../model/page.ts';
import { fetchRuns, load, type PageSource } from './page-source.ts';
import { hrefOf, type Subject, type View } from './route.ts';

/** What every part of a report can use. */
export interface PageState {
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

/** Set while the run of this page has not ended; only a server knows that. */
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
      // The report shows that the server does not answer.
      () => setIsRunning(false),
    );
  }, [subject, index]);
  return isRunning ? 'running' : undefined;
}

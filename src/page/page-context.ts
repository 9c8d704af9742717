import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PageIndex } from '../model/page.ts';
import type { PageSource } from './page-source.ts';
import { hrefOf, type Subject, type View } from './route.ts';

/** What every part of a report may need. */
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

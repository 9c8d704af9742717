import { render } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { PageIndex } from '../model/report/page.ts';
import { CaseView } from './cases/case-view.tsx';
import { CasesView } from './cases/cases-view.tsx';
import { ContractsView } from './contracts-view.tsx';
import { plainName } from './elements.tsx';
import { Header, Keys, startTheme } from './header.tsx';
import { OverviewView } from './overview/overview-view.tsx';
import { onRunChanged, openFile, openServed, PageContext, type PageSource, useLatest } from './page-source.ts';
import { hrefOf, parseRoute, type Route, type Subject, type View } from './route.ts';
import { RunsView } from './runs-view.tsx';

/** The whole page: one report, or the runs of a server and their reports. */
function App({ isServed }: { readonly isServed: boolean }) {
  const route = useRoute(isServed);
  if (route.kind === 'runs') return <RunsView />;
  return <OpenedReport key={JSON.stringify(route.subject)} subject={route.subject} view={route.view} />;
}

function OpenedReport({
  subject,
  view,
}: {
  readonly subject: Subject;
  readonly view: Extract<Route, { kind: 'report' }>['view'];
}) {
  const source = useMemo(() => (subject.kind === 'file' ? openFile() : openServed(subject)), [subject]);
  return <ReportApp subject={subject} source={source} view={view} />;
}

/** The route in the address. A new one scrolls to the top and moves the focus there. */
function useRoute(isServed: boolean): Route {
  const [hash, setHash] = useState(location.hash);
  const followAddress = () => {
    const onChange = () => {
      setHash(location.hash);
      scrollTo(0, 0);
      document.getElementById('main')?.focus({ preventScroll: true });
    };
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  };
  // A layout effect: one after the first paint would miss an address that changed in between.
  useLayoutEffect(followAddress, []);
  const route = useMemo(() => parseRoute(hash, isServed), [hash, isServed]);
  const subjectKey = route.kind === 'report' ? JSON.stringify(route.subject) : '';
  // An equal subject stays the same object, so that its data is kept.
  const subject = useMemo(() => (route.kind === 'report' ? route.subject : undefined), [subjectKey]);
  return useMemo(
    () => (route.kind === 'report' && subject !== undefined ? { ...route, subject } : route),
    [route, subject],
  );
}

interface ReportAppProps {
  readonly subject: Subject;
  readonly source: PageSource;
  readonly view: View;
}

function ReportApp({ subject, source, view }: ReportAppProps) {
  const { value: index, problem } = useIndex(source, subject);
  const title = titleOf(view, index);
  useEffect(() => {
    document.title = plainName(title);
  }, [title]);
  const page = useMemo(() => (index === undefined ? undefined : { index, source, subject }), [index, source, subject]);
  const link = (text: string, target: View) => ({
    text,
    href: hrefOf(subject, target),
    isCurrent: view.name === target.name || (view.name === 'case' && target.name === 'cases'),
  });
  const links = [
    ...(subject.kind === 'file' ? [] : [{ text: 'Runs', href: '#/', isCurrent: false }]),
    link('Overview', { name: 'overview' }),
    link('Cases', { name: 'cases', filter: {} }),
    ...((index?.contracts.length ?? 0) > 0 ? [link('Contracts', { name: 'contracts' })] : []),
  ];
  return (
    <>
      <Header links={links}>
        <Keys onSearch={() => openSearch(hrefOf(subject, { name: 'cases', filter: {} }))} />
      </Header>
      <main id="main" tabIndex={-1}>
        {problem === undefined ? null : (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {page === undefined ? (
          problem === undefined && <p class="muted wait">Reading the record …</p>
        ) : (
          <PageContext.Provider value={page}>
            <Shown view={view} />
          </PageContext.Provider>
        )}
      </main>
      {index === undefined ? null : (
        <footer class="foot">
          {index.tool.name} {index.tool.version} · run {index.run.id}
          {index.run.recordPath === undefined ? null : <> · record {index.run.recordPath}</>}
        </footer>
      )}
    </>
  );
}

/** Focuses the search field of the table of cases. Opens that page first if another page is shown. */
function openSearch(href: string): void {
  const focus = () => document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
  if (document.querySelector('input[type=search]') !== null) {
    focus();
    return;
  }
  location.hash = href;
  // The page moves the focus when the address has changed, so the search field is focused after that.
  addEventListener('hashchange', () => setTimeout(focus), { once: true });
}

function Shown({ view }: { readonly view: View }) {
  switch (view.name) {
    case 'overview':
      return <OverviewView />;
    case 'cases':
      return <CasesView filter={view.filter} />;
    case 'case':
      return <CaseView view={view} />;
    case 'contracts':
      return <ContractsView />;
  }
}

function titleOf(view: View, index: PageIndex | undefined): string {
  const suites = index?.suites.map(({ suite }) => suite).join(', ') ?? '';
  const page = view.name === 'case' ? `${view.caseId} – ` : view.name === 'cases' ? 'cases – ' : '';
  return `${page}${index === undefined ? '' : `${index.verdict.outcome}: `}${suites} – llmcheck`;
}

/** Reads the index; from a server again whenever the record has changed. */
function useIndex(source: PageSource, subject: Subject) {
  const read = useCallback(() => source.index(), [source]);
  const subscribe = useCallback(
    (again: () => void) => (subject.kind === 'run' ? onRunChanged((id) => id === subject.id && again()) : undefined),
    [subject],
  );
  return useLatest(read, subscribe);
}

startTheme();
const root = document.getElementById('app');
if (root !== null) render(<App isServed={document.documentElement.dataset['source'] === 'server'} />, root);

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PageIndex } from '../model/page.ts';
import { CaseView } from './cases/case-view.tsx';
import { CasesView } from './cases/cases-view.tsx';
import { ContractsView } from './contracts-view.tsx';
import { Header } from './header.tsx';
import { Keys } from './keys.tsx';
import { OverviewView } from './overview/overview-view.tsx';
import { PageContext } from './page-context.ts';
import { onRunChanged, type PageSource } from './page-source.ts';
import { hrefOf, type Subject, type View } from './route.ts';
import { plainName } from './safe-text.tsx';

interface ReportAppProps {
  readonly subject: Subject;
  readonly source: PageSource;
  readonly view: View;
}

export function ReportApp({ subject, source, view }: ReportAppProps) {
  const { index, problem } = useIndex(source, subject);
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

/** The search of the table; its page is opened first where another is shown. */
function openSearch(href: string): void {
  const focus = () => document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
  if (document.querySelector('input[type=search]') !== null) {
    focus();
    return;
  }
  location.hash = href;
  // The page moves the focus when the address has changed; this comes after it.
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

/** Reads the index once from a file; from a server again whenever the record has changed. */
function useIndex(source: PageSource, subject: Subject) {
  const [state, setState] = useState<{ readonly index?: PageIndex; readonly problem?: string }>({});
  useEffect(() => {
    let isOver = false;
    let isReading = false;
    let isStale = false;
    const read = async () => {
      if (isReading) {
        isStale = true;
        return;
      }
      isReading = true;
      try {
        const index = await source.index();
        if (!isOver) setState({ index });
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (!isOver) setState((before) => ({ ...before, problem }));
      }
      isReading = false;
      if (isStale && !isOver) {
        isStale = false;
        await read();
      }
    };
    void read();
    const stop = subject.kind === 'run' ? onRunChanged((id) => id === subject.id && void read()) : undefined;
    return () => {
      isOver = true;
      stop?.();
    };
  }, [source, subject]);
  return state;
}

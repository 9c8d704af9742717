import { render } from 'preact';
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { startTheme } from './header.tsx';
import { openFile, openServed } from './page-source.ts';
import { ReportApp } from './report-app.tsx';
import { parseRoute, type Route, type Subject } from './route.ts';
import { RunsView } from './runs-view.tsx';

startTheme();
const root = document.getElementById('app');
if (root !== null) render(<App isServed={document.documentElement.dataset['source'] === 'server'} />, root);

/** The whole page: one report, or the runs of a server and their reports. */
export function App({ isServed }: { readonly isServed: boolean }) {
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
  // At once, not after the first paint: an address that changed in between would be missed.
  useLayoutEffect(() => {
    const onChange = () => {
      setHash(location.hash);
      scrollTo(0, 0);
      document.getElementById('main')?.focus({ preventScroll: true });
    };
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  const route = useMemo(() => parseRoute(hash, isServed), [hash, isServed]);
  const subjectKey = route.kind === 'report' ? JSON.stringify(route.subject) : '';
  // An equal subject stays the same object, so that its data is kept.
  const subject = useMemo(() => (route.kind === 'report' ? route.subject : undefined), [subjectKey]);
  return useMemo(
    () => (route.kind === 'report' && subject !== undefined ? { ...route, subject } : route),
    [route, subject],
  );
}

import { useEffect, useMemo, useState } from 'preact/hooks';
import { openFile, openServed } from './page-source.ts';
import { ReportApp } from './report-app.tsx';
import { parseRoute, type Route, type Subject } from './route.ts';
import { RunsView } from './runs-view.tsx';

/** The whole page: one report, or a server's runs and the reports that it makes of them. */
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

/** The route that the address names; the reader's eyes and focus go to the top of a new one. */
function useRoute(isServed: boolean): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
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
  // A subject that says the same is the same, so that what was read of it is kept.
  const subject = useMemo(() => (route.kind === 'report' ? route.subject : undefined), [subjectKey]);
  return useMemo(
    () => (route.kind === 'report' && subject !== undefined ? { ...route, subject } : route),
    [route, subject],
  );
}

import { useEffect, useState } from 'preact/hooks';
import { load } from './load.ts';
import { usePage } from './page-context.ts';
import { askRuns } from './page-source.ts';

/** Set while the run of this page is still going on, which only a server can tell. */
export function useProgress(): 'running' | undefined {
  const { subject, index } = usePage();
  const [isRunning, setIsRunning] = useState(false);
  useEffect(() => {
    if (subject.kind !== 'run' || index.run.complete) {
      setIsRunning(false);
      return undefined;
    }
    return load(
      askRuns,
      (runs) => setIsRunning(runs.some(({ id, state }) => id === subject.id && state === 'running')),
      // The report itself says that the server is gone.
      () => setIsRunning(false),
    );
  }, [subject, index]);
  return isRunning ? 'running' : undefined;
}

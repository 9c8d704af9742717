import { reportOnRun } from '../assessing/assess-run.ts';
import { compareRecords } from '../assessing/compare-records.ts';
import type { PageRun, PageRunVerdict } from '../model/report/page-runs.ts';
import type { Report } from '../model/report/report.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { countStoredRun } from '../record/list-runs.ts';
import { describeVerdict, outcomeWord } from '../reports/headline.ts';

export interface ViewOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}

/** What `llmcheck view` shows of a project's stored runs. An id is looked up among them and never taken for a path. */
export interface ViewedRuns {
  list(): readonly PageRun[];
  /** The state of each record by run id. The text changes whenever the record changes. */
  states(): ReadonlyMap<string, string>;
  /** Undefined where there is no such run. */
  report(id: string): Promise<Report> | undefined;
  /** What the report of a run says first; undefined where there is no such run. */
  verdict(id: string): Promise<PageRunVerdict> | undefined;
  /** The same comparison as `llmcheck compare`; undefined where one of them is not there. */
  compare(a: string, b: string): Promise<Report> | undefined;
}

export function openViewedRuns({ root, cwd, env, now }: ViewOptions): ViewedRuns {
  const counted = new Map<string, { readonly state: string; readonly run: PageRun }>();
  const verdicts = new Map<string, { readonly state: string; readonly verdict: Promise<PageRunVerdict> }>();
  const find = (id: string) => listStoredRuns({ root }).find((stored) => stored.id === id);
  return {
    list: () => listStoredRuns({ root }).map((stored) => describe(stored)),
    states: () => new Map(listStoredRuns({ root }).map((stored) => [stored.id, stateOf(stored)])),
    report(id) {
      const stored = find(id);
      return stored === undefined ? undefined : reportOnRun({ path: stored.path, root, cwd });
    },
    verdict(id) {
      const stored = find(id);
      if (stored === undefined) return undefined;
      const state = stateOf(stored);
      const known = verdicts.get(id);
      if (known?.state === state) return known.verdict;
      const verdict = reportOnRun({ path: stored.path, root, cwd }).then(summarize);
      verdicts.set(id, { state, verdict });
      verdict.catch(() => verdicts.delete(id));
      return verdict;
    },
    compare(a, b) {
      const [before, after] = [find(a), find(b)];
      if (before === undefined || after === undefined) return undefined;
      const sides = [before, after].map(nameOf);
      return compareRecords({ sides, suites: [], requireConclusive: false, root, cwd, env });
    },
  };

  /** A record is read again only where it has grown. */
  function describe(stored: StoredRun): PageRun {
    const state = stateOf(stored);
    const known = counted.get(stored.id);
    const run = known?.state === state ? known.run : countStoredRun(stored, root);
    counted.set(stored.id, { state, run });
    const isQuiet = now().getTime() - stored.modifiedMs > quietMs;
    return run.state === 'running' && isQuiet ? { ...run, state: 'unfinished' } : run;
  }
}

function summarize(report: Report): PageRunVerdict {
  const comparisons = report.suites.flatMap(({ variants }) => variants.flatMap(({ comparison }) => comparison ?? []));
  return {
    word: outcomeWord(report),
    outcome: report.decision.outcome,
    text: describeVerdict(report),
    against: [
      ...new Set(
        comparisons.map(({ against, isWithinRun }) => (isWithinRun === true ? against.prompt : against.source)),
      ),
    ],
  };
}

/** A model may think for minutes. A run that writes nothing for longer was killed. */
const quietMs = 5 * 60_000;

function stateOf({ bytes, modifiedMs }: StoredRun): string {
  return `${bytes} ${modifiedMs}`;
}

/** A copied record may have any file name, such as that of a git branch. Then its path says that a file is meant. */
function nameOf({ id, path }: StoredRun): string {
  return /^\d{8}-\d{6}-[0-9a-f]+$/.test(id) ? id : path;
}

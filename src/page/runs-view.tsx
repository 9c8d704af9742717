import { useEffect, useState } from 'preact/hooks';
import type { PageRun, PageRunVerdict } from '../model/report/page-runs.ts';
import { formatPercent, formatUsd } from '../text/format-amount.ts';
import { Code, SafeLine, StatusMark, Table, Where } from './elements.tsx';
import { Header } from './header.tsx';
import { fetchRuns, fetchVerdict, onRunChanged, useLatest } from './page-source.ts';
import { hrefOf } from './route.ts';

/** The stored runs of a server, the latest first. Two of them can be compared. */
export function RunsView() {
  const { value: runs, problem } = useLatest(fetchRuns, onRunChanged);
  useEffect(() => {
    document.title = 'Runs – llmcheck';
  }, []);
  return (
    <>
      <Header links={[{ text: 'Runs', href: '#/', isCurrent: true }]} />
      <main id="main" tabIndex={-1}>
        <h1>Runs</h1>
        {problem === undefined ? null : (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {runs === undefined ? (
          problem === undefined && <p class="muted wait">Reading the records …</p>
        ) : runs.length === 0 ? (
          <p class="empty">There is no stored run yet: `llmcheck run` makes one, and it appears here.</p>
        ) : (
          <RunTable runs={runs} />
        )}
      </main>
    </>
  );
}

function RunTable({ runs }: { readonly runs: readonly PageRun[] }) {
  const verdicts = useVerdicts(runs);
  const [baseline, setBaseline] = useState<string>();
  const [candidate, setCandidate] = useState<string>();
  const isReady = baseline !== undefined && candidate !== undefined && baseline !== candidate;
  const compare = () => {
    if (isReady) location.hash = hrefOf({ kind: 'compare', a: baseline, b: candidate }, { name: 'overview' });
  };
  return (
    <>
      <p class="compare-bar">
        <button type="button" class="primary" disabled={!isReady} onClick={compare}>
          Compare
        </button>
        <span class="muted">
          {isReady ? 'A is the baseline, B the candidate.' : 'Pick a baseline (A) and a candidate (B).'}
        </span>
      </p>
      <Table
        label="Stored runs"
        kind="runs"
        headings={[
          'A',
          'B',
          'Run',
          'Verdict',
          'Commit',
          ...['Passed', 'Failed', 'Errored', 'Cost'].map((number) => ({ number })),
        ]}
      >
        {runs.map((run) => (
          <RunRow
            key={run.id}
            run={run}
            verdict={verdicts.get(run.id)}
            isBaseline={run.id === baseline}
            isCandidate={run.id === candidate}
            onBaseline={() => setBaseline(run.id)}
            onCandidate={() => setCandidate(run.id)}
          />
        ))}
      </Table>
    </>
  );
}

interface RunRowProps {
  readonly run: PageRun;
  /** Undefined until it is loaded. A text is the reason why it could not be loaded. */
  readonly verdict: PageRunVerdict | string | undefined;
  readonly isBaseline: boolean;
  readonly isCandidate: boolean;
  readonly onBaseline: () => void;
  readonly onCandidate: () => void;
}

function RunRow({ run, verdict, isBaseline, isCandidate, onBaseline, onCandidate }: RunRowProps) {
  const { id, startedAt, state, passed, failed, errored, costUsd } = run;
  const isReadable = state !== 'unreadable';
  const radio = (name: string, side: string, checked: boolean, onChange: () => void) => (
    <input
      type="radio"
      name={name}
      aria-label={`${id} as the ${side}`}
      checked={checked}
      disabled={!isReadable}
      onChange={onChange}
    />
  );
  return (
    <tr>
      <td>{radio('a', 'baseline', isBaseline, onBaseline)}</td>
      <td>{radio('b', 'candidate', isCandidate, onCandidate)}</td>
      <th scope="row">
        {isReadable ? (
          <a href={hrefOf({ kind: 'run', id }, { name: 'overview' })}>
            <SafeLine text={id} />
          </a>
        ) : (
          <SafeLine text={id} />
        )}
        <span class="where">
          {startedAt === null ? '' : <SafeLine text={startedAt.slice(0, 16).replace('T', ' ')} />}
        </span>
      </th>
      <td>
        <RunVerdict run={run} verdict={verdict} />
      </td>
      <td>
        <CheckedOut run={run} />
      </td>
      <Count count={passed} />
      <Count count={failed} tone="bad" />
      <Count count={errored} tone="warn" />
      <td class="number">{costUsd === null ? '–' : formatUsd(costUsd)}</td>
    </tr>
  );
}

function Count({ count, tone = '' }: { readonly count: number | null; readonly tone?: '' | 'bad' | 'warn' }) {
  return <td class={`number ${count === null || count === 0 ? '' : tone}`}>{count ?? '–'}</td>;
}

/** How the run ended, and the headline of its report. */
function RunVerdict({ run, verdict }: Pick<RunRowProps, 'run' | 'verdict'>) {
  const { state, suites } = run;
  if (typeof verdict !== 'object') {
    const isEnded = verdict === undefined && canBeJudged(run);
    return (
      <>
        <span class={`status ${state === 'running' ? 'accent' : isEnded ? 'quiet' : 'warn'}`}>
          {isEnded ? 'reading …' : state}
          {state === 'running' ? describeProgress(run) : ''}
        </span>
        {verdict === undefined ? null : (
          <span class="reason">
            <SafeLine text={verdict} />
          </span>
        )}
        <Where text={suites.join(', ')} />
      </>
    );
  }
  const { word, outcome, text, against } = verdict;
  return (
    <>
      <StatusMark status={word === outcome ? outcome : word} />
      <span class="reason">
        <SafeLine text={text} />
      </span>
      <Where text={`${suites.join(', ')} · compared with ${against.length === 0 ? 'nothing' : against.join(', ')}`} />
    </>
  );
}

function CheckedOut({ run: { commit, branch, pullRequest } }: Pick<RunRowProps, 'run'>) {
  if (commit === undefined && branch === undefined) return <span class="muted">unknown</span>;
  const place = [...(branch === undefined ? [] : [branch]), ...(pullRequest === undefined ? [] : [`#${pullRequest}`])];
  return (
    <>
      {commit === undefined ? null : <Code text={commit.slice(0, 8)} />}
      <Where text={place.join(' · ')} />
    </>
  );
}

/** The share of the planned cells that have a result. */
function describeProgress({ planned, skipped }: PageRun): string {
  return planned === null || skipped === null || planned === 0
    ? ''
    : ` ${formatPercent((planned - skipped) / planned)}`;
}

function canBeJudged({ state }: PageRun): boolean {
  return state !== 'unreadable' && state !== 'running';
}

/** Reads the verdicts one after another, the latest first, because the server computes a report for each. */
function useVerdicts(runs: readonly PageRun[]): ReadonlyMap<string, PageRunVerdict | string> {
  const [verdicts, setVerdicts] = useState<ReadonlyMap<string, PageRunVerdict | string>>(new Map());
  useEffect(() => {
    let isOver = false;
    const read = async () => {
      for (const { id } of runs.filter(canBeJudged).slice(0, maxVerdicts)) {
        if (isOver) return;
        let verdict: PageRunVerdict | string;
        try {
          verdict = await fetchVerdict(id);
        } catch (error) {
          verdict = error instanceof Error ? error.message : String(error);
        }
        setVerdicts((before) => new Map([...before, [id, verdict]]));
      }
    };
    void read();
    return () => {
      isOver = true;
    };
  }, [runs]);
  return verdicts;
}

const maxVerdicts = 100;

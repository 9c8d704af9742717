import type { PageCaseRow, PageCell, PageSuite } from '../../model/page.ts';
import { usePage } from '../page-context.ts';
import { formatNumber, SafeLine, trialsOf } from '../safe-text.tsx';
import { ChangeMark, StatusMark } from '../status-mark.tsx';

interface Broken {
  readonly suite: PageSuite;
  readonly row: PageCaseRow;
  readonly cell: PageCell;
}

/** The cases that did not pass, the worst first; tolerated ones are folded. */
export function BrokenList() {
  const { index, href } = usePage();
  const { broken, tolerated } = findBroken(index.suites);
  if (broken.length + tolerated.length === 0) return null;
  const all = { name: 'cases', filter: { statuses: ['failed', 'flaky', 'errored'] } } as const;
  return (
    <section aria-labelledby="broken">
      <h2 id="broken">{broken.length > 0 ? 'What broke' : 'What did not pass'}</h2>
      {broken.length === 0 ? null : <Cases cases={broken.slice(0, maxShown)} />}
      {tolerated.length === 0 ? null : (
        <details>
          <summary>{formatNumber(tolerated.length)} that the gate lets through</summary>
          <Cases cases={tolerated.slice(0, maxShown)} />
        </details>
      )}
      <p class="more">
        <a href={href(all)}>All {formatNumber(broken.length + tolerated.length)} in the table of cases</a>
      </p>
    </section>
  );
}

function Cases({ cases }: { readonly cases: readonly Broken[] }) {
  const { href } = usePage();
  return (
    <ul class="broken">
      {cases.map(({ suite, row, cell }) => {
        const variant = suite.variants[cell.variant];
        if (variant === undefined) return null;
        const { prompt, provider } = variant;
        const target = { name: 'case', suite: suite.suite, caseId: row.id, prompt, provider, filter: {} } as const;
        const place = `${suite.suite} · ${prompt} × ${provider}`;
        return (
          <li key={`${suite.suite}/${row.id}/${cell.variant}`}>
            <span class="marks">
              <StatusMark status={cell.status} detail={trialsOf(cell)} />
              <ChangeMark change={cell.change} />
            </span>
            <span class="what">
              <a href={href(target)}>
                <SafeLine text={row.id} />
              </a>
              <span class="where">
                <SafeLine text={cell.tolerated === undefined ? place : `${place} · ${cell.tolerated}`} />
              </span>
              {cell.reason === undefined ? null : (
                <span class="reason">
                  <SafeLine text={cell.reason} />
                </span>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

const maxShown = 12;

function findBroken(suites: readonly PageSuite[]) {
  const found: Broken[] = suites.flatMap((suite) =>
    suite.cases.flatMap((row) =>
      row.cells.flatMap((cell) =>
        cell.status === 'failed' || cell.status === 'flaky' || cell.status === 'errored' ? [{ suite, row, cell }] : [],
      ),
    ),
  );
  const sorted = found.toSorted((a, b) => rankOf(a) - rankOf(b));
  return {
    broken: sorted.filter(({ cell }) => cell.tolerated === undefined),
    tolerated: sorted.filter(({ cell }) => cell.tolerated !== undefined),
  };
}

/** Errored cases come after failed ones. */
function rankOf({ cell }: Broken): number {
  return cell.rank ?? Number.POSITIVE_INFINITY;
}

import { useMemo } from 'preact/hooks';
import { defined } from '../../json/defined.ts';
import type { PageCaseRow, PageCell, PageSuite } from '../../model/report/page.ts';
import { ChangeMark, CopyButton, nameOf, SafeLine, StatusMark } from '../elements.tsx';
import { useDetail, usePage } from '../page-source.ts';
import type { View } from '../route.ts';
import { CaseDetail } from './case-detail.tsx';
import { type CaseFilter, filterRows, listCells } from './filter-rows.ts';

type CaseAddress = Extract<View, { name: 'case' }>;

/** One case on one variant. Previous and next follow the table that the reader came from. */
export function CaseView({ view }: { readonly view: CaseAddress }) {
  const { index } = usePage();
  const suite = index.suites.find((other) => other.suite === view.suite);
  const row = suite?.cases.find(({ id }) => id === view.caseId);
  const place = suite?.variants.findIndex(
    ({ prompt, provider }) => prompt === view.prompt && provider === view.provider,
  );
  const cell = row?.cells.find(({ variant }) => variant === place);
  const detail = useDetail(cell);
  const title = (
    <h1>
      <SafeLine text={view.caseId} />
    </h1>
  );
  return (
    <>
      <Crumbs view={view} cell={cell} />
      {suite === undefined || row === undefined || cell === undefined ? (
        <>
          {title}
          <p class="empty">This report holds no such case on {nameOf(view)}.</p>
        </>
      ) : (
        <>
          <div class="case-head">
            {title}
            <StatusMark status={cell.status} />
            <ChangeMark change={cell.change} />
            <CopyButton text={location.href} label="to this case" caption="Copy link" />
          </div>
          <VariantTabs view={view} suite={suite} row={row} current={cell} />
          {detail === undefined ? (
            <p class="muted wait">Reading …</p>
          ) : typeof detail === 'string' ? (
            <p class="problem" role="alert">
              {detail}
            </p>
          ) : (
            <CaseDetail key={`${detail.caseId} ${detail.prompt} ${detail.provider}`} detail={detail} />
          )}
        </>
      )}
    </>
  );
}

function Crumbs({ view, cell }: { readonly view: CaseAddress; readonly cell: PageCell | undefined }) {
  const { href } = usePage();
  const { before, after } = useNeighbours(view, cell);
  return (
    <nav class="crumbs" aria-label="Where you are">
      <a href={href({ name: 'cases', filter: view.filter })}>Cases</a>
      <span aria-hidden="true">/</span>
      <a href={href({ name: 'cases', filter: { suite: view.suite } })}>
        <SafeLine text={view.suite} />
      </a>
      <span class="neighbours">
        <Neighbour to={before} filter={view.filter} text="← Previous" rel="prev" />
        <Neighbour to={after} filter={view.filter} text="Next →" rel="next" />
      </span>
    </nav>
  );
}

interface VariantTabsProps {
  readonly view: CaseAddress;
  readonly suite: PageSuite;
  readonly row: PageCaseRow;
  readonly current: PageCell;
}

function VariantTabs({ view, suite, row, current }: VariantTabsProps) {
  const { href } = usePage();
  return (
    <nav class="tabs" aria-label="Variants of this case">
      {row.cells.map((cell) => {
        const variant = suite.variants[cell.variant];
        if (variant === undefined) return null;
        const { prompt, provider } = variant;
        return (
          <a
            key={cell.variant}
            href={href({ ...view, prompt, provider })}
            aria-current={cell === current ? 'page' : undefined}
          >
            <SafeLine text={nameOf(variant)} /> <StatusMark status={cell.status} />
          </a>
        );
      })}
    </nav>
  );
}

interface Neighbours {
  readonly before?: CaseAddress;
  readonly after?: CaseAddress;
}

function useNeighbours(view: CaseAddress, cell: PageCell | undefined): Neighbours {
  const { index } = usePage();
  const cells = useMemo(() => listCells(filterRows(index, view.filter), view.filter), [index, view.filter]);
  const at = cells.findIndex((other) => other.cell === cell);
  if (at === -1) return {};
  const row = cells[at]?.row;
  const [before, after] = [cells.slice(0, at), cells.slice(at)].map((part) => part.filter((one) => one.row !== row));
  return defined({ before: addressOf(before?.at(-1), before), after: addressOf(after?.[0], after) });

  /** The next case on the same variant, or on another variant if the table does not show this one. */
  function addressOf(next: FoundCell | undefined, part: readonly FoundCell[] = []): CaseAddress | undefined {
    if (next === undefined) return undefined;
    const { suite } = next.row;
    const nameOfCell = (one: FoundCell) => suite.variants[one.cell.variant];
    const variants = part.filter((one) => one.row === next.row).map(nameOfCell);
    const same = variants.find((one) => one?.prompt === view.prompt && one.provider === view.provider);
    const variant = same ?? nameOfCell(next);
    if (variant === undefined) return undefined;
    const { prompt, provider } = variant;
    return { ...view, suite: suite.suite, caseId: next.row.row.id, prompt, provider };
  }
}

type FoundCell = ReturnType<typeof listCells>[number];

interface NeighbourProps {
  readonly to: CaseAddress | undefined;
  readonly filter: CaseFilter;
  readonly text: string;
  /** The keys `j` and `k` find the link by it. */
  readonly rel: 'prev' | 'next';
}

function Neighbour({ to, filter, text, rel }: NeighbourProps) {
  const { href } = usePage();
  if (to === undefined) return <span class="muted">{text}</span>;
  return (
    <a href={href({ ...to, filter })} rel={rel}>
      {text}
    </a>
  );
}

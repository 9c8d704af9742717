import { useEffect, useMemo, useState } from 'preact/hooks';
import { defined } from '../../json/defined.ts';
import type { PageCase, PageCaseRow, PageCell, PageSuite } from '../../model/page.ts';
import { usePage } from '../page-context.ts';
import { load } from '../page-source.ts';
import type { View } from '../route.ts';
import { CopyButton, nameOf, SafeLine } from '../safe-text.tsx';
import { ChangeMark, StatusMark } from '../status-mark.tsx';
import { CaseDetail } from './case-detail.tsx';
import { type CaseFilter, filterRows, listCells } from './filter-rows.ts';

type CaseAddress = Extract<View, { name: 'case' }>;

/** One case on one variant. Previous and next are those of the table that the reader came from. */
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
        <Neighbour to={before} filter={view.filter} text="← Previous" />
        <Neighbour to={after} filter={view.filter} text="Next →" />
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

/** The case's detail, or why there is none. */
function useDetail(cell: PageCell | undefined): PageCase | string | undefined {
  const { source } = usePage();
  const [found, setFound] = useState<{ readonly of: PageCell; readonly detail: PageCase | string }>();
  useEffect(() => {
    if (cell === undefined) return undefined;
    return load(
      () => source.block(cell.block),
      (block) => setFound({ of: cell, detail: block[cell.item] ?? 'The record has changed: load the page again.' }),
      (problem) => setFound({ of: cell, detail: problem }),
    );
  }, [source, cell]);
  return found?.of === cell ? found?.detail : undefined;
}

interface Neighbours {
  readonly before?: CaseAddress;
  readonly after?: CaseAddress;
}

function useNeighbours(view: CaseAddress, cell: PageCell | undefined): Neighbours {
  const { index } = usePage();
  const cells = useMemo(() => listCells(filterRows(index, view.filter), view.filter), [index, view.filter]);
  const at = cells.findIndex((other) => other.cell === cell);
  const address = (place: number): CaseAddress | undefined => {
    const found = cells[place];
    const variant = found?.row.suite.variants[found.cell.variant];
    if (found === undefined || variant === undefined) return undefined;
    const { suite } = found.row.suite;
    return { ...view, suite, caseId: found.row.row.id, prompt: variant.prompt, provider: variant.provider };
  };
  if (at === -1) return {};
  const [before, after] = [address(at - 1), address(at + 1)];
  return defined({ before, after });
}

interface NeighbourProps {
  readonly to: CaseAddress | undefined;
  readonly filter: CaseFilter;
  readonly text: string;
}

function Neighbour({ to, filter, text }: NeighbourProps) {
  const { href } = usePage();
  return to === undefined ? <span class="muted">{text}</span> : <a href={href({ ...to, filter })}>{text}</a>;
}

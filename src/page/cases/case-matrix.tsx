import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageCell } from '../../model/report/page.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { ChangeMark, plainName, SafeLine, StatusMark, toneOf, trialsOf, Where } from '../elements.tsx';
import { usePage, useSize } from '../page-source.ts';
import type { CaseFilter, Column, Matrix, MatrixRow } from './filter-rows.ts';

interface CaseMatrixProps {
  readonly matrix: Matrix;
  readonly filter: CaseFilter;
}

/** Cases × variants. Renders only the visible rows; two empty rows take the height of the others. */
export function CaseMatrix({ matrix, filter }: CaseMatrixProps) {
  const { rows, columns } = matrix;
  const box = useRef<HTMLDivElement>(null);
  const isManySuites = usePage().index.suites.length > 1;
  const { first, last, setTop } = useSight(box, rows);
  return (
    <div
      ref={box}
      class="matrix"
      role="region"
      aria-label="Cases by variant"
      tabIndex={0}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={(event) => moveFocus(event, box.current)}
    >
      {/* On a narrow screen the rows are grids, which lose the roles of a table unless the roles are written out. */}
      <table
        role="table"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        class={columns.length > 3 ? 'many' : undefined}
        style={{ '--columns': String(columns.length) }}
      >
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            <th role="columnheader" scope="col" class="case">
              Case
            </th>
            {columns.map(({ prompt, provider }) => (
              <th key={`${prompt} ${provider}`} role="columnheader" scope="col">
                <SafeLine text={prompt} />
                <Where text={provider} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          <Gap rows={first} columns={columns.length + 1} />
          {rows.slice(first, last).map((row, place) => (
            <Row
              key={`${row.suite.suite} ${row.row.id}`}
              row={row}
              place={first + place}
              columns={columns}
              filter={filter}
              isSuiteShown={isManySuites}
            />
          ))}
          <Gap rows={rows.length - last} columns={columns.length + 1} />
        </tbody>
      </table>
    </div>
  );
}

const rowHeight = 56;
const overscan = 8;

function useSight(box: { readonly current: HTMLDivElement | null }, rows: readonly MatrixRow[]) {
  const [top, setTop] = useState(0);
  const height = useSize(box, 900, ({ clientHeight }) => clientHeight);
  // New filters show other rows, so the table scrolls to the top.
  const scrollToTop = () => {
    if (box.current !== null) box.current.scrollTop = 0;
    setTop(0);
  };
  useEffect(scrollToTop, [box, rows]);
  const first = Math.max(0, Math.min(rows.length, Math.floor(top / rowHeight) - overscan));
  const last = Math.min(rows.length, first + Math.ceil(height / rowHeight) + 2 * overscan);
  return { first, last, setTop };
}

function Gap({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" class="gap">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  );
}

interface RowProps {
  readonly row: MatrixRow;
  readonly place: number;
  readonly columns: readonly Column[];
  readonly filter: CaseFilter;
  readonly isSuiteShown: boolean;
}

function Row({ row: { suite, row, cells }, place, columns, filter, isSuiteShown }: RowProps) {
  const { href } = usePage();
  const tags = (row.tags ?? []).map((tag) => suite.tags[tag] ?? '');
  const facts = [...(isSuiteShown ? [suite.suite] : []), ...tags].join(' · ');
  const firstCell = columns.findIndex((_, at) => cells[at] !== undefined);
  return (
    <tr role="row" aria-rowindex={place + 2}>
      <th role="rowheader" scope="row" class="case" title={plainName(row.id)}>
        <span class="line">
          <SafeLine text={row.id} />
        </span>
        {facts === '' ? null : (
          <span class="line where">
            <SafeLine text={facts} />
          </span>
        )}
      </th>
      {columns.map(({ prompt, provider }, at) => {
        const cell = cells[at];
        if (cell === undefined) {
          return (
            <td key={`${prompt} ${provider}`} role="cell" class="none">
              <span class="muted">not run</span>
            </td>
          );
        }
        const target = { name: 'case', suite: suite.suite, caseId: row.id, prompt, provider, filter } as const;
        return (
          <td key={`${prompt} ${provider}`} role="cell" class={`cell ${toneOf(cell.status)}`}>
            <a href={href(target)} data-step={at === firstCell ? '' : undefined}>
              <CellText cell={cell} />
            </a>
          </td>
        );
      })}
    </tr>
  );
}

function CellText({ cell }: { readonly cell: PageCell }) {
  const { status, change, latencyMs, reason, answer } = cell;
  const text = reason ?? answer;
  return (
    <>
      <span class="line">
        <StatusMark status={status} detail={trialsOf(cell)} />
        <ChangeMark change={change} />
        {latencyMs === undefined ? null : <span class="time">{formatDuration(latencyMs)}</span>}
      </span>
      <span class="line where">{text === undefined ? ' ' : <SafeLine text={text} />}</span>
    </>
  );
}

/** Arrow keys move from cell to cell, as in a spreadsheet. */
function moveFocus(event: KeyboardEvent, box: HTMLDivElement | null): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const cell = link?.closest('td');
  const row = cell?.closest('tr');
  if (box === null || cell === null || cell === undefined || row === null || row === undefined) return;
  const next = neighbourOf(event.key, cell, row)?.querySelector('a');
  if (next === null || next === undefined) return;
  event.preventDefault();
  next.focus();
}

function neighbourOf(key: string, cell: HTMLTableCellElement, row: HTMLTableRowElement): Element | null | undefined {
  switch (key) {
    case 'ArrowDown':
      return row.nextElementSibling?.children[cell.cellIndex];
    case 'ArrowUp':
      return row.previousElementSibling?.children[cell.cellIndex];
    case 'ArrowRight':
      return cell.nextElementSibling;
    case 'ArrowLeft':
      return cell.previousElementSibling;
    default:
      return undefined;
  }
}

import { useEffect, useState } from 'preact/hooks';
import type { PageCase, PageCell } from '../../model/report/page.ts';
import {
  ChangeMark,
  formatNumber,
  nameOf,
  plainName,
  plainText,
  SafeLine,
  StatusMark,
  TextBlock,
  toneOf,
  trialsOf,
  Where,
} from '../elements.tsx';
import { useDetail, usePage } from '../page-source.ts';
import { ToolCalls } from './case-detail.tsx';
import type { CaseFilter, Column, Matrix, MatrixRow } from './filter-rows.ts';

interface AnswerGridProps {
  readonly matrix: Matrix;
  readonly filter: CaseFilter;
}

/** Whole answers: a row for each case, a column for each variant, in pages. */
export function AnswerGrid({ matrix: { rows, columns }, filter }: AnswerGridProps) {
  const [page, setPage] = useState(0);
  useEffect(() => setPage(0), [rows]);
  const size = Math.max(5, Math.floor(cellsOfPage / Math.max(1, columns.length)));
  const pages = Math.ceil(rows.length / size);
  const shown = rows.slice(page * size, (page + 1) * size);
  const turn = (to: number) => {
    setPage(to);
    scrollTo(0, 0);
  };
  return (
    <>
      <div
        class="answer-grid"
        style={{ '--columns': String(columns.length) }}
        tabIndex={0}
        role="region"
        aria-label="Answers"
      >
        {shown.map((row) => (
          <GridRow key={`${row.suite.suite} ${row.row.id}`} row={row} columns={columns} filter={filter} />
        ))}
      </div>
      {pages < 2 ? null : (
        <nav class="pager" aria-label="Pages of answers">
          <button type="button" disabled={page === 0} onClick={() => turn(page - 1)}>
            ← Earlier
          </button>
          <span>
            {formatNumber(page * size + 1)}–{formatNumber(page * size + shown.length)} of {formatNumber(rows.length)}
          </span>
          <button type="button" disabled={page >= pages - 1} onClick={() => turn(page + 1)}>
            Later →
          </button>
        </nav>
      )}
    </>
  );
}

const cellsOfPage = 60;

interface GridRowProps {
  readonly row: MatrixRow;
  readonly columns: readonly Column[];
  readonly filter: CaseFilter;
}

function GridRow({ row: { suite, row, cells }, columns, filter }: GridRowProps) {
  const { href, index } = usePage();
  const first = useDetail(cells.find((cell) => cell !== undefined));
  const input = typeof first === 'object' ? questionOf(first) : undefined;
  return (
    <section class="answer-row" aria-label={plainName(row.id)}>
      <div class="answer-case">
        <h2>
          <SafeLine text={row.id} />
        </h2>
        {index.suites.length > 1 ? <Where text={suite.suite} /> : null}
        {input === undefined ? null : (
          <p class="input">
            <SafeLine text={input.slice(0, maxInputChars)} />
          </p>
        )}
      </div>
      {columns.map(({ prompt, provider }, at) => {
        const cell = cells[at];
        const target = { name: 'case', suite: suite.suite, caseId: row.id, prompt, provider, filter } as const;
        return (
          <div key={`${prompt} ${provider}`} class={`answer-cell ${cell === undefined ? '' : toneOf(cell.status)}`}>
            {cell === undefined ? (
              <p class="muted">
                <SafeLine text={nameOf({ prompt, provider })} />: not run
              </p>
            ) : (
              <>
                <a
                  class="answer-head"
                  href={href(target)}
                  data-step={cells.indexOf(cell) === at && at === 0 ? '' : undefined}
                >
                  <StatusMark status={cell.status} detail={trialsOf(cell)} />
                  <ChangeMark change={cell.change} />
                  <Where text={nameOf({ prompt, provider })} />
                </a>
                <Answer cell={cell} name={`${row.id}, ${nameOf({ prompt, provider })}`} />
              </>
            )}
          </div>
        );
      })}
    </section>
  );
}

const maxInputChars = 600;

function Answer({ cell, name }: { readonly cell: PageCell; readonly name: string }) {
  const detail = useDetail(cell);
  if (detail === undefined) return <p class="muted">Reading …</p>;
  if (typeof detail === 'string') return <p class="problem">{detail}</p>;
  const trial = detail.trials.find(({ status }) => status === detail.status) ?? detail.trials[0];
  const isText = trial?.output !== undefined && (plainText(trial.output) !== '' || trial.toolCalls === undefined);
  return (
    <>
      {cell.reason === undefined ? null : (
        <p class="reason">
          <SafeLine text={cell.reason} />
        </p>
      )}
      {isText && trial.output !== undefined ? (
        <TextBlock value={trial.output} label={plainName(`Answer: ${name}`)} />
      ) : null}
      <ToolCalls calls={trial?.toolCalls} />
    </>
  );
}

function questionOf({ messages = [], turns = [] }: PageCase): string | undefined {
  const question = [...messages, ...turns].findLast(({ role }) => role === 'user');
  return question === undefined
    ? undefined
    : plainText(question.content)
        .trim()
        .split(/\n\s*\n/)
        .at(-1);
}

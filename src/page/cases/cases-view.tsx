import { useEffect, useMemo, useState } from 'preact/hooks';
import { defined } from '../../json/defined.ts';
import type { CaseChange } from '../../model/comparison/comparison.ts';
import type { PageIndex } from '../../model/report/page.ts';
import type { CaseStatus } from '../../model/run/cell.ts';
import { changeWords, formatNumber, plainName } from '../elements.tsx';
import { usePage } from '../page-source.ts';
import { AnswerGrid } from './answer-grid.tsx';
import { CaseMatrix } from './case-matrix.tsx';
import { type CaseFilter, caseStatuses, filterRows, prepareSearch } from './filter-rows.ts';

/** Every case on every variant. The filter is part of the address, so that a link keeps it. */
export function CasesView({ filter: given }: { readonly filter: CaseFilter }) {
  const { index, href } = usePage();
  const [filter, setFilter] = useState(given);
  useEffect(() => setFilter(given), [given]);
  useEffect(() => {
    const timer = setTimeout(() => prepareSearch(index), 100);
    return () => clearTimeout(timer);
  }, [index]);
  const matrix = useMemo(() => filterRows(index, filter), [index, filter]);
  const change = (next: CaseFilter) => {
    setFilter(next);
    // `pushState` would make each letter a step of the browser's history.
    history.replaceState(null, '', href({ name: 'cases', filter: next }));
  };
  const { rows, total, counts } = matrix;
  const shown = rows.length === total ? formatNumber(total) : `${formatNumber(rows.length)} of ${formatNumber(total)}`;
  return (
    <>
      <h1>Cases</h1>
      <CaseFilters index={index} filter={filter} counts={counts} onChange={change} />
      <div class="shown">
        <p role="status">
          {shown} {total === 1 ? 'case' : 'cases'}
          {Object.keys(filter).every((key) => key === 'layout') ? null : (
            <button type="button" class="plain" onClick={() => change(defined({ layout: filter.layout }))}>
              Show all
            </button>
          )}
        </p>
        <LayoutSwitch filter={filter} onChange={change} />
      </div>
      {rows.length === 0 ? (
        <p class="empty">No case fits these filters.</p>
      ) : filter.layout === 'answers' ? (
        <AnswerGrid matrix={matrix} filter={filter} />
      ) : (
        <CaseMatrix matrix={matrix} filter={filter} />
      )}
    </>
  );
}

interface LayoutSwitchProps {
  readonly filter: CaseFilter;
  readonly onChange: (filter: CaseFilter) => void;
}

/** The table shows results, the grid whole answers. */
function LayoutSwitch({ filter: { layout, ...others }, onChange }: LayoutSwitchProps) {
  const isGrid = layout === 'answers';
  return (
    <div class="layouts" role="group" aria-label="Layout">
      <button type="button" aria-pressed={!isGrid} onClick={() => onChange(others)}>
        Table
      </button>
      <button type="button" aria-pressed={isGrid} onClick={() => onChange({ ...others, layout: 'answers' })}>
        Answers
      </button>
    </div>
  );
}

interface CaseFiltersProps {
  readonly index: PageIndex;
  readonly filter: CaseFilter;
  readonly counts: Readonly<Record<CaseStatus, number>>;
  readonly onChange: (filter: CaseFilter) => void;
}

function CaseFilters({ index, filter, counts, onChange }: CaseFiltersProps) {
  const suites = index.suites.map(({ suite }) => suite);
  const variants = index.suites.flatMap((suite) => suite.variants);
  const tags = index.suites.flatMap((suite) => suite.tags);
  const hasChanges = index.suites.some(({ variants: own }) => own.some(({ comparison }) => comparison !== undefined));
  const set = (key: TextKey, value: string) => onChange(withText(filter, key, value));
  const choice = (key: TextKey, label: string, values: readonly string[]) => (
    <Choice key={key} label={label} value={filter[key] ?? ''} values={values} onChange={(value) => set(key, value)} />
  );
  return (
    <form class="filters" role="search" aria-label="Cases" onSubmit={(event) => event.preventDefault()}>
      <label class="search">
        <span>Text</span>
        <input
          type="search"
          value={filter.text ?? ''}
          placeholder="id, answer, reason or tag"
          onInput={(event) => set('text', event.currentTarget.value)}
        />
      </label>
      <StatusFilter filter={filter} counts={counts} onChange={onChange} />
      {hasChanges ? (
        <Choice
          label="Change"
          value={filter.change ?? ''}
          values={changes}
          nameOf={(value) => changeWords[value as CaseChange]}
          onChange={(value) => set('change', value)}
        />
      ) : null}
      {choice('suite', 'Suite', suites)}
      {choice('tag', 'Tag', tags)}
      {choice(
        'prompt',
        'Prompt',
        variants.map(({ prompt }) => prompt),
      )}
      {choice(
        'provider',
        'Provider',
        variants.map(({ provider }) => provider),
      )}
    </form>
  );
}

function StatusFilter({ filter, counts, onChange }: Omit<CaseFiltersProps, 'index'>) {
  return (
    <div class="statuses" role="group" aria-label="Status">
      <span class="label" aria-hidden="true">
        Status
      </span>
      {caseStatuses.map((status) => (
        <label key={status} class="toggle">
          <input
            type="checkbox"
            checked={filter.statuses?.includes(status) === true}
            onChange={(event) => onChange(withStatus(filter, status, event.currentTarget.checked))}
          />
          <span>
            {status} <span class="count">{formatNumber(counts[status])}</span>
          </span>
        </label>
      ))}
    </div>
  );
}

const changes = Object.keys(changeWords).filter((change) => change !== 'removed');

type TextKey = 'text' | 'change' | 'suite' | 'tag' | 'prompt' | 'provider';

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly nameOf?: (value: string) => string;
  readonly onChange: (value: string) => void;
}

/** A select field, which is hidden if there is only one value. */
function Choice({ label, value, values, nameOf = (text) => text, onChange }: ChoiceProps) {
  const distinct = [...new Set(values)].sort();
  if (distinct.length < 2 && value === '') return null;
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">all</option>
        {distinct.map((text) => (
          <option key={text} value={text}>
            {plainName(nameOf(text).slice(0, 80))}
          </option>
        ))}
      </select>
    </label>
  );
}

function withText(filter: CaseFilter, key: TextKey, value: string): CaseFilter {
  const { [key]: _old, ...others } = filter;
  return value === '' ? others : { ...others, [key]: value };
}

function withStatus(filter: CaseFilter, status: CaseStatus, isWanted: boolean): CaseFilter {
  const { statuses = [], ...others } = filter;
  const wanted = caseStatuses.filter((other) => (other === status ? isWanted : statuses.includes(other)));
  return wanted.length === 0 ? others : { ...others, statuses: wanted };
}

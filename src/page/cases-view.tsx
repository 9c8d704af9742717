import { useEffect, useMemo, useState } from 'preact/hooks';
import { CaseFilters } from './case-filters.tsx';
import { CaseMatrix } from './case-matrix.tsx';
import { type CaseFilter, filterRows, prepareSearch } from './filter-rows.ts';
import { formatNumber } from './names.ts';
import { usePage } from './page-context.ts';

/** Every case on every variant; the filter stands in the address, so that it can be sent to somebody. */
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
    // Not a new place to go back to with each letter.
    history.replaceState(null, '', href({ name: 'cases', filter: next }));
  };
  const { rows, total, counts } = matrix;
  const shown = rows.length === total ? formatNumber(total) : `${formatNumber(rows.length)} of ${formatNumber(total)}`;
  return (
    <>
      <h1>Cases</h1>
      <CaseFilters index={index} filter={filter} counts={counts} onChange={change} />
      <p class="shown" role="status">
        {shown} {total === 1 ? 'case' : 'cases'}
        {Object.keys(filter).length === 0 ? null : (
          <button type="button" class="plain" onClick={() => change({})}>
            Show all
          </button>
        )}
      </p>
      {rows.length === 0 ? (
        <p class="empty">No case fits these filters.</p>
      ) : (
        <CaseMatrix matrix={matrix} filter={filter} />
      )}
    </>
  );
}

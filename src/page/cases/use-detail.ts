import { useEffect, useState } from 'preact/hooks';
import type { PageCase, PageCell } from '../../model/page.ts';
import { usePage } from '../page-context.ts';
import { load } from '../page-source.ts';

/** The case's detail, or why there is none. */
export function useDetail(cell: PageCell | undefined): PageCase | string | undefined {
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

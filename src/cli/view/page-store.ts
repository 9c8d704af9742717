import { gzipSync } from 'node:zlib';
import type { Report } from '../../model/report.ts';
import { buildPageData } from '../../reports/index.ts';
import type { ViewedRuns } from '../../viewing/view-runs.ts';

/** A page's data as it goes over the wire. */
export interface StoredPage {
  readonly index: Buffer;
  readonly blocks: readonly Buffer[];
}

export interface PageStore {
  /** Of one run, or of two that are compared; undefined where one is not there. */
  find(ids: readonly string[]): Promise<StoredPage | undefined>;
}

/** Keeps the pages that were asked for last, compressed, until their records grow. */
export function createPageStore(runs: ViewedRuns): PageStore {
  const kept = new Map<string, { readonly state: string; readonly page: Promise<StoredPage> }>();
  return {
    async find(ids) {
      const states = runs.states();
      const state = JSON.stringify(ids.map((id) => states.get(id)));
      const key = JSON.stringify(ids);
      const known = kept.get(key);
      if (known?.state === state) return known.page;
      const [first = '', second] = ids;
      const report = second === undefined ? runs.report(first) : runs.compare(first, second);
      if (report === undefined) return undefined;
      const page = report.then(compress);
      kept.delete(key);
      for (const old of kept.keys()) if (kept.size >= maxPages) kept.delete(old);
      kept.set(key, { state, page });
      // What failed may work once its files are mended.
      page.catch(() => kept.delete(key));
      return page;
    },
  };
}

const maxPages = 4;

function compress(report: Report): StoredPage {
  const blocks: Buffer[] = [];
  let index = Buffer.alloc(0);
  // All rows stand in the index: rows that were asked for one after the other could be those of a record that grew.
  for (const piece of buildPageData(report)) {
    const packed = gzipSync(piece.json, { level: 1 });
    if (piece.kind === 'index') index = packed;
    else blocks[piece.number] = packed;
  }
  return { index, blocks };
}

import { cacheKey } from '../cache/cache-key.ts';
import type { Cell } from '../model/cell.ts';

/** The identity of what a cell would run: its first request, and what is asked and judged after it. */
export function identify(cell: Cell): string {
  return `${cell.identity}:${cacheKey(cell.request)}`;
}

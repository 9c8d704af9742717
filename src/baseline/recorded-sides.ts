import type { JsonObject } from '../json/json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import type { Baseline, Sides, SuiteBaseline } from '../model/comparison/baseline.ts';
import type { ComparedLine, ComparedRole } from '../model/run/deciding-lines.ts';
import { type ComparedSideLines, type RecordedSides } from '../record/read-run-record.ts';
import { openBaselineLines } from './open-baseline.ts';
import { renderBaseline } from './write-baseline.ts';

/** Nothing to compare with. */
export const noSides: Sides = { findBaseline: () => undefined, findReference: () => undefined };

/** Opens what a record was compared with, as the record keeps it. */
export function openRecordedSides(sides: RecordedSides): Sides {
  const opened = new Map<ComparedSideLines, Baseline>();
  const find = (role: ComparedRole, suite: string) => {
    const side = sides.list.find((other) => other.role === role && other.suite === suite);
    if (side === undefined) return undefined;
    const baseline = opened.get(side) ?? openBaselineLines(sides.lines(side), side.head.source);
    opened.set(side, baseline);
    return { ...side.head, baseline };
  };
  return {
    findBaseline({ id }) {
      const baseline = find('baseline', id);
      if (baseline === undefined) return undefined;
      const change = find('own', id);
      return change === undefined ? baseline : { ...baseline, own: change.baseline };
    },
    findReference({ id }) {
      const reference = find('reference', id);
      const pin = reference?.baseline.pin;
      return reference === undefined || pin === undefined
        ? undefined
        : { source: reference.source, baseline: reference.baseline, pin };
    },
  };
}

/** The lines that keep what a run is compared with in its record. */
export function* renderSides(
  suites: Iterable<{ readonly id: string; readonly path: string }>,
  { findBaseline, findReference }: Sides,
): Generator<ComparedLine> {
  for (const suite of suites) {
    const found = findBaseline(suite);
    const reference = findReference(suite);
    if (found !== undefined) {
      yield* renderSide('baseline', suite.id, found.baseline, headOf(found));
      if (found.own !== undefined) {
        yield* renderSide('own', suite.id, found.own, { source: ownSource });
      }
    }
    if (reference !== undefined) {
      yield* renderSide('reference', suite.id, reference.baseline, { source: reference.source });
    }
  }
}

/** How reports name the baseline that a change brings. */
export const ownSource = 'the baseline of this change';

function headOf({ source, acceptedAt, isFirst }: SuiteBaseline): NonNullable<ComparedLine['head']> {
  return {
    source,
    ...(acceptedAt === undefined ? {} : { acceptedAt }),
    ...(isFirst === undefined ? {} : { isFirst }),
  };
}

function* renderSide(
  role: ComparedRole,
  suite: string,
  baseline: Baseline,
  head: NonNullable<ComparedLine['head']>,
): Generator<ComparedLine> {
  let isFirst = true;
  for (const text of renderBaseline({ ...baseline, suite })) {
    const line = parseExactJson(text) as JsonObject;
    yield { type: 'compared', role, suite, ...(isFirst ? { head } : {}), line };
    isFirst = false;
  }
}

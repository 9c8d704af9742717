import { readCases } from '../../src/baseline/baseline-cases.ts';
import { parseBaseline, readBaseline, type ScannedBaseline, type VisitCase } from '../../src/baseline/read-baseline.ts';
import type { BaselineCase, BaselineContent, BaselineVariant } from '../../src/model/comparison/baseline.ts';
import type { StoredChecks } from '../../src/model/run/deciding-lines.ts';

/** A baseline as a test writes it down, and compares it: every row in memory. */
export interface BaselineRows {
  readonly suite: string;
  readonly variants: readonly BaselineVariant[];
  readonly cases: readonly BaselineCase[];
  readonly checks?: readonly StoredChecks[];
}

export function contentOf({ suite, variants, cases, checks = [] }: BaselineRows): BaselineContent {
  const groups = new Map<string, Map<string, BaselineCase>>();
  const keys = new Map<string, { readonly prompt: string; readonly provider: string }>();
  for (const row of cases) {
    const key = JSON.stringify([row.prompt, row.provider]);
    keys.set(key, row);
    groups.set(key, (groups.get(key) ?? new Map<string, BaselineCase>()).set(row.caseId, row));
  }
  return {
    suite,
    variants,
    checksOf: (hash) => checks.find((stored) => stored.hash === hash),
    cases: [...keys].map(([key, { prompt, provider }]) => {
      const rows = groups.get(key) ?? new Map<string, BaselineCase>();
      return {
        prompt,
        provider,
        caseIds: () => [...rows.keys()].sort(),
        has: (caseId: string) => rows.has(caseId),
        read(caseId: string) {
          const found = rows.get(caseId);
          if (found === undefined) throw new RangeError(caseId);
          return found;
        },
      };
    }),
  };
}

export function rowsOf(content: BaselineContent): BaselineRows {
  const { suite, variants } = content;
  return { suite, variants, cases: [...readCases(content)] };
}

export function parseRows(text: string, file: string): BaselineRows {
  return collect((visit) => parseBaseline(text, file, visit)) ?? { suite: '', variants: [], cases: [] };
}

export function readRows(path: string, shown = path): BaselineRows | undefined {
  return collect((visit) => readBaseline(path, shown, visit));
}

/** The rows as they are seen on the way are those that are read again. */
function collect(scan: (visit: VisitCase) => ScannedBaseline | undefined): BaselineRows | undefined {
  const cases: BaselineCase[] = [];
  const scanned = scan((row) => cases.push(row));
  if (scanned === undefined) return undefined;
  const { suite, variants } = scanned;
  return { suite, variants, cases: cases.map((row, index) => scanned.readCase(index, row)) };
}

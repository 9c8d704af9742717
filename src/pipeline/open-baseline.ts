import { NumberList } from '../lib/number-list.ts';
import type { Baseline, BaselineCase, BaselineCases, BaselineTrial, VariantKey } from '../model/baseline.ts';
import type { CaseSummary, SortedCases } from '../model/summary.ts';
import { CaseTable, rankCases } from '../record/case-table.ts';
import { RowTable } from '../record/row-table.ts';
import { UsageList } from '../record/usage-list.ts';
import { parseBaseline, readBaseline, type ScannedBaseline, type VisitCase } from '../stores/read-baseline.ts';

/** Reads a baseline file once; undefined where there is none. `shown` is how problems name it. */
export function openBaselineFile(path: string, shown: string): Baseline | undefined {
  const rows = new BaselineRows();
  const scanned = readBaseline(path, shown, rows.add);
  return scanned === undefined ? undefined : toBaseline(scanned, rows);
}

/** The same of a file's text. */
export function openBaselineText(text: string, shown: string): Baseline {
  const rows = new BaselineRows();
  return toBaseline(parseBaseline(text, shown, rows.add), rows);
}

/** What counting and comparing need of the cases of a baseline, in columns. */
class BaselineRows {
  readonly table = new RowTable();
  readonly usages = new UsageList();
  /** Of each row the number of its case's line. */
  readonly #lines = new NumberList(Uint32Array);

  readonly add: VisitCase = (row, index, suite) => {
    const { trials, confirmations = [] } = row;
    for (const trial of trials) this.#addRow(suite, row, trial, { confirmation: false, index });
    for (const trial of confirmations) this.#addRow(suite, row, trial, { confirmation: true, index });
  };

  /** Every case has a trial, and so a row. */
  lineOf({ trials, confirmations }: CaseSummary): number | undefined {
    const row = trials[0] ?? confirmations[0];
    return row === undefined ? undefined : this.#lines.at(row.rowIndex);
  }

  #addRow(
    suite: string,
    { prompt, provider, caseId, stamp, mustPass }: BaselineCase,
    { trial, status, score, latencyMs, usage, answerHash, answerId }: BaselineTrial,
    { confirmation, index }: { readonly confirmation: boolean; readonly index: number },
  ): void {
    this.table.addSummary({
      suite,
      prompt,
      provider,
      caseId,
      trial,
      stamp,
      status,
      observe: false,
      mustPass: mustPass === true,
      confirmation,
      cached: true,
      score,
      latencyMs,
      costUsd: answerHash === undefined ? undefined : null,
      spentUsd: 0,
      judgeCostUsd: 0,
      skipReason: undefined,
      answerHash,
      answerId,
      model: undefined,
      rowIndex: this.#lines.length,
    });
    this.usages.push(usage);
    this.#lines.push(index);
  }
}

function toBaseline({ suite, variants, readCase }: ScannedBaseline, rows: BaselineRows): Baseline {
  const tables = new Map<string, SortedCases>();
  let ranks: Uint32Array | undefined;
  const casesOf = ({ prompt, provider }: VariantKey) => {
    const key = JSON.stringify([prompt, provider]);
    let found = tables.get(key);
    if (found === undefined) {
      ranks ??= rankCases(rows.table);
      found = new CaseTable(rows.table, rows.table.rowsOf({ suite, prompt, provider }), ranks);
      tables.set(key, found);
    }
    return found;
  };
  const read = ({ prompt, provider }: VariantKey, caseId: string) => {
    const found = casesOf({ prompt, provider }).get(caseId);
    const line = found === undefined ? undefined : rows.lineOf(found);
    return line === undefined ? undefined : readCase(line, { caseId, prompt, provider });
  };
  return {
    suite,
    variants,
    cases: variants.map((variant) => casesOfVariant(variant, casesOf, read)),
    casesOf,
    readCase: read,
    usageOf: ({ rowIndex }) => rows.usages.at(rowIndex),
  };
}

function casesOfVariant(
  { prompt, provider }: VariantKey,
  casesOf: Baseline['casesOf'],
  readCase: Baseline['readCase'],
): BaselineCases {
  const key = { prompt, provider };
  return {
    prompt,
    provider,
    caseIds: () => casesOf(key).keys(),
    has: (caseId) => casesOf(key).has(caseId),
    read(caseId) {
      const found = readCase(key, caseId);
      if (found === undefined) throw new RangeError(`${caseId} is no case of ${prompt} on ${provider}`);
      return found;
    },
  };
}

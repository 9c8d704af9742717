import type { Baseline, BaselineCase, BaselineCases, BaselineTrial, VariantKey } from '../model/baseline.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import { SortedCases } from '../record/case-summaries.ts';
import { parseBaseline, readBaseline, type ScannedBaseline, type VisitCase } from './read-baseline.ts';

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

/** What counting and comparing need of the cases of a baseline, by variant. */
class BaselineRows {
  readonly #rows = new Map<string, RowSummary[]>();
  readonly #cases = new Map<string, ReadonlyMap<string, CaseSummary>>();

  readonly add: VisitCase = (row, rowIndex, suite) => {
    const { trials, confirmations = [] } = row;
    const rows = this.#rows.get(variantKey(row)) ?? [];
    this.#rows.set(variantKey(row), rows);
    for (const trial of trials) rows.push(summarizeTrial(suite, row, trial, { confirmation: false, rowIndex }));
    for (const trial of confirmations) rows.push(summarizeTrial(suite, row, trial, { confirmation: true, rowIndex }));
  };

  casesOf(key: VariantKey): ReadonlyMap<string, CaseSummary> {
    const name = variantKey(key);
    const cases = this.#cases.get(name) ?? new SortedCases(this.#rows.get(name) ?? []);
    this.#cases.set(name, cases);
    return cases;
  }
}

function variantKey({ prompt, provider }: VariantKey): string {
  return JSON.stringify([prompt, provider]);
}

/** A baseline books no cost: it is computed from the usage. */
function summarizeTrial(
  suite: string,
  { prompt, provider, caseId, stamp, mustPass }: BaselineCase,
  { trial, status, score, latencyMs, usage, answerHash, answerId }: BaselineTrial,
  { confirmation, rowIndex }: Pick<RowSummary, 'confirmation' | 'rowIndex'>,
): RowSummary {
  return {
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
    usage,
    skipReason: undefined,
    answerHash,
    answerId,
    model: undefined,
    rowIndex,
  };
}

function toBaseline({ suite, variants, readCase }: ScannedBaseline, rows: BaselineRows): Baseline {
  const casesOf = (key: VariantKey) => rows.casesOf(key);
  const read = ({ prompt, provider }: VariantKey, caseId: string) => {
    const found = casesOf({ prompt, provider }).get(caseId);
    // Every case has a trial.
    const row = found?.trials[0] ?? found?.confirmations[0];
    return row === undefined ? undefined : readCase(row.rowIndex, { caseId, prompt, provider });
  };
  return {
    suite,
    variants,
    cases: variants.map((variant) => casesOfVariant(variant, casesOf, read)),
    casesOf,
    readCase: read,
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

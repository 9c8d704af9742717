import { defined } from '../json/defined.ts';
import type { Baseline, BaselineCase, BaselineTrial, VariantKey } from '../model/baseline.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import { SortedCases } from '../record/case-summaries.ts';
import { variantKey } from './baseline-cases.ts';
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
  readonly #withOtherPrompt = new Set<string>();

  readonly add: VisitCase = (row, rowIndex, suite) => {
    const { trials, confirmations = [] } = row;
    if (row.otherVariant === true) this.#withOtherPrompt.add(variantKey(row));
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

  hasOtherPrompt(key: VariantKey): boolean {
    return this.#withOtherPrompt.has(variantKey(key));
  }
}

/** A baseline stores no cost: it is computed from the usage. */
function summarizeTrial(
  suite: string,
  { prompt, provider, caseId, stamp, mustPass, group, pooled }: BaselineCase,
  { trial, status, score, classified, latencyMs, usage, answerHash, answerId }: BaselineTrial,
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
    group,
    classified,
    confirmation,
    side: undefined,
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
    ...(pooled === undefined ? {} : { pooled }),
  };
}

function toBaseline({ suite, pin, variants, readCase: readRow }: ScannedBaseline, rows: BaselineRows): Baseline {
  const casesOf = (key: VariantKey) => rows.casesOf(key);
  const readCase = ({ prompt, provider }: VariantKey, caseId: string) => {
    const found = casesOf({ prompt, provider }).get(caseId);
    const trial = found?.trials[0] ?? found?.confirmations[0];
    return trial === undefined ? undefined : readRow(trial.rowIndex, { caseId, prompt, provider });
  };
  const cases = variants.map(({ prompt, provider }) => ({
    prompt,
    provider,
    caseIds: () => casesOf({ prompt, provider }).keys(),
    has: (caseId: string) => casesOf({ prompt, provider }).has(caseId),
    read(caseId: string) {
      const found = readCase({ prompt, provider }, caseId);
      if (found === undefined) throw new RangeError(`${caseId} is no case of ${prompt} on ${provider}`);
      return found;
    },
  }));
  return {
    suite,
    ...defined({ pin }),
    variants,
    cases,
    casesOf,
    readCase,
    hasOtherPrompt: (key) => rows.hasOtherPrompt(key),
  };
}

import { relative } from 'node:path';
import { defined, type Writable } from '../json/defined.ts';
import type { Baseline, BaselineCase, BaselineTrial, VariantKey } from '../model/comparison/baseline.ts';
import { variantKey } from '../model/run/cell.ts';
import type { CellRow, RecordedVariant, RunHeader } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary } from '../model/run/summary.ts';
import { defaultGate } from '../model/suite/gate-policy.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { SortedCases } from '../record/case-summaries.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import {
  type BaselineLine,
  parseBaseline,
  readBaseline,
  type ScannedBaseline,
  scanBaseline,
  type VisitCase,
} from './read-baseline.ts';
import { buildBaseline } from './write-baseline.ts';

/** Reads a baseline file once; undefined if there is none. `shown` is how problems name it. */
export function openBaselineFile(path: string, shown: string): Baseline | undefined {
  const rows = new BaselineRows();
  const scanned = readBaseline(path, shown, rows.add);
  return scanned === undefined ? undefined : toBaseline(scanned, rows);
}

/** The baseline beside a suite, with its path and how it is shown. */
export function openBaselineBeside(
  suite: { readonly path: string },
  { root, cwd }: { readonly root: string; readonly cwd: string },
) {
  const path = baselinePathOf(root, suite.path);
  const file = relative(cwd, path);
  return { path, file, baseline: openBaselineFile(path, file) };
}

/** Opens a baseline from the text of its file. */
export function openBaselineText(text: string, shown: string): Baseline {
  const rows = new BaselineRows();
  return toBaseline(parseBaseline(text, shown, rows.add), rows);
}

/** Opens a baseline from lines that are not in a file of its own, such as those in a record. */
export function openBaselineLines(lines: Iterable<BaselineLine>, shown: string): Baseline {
  const rows = new BaselineRows();
  return toBaseline(scanBaseline(lines, shown, rows.add), rows);
}

/** A suite of a stored run in place of a baseline. Its answers stay in the record. */
export function asBaseline(
  suite: SuiteSummary,
  { readRow, checksOf }: Pick<StoredRecord, 'readRow' | 'checksOf'>,
): Baseline {
  // A baseline's prompt that ran again beside the suite's is no version of the suite.
  const accepted = { ...suite, variants: suite.variants.filter(({ recorded }) => recorded.baselineOf === undefined) };
  const { variants, cases, ...content } = buildBaseline(accepted, { readRow, checksOf });
  const summaries = new Map(accepted.variants.map((variant) => [variantKey(variant.recorded), variant]));
  const byKey = new Map(cases.map((ofVariant) => [variantKey(ofVariant), ofVariant]));
  return {
    ...content,
    // The price of a variant's own counts too.
    variants: variants.map((row) => ({ ...summaries.get(variantKey(row))?.recorded, ...row })),
    cases,
    casesOf: (key) => summaries.get(variantKey(key))?.cases ?? new Map(),
    readCase(key, caseId) {
      const ofVariant = byKey.get(variantKey(key));
      return ofVariant?.has(caseId) === true ? ofVariant.read(caseId) : undefined;
    },
    hasOtherPrompt: () => false,
  };
}

/** The data of a baseline's cases for counting and comparing, by variant. */
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

/** A baseline stores no cost: it is computed from the usage. Members that most trials lack are left out. */
function summarizeTrial(
  suite: string,
  { prompt, provider, caseId, caseHash, mustPass, group, pooled }: BaselineCase,
  { trial, status, score, classified, latencyMs, firstTokenMs, steps, usage, answerHash, answerId }: BaselineTrial,
  { confirmation, rowIndex }: Pick<RowSummary, 'confirmation' | 'rowIndex'>,
): RowSummary {
  const summary: Writable<RowSummary> = {
    suite,
    prompt,
    provider,
    caseId,
    trial,
    caseHash,
    status,
    observe: false,
    mustPass: mustPass === true,
    confirmation,
    cached: true,
    score,
    latencyMs,
    costUsd: answerHash === undefined ? undefined : null,
    spentUsd: 0,
    usage,
    answerHash,
    answerId,
    model: undefined,
    rowIndex,
  };
  if (group !== undefined) summary.group = group;
  if (classified !== undefined) summary.classified = classified;
  if (firstTokenMs !== undefined) summary.firstTokenMs = firstTokenMs;
  if (steps !== undefined) summary.steps = steps;
  if (pooled !== undefined) summary.pooled = pooled;
  return summary;
}

function toBaseline(
  { suite, pin, variants, readCase: readRow, checksOf }: ScannedBaseline,
  rows: BaselineRows,
): Baseline {
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
    checksOf,
    hasOtherPrompt: (key) => rows.hasOtherPrompt(key),
  };
}

interface BaselineFile {
  readonly baseline: Baseline;
  /** The path of the suite, relative to the project root. */
  readonly suitePath: string;
}

/** Presents baseline files as the record of a run, so that a baseline can be the candidate of a comparison. */
export function recordOfBaselines(files: readonly BaselineFile[], source: string): StoredRecord {
  const rows: RowSummary[] = [];
  /** The baseline of each row. */
  const owners: Baseline[] = [];
  const header: RunHeader = {
    type: 'run',
    format: 1,
    id: source,
    startedAt: '',
    tool: { name: 'llmcheck', version: '' },
    settings: { cacheMode: 'replay', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: files.map(({ baseline, suitePath }) => ({
      suite: baseline.suite,
      path: suitePath,
      gate: defaultGate,
      outputs: 'full',
      filtered: false,
      variants: baseline.variants.map(({ type: _type, models: _models, ...variant }): RecordedVariant => {
        let planned = 0;
        for (const { trials } of baseline.casesOf(variant).values()) {
          for (const trial of trials) {
            rows.push({ ...trial, rowIndex: rows.length });
            owners.push(baseline);
          }
          planned += trials.length;
        }
        return { ...variant, planned, observed: 0 };
      }),
    })),
  };
  const end = { type: 'end', durationMs: 0, notes: [] } as const;
  return {
    path: source,
    shownPath: source,
    header,
    end,
    summary: summarizeRun(header, rows, end),
    warnings: [],
    sides: undefined,
    checksOf: (hash) => files.map(({ baseline }) => baseline.checksOf(hash)).find((checks) => checks !== undefined),
    judged: [],
    readRow(rowIndex) {
      const [row, owner] = [rows[rowIndex], owners[rowIndex]];
      if (row === undefined || owner === undefined) {
        throw new RangeError(`row ${rowIndex} of ${source}, which has ${rows.length}`);
      }
      return readRow(owner, row);
    },
  };
}

function readRow(baseline: Baseline, row: RowSummary): CellRow {
  const { caseId, trial: index } = row;
  const found = baseline.readCase(row, caseId);
  const trial = found?.trials.find(({ trial }) => trial === index);
  if (found === undefined || trial === undefined) throw new RangeError(`trial ${index} of ${caseId} is not there`);
  return toRow(baseline.suite, found, trial);
}

function toRow(suite: string, found: BaselineCase, trial: BaselineTrial): CellRow {
  const { prompt, provider, caseId, caseHash, mustPass, group } = found;
  const { answerHash, ...answer } = trial;
  return {
    type: 'cell',
    suite,
    prompt,
    provider,
    caseId,
    cellHash: '',
    caseHash,
    at: { file: '', line: 0, column: 0 },
    ...defined({ mustPass: mustPass || undefined, group }),
    cached: true,
    attempts: 0,
    calls: [],
    // A baseline stores no cost: the price table gives it.
    ...defined({ costUsd: answerHash === undefined ? undefined : null }),
    ...answer,
  };
}

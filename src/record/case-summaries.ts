import { Buffer } from 'node:buffer';
import { canonicalJson } from '../json/canonical-json.ts';
import type { Writable } from '../json/defined.ts';
import type { CallRecord, CaseStatus } from '../model/run/cell.ts';
import type { CellRow, RowHead } from '../model/run/record.ts';
import type { CaseSummary, RowSummary } from '../model/run/summary.ts';
import { sha256Hex } from '../text/sha256.ts';

/**
 * The summary of a row or its head for counting, comparing and deciding. The model's answer stays on disk. Members that
 * most rows lack are left out: for 1,000,000 rows, which must stay below 1 GB, they would take 56 MB.
 */
export function summarizeRow(row: RowHead & Pick<CellRow, 'output' | 'toolCalls'>, rowIndex: number): RowSummary {
  const summary: Writable<RowSummary> = {
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId: row.caseId,
    trial: row.trial,
    caseHash: row.caseHash,
    status: row.status,
    observe: row.observe === true,
    mustPass: row.mustPass === true,
    confirmation: row.confirmation === true,
    cached: row.cached,
    score: row.score,
    latencyMs: row.latencyMs,
    position: row.position,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    usage: row.usage,
    answerHash: answerHashOf(row),
    answerId: row.answerId,
    model: row.model,
    rowIndex,
  };
  if (row.group !== undefined) summary.group = row.group;
  if (row.slices !== undefined) summary.slices = row.slices;
  if (row.classified !== undefined) summary.classified = row.classified;
  if (row.side !== undefined) summary.side = row.side;
  if (row.shard !== undefined) summary.shard = row.shard;
  if (row.judgeCostUsd !== undefined) summary.judgeCostUsd = row.judgeCostUsd;
  if (row.firstTokenMs !== undefined) summary.firstTokenMs = row.firstTokenMs;
  if (row.steps !== undefined) summary.steps = row.steps;
  if (row.skip !== undefined) summary.skipReason = row.skip.reason;
  return summary;
}

/**
 * The cases of one variant by id, sorted by code units; their trials in order. The last row of a cell counts. A case is
 * made on each access: a `Map` of a million of them takes 174 MB more, and a run of that size must stay below 1 GB.
 */
export class SortedCases implements ReadonlyMap<string, CaseSummary> {
  /** Sorted by case and trial. */
  readonly #rows: readonly RowSummary[];
  /** The start of each case's rows. */
  readonly #starts: Uint32Array;

  constructor(rows: readonly RowSummary[]) {
    // The sort is stable: rows of one cell stay in the order in which they came.
    const sorted = rows.toSorted(compareRows);
    // Few records hold a cell twice, and the copy is as long as the run.
    this.#rows = sorted.every(isLastOfCell) ? sorted : sorted.filter(isLastOfCell);
    this.#starts = findStarts(this.#rows);
  }

  get size(): number {
    return this.#starts.length;
  }

  get(caseId: string): CaseSummary | undefined {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#idAt(middle) < caseId) low = middle + 1;
      else high = middle;
    }
    return low < this.size && this.#idAt(low) === caseId ? this.#at(low) : undefined;
  }

  has(caseId: string): boolean {
    return this.get(caseId) !== undefined;
  }

  forEach(visit: (value: CaseSummary, key: string, map: ReadonlyMap<string, CaseSummary>) => void): void {
    for (const found of this.values()) visit(found, found.caseId, this);
  }

  *keys(): Generator<string, undefined> {
    for (let place = 0; place < this.size; place += 1) yield this.#idAt(place);
  }

  *values(): Generator<CaseSummary, undefined> {
    for (let place = 0; place < this.size; place += 1) yield this.#at(place);
  }

  *entries(): Generator<[string, CaseSummary], undefined> {
    for (const found of this.values()) yield [found.caseId, found];
  }

  [Symbol.iterator](): Generator<[string, CaseSummary], undefined> {
    return this.entries();
  }

  #idAt(place: number): string {
    return this.#rows[this.#starts[place] ?? 0]?.caseId ?? '';
  }

  #at(place: number): CaseSummary {
    return summarizeCase(this.#rows.slice(this.#starts[place], this.#starts[place + 1]));
  }
}

function compareRows(a: RowSummary, b: RowSummary): number {
  if (a.caseId === b.caseId) return a.trial - b.trial;
  return a.caseId < b.caseId ? -1 : 1;
}

function isLastOfCell({ caseId, trial }: RowSummary, index: number, sorted: readonly RowSummary[]): boolean {
  const next = sorted[index + 1];
  return next?.trial !== trial || next.caseId !== caseId;
}

function findStarts(rows: readonly RowSummary[]): Uint32Array {
  const starts = new Uint32Array(rows.length);
  let count = 0;
  for (const [index, { caseId }] of rows.entries()) {
    if (rows[index - 1]?.caseId === caseId) continue;
    starts[count] = index;
    count += 1;
  }
  return starts.subarray(0, count);
}

const none: readonly RowSummary[] = [];

function summarizeCase(rows: readonly RowSummary[]): CaseSummary {
  const first = rows[0];
  // Few cases have some, and a run makes these summaries many times.
  const hasConfirmations = rows.some(({ confirmation }) => confirmation);
  const trials = hasConfirmations ? rows.filter(({ confirmation }) => !confirmation) : rows;
  const confirmationsOf = (side: RowSummary['side']) =>
    hasConfirmations ? rows.filter((row) => row.confirmation && row.side === side) : none;
  return {
    caseId: first?.caseId ?? '',
    status: caseStatusOf(trials),
    observe: first?.observe === true,
    mustPass: first?.mustPass === true,
    group: first?.group,
    slices: first?.slices,
    caseHash: first?.caseHash ?? '',
    trials,
    confirmations: confirmationsOf(undefined),
    accepted: confirmationsOf('accepted'),
    pooled: first?.pooled,
  };
}

/** Passed (all trials), failed (none), flaky (mixed). Errored and skipped trials could turn a pass, but no failure. */
export function caseStatusOf(trials: readonly Pick<RowSummary, 'status'>[]): CaseStatus {
  const has = (wanted: RowSummary['status']) => trials.some(({ status }) => status === wanted);
  if (has('failed')) return has('passed') ? 'flaky' : 'failed';
  if (has('errored')) return 'errored';
  return has('skipped') || !has('passed') ? 'skipped' : 'passed';
}

/** A hash of an answer's text and tool calls. */
export function hashAnswer({ output, toolCalls }: Pick<CellRow, 'toolCalls'> & { readonly output: string }): string {
  return shorten(sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`));
}

/**
 * Names one answer by a hash of the request and the whole response. The response includes the API's id and the measured
 * time. An answer from the cache or a recording keeps its name. A new call with the same answer has another name.
 */
export function identifyAnswer(calls: readonly Pick<CallRecord, 'requestHash' | 'completion'>[]): string {
  const texts = calls.map(
    ({ requestHash, completion }) => `[${JSON.stringify(requestHash)},${canonicalJson(completion)}]`,
  );
  return shorten(sha256Hex(`[${texts.join(',')}]`));
}

/** Copies the digits: a slice would keep all 64 of them in memory, for each of 100,000 rows. */
function shorten(hex: string): string {
  return Buffer.from(hex.slice(0, 16), 'latin1').toString('latin1');
}

/** The hash of a row's answer, as recorded or from the answer itself; undefined if there was none. */
export function answerHashOf(
  row: Pick<RowHead, 'answerHash'> & Pick<CellRow, 'output' | 'toolCalls'>,
): string | undefined {
  const { answerHash, output, toolCalls } = row;
  if (answerHash !== undefined || output === undefined) return answerHash;
  return hashAnswer({ output, toolCalls });
}

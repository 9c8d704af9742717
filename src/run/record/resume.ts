import { type FindAccepted } from '../../assertions/define.ts';
import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { UserError } from '../../model/problem.ts';
import { type Cell, type CellKey, suiteVariantKey } from '../../model/run/cell.ts';
import type { ComparedLine, DecidingLine } from '../../model/run/deciding-lines.ts';
import type { AcceptedPromptState, CellRow, RecordedVariant, RunHeader } from '../../model/run/record.ts';
import type { Plan } from '../../plan/build-plan.ts';
import { hashCell } from '../../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findStoredRun } from '../../project/stored-runs.ts';
import type { RowPlace } from '../../record/read-rows.ts';
import { cellKeyText, visitRows } from '../../record/read-run-record.ts';
import { type RewriteOptions, type RunRecordWriter, rewriteRunRecord } from '../../record/write-run-record.ts';
import type { Mask } from '../../secrets/mask-secrets.ts';
import { groupBy } from '../../text/group-by.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { hasOtherOptions } from '../../verdict/variant-differences.ts';

/** The earlier part of the run that this run continues. */
export interface EarlierPart {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The header of the whole run. */
  readonly header: Omit<RunHeader, 'id'>;
  /** Number of planned cells that it finished. */
  readonly doneCells: number;
  /** The index of a finished cell's row in the rewritten record; undefined for a cell that runs now. */
  readonly rowOf: (key: CellKey) => number | undefined;
  /**
   * Returns true once for a cached answer with this time and key. The earlier part paid for it but did not write its
   * row.
   */
  readonly isOwn: (receivedAt: string, key: string) => boolean;
  /** Rewrites the record with the kept rows, after what the run is compared with. Call it once. */
  readonly rewrite: (compared: Iterable<ComparedLine>, visitors: RewriteVisitors) => RunRecordWriter;
}

/** Gets each kept line with its new place. */
type RewriteVisitors = Required<Pick<RewriteOptions, 'onLine' | 'onRow'>>;

/** The longest time from the last row to an unwritten answer. Judging can delay the writing of a row. */
const unwrittenMs = 60_000;

export interface ResumeOptions {
  readonly options: RunOptions;
  readonly resume: NonNullable<RunOptions['resume']>;
  readonly plan: Plan;
  readonly header: Omit<RunHeader, 'id'>;
  readonly findAccepted: FindAccepted;
  /** The cell that asks the accepted prompt again, beside a cell of the plan; undefined if it can't be asked. */
  readonly acceptedCellOf: (key: CellKey) => Cell | undefined;
  readonly ports: Pick<RunPorts, 'onProgress' | 'mask'>;
}

/**
 * Keeps the verdicts of cells and fresh trials that would run again unchanged. All others run again: errored or
 * interrupted cells, changed requests, checks or settings, and damaged lines. An interrupted run also keeps its errored
 * fresh trials, because it has spent calls on them. It ends like a run without interruption.
 */
export function openEarlierPart({ options, resume, ports, ...planned }: ResumeOptions): EarlierPart {
  const { path, modifiedMs } = findStoredRun(options.project, resume.runId);
  const earlier = readEarlierCells(path, resume);
  if (earlier.damagedLines > 0) {
    ports.onProgress({ type: 'note', message: describeDamage(path, earlier.damagedLines) });
  }
  const { maxCostUsd } = earlier.header.settings;
  if (maxCostUsd !== undefined && options.settings.maxCostUsd === undefined) {
    const message = `the run began with --max-cost ${maxCostUsd} and goes on without a limit; give the flag again to limit this part`;
    ports.onProgress({ type: 'note', message });
  }
  // The record would lose all its answers. With `--watch`, the suites may come back.
  if (planned.plan.cellCount === 0 && earlier.cells.size > 0 && resume.isTouched === undefined) {
    const message = `--resume: the run ${earlier.header.id} has answers, but none of its suites and cases is found now`;
    throw new UserError({ code: 'usage', message, hint: 'bring its suites back, or run without --resume' });
  }
  const kept = findKept(earlier, planned);
  const { id, startedAt } = earlier.header;
  const header = markMixedSettings(planned.header, earlier.header);
  const rows = new Map<string, number>();
  const billedKeys = new Set<string>();
  // If the run has more trials now, a planned cell may have the number of a fresh trial: it runs again.
  for (const [index, [key, { isConfirmation }]] of [...kept].entries()) if (!isConfirmation) rows.set(key, index);
  return {
    id,
    startedAt,
    header,
    doneCells: rows.size,
    rowOf: (key) => rows.get(cellKeyText(key)),
    // With `--watch`, the earlier part ended normally. Later answers do not belong to its cells.
    isOwn(receivedAt, key) {
      const isEarlier = receivedAt >= startedAt && Date.parse(receivedAt) <= modifiedMs + unwrittenMs;
      if (resume.isTouched !== undefined || !isEarlier || billedKeys.has(key)) return false;
      billedKeys.add(key);
      return true;
    },
    rewrite(compared, { onLine, onRow }) {
      const places = Array.from(kept.values(), ({ place }) => place);
      const writer = rewriteRunRecord(path, { ...header, id, startedAt }, places, {
        preamble: concatenate(compared, earlier.checks),
        onLine,
        renew: (row) => renewRow(row, kept.get(cellKeyText(row))?.detail, ports.mask),
        onRow(row, place) {
          for (const { requestHash } of row.calls) billedKeys.add(requestHash);
          onRow(row, place);
        },
      });
      kept.clear();
      return writer;
    },
  };
}

/**
 * Marks mixed settings: kept cells may have been asked with other headers or options. The record does not store the
 * settings of each cell.
 */
function markMixedSettings(header: Omit<RunHeader, 'id'>, earlier: RunHeader): Omit<RunHeader, 'id'> {
  const before = new Map(
    earlier.suites.flatMap(({ suite, variants }) =>
      variants.map((variant) => [
        suiteVariantKey({ suite, prompt: variant.prompt, provider: variant.provider }),
        variant,
      ]),
    ),
  );
  const mark = (suite: string, variant: RecordedVariant): RecordedVariant => {
    const { acceptedPrompt, options } = variant;
    const other = before.get(suiteVariantKey({ suite, prompt: variant.prompt, provider: variant.provider }));
    if (other === undefined || !hasOtherOptions(other, variant)) return variant;
    const why = 'the run was resumed with other headers or options';
    const state: AcceptedPromptState | undefined = acceptedPrompt && {
      is: 'unavailable',
      why,
      isOfSeveral: true,
      ...defined({ of: acceptedPrompt.of }),
    };
    const resumedWith = sha256Hex(canonicalJson(other.options ?? {})).slice(0, 16);
    return { ...variant, options: { ...options, resumedWith }, ...defined({ acceptedPrompt: state }) };
  };
  return {
    ...header,
    suites: header.suites.map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => mark(suite.suite, variant)),
    })),
  };
}

/** A cell of the earlier part, by its last row. */
interface EarlierCell {
  readonly key: CellKey;
  readonly place: RowPlace;
  /** The hash of everything that it ran. */
  readonly cellHash: string;
  readonly isVerdict: boolean;
  readonly isErrored: boolean;
  readonly isConfirmation: boolean;
  readonly side: CellRow['side'];
}

/** The cells of a record by their keys, in the order in which they first finished. */
function readEarlierCells(path: string, resume: ResumeOptions['resume']) {
  const cells = new Map<string, EarlierCell>();
  let damagedLines = 0;
  const { header, end, deciding } = visitRows(
    path,
    (row, _rowIndex, place) => {
      const { suite, prompt, provider, caseId, trial, cellHash } = row;
      const key = { suite, prompt, provider, caseId, trial };
      const isConfirmation = row.confirmation === true;
      const isErrored = row.status === 'errored';
      const ran = { isVerdict: isVerdict(row, resume), isErrored, isConfirmation, side: row.side };
      cells.set(cellKeyText(key), { key, place, cellHash, ...ran });
    },
    () => {
      damagedLines += 1;
    },
  );
  const isCutShort = end === undefined || end.stopReason !== undefined;
  return { header, cells, checks: [...deciding.checks.values()], damagedLines, isCutShort };
}

function isVerdict({ status, suite }: CellRow, { isTouched }: ResumeOptions['resume']): boolean {
  return status === 'passed' || status === 'failed' || (status === 'errored' && isTouched?.(suite) === false);
}

/** The fields of a row about its case that the cell hash does not cover, so they may be outdated. */
type CellDetail = Pick<Cell, 'at' | 'tags' | 'description'>;

interface KeptCell extends Pick<EarlierCell, 'place' | 'isConfirmation'> {
  readonly detail: CellDetail;
}

/** The cells whose rows are kept, by their keys and in the order of the record. */
function findKept(
  { cells, isCutShort }: Pick<ReturnType<typeof readEarlierCells>, 'cells' | 'isCutShort'>,
  { plan, findAccepted, acceptedCellOf }: Pick<ResumeOptions, 'plan' | 'findAccepted' | 'acceptedCellOf'>,
): Map<string, KeptCell> {
  const confirmations = groupBy(
    [...cells.values()].filter(({ isConfirmation }) => isConfirmation),
    ({ key }) => cellKeyText({ ...key, trial: 0 }),
  );
  const details = new Map<string, CellDetail>();
  for (const providerKey of plan.providerKeys) {
    for (const cell of plan.cells(providerKey)) {
      const key = cellKeyText(cell.key);
      const found = cells.get(key);
      if (found?.isVerdict === true && isSame(found, cell, findAccepted)) details.set(key, detailOf(cell));
      for (const confirmation of confirmations.get(key) ?? []) {
        // A fresh trial sends the request of its case's first trial, or of the accepted prompt, with another
        // number.
        const { trial } = confirmation.key;
        const asked = confirmation.side === 'accepted' ? acceptedCellOf(cell.key) : cell;
        if (asked === undefined) continue;
        const retrial = { ...asked, key: { ...asked.key, trial }, request: { ...asked.request, trial } };
        const isKept = confirmation.isVerdict || (confirmation.isErrored && isCutShort);
        if (isKept && isSame(confirmation, retrial, findAccepted))
          details.set(cellKeyText(confirmation.key), detailOf(cell));
      }
    }
  }
  const kept = new Map<string, KeptCell>();
  for (const [key, { place, isConfirmation }] of cells) {
    const detail = details.get(key);
    if (detail !== undefined) kept.set(key, { place, isConfirmation, detail });
  }
  return kept;
}

function isSame({ cellHash }: EarlierCell, cell: Cell, findAccepted: FindAccepted): boolean {
  return cellHash === hashCell(cell, findAccepted);
}

function detailOf({ at, tags, description }: Cell): CellDetail {
  return { at, ...defined({ tags, description }) };
}

function renewRow(row: CellRow, detail: CellDetail | undefined, mask: Mask): CellRow {
  if (detail === undefined) return row;
  const { at } = detail;
  if (row.asked === undefined) return { ...row, at };
  const { tags: _tags, description: _description, ...asked } = row.asked;
  const tags = detail.tags?.map(mask);
  const description = detail.description === undefined ? undefined : mask(detail.description);
  return { ...row, at, asked: { ...asked, ...defined({ tags, description }) } };
}

function* concatenate(...parts: readonly Iterable<DecidingLine>[]): Iterable<DecidingLine> {
  for (const part of parts) yield* part;
}

function describeDamage(path: string, count: number): string {
  const lines = count === 1 ? 'A line' : `${count} lines`;
  return `${lines} of ${path} could not be read; what is missing for it runs again.`;
}

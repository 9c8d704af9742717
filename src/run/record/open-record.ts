import { StorageError } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { Cell } from '../../model/run/cell.ts';
import type { ComparedLine, DecidingLine, StoredChecks } from '../../model/run/deciding-lines.ts';
import type { CellRow, EndRow, RunHeader } from '../../model/run/record.ts';
import type { RowSummary } from '../../model/run/summary.ts';
import { withRefusal } from '../../model/storage-problem.ts';
import { checksHashOf } from '../../model/suite/same-case.ts';
import type { RunPorts } from '../../plan/run-options.ts';
import { summarizeRow } from '../../record/case-summaries.ts';
import { newRunId } from '../../record/list-runs.ts';
import { openRowReader, type RowPlace, RowPlaces } from '../../record/read-rows.ts';
import {
  CollectedLines,
  cellKeyText,
  openStoredRecord,
  type StoredRecord,
  toStoredRecord,
} from '../../record/read-run-record.ts';
import { endSummary } from '../../record/summarize-run.ts';
import { createRunRecord, type RunRecordWriter } from '../../record/write-run-record.ts';
import { maskJson } from '../../secrets/mask-secrets.ts';
import type { EarlierPart } from './resume.ts';

export interface RecordOptions {
  /** The folder for new records. */
  readonly folder: string;
  readonly header: Omit<RunHeader, 'id'>;
  /** The part of the run that this one continues. */
  readonly earlier: EarlierPart | undefined;
  /** What the run is compared with. */
  readonly compared: Iterable<ComparedLine>;
  readonly ports: RunPorts;
  /** Called once if the disk refuses a row. */
  readonly onRefused: () => void;
}

/** Opens a new record, or the one that a resumed run continues. Throws a `UserError` if the disk refuses it. */
export function openRecord(options: RecordOptions): OpenRecord {
  const { folder, header, earlier, compared, ports } = options;
  const rows = new KeptRows();
  const deciding = new CollectedLines();
  const onLine = (line: DecidingLine, place: RowPlace) => deciding.add(line, place);
  const { id, writer } = refuseStorageErrors(() => {
    if (earlier === undefined) {
      const created = createUnderFreeId(folder, header, ports);
      // One by one, because a baseline may be larger than memory.
      for (const line of compared) for (const place of created.writer.append(line)) onLine(line, place);
      return created;
    }
    const rewritten = earlier.rewrite(compared, { onLine, onRow: rows.hold });
    rewritten.append({ type: 'resume', startedAt: header.startedAt });
    return { id: earlier.id, writer: rewritten };
  });
  const startedAt = earlier?.startedAt ?? header.startedAt;
  return new OpenRecord({ ...header, id, startedAt }, writer, { rows, deciding }, options);
}

/** The summaries of the written rows. They are kept in memory, so that counting need not read rows again. */
class KeptRows {
  readonly summaries: RowSummary[] = [];
  readonly places = new RowPlaces();
  /** Rows of the earlier part that do not count yet, by `cellKeyText`. */
  readonly held = new Map<string, RowSummary>();

  readonly add = (row: CellRow, place: RowPlace): void => {
    this.summaries.push(this.#summarize(row, place));
  };

  readonly hold = (row: CellRow, place: RowPlace): void => {
    this.held.set(cellKeyText(row), this.#summarize(row, place));
  };

  /** Starts to count a held row, and returns it. */
  release(key: string): RowSummary | undefined {
    const row = this.held.get(key);
    if (row === undefined) return undefined;
    this.held.delete(key);
    this.summaries.push(row);
    return row;
  }

  #summarize(row: CellRow, place: RowPlace): RowSummary {
    const summary = summarizeRow(row, this.places.size);
    this.places.add(place);
    return summary;
  }
}

/** The record of the current run. */
export class OpenRecord {
  readonly path: string;
  readonly id: string;
  /** ISO 8601; of the run's first part. */
  readonly startedAt: string;
  /** Reads a row by its index. */
  readonly readRow: (rowIndex: number) => CellRow;
  readonly #header: RunHeader;
  readonly #writer: RunRecordWriter;
  readonly #rows: KeptRows;
  readonly #deciding: CollectedLines;
  readonly #ports: Pick<RunPorts, 'cwd' | 'onProgress' | 'mask'>;
  readonly #onRefused: () => void;
  /** The last count. It is reused if no row was added since. */
  #counted: { readonly rows: number; readonly record: StoredRecord } | undefined;
  #isBroken = false;
  #isTakenOver = false;
  #waiting: CellRow[] = [];
  #written: Promise<void> | undefined;

  constructor(
    header: RunHeader,
    writer: RunRecordWriter,
    { rows, deciding }: { readonly rows: KeptRows; readonly deciding: CollectedLines },
    { ports, onRefused }: Pick<RecordOptions, 'ports' | 'onRefused'>,
  ) {
    this.path = writer.path;
    this.id = header.id;
    this.startedAt = header.startedAt;
    this.readRow = openRowReader({ path: writer.path, places: rows.places });
    this.#header = header;
    this.#writer = writer;
    this.#rows = rows;
    this.#deciding = deciding;
    this.#ports = ports;
    this.#onRefused = onRefused;
  }

  /**
   * Counts the row of a cell that an earlier part of the run finished; false if there is none. A resumed run counts
   * each row when its cell is due. Each step then decides as in a run without interruption.
   */
  countIfFinished(cell: Cell): boolean {
    const { key, confirmation } = cell;
    // If the run has more trials now, a planned cell may have the number of a fresh trial: it runs again.
    if (this.#rows.held.size === 0) return false;
    const isFinished = this.#rows.release(cellKeyText(key))?.confirmation === (confirmation ?? false);
    if (isFinished) this.#noteChecks(cell);
    return isFinished;
  }

  /** Counts all rows of the earlier part that are not counted yet; false if there are none. */
  countRest(): boolean {
    const keys = [...this.#rows.held.keys()];
    for (const key of keys) this.#rows.release(key);
    return keys.length > 0;
  }

  /**
   * Resolves when the row is on disk or the disk has refused it. Earlier rows stay readable. Rows of one turn of the
   * event loop are written together, because a write is the slowest part.
   */
  append(row: CellRow, cell: Cell): Promise<void> {
    this.#noteChecks(cell);
    this.#waiting.push(row);
    this.#written ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#flush();
        resolve();
      });
    });
    return this.#written;
  }

  /** Writes lines that the decision needs. */
  note(...lines: readonly DecidingLine[]): void {
    if (lines.length > 0) this.#write(lines);
  }

  /** Keeps the checks of a case, so that later answers can be judged by them. */
  #noteChecks({ caseHash, checks, threshold }: Cell): void {
    const hash = checksHashOf(caseHash);
    if (this.#deciding.checks.has(hash)) return;
    const sources = checks.flatMap(({ assertion, source }) =>
      assertion !== 'contract' && isJsonObject(source) ? [maskJson<JsonObject>(source, this.#ports.mask)] : [],
    );
    const line: StoredChecks = { type: 'checks', hash, checks: sources, ...defined({ threshold }) };
    this.note(line);
    // A disk that refuses it refuses the rows too.
    this.#deciding.checks.set(hash, line);
  }

  /** Writes what is left, before the run is decided. */
  finish(): void {
    this.countRest();
    this.#flush();
  }

  close(end: EndRow): void {
    this.finish();
    this.#write([end]);
    try {
      this.#writer.close();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  /** The record so far, counted from its rows. Without an end the run goes on. */
  read(end: EndRow | undefined): StoredRecord {
    const { cwd } = this.#ports;
    // Another run has rewritten the file, so the known places of rows are wrong.
    if (this.#isTakenOver) return openStoredRecord(this.path, cwd, end === undefined ? {} : { end });
    const { summaries, places } = this.#rows;
    if (this.#counted?.rows !== summaries.length) {
      const written = {
        path: this.path,
        header: this.#header,
        end,
        places,
        rows: summaries,
        deciding: this.#deciding,
        warnings: [],
      };
      this.#counted = { rows: summaries.length, record: toStoredRecord(written, cwd) };
    }
    const { record } = this.#counted;
    const { judged, contracts } = this.#deciding;
    return { ...record, end, judged, contracts, summary: { ...record.summary, ...endSummary(end) } };
  }

  #flush(): void {
    const rows = this.#waiting;
    this.#waiting = [];
    this.#written = undefined;
    this.#write(rows);
  }

  /** Writes all rows. If the disk refuses them, writes none of them and no later row. */
  #write(rows: readonly (CellRow | DecidingLine | EndRow)[]): void {
    if (this.#isBroken) return;
    try {
      const places = this.#writer.append(...rows);
      for (const [index, row] of rows.entries()) {
        const place = places[index];
        if (place === undefined || row.type === 'end') continue;
        if (row.type === 'cell') this.#rows.add(row, place);
        else this.#deciding.add(row, place);
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#ports.onProgress({ type: 'note', message: error.message });
      this.#isBroken = true;
      this.#isTakenOver = error.code === 'ESTALE';
      this.#onRefused();
    }
  }
}

/** Retries with a new id, because two runs in the same second may get the same one. */
export function createUnderFreeId(
  folder: string,
  header: Omit<RunHeader, 'id'>,
  { now, random }: Pick<RunPorts, 'now' | 'random'>,
): { readonly id: string; readonly writer: RunRecordWriter } {
  for (let draws = 1; ; draws += 1) {
    const bytes = Uint8Array.from({ length: 3 }, () => Math.floor(random() * 256));
    const id = newRunId(now(), bytes);
    try {
      return { id, writer: createRunRecord(folder, { ...header, id }) };
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'EEXIST' || draws >= maxIdDraws) throw error;
    }
  }
}

const maxIdDraws = 100;

/** Turns storage errors on opening a record into a `UserError`, because the user can fix them before the first call. */
export function refuseStorageErrors<T>(open: () => T): T {
  return withRefusal(open, 'make room or make the folder writable: a run without a record could not be reported');
}

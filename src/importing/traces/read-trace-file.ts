import { Buffer } from 'node:buffer';
import { parseJson } from '../../json/parse-json.ts';
import { UserError } from '../../model/problem.ts';
import type { FileBytes } from '../../suite/files/project-files.ts';
import { parseCsv } from '../../text/csv.ts';
import { CutJsonError, type IsPart, type JsonPart, splitJson, splitJsonLines } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import { createOtelReader, isOtelPart } from './otel.ts';
import {
  describeOrigin,
  type FoundRow,
  type RefusedRow,
  readRecordedCall,
  type TraceReader,
  type TraceRow,
} from './recorded-call.ts';

export const traceFormats = ['otel', 'langfuse', 'langsmith'] as const;
export type TraceFormat = (typeof traceFormats)[number];

const chunkBytes = 1 << 20;

const readers: Readonly<Record<TraceFormat, () => TraceReader>> = {
  otel: createOtelReader,
  langfuse: () => langfuseReader,
  langsmith: () => langsmithReader,
};

/** Reads the model calls in a file, with their lines. The file may be larger than memory. */
export function* readTraceFile(bytes: FileBytes, format: TraceFormat, shown: string): Generator<FoundRow> {
  const reader = readers[format]();
  for (const { text, line } of readParts(bytes, format, shown)) {
    const parsed = text === undefined ? undefined : parseJson(text);
    if (parsed?.ok === true) yield* reader.read(parsed.value, line);
    else yield { line, row: { refused: 'its JSON is broken, cut off or larger than 64 MB' } };
  }
  yield* reader.end();
}

function* readParts(bytes: FileBytes, format: TraceFormat, shown: string): Generator<JsonPart> {
  const chunks = readChunks(bytes, shown);
  try {
    const first = chunks.next();
    if (first.done === true) return;
    const all = (function* join(): Generator<string> {
      yield first.value;
      yield* chunks;
    })();
    const form = findForm(first.value, format);
    if (form === 'csv') yield* splitCsv(all, shown);
    else yield* form.isLines ? splitJsonLines(all, form.isPart) : splitJson(all, form.isPart);
  } catch (error) {
    if (!(error instanceof CutJsonError)) throw error;
    const at = { file: shown, line: error.line, column: 1 };
    const message = `${error.message}: the export is not whole`;
    throw new UserError({ code: 'syntax', message, at });
  } finally {
    chunks.return(undefined);
  }
}

/** Detects the form by a file's start: CSV, JSON lines or one JSON document, and where its parts are. */
function findForm(start: string, format: TraceFormat): 'csv' | { readonly isLines: boolean; readonly isPart: IsPart } {
  const text = start.trimStart();
  if (format !== 'otel' && !/^[[{]/.test(text) && /^"?[\w. -]+"?,/.test(text)) return 'csv';
  const paths = listPaths(text);
  const isLines = text.startsWith('{') && hasDocumentLine(text);
  if (format === 'otel') {
    const isOtlp = [...paths].some((path) => /(?:^|\.)(?:resourceSpans|resourceLogs|batches)$/.test(path));
    // Other exporters write one span per row.
    return { isLines, isPart: isOtlp || paths.size === 0 ? isOtelPart : exportParts(isRowAtTop(text, paths)) };
  }
  return { isLines, isPart: exportParts(isRowAtTop(text, paths)) };
}

/** True if a line is a whole document. The first may be broken, but not the start of a list. */
function hasDocumentLine(text: string): boolean {
  const lines = text.split('\n', 20);
  const [first = ''] = lines;
  const candidates = /[[{,]\s*$/.test(first) ? [first] : lines;
  // The last line may continue in the next chunk.
  return text.includes('\n') && candidates.some((line) => line.startsWith('{') && parseJson(line).ok);
}

/** False for a list of rows, or a map with lists of rows. A trace's `observations` may be only ids. */
function isRowAtTop(text: string, paths: ReadonlySet<string>): boolean {
  return text.startsWith('{') && !Array.from(listKeys).some((key) => paths.has(`${key}.*`));
}

/** Paths of lists and maps at the start of a document. */
function listPaths(text: string): ReadonlySet<string> {
  const paths = new Set<string>();
  const remember: IsPart = (path) => {
    if (path.length > 0 && path.length < 3) paths.add(path.join('.'));
    return false;
  };
  try {
    for (const _ of splitJson([text], remember)) return paths;
  } catch (error) {
    if (!(error instanceof CutJsonError)) throw error;
  }
  return paths;
}

/** First bytes of binary files, with a hint. */
const packed: readonly (readonly [start: readonly number[], kind: string, hint: string])[] = [
  [[0x1f, 0x8b], 'compressed (gzip)', 'unpack it first: gunzip FILE'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'compressed (Zstandard)', 'unpack it first: unzstd FILE'],
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or an Excel workbook', 'unpack it first: unzip FILE, or save it as CSV'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file', 'write its rows as JSON lines first, such as with DuckDB'],
];

function* readChunks(bytes: FileBytes, shown: string): Generator<string, void, undefined> {
  const { read, close } = bytes.open();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  try {
    for (let position = 0; ; ) {
      const count = read(buffer, 0, chunkBytes, position);
      const content = buffer.subarray(0, count);
      if (position === 0) refusePacked(content, shown);
      const text = decoder.decode(content, { stream: count > 0 });
      yield text;
      if (count === 0) return;
      line += countLines(content);
      position += count;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = `${shown} is not UTF-8 text: see the lines from ${line} on`;
    throw new UserError({ code: 'file-unreadable', message, hint: 'save it as UTF-8' });
  } finally {
    close();
  }
}

/** Throws a `UserError` for a binary file, such as Parquet. */
export function refusePacked(content: Uint8Array, shown: string): void {
  const found = packed.find(([start]) => start.every((byte, index) => content[index] === byte));
  if (found === undefined) return;
  const [, kind, hint] = found;
  throw new UserError({ code: 'file-unreadable', message: `${shown} is ${kind}`, hint });
}

function countLines(content: Buffer): number {
  let count = 0;
  for (let at = content.indexOf(0x0a); at !== -1; at = content.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

/** Guesses a file's format from its start, for a hint to the right command. */
export function guessFormat(bytes: FileBytes, shown: string): TraceFormat | undefined {
  const chunks = readChunks(bytes, shown);
  const first = chunks.next();
  chunks.return(undefined);
  const start = first.done === true ? '' : first.value;
  if (/"(?:resourceSpans|resourceLogs)"/.test(start)) return 'otel';
  if (/"?(?:run_type|dotted_order)\b/.test(start)) return 'langsmith';
  if (/"?(?:traceId|trace_id|projectId|observations)\b/.test(start) && /"?(?:input|output)\b/.test(start))
    return 'langfuse';
  return undefined;
}

/** Reads the records of a CSV file as JSON objects, one at a time. The header has the keys. */
function* splitCsv(chunks: Iterable<string>, shown: string): Generator<JsonPart> {
  let columns: readonly string[] | undefined;
  for (const { text, line } of joinRecords(chunks)) {
    const csv = parseCsv(text);
    if ('error' in csv) {
      if (columns === undefined) throw brokenCsv(shown, csv.error.message, line);
      yield { text: undefined, line };
      continue;
    }
    const [record] = csv.records;
    if (record === undefined) continue;
    const { fields } = record;
    if (columns === undefined) columns = fields;
    else if (fields.length !== columns.length) yield { text: undefined, line };
    else {
      // An empty field means no value.
      const entries = columns
        .map((column, index) => [column, fields[index]] as const)
        .filter(([, value]) => value !== '');
      yield { text: JSON.stringify(Object.fromEntries(entries)), line };
    }
  }
}

function brokenCsv(shown: string, message: string, line: number): UserError {
  const at = { file: shown, line, column: 1 };
  return new UserError({ code: 'syntax', message: `the CSV can't be read: ${message}`, at });
}

/** Joins lines while a quote is open: quoted fields may contain line breaks. */
function* joinRecords(chunks: Iterable<string>): Generator<{ readonly text: string; readonly line: number }> {
  let text = '';
  let line = 1;
  let start = 1;
  let isOpen = false;
  for (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const sign = chunk.charCodeAt(at);
      if (sign === 0x22) isOpen = !isOpen;
      if (sign !== 0x0a) continue;
      line += 1;
      if (isOpen) continue;
      yield { text: text + chunk.slice(from, at), line: start };
      text = '';
      from = at + 1;
      start = line;
    }
    text += chunk.slice(from);
  }
  if (text !== '') yield { text, line: start };
}

/** Keys of a wrapper that hold its rows. */
const listKeys = new Set(['data', 'runs', 'observations', 'traces', 'items']);

/** Finds rows in a list, or in a wrapper's list. Rows of JSON lines are at the top. */
function exportParts(isAtTop: boolean): IsPart {
  if (isAtTop) return (path) => path.length === 0;
  return ([first, second, ...others]) =>
    others.length === 0 && (second === undefined ? first === '*' : second === '*' && listKeys.has(first ?? ''));
}

type ReadRow = (row: Readonly<Record<string, unknown>>) => TraceRow | RefusedRow | undefined;

function readerOf(readRow: ReadRow): TraceReader {
  return {
    *read(value, line) {
      const row = isMap(value) ? readRow(value) : { refused: 'the row is not a JSON object' };
      if (row !== undefined) yield { line, row };
    },
    end: () => [],
  };
}

/** Reads an observation or trace of Langfuse. The blob export uses other names than API and UI; both are read. */
const langfuseReader = readerOf((value) => {
  const { type, input, output } = value;
  if (typeof type === 'string' && type.toUpperCase() !== 'GENERATION') return undefined;
  const origin = describeOrigin({
    trace: value['traceId'] ?? value['trace_id'] ?? (type === undefined ? value['id'] : undefined),
    observation: type === undefined ? undefined : value['id'],
    at: value['startTime'] ?? value['start_time'] ?? value['timestamp'],
    model: value['model'] ?? value['providedModelName'] ?? value['provided_model_name'],
  });
  if (!Object.hasOwn(value, 'input')) return undefined;
  const call = readRecordedCall(input, output);
  return 'refused' in call ? call : { ...call, origin };
});

/** Reads a run of LangSmith. Tools, retrievers, parsers and templates are no model calls. */
const langsmithReader = readerOf((value) => {
  const { run_type: type, inputs, outputs } = value;
  if (typeof type === 'string' && !['llm', 'chain'].includes(type)) return undefined;
  if (!Object.hasOwn(value, 'inputs')) return undefined;
  const origin = describeOrigin({
    trace: value['trace_id'],
    run: value['id'] ?? value['run_id'],
    at: typeof value['start_time'] === 'number' ? readMilliseconds(value['start_time']) : value['start_time'],
  });
  const call = readRecordedCall(inputs, outputs);
  return 'refused' in call ? call : { ...call, origin };
});

/** Converts milliseconds since 1970 to ISO 8601; undefined for an invalid time. */
function readMilliseconds(value: number): string | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

import { isUtf8 } from 'node:buffer';
import { dirname, extname } from 'node:path';
import { type ByteLine, type LineStart, splitLines } from '../../files/split-lines.ts';
import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/json-text.ts';
import { parseCsv } from '../../text/csv.ts';
import { cutLine } from '../../text/line-index.ts';
import { CsvRowSource, itemsOf, JsonRowSource, type Located, locate, noPath } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { parseDocument } from '../documents/read-document.ts';
import { bytesOfText, type FileBytes, type ProjectFiles } from '../files/project-files.ts';
import type { FileFault } from '../files/project-place.ts';

export const rowSuffixes = ['.jsonl', '.ndjson', '.json', '.yaml', '.yml', '.csv'] as const;

interface RowFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** A row with where it lies, so that reading can begin there again. */
interface FileRow {
  readonly row: Located;
  /** As it is written. */
  readonly text: string;
  readonly start: LineStart;
}

/** The rows of a file, one by one; what is wrong with it is reported, at the row or, of the whole, by `refuse`. */
export type ReadRows = (
  report: Problems['report'],
  options?: { readonly from?: LineStart; readonly refuse?: (fault: FileFault) => void },
) => Iterable<FileRow>;

/** True where a file is rows, and no document that has to be parsed as one. */
export function isRowFile(path: string): boolean {
  return ['.jsonl', '.ndjson', '.csv'].includes(extname(path).toLowerCase());
}

/** Opens a file of rows, which may be larger than memory. */
export function openRows(path: string, bytes: FileBytes, { display }: Pick<ProjectFiles, 'display'>): ReadRows {
  const names = { file: display(path), folder: dirname(path) };
  return extname(path).toLowerCase() === '.csv' ? openCsv(names, bytes) : openJsonLines(names, bytes);
}

/** The case objects of a data file, each with its place. */
export function readRows({ path, text }: RowFile, files: ProjectFiles, problems: Problems): readonly Located[] {
  if (isRowFile(path)) {
    return Array.from(openRows(path, bytesOfText(text), files)(problems.report), ({ row }) => row);
  }
  const document = parseDocument(path, text, files, problems);
  if (document === undefined) return [];
  if (Array.isArray(document.value)) return itemsOf(document);
  problems.report({
    code: 'invalid-value',
    message: `${files.display(path)} must hold a list of cases`,
    at: locate(document),
  });
  return [];
}

interface Names {
  readonly file: string;
  readonly folder: string;
}

function openJsonLines(names: Names, bytes: FileBytes): ReadRows {
  return function* readJsonLines(report, { from, refuse } = {}) {
    for (const line of readTextLines(bytes, from)) {
      if (line === undefined) {
        refuse?.(notText(names));
        return;
      }
      const { text, start } = line;
      if (!text.startsWith('{') && text.trim() === '') continue;
      const parsed = parseJsonText(text);
      if ('error' in parsed) {
        const column = parsed.error.offset + 1;
        const excerpt = { startLine: start.number, lines: [cutLine(text, column)] };
        const at = { file: names.file, line: start.number, column, excerpt };
        report({ code: 'syntax', message: parsed.error.message, at, hint: 'every line is one JSON object' });
      } else {
        const row = { value: parsed.value, source: new JsonRowSource(names, text, start.number), path: noPath };
        yield { row, text, start };
      }
    }
  };
}

interface TextLine {
  readonly text: string;
  readonly start: LineStart;
}

/** The lines of a file without their line feeds; undefined where it is no UTF-8. */
function* readTextLines(bytes: FileBytes, from: LineStart | undefined): Generator<TextLine | undefined> {
  const { read, close } = bytes.open();
  try {
    for (const line of splitLines(read, from === undefined ? {} : { from })) {
      const text = decode(line);
      yield text === undefined ? undefined : { text, start: { offset: line.offset, number: line.number } };
    }
  } finally {
    close();
  }
}

function decode({ bytes, offset }: ByteLine): string | undefined {
  const text = bytes.toString('utf8');
  // What is no UTF-8 is decoded to this character, which may also stand there.
  if (text.includes('\ufffd') && !isUtf8(bytes)) return undefined;
  return offset === 0 && text.startsWith('\ufeff') ? text.slice(1) : text;
}

function notText({ file }: Names) {
  return { code: 'file-unreadable', message: `${file} is not UTF-8 text`, hint: 'save it as UTF-8' } as const;
}

// The columns that are no variables.
const RESERVED_COLUMNS = new Set(['id', 'expected', 'tags', 'mustPass']);

function openCsv(names: Names, bytes: FileBytes): ReadRows {
  let known: readonly string[] | undefined;
  return function* readCsv(report, { from, refuse } = {}) {
    let columns = from === undefined ? undefined : known;
    for (const piece of readPieces(bytes, from)) {
      if (piece === undefined) {
        refuse?.(notText(names));
        return;
      }
      const { text, start } = piece;
      const sourceAt = (line: number) => new CsvRowSource(names, text, start.number, line);
      const complain = (message: string, line: number, hint?: string) =>
        report({
          code: 'syntax',
          message,
          at: sourceAt(start.number + line - 1).at(),
          ...defined({ hint }),
        });
      const csv = parseCsv(text);
      if ('error' in csv) {
        complain(csv.error.message, csv.error.line);
        return;
      }
      for (const { fields, line } of csv.records) {
        if (columns === undefined) {
          columns = fields.map((column) => column.trim());
          const wrong = findWrongColumn(columns);
          if (wrong !== undefined) {
            complain(wrong, line);
            return;
          }
          known = columns;
        } else if (fields.length === columns.length) {
          const row = { value: toCase(columns, fields), source: sourceAt(start.number + line - 1), path: noPath };
          yield { row, text, start };
        } else {
          const message = `the row has ${fields.length} fields, the header ${columns.length}`;
          complain(message, line, 'quote a field that holds a comma');
        }
      }
    }
    if (columns === undefined) {
      report({
        code: 'syntax',
        message: `${names.file} has no header line`,
        at: { file: names.file, line: 1, column: 1 },
      });
    }
  };
}

/** Lines, put together where a quoted field goes over several of them. */
function* readPieces(bytes: FileBytes, from: LineStart | undefined): Generator<TextLine | undefined> {
  let start: LineStart | undefined;
  let lines: string[] = [];
  let isOpen = false;
  for (const line of readTextLines(bytes, from)) {
    if (line === undefined) {
      yield undefined;
      return;
    }
    start ??= line.start;
    lines.push(line.text);
    if (hasOddQuotes(line.text)) isOpen = !isOpen;
    if (isOpen) continue;
    yield { text: lines.join('\n'), start };
    start = undefined;
    lines = [];
  }
  if (start !== undefined) yield { text: lines.join('\n'), start };
}

function hasOddQuotes(text: string): boolean {
  let isOdd = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) isOdd = !isOdd;
  return isOdd;
}

function findWrongColumn(columns: readonly string[]): string | undefined {
  const wrong = columns.find((column, index) => column === '' || columns.indexOf(column) !== index);
  return wrong === '' ? 'a column has no name' : wrong === undefined ? undefined : `two columns are named "${wrong}"`;
}

function toCase(columns: readonly string[], record: readonly string[]): unknown {
  const cells = new Map(columns.map((column, index) => [column, record[index] ?? '']));
  const id = cells.get('id')?.trim();
  const expected = cells.get('expected');
  const tags = cells
    .get('tags')
    ?.split(/[,;|]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  const mustPass = cells.get('mustPass')?.trim();
  return {
    ...(id === undefined || id === '' ? {} : { id }),
    // An empty cell is no golden answer: what asks for {{expected}} then says that it is missing.
    ...(expected === undefined || expected === '' ? {} : { expected }),
    ...defined({ tags }),
    ...(mustPass === undefined || mustPass === '' ? {} : { mustPass: toFlag(mustPass) }),
    vars: Object.fromEntries([...cells].filter(([column]) => !RESERVED_COLUMNS.has(column))),
  };
}

function toFlag(cell: string): unknown {
  if (/^(?:true|1|yes)$/i.test(cell)) return true;
  return /^(?:false|0|no)$/i.test(cell) ? false : cell;
}

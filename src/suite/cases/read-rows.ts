import { isUtf8 } from 'node:buffer';
import { dirname, extname } from 'node:path';
import { type ByteLine, splitLines } from '../../files/split-lines.ts';
import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import { parseCsv } from '../../text/csv.ts';
import { cutLine } from '../../text/line-index.ts';
import { csvRowSource, itemsOf, jsonRowSource, type Located, locate, type Problems } from '../documents/locate.ts';
import { parseDocument } from '../documents/read-document.ts';
import { bytesOfText, type FileBytes, type ProjectFiles } from '../files/project-files.ts';

export const rowSuffixes = ['.jsonl', '.ndjson', '.json', '.yaml', '.yml', '.csv'] as const;

interface RowFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

interface FileRow {
  readonly row: Located;
  /** The row's text, in a file that is not parsed as a whole. */
  readonly text?: string;
}

/**
 * Reads rows one by one, each time from the first. Reports a mistake at its row, or at the place that names the file.
 */
export type ReadRows = (report: Problems['report']) => Iterable<FileRow>;

/** True for a file that is read row by row, not parsed as a whole. */
export function isRowFile(path: string): boolean {
  return ['.jsonl', '.ndjson', '.csv'].includes(extname(path).toLowerCase());
}

/** Opens a file of rows, which may be larger than memory. */
export function openRows(
  path: string,
  bytes: FileBytes,
  { display }: Pick<ProjectFiles, 'display'>,
  namedBy?: Located,
): ReadRows {
  const file: OpenFile = { file: display(path), folder: dirname(path), bytes, namedBy };
  const read = extname(path).toLowerCase() === '.csv' ? readCsv : readJsonLines;
  return (report) => read(file, report);
}

/** The case objects of a data file, each with its place. */
export function readRows({ path, text }: RowFile, files: ProjectFiles, problems: Problems): readonly Located[] {
  if (isRowFile(path)) {
    return Array.from(openRows(path, bytesOfText(text), files)(problems.report), ({ row }) => row);
  }
  const document = parseDocument(path, text, files, problems);
  if (document === undefined) return [];
  if (Array.isArray(document.value)) return itemsOf(document);
  problems.refuse(document, `${files.display(path)} must hold a list of cases`, hintOfDocument(document.value));
  return [];
}

function hintOfDocument(value: unknown): string {
  const list = Object.entries(Object(value)).find(([, item]) => Array.isArray(item))?.[0];
  if (list !== undefined) return `write the list alone, without "${list}" around it`;
  return 'write a list: [{"id": …, "vars": {…}}]';
}

interface OpenFile {
  /** The file's name in problems. */
  readonly file: string;
  readonly folder: string;
  readonly bytes: FileBytes;
  readonly namedBy: Located | undefined;
}

type Report = Problems['report'];

function* readJsonLines(open: OpenFile, report: Report): Generator<FileRow> {
  for (const { text, number } of readTextLines(open, report)) {
    if (text.trim() === '') continue;
    const parsed = parseJsonText(text);
    if ('error' in parsed) {
      const column = parsed.error.offset + 1;
      const excerpt = { startLine: number, lines: [cutLine(text, column)] };
      const at = { file: open.file, line: number, column, excerpt };
      const isList = number === 1 && text.startsWith('[');
      const hint = isList
        ? 'every line is one JSON object; a file that is one list ends in .json'
        : 'every line is one JSON object';
      report({ code: 'syntax', message: parsed.error.message, at, hint });
      if (isList) return;
    } else {
      yield { row: { value: parsed.value, source: jsonRowSource(open, text, number), path: [] }, text };
    }
  }
}

interface TextLine {
  readonly text: string;
  /** 1-based. */
  readonly number: number;
}

/** The lines of a file without their line feeds, up to the first that is not UTF-8. */
function* readTextLines({ file, bytes, namedBy }: OpenFile, report: Report): Generator<TextLine> {
  const { read, close } = bytes.open();
  try {
    for (const line of splitLines(read)) {
      const text = decode(line);
      if (text === undefined) {
        const fault = {
          code: 'file-unreadable',
          message: `${file} is not UTF-8 text`,
          hint: 'save it as UTF-8',
        } as const;
        report({ ...fault, ...defined({ at: namedBy && locate(namedBy) }) });
        return;
      }
      yield { text, number: line.number };
    }
  } finally {
    close();
  }
}

function decode({ bytes, offset }: ByteLine): string | undefined {
  const text = bytes.toString('utf8');
  // Bytes that are not UTF-8 become this character, which a text may also hold.
  if (text.includes('\ufffd') && !isUtf8(bytes)) return undefined;
  return offset === 0 && text.startsWith('\ufeff') ? text.slice(1) : text;
}

// The columns that are not variables.
const reservedColumns = new Set(['id', 'expected', 'tags', 'group', 'mustPass']);

function* readCsv(open: OpenFile, report: Report): Generator<FileRow> {
  let columns: readonly string[] | undefined;
  for (const { text, number } of joinQuotedLines(readTextLines(open, report))) {
    const sourceAt = (line: number) => csvRowSource(open, { text, startLine: number }, number + line - 1);
    const complain = (message: string, line: number, hint?: string) =>
      report({ code: 'syntax', message, at: sourceAt(line).at([]), ...defined({ hint }) });
    const separator = columns === undefined ? findSeparator(text) : undefined;
    if (separator !== undefined) {
      complain(
        `the columns are separated by ${separator}, not by commas`,
        1,
        'save the file with commas between the columns',
      );
      return;
    }
    const csv = parseCsv(text);
    if ('error' in csv) {
      complain(csv.error.message, csv.error.line);
      return;
    }
    for (const { fields, line } of csv.records) {
      if (columns === undefined) {
        columns = fields.map((column) => column.trim());
        const wrong = findWrongColumn(columns);
        if (wrong === undefined) continue;
        complain(wrong, line);
        return;
      }
      if (fields.length === columns.length) {
        yield { row: { value: toCase(columns, fields), source: sourceAt(line), path: [] }, text };
      } else {
        const message = `the row has ${fields.length} fields, the header ${columns.length}`;
        complain(message, line, 'quote a field that holds a comma');
      }
    }
  }
  if (columns !== undefined) return;
  const at = { file: open.file, line: 1, column: 1 };
  report({ code: 'syntax', message: `${open.file} has no header line`, at });
}

/** Joins the lines of a quoted field that holds line breaks. */
function* joinQuotedLines(lines: Iterable<TextLine>): Generator<TextLine> {
  let joined: TextLine | undefined;
  let isOpen = false;
  for (const { text, number } of lines) {
    joined = joined === undefined ? { text, number } : { text: `${joined.text}\n${text}`, number: joined.number };
    if (hasOddQuotes(text)) isOpen = !isOpen;
    if (isOpen) continue;
    yield joined;
    joined = undefined;
  }
  if (joined !== undefined) yield joined;
}

function hasOddQuotes(text: string): boolean {
  return text.split('"').length % 2 === 0;
}

/** The separator of a header without commas. */
function findSeparator(header: string): string | undefined {
  const line = header.trimEnd();
  if (line.includes(',')) return undefined;
  if (line.includes('\t')) return 'tabs';
  const mark = [';', '|'].find((one) => line.includes(one));
  return mark === undefined ? undefined : `"${mark}"`;
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
  const group = cells.get('group')?.trim();
  const mustPass = cells.get('mustPass')?.trim();
  return {
    ...defined({
      id: id || undefined,
      // An empty cell does not set `expected`, so that a template with {{expected}} reports it as missing.
      expected: expected || undefined,
      tags,
      group: group || undefined,
      mustPass: mustPass === undefined || mustPass === '' ? undefined : toFlag(mustPass),
    }),
    vars: Object.fromEntries([...cells].filter(([column]) => !reservedColumns.has(column))),
  };
}

function toFlag(cell: string): unknown {
  if (/^(?:true|1|yes)$/i.test(cell)) return true;
  return /^(?:false|0|no)$/i.test(cell) ? false : cell;
}

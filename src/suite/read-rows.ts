import { dirname, extname } from 'node:path';
import { parseCsv } from '../lib/csv.ts';
import { parseJsonText } from '../lib/json-text.ts';
import { createLineIndex } from '../lib/line-index.ts';
import type { ProjectFiles } from './files.ts';
import { fixedSource, itemsOf, JsonRowSource, type Located, locate, noPath } from './locate.ts';
import type { Problems } from './problems.ts';
import { parseDocument } from './read-document.ts';

export const rowSuffixes = ['.jsonl', '.ndjson', '.json', '.yaml', '.yml', '.csv'] as const;

interface RowFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** The case objects of a data file, each with its place. */
export function readRows({ path, text }: RowFile, files: ProjectFiles, problems: Problems): readonly Located[] {
  const names = { file: files.display(path), folder: dirname(path) };
  switch (extname(path).toLowerCase()) {
    case '.jsonl':
    case '.ndjson':
      return readJsonLines(names, text, problems);
    case '.csv':
      return readCsv(names, text, problems);
    default: {
      const document = parseDocument(path, text, files, problems);
      if (document === undefined) return [];
      if (Array.isArray(document.value)) return itemsOf(document);
      problems.report({
        code: 'invalid-value',
        message: `${names.file} must hold a list of cases`,
        at: locate(document),
      });
      return [];
    }
  }
}

interface Names {
  readonly file: string;
  readonly folder: string;
}

function readJsonLines(names: Names, text: string, problems: Problems): readonly Located[] {
  const rows: Located[] = [];
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const raw = text.slice(start, end === -1 ? text.length : end);
    line += 1;
    start = end === -1 ? text.length : end + 1;
    if (!raw.startsWith('{') && raw.trim() === '') continue;
    const parsed = parseJsonText(raw);
    if ('error' in parsed) {
      const excerpt = { startLine: line, lines: [raw.slice(0, 400).trimEnd()] };
      const at = { file: names.file, line, column: parsed.error.offset + 1, excerpt };
      problems.report({ code: 'syntax', message: parsed.error.message, at, hint: 'every line is one JSON object' });
    } else {
      rows.push({ value: parsed.value, source: new JsonRowSource(names, raw, line), path: noPath });
    }
  }
  return rows;
}

// The columns that are no variables.
const RESERVED_COLUMNS = new Set(['id', 'expected', 'tags', 'mustPass']);

function readCsv(names: Names, text: string, problems: Problems): readonly Located[] {
  const lines = createLineIndex(text);
  const sourceAt = (line: number) =>
    fixedSource(names, { file: names.file, line, column: 1, excerpt: lines.excerptAround(line) });
  const refuse = (message: string, line: number, hint?: string) =>
    problems.report({ code: 'syntax', message, at: sourceAt(line).at([]), ...(hint === undefined ? {} : { hint }) });
  const csv = parseCsv(text);
  if ('error' in csv) {
    refuse(csv.error.message, csv.error.line);
    return [];
  }
  const [header, ...rows] = csv.records;
  if (header === undefined) {
    refuse(`${names.file} has no header line`, 1);
    return [];
  }
  const columns = header.fields.map((column) => column.trim());
  const wrong = columns.find((column, index) => column === '' || columns.indexOf(column) !== index);
  if (wrong !== undefined) {
    refuse(wrong === '' ? 'a column has no name' : `two columns are named "${wrong}"`, header.line);
    return [];
  }
  return rows.flatMap(({ fields, line }) => {
    if (fields.length === columns.length) return [{ value: toCase(columns, fields), source: sourceAt(line), path: [] }];
    refuse(
      `the row has ${fields.length} fields, the header ${columns.length}`,
      line,
      'quote a field that holds a comma',
    );
    return [];
  });
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
    ...(tags === undefined ? {} : { tags }),
    ...(mustPass === undefined || mustPass === '' ? {} : { mustPass: toFlag(mustPass) }),
    vars: Object.fromEntries([...cells].filter(([column]) => !RESERVED_COLUMNS.has(column))),
  };
}

function toFlag(cell: string): unknown {
  if (/^(?:true|1|yes)$/i.test(cell)) return true;
  return /^(?:false|0|no)$/i.test(cell) ? false : cell;
}

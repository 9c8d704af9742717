import { UserError } from '../../model/problem.ts';
import { parseCsv } from '../../text/csv.ts';
import type { JsonPart } from '../data-sets/split-json.ts';

/** The records of a CSV file as JSON objects by its header. Only one record is in memory at a time. */
export function* splitCsv(chunks: Iterable<string>, shown: string): Generator<JsonPart> {
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
      // An empty field is no value.
      const entries = columns
        .map((column, index) => [column, fields[index]] as const)
        .filter(([, value]) => value !== '');
      yield { text: JSON.stringify(Object.fromEntries(entries)), line };
    }
  }
}

function brokenCsv(shown: string, message: string, line: number): UserError {
  const at = { file: shown, line, column: 1 };
  return new UserError([{ code: 'syntax', severity: 'error', message: `the CSV can't be read: ${message}`, at }]);
}

/** Lines, joined while a quote is open: a quoted field may hold line breaks. */
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

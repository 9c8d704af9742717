// csv-parse does not give the position of a field, which `review` needs to edit one.
interface CsvRecord {
  readonly fields: readonly string[];
  /** 1-based line on which the record starts. */
  readonly line: number;
  /** The bounds of each field in the text, including quotes: start, end, start, end … */
  readonly bounds: readonly number[];
}

export type CsvText =
  | { readonly records: readonly CsvRecord[] }
  | { readonly error: { readonly message: string; readonly line: number } };

/** Parses comma-separated values (RFC 4180) with any line break; blank lines are passed over. */
export function parseCsv(text: string, options: { readonly mayHoldQuotes?: boolean } = {}): CsvText {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let bounds: number[] = [];
  let line = 1;
  let recordLine = 1;
  let at = text.startsWith('\ufeff') ? 1 : 0;

  function endRecord(): void {
    if (fields.length > 1 || fields[0] !== '') records.push({ fields, line: recordLine, bounds });
    fields = [];
    bounds = [];
  }

  while (at < text.length) {
    if (fields.length === 0) recordLine = line;
    const quoted = text[at] === '"';
    if (quoted) {
      const close = findClosingQuote(text, at + 1);
      if (close === -1) return { error: { message: 'a quote is not closed', line } };
      const field = text.slice(at + 1, close);
      fields.push(field.replaceAll('""', '"'));
      bounds.push(at, close + 1);
      line += countBreaks(field);
      at = close + 1;
      if (at < text.length && !',\r\n'.includes(text.charAt(at))) {
        return { error: { message: `text follows a closing quote: write a quote inside a field twice`, line } };
      }
    } else {
      const end = findFieldEnd(text, at);
      const field = text.slice(at, end);
      if (field.includes('"') && options.mayHoldQuotes !== true)
        return { error: { message: 'a quote is inside a field that is not quoted', line } };
      fields.push(field);
      bounds.push(at, end);
      at = end;
    }
    if (text[at] === ',') {
      at += 1;
      // A comma at the very end of the text, or of a line, opens one more, empty field.
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue;
      fields.push('');
      bounds.push(at, at);
    }
    // An empty quoted field alone on its line is a record, a blank line is none.
    if (quoted && fields.length === 1 && fields[0] === '') records.push({ fields, line: recordLine, bounds });
    endRecord();
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    if (at < text.length) line += 1;
    at += 1;
  }
  return { records };
}

function findClosingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}

function findFieldEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') at += 1;
  return at;
}

function countBreaks(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

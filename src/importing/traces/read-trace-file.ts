import { Buffer } from 'node:buffer';
import { parseJson } from '../../json/parse-json.ts';
import { UserError } from '../../model/problem.ts';
import type { FileBytes } from '../../suite/files/project-files.ts';
import { CutJsonError, type JsonPart, splitJson } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import { exportParts, readLangfusePart, readLangsmithPart } from './exports.ts';
import { isOtelPart, readOtelPart } from './otel.ts';
import type { RefusedRow, TraceRow } from './trace-row.ts';

export const traceFormats = ['otel', 'langfuse', 'langsmith'] as const;
export type TraceFormat = (typeof traceFormats)[number];

const chunkBytes = 1 << 20;

/** The calls of models in a file, each with its line. The file may be larger than memory. */
export function* readTraceFile(
  bytes: FileBytes,
  format: TraceFormat,
  shown: string,
): Generator<{ readonly line: number; readonly row: TraceRow | RefusedRow }> {
  const read = { otel: readOtelPart, langfuse: readLangfusePart, langsmith: readLangsmithPart }[format];
  for (const { text, line } of readParts(bytes, format, shown)) {
    const parsed = parseJson(text);
    const rows = parsed.ok ? read(parsed.value) : [{ refused: 'its JSON is broken' }];
    for (const row of rows) yield { line, row };
  }
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
    yield* splitJson(all, format === 'otel' ? isOtelPart : exportParts(isLines(first.value)));
  } catch (error) {
    if (!(error instanceof CutJsonError)) throw error;
    const at = { file: shown, line: error.line, column: 1 };
    throw new UserError([
      { code: 'syntax', severity: 'error', message: `${error.message}: the export is not whole`, at },
    ]);
  } finally {
    chunks.return(undefined);
  }
}

/** True for JSON lines, false for one list or a list in a wrapper. */
function isLines(start: string): boolean {
  const text = start.trimStart();
  if (!text.startsWith('{')) return false;
  const end = text.indexOf('\n');
  const line = parseJson(end === -1 ? text : text.slice(0, end));
  // A pretty-printed wrapper, or a first row that is larger than a chunk.
  if (!line.ok) return end === -1 && !/^\{\s*"(?:data|runs|observations|traces|items)"\s*:\s*\[/.test(text);
  const { value } = line;
  return !isMap(value) || !['data', 'runs', 'observations', 'traces', 'items'].some((key) => Array.isArray(value[key]));
}

function* readChunks(bytes: FileBytes, shown: string): Generator<string, void, undefined> {
  const { read, close } = bytes.open();
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let position = 0; ; ) {
      const count = read(buffer, 0, chunkBytes, position);
      yield decoder.decode(buffer.subarray(0, count), { stream: count > 0 });
      if (count === 0) return;
      position += count;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = `${shown} is not UTF-8 text`;
    throw new UserError([{ code: 'file-unreadable', severity: 'error', message, hint: 'save it as UTF-8' }]);
  } finally {
    close();
  }
}

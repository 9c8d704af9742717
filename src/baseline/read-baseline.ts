import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type ByteLine, type ReadBytes, splitLines } from '../files/split-lines.ts';
import { systemErrorCode } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import {
  type BaselineCase,
  type BaselineVariant,
  baselineFormat,
  baselineHeaderSchema,
  oldestBaselineFormat,
  type Pin,
  type VariantKey,
} from '../model/comparison/baseline.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { variantKey } from '../model/run/cell.ts';
import type { StoredChecks } from '../model/run/deciding-lines.ts';
import { quote } from '../text/shorten.ts';
import { type BaselineRow, checkRow } from './validate-rows.ts';

type CaseKey = Pick<BaselineCase, 'caseId' | 'prompt' | 'provider'>;

/** A baseline file that was read once from end to end. Its cases stay on disk. */
export interface ScannedBaseline {
  readonly suite: string;
  readonly pin?: Pin;
  readonly variants: readonly BaselineVariant[];
  /** The case that the visitor saw as the `index`-th. Throws a UserError if the file was changed meanwhile. */
  readonly readCase: (index: number, key: CaseKey) => BaselineCase;
  readonly checksOf: (hash: string) => StoredChecks | undefined;
}

/** Called with each case line in turn. Only its place in the file is kept. */
export type VisitCase = (row: BaselineCase, index: number, suite: string) => void;

/** Undefined if there is no such file. `shown` is how problems name it. Throws one `UserError` with every bad line. */
export function readBaseline(path: string, shown: string, visit: VisitCase): ScannedBaseline | undefined {
  try {
    const source = openSource(path);
    return source === undefined ? undefined : scanBaseline(source, shown, visit);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const message = `The baseline ${shown} can't be read (${code}).`;
    throw new UserError({ code: 'record', message }, { cause: error });
  }
}

/** Reads a baseline from the text of its file. */
export function parseBaseline(text: string, shown: string, visit: VisitCase): ScannedBaseline {
  return scanBaseline(sourceOfBytes(Buffer.from(text)), shown, visit);
}

const maxProblems = 20;
const conflictMarker = /^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)/;

/** The place of a case in its file. */
interface CasePlace {
  readonly offset: number;
  readonly length: number;
  readonly line: number;
}

function scanBaseline(source: BaselineSource, file: string, visit: VisitCase): ScannedBaseline {
  const places: CasePlace[] = [];
  const readCase = (index: number, key?: CaseKey): BaselineCase => {
    const place = places[index];
    if (place === undefined) throw new RangeError(`case ${index} of ${places.length}`);
    const row = readPlace(source, place);
    if (row !== undefined && (key === undefined || isOf(row, key))) return row;
    const message = `The baseline ${file} was changed while it was being read: line ${place.line} is not what it was.`;
    throw new UserError([problemAt(file, place.line, message, 'run the command again')]);
  };
  const variants: BaselineVariant[] = [];
  const problems: Problem[] = [];
  const lineOfVariant = new Map<string, number>();
  const lineOfCase = new Map<string, number>();
  const usedVariants = new Set<string>();
  const checks = new Map<string, StoredChecks>();
  let suite: string | undefined;
  let pin: Pin | undefined;
  for (const found of splitLines(source.read)) {
    const [line, text] = [found.number, textOf(found)];
    if (text.trim() === '') continue;
    // After a conflict marker most other lines are wrong too, so only the conflict is reported.
    if (conflictMarker.test(text)) throw new UserError([conflictProblem(file, line)]);
    if (suite === undefined) {
      ({ suite, pin } = parseHeader(text, file, line));
      continue;
    }
    const row = parseRow(text);
    if (typeof row === 'string') problems.push(damageProblem(file, line, row));
    else if (row.type === 'checks') checks.set(row.hash, row);
    else if (row.type === 'variant') {
      const earlier = lineOfVariant.get(variantKey(row));
      if (earlier !== undefined) problems.push(duplicateProblem(file, line, row, earlier));
      else {
        lineOfVariant.set(variantKey(row), line);
        variants.push(row);
      }
    } else {
      const key = caseKey(row);
      const earlier = lineOfCase.get(key);
      if (earlier !== undefined) problems.push(duplicateProblem(file, line, row, earlier));
      else {
        lineOfCase.set(key, line);
        usedVariants.add(variantKey(row));
        visit(row, places.length, suite);
        places.push({ offset: found.offset, length: found.bytes.length, line });
      }
    }
    if (problems.length === maxProblems) throw new UserError(problems);
  }
  if (suite === undefined) throw new UserError([notABaseline(file, 1, 'it is empty')]);
  const hasOrphan = [...usedVariants].some((key) => !lineOfVariant.has(key));
  for (const [index, { line }] of hasOrphan ? places.entries() : []) {
    const row = readCase(index);
    if (!lineOfVariant.has(variantKey(row))) problems.push(orphanProblem(file, line, row));
    if (problems.length === maxProblems) break;
  }
  if (problems.length > 0) throw new UserError(problems);
  return { suite, variants, readCase, checksOf: (hash) => checks.get(hash), ...defined({ pin }) };
}

/** Reads the parsed lines of a baseline, its header among them. `read` reads a line again by its index. */
export function scanLines(
  lines: Iterable<unknown>,
  read: (index: number) => unknown,
  shown: string,
  visit: VisitCase,
): ScannedBaseline {
  const variants: BaselineVariant[] = [];
  const checks = new Map<string, StoredChecks>();
  const places: number[] = [];
  let suite: string | undefined;
  let pin: Pin | undefined;
  let index = 0;
  for (const line of lines) {
    if (suite === undefined) ({ suite, pin } = checkHeader(line, shown, 1));
    else {
      const row = checkRow(line);
      if (typeof row === 'string') throw new UserError([damageProblem(shown, index + 1, row)]);
      if (row.type === 'checks') checks.set(row.hash, row);
      else if (row.type === 'variant') variants.push(row);
      else {
        visit(row, places.length, suite);
        places.push(index);
      }
    }
    index += 1;
  }
  if (suite === undefined) throw new UserError([notABaseline(shown, 1, 'it is empty')]);
  return {
    suite,
    variants,
    checksOf: (hash) => checks.get(hash),
    readCase(caseIndex, key) {
      const row = checkRow(read(places[caseIndex] ?? -1));
      if (typeof row !== 'string' && row.type === 'case' && isOf(row, key)) return row;
      throw new UserError([damageProblem(shown, caseIndex + 1, 'it was changed while it was being read')]);
    },
    ...defined({ pin }),
  };
}

/** Without the byte order mark that some editors put before the first line. */
function textOf({ bytes, number }: ByteLine): string {
  const text = bytes.toString('utf8');
  return number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Undefined if the file was changed. */
function readPlace(source: BaselineSource, { offset, length }: CasePlace): BaselineCase | undefined {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = source.read(bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  if (source.isChanged()) return undefined;
  const row = parseRow(bytes.toString('utf8', 0, read));
  return typeof row !== 'string' && row.type === 'case' ? row : undefined;
}

function isOf(row: BaselineCase, { caseId, prompt, provider }: CaseKey): boolean {
  return row.caseId === caseId && row.prompt === prompt && row.provider === provider;
}

function parseHeader(text: string, file: string, line: number): { suite: string; pin?: Pin } {
  const parsed = parseJson(text);
  return checkHeader(parsed.ok ? parsed.value : undefined, file, line, text);
}

function checkHeader(value: unknown, file: string, line: number, text = ''): { suite: string; pin?: Pin } {
  const header = isJsonObject(value) ? value : {};
  if (header['type'] !== 'baseline' || header['format'] === undefined) {
    throw new UserError([notABaseline(file, line, `it begins with ${quote(text.trim(), 60)}`)]);
  }
  if (header['format'] !== baselineFormat && header['format'] !== oldestBaselineFormat) {
    const message = `The baseline ${file} has format ${JSON.stringify(header['format'])}; this version reads format ${oldestBaselineFormat} and ${baselineFormat}.`;
    const hint = `use the version of llmcheck that wrote it, or ${startOver}`;
    throw new UserError([problemAt(file, line, message, hint)]);
  }
  const parsed = baselineHeaderSchema.safeParse(header);
  if (parsed.success) return parsed.data;
  const isOfPin = parsed.error.issues[0]?.path[0] === 'pin';
  const reason = isOfPin ? 'its header does not say until when its runs were pinned' : 'its header names no suite';
  throw new UserError([notABaseline(file, line, reason)]);
}

/** A row, or the reason why the line is not a row. */
function parseRow(text: string): BaselineRow | string {
  const parsed = parseJson(text);
  return parsed.ok ? checkRow(parsed.value) : `it is not JSON: ${parsed.reason}`;
}

function caseKey({ caseId, prompt, provider }: CaseKey): string {
  return JSON.stringify([caseId, prompt, provider]);
}

/** The next step for an unreadable file, which neither a run nor `baseline accept` skips. */
const startOver = 'remove it, run the suite and accept again';

function problemAt(file: string, line: number, message: string, hint: string): Problem {
  return { code: 'record', severity: 'error', message, hint, at: { file, line, column: 1 } };
}

function notABaseline(file: string, line: number, found: string): Problem {
  // Another file was named by mistake: the hint must not tell the user to remove it.
  const hint = /\.(?:baseline|reference)\.jsonl$/.test(file)
    ? `restore the file from git, or ${startOver}`
    : 'name a file that `llmcheck baseline accept` wrote, such as evals/triage.baseline.jsonl, or a stored run';
  return problemAt(file, line, `${file} is no baseline: ${found}.`, hint);
}

function conflictProblem(file: string, line: number): Problem {
  const hint = 'take either side whole, run the suite and accept again: a merge of two baselines was never measured';
  return problemAt(file, line, `The baseline ${file} holds an unresolved merge conflict at line ${line}.`, hint);
}

function damageProblem(file: string, line: number, found: string): Problem {
  const hint = `restore the file from git, or ${startOver}`;
  return problemAt(file, line, `Line ${line} of the baseline ${file} is damaged: ${found}.`, hint);
}

function duplicateProblem(file: string, line: number, row: BaselineVariant | BaselineCase, earlier: number): Problem {
  const name = row.type === 'case' ? `the case ${quote(row.caseId)} of ${nameVariant(row)}` : nameVariant(row);
  return damageProblem(file, line, `line ${earlier} holds ${name} already`);
}

function orphanProblem(file: string, line: number, row: BaselineCase): Problem {
  return damageProblem(file, line, `no line says what ${nameVariant(row)} was`);
}

function nameVariant({ prompt, provider }: VariantKey): string {
  return `${quote(prompt)} on ${quote(provider)}`;
}

/** Bytes that can be read again at their positions. */
interface BaselineSource {
  readonly read: ReadBytes;
  /** True if the file was changed since it was opened. */
  isChanged(): boolean;
}

function sourceOfBytes(bytes: Buffer): BaselineSource {
  return {
    read: (buffer, start, length, position) => bytes.copy(buffer, start, position, position + length),
    isChanged: () => false,
  };
}

/** Undefined if there is no such file. Throws system errors. */
function openSource(path: string): BaselineSource | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    // A pipe has size 0, and can't be read at a position.
    if (size <= maxKeptBytes) return sourceOfBytes(readFileSync(fd));
    const source = sourceOfFile(fd);
    fd = undefined;
    return source;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Files up to this size are kept in memory. */
const maxKeptBytes = 1 << 18;

/** Closes files whose sources are no longer used. Node allows as many open files as the system's hard limit. */
const unused = new FinalizationRegistry<number>(closeSync);

/** Keeps the file open, so that its answers can be read even after another file has replaced it. */
function sourceOfFile(fd: number): BaselineSource {
  const opened = sizeAndTimeOf(fd);
  const source: BaselineSource = {
    read: (buffer, start, length, position) => readSync(fd, buffer, start, length, position),
    isChanged: () => sizeAndTimeOf(fd) !== opened,
  };
  unused.register(source, fd);
  return source;
}

function sizeAndTimeOf(fd: number): string {
  const { size, mtimeMs } = fstatSync(fd);
  return `${size} ${mtimeMs}`;
}

import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type ByteLine, type ReadBytes, splitLines } from '../files/split-lines.ts';
import { systemErrorCode } from '../files/write-files.ts';
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
import { checkRow } from './validate-rows.ts';

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
    return source === undefined ? undefined : scanBaseline(linesOfSource(source, shown), shown, visit);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const message = `The baseline ${shown} can't be read (${code}).`;
    throw new UserError({ code: 'record', message }, { cause: error });
  }
}

/** Reads a baseline from the text of its file. */
export function parseBaseline(text: string, shown: string, visit: VisitCase): ScannedBaseline {
  return scanBaseline(linesOfSource(sourceOfBytes(Buffer.from(text)), shown), shown, visit);
}

/** A line of a baseline. */
export interface BaselineLine {
  /** 1-based. */
  readonly line: number;
  readonly value: unknown;
  /** Why the text of the line is no value. */
  readonly broken?: string;
  /** The value as it is now; undefined if it is not there any more. */
  readonly readAgain: () => unknown;
}

const maxProblems = 20;

/** Reads the lines of a baseline once. Its cases are read again when they are needed. */
export function scanBaseline(lines: Iterable<BaselineLine>, file: string, visit: VisitCase): ScannedBaseline {
  const cases: Pick<BaselineLine, 'line' | 'readAgain'>[] = [];
  const readCase = (index: number, key?: CaseKey): BaselineCase => {
    const found = cases[index];
    if (found === undefined) throw new RangeError(`case ${index} of ${cases.length}`);
    const row = checkRow(found.readAgain());
    if (typeof row !== 'string' && row.type === 'case' && (key === undefined || isOf(row, key))) return row;
    const message = `The baseline ${file} was changed while it was being read: line ${found.line} is not what it was.`;
    throw new UserError([problemAt(file, found.line, message, 'run the command again')]);
  };
  const variants = new Map<string, BaselineVariant>();
  const problems: Problem[] = [];
  const lineOf = new Map<string, number>();
  const usedVariants = new Set<string>();
  const checks = new Map<string, StoredChecks>();
  let header: { suite: string; pin?: Pin } | undefined;
  for (const { line, value, broken, readAgain } of lines) {
    if (header === undefined) {
      header = checkHeader(value, file, line);
      continue;
    }
    const row = broken === undefined ? checkRow(value) : `it is not JSON: ${broken}`;
    if (typeof row === 'string') problems.push(damageProblem(file, line, row));
    else if (row.type === 'checks') checks.set(row.hash, row);
    else {
      const key = JSON.stringify([row.prompt, row.provider, row.type === 'case' ? row.caseId : '']);
      const earlier = lineOf.get(key);
      if (earlier !== undefined) problems.push(duplicateProblem(file, line, row, earlier));
      else {
        lineOf.set(key, line);
        if (row.type === 'variant') variants.set(variantKey(row), row);
        else {
          usedVariants.add(variantKey(row));
          visit(row, cases.length, header.suite);
          cases.push({ line, readAgain });
        }
      }
    }
    if (problems.length === maxProblems) throw new UserError(problems);
  }
  if (header === undefined) throw new UserError([notABaseline(file, 1, 'it is empty')]);
  const hasOrphan = [...usedVariants].some((key) => !variants.has(key));
  for (const [index, { line }] of hasOrphan ? cases.entries() : []) {
    const row = readCase(index);
    if (!variants.has(variantKey(row))) problems.push(orphanProblem(file, line, row));
    if (problems.length === maxProblems) break;
  }
  if (problems.length > 0) throw new UserError(problems);
  return { ...header, variants: [...variants.values()], readCase, checksOf: (hash) => checks.get(hash) };
}

const conflictMarker = /^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)/;

function* linesOfSource(source: BaselineSource, file: string): Generator<BaselineLine> {
  let isFirst = true;
  for (const found of splitLines(source.read)) {
    const [line, text] = [found.number, textOf(found)];
    if (text.trim() === '') continue;
    // After a conflict marker most other lines are wrong too, so only the conflict is reported.
    if (conflictMarker.test(text)) throw new UserError([conflictProblem(file, line)]);
    const parsed = parseJson(text);
    if (isFirst && !parsed.ok) throw new UserError([notABaseline(file, line, beginning(text))]);
    isFirst = false;
    const [offset, length] = [found.offset, found.bytes.length];
    yield {
      line,
      ...(parsed.ok ? { value: parsed.value } : { value: undefined, broken: parsed.reason }),
      readAgain: () => readAgain(source, offset, length),
    };
  }
}

function beginning(text: string): string {
  return `it begins with ${quote(text.trim(), 60)}`;
}

/** Without the byte order mark that some editors put before the first line. */
function textOf({ bytes, number }: ByteLine): string {
  const text = bytes.toString('utf8');
  return number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Undefined if the file was changed. */
function readAgain(source: BaselineSource, offset: number, length: number): unknown {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = source.read(bytes, read, length - read, offset + read);
    if (count === 0) break;
    read += count;
  }
  const parsed = source.isChanged() ? undefined : parseJson(bytes.toString('utf8', 0, read));
  return parsed?.ok === true ? parsed.value : undefined;
}

function isOf(row: BaselineCase, { caseId, prompt, provider }: CaseKey): boolean {
  return row.caseId === caseId && row.prompt === prompt && row.provider === provider;
}

function checkHeader(value: unknown, file: string, line: number): { suite: string; pin?: Pin } {
  const header = isJsonObject(value) ? value : {};
  if (header['type'] !== 'baseline' || header['format'] === undefined) {
    throw new UserError([notABaseline(file, line, beginning(JSON.stringify(value)))]);
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

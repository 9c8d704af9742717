import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { parseJson } from '../lib/parse-json.ts';
import { quote } from '../lib/quote.ts';
import { escapeJsonText } from '../lib/sanitize.ts';
import { bytesOf } from '../lib/split-lines.ts';
import { systemErrorCode, withStorageErrors } from '../lib/storage-error.ts';
import type { Baseline, BaselineCase, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import { baselineFormat } from '../model/baseline.ts';
import { isJsonObject } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { describeRowFault, isBaselineCase, isBaselineVariant } from './baseline-guards.ts';
import { readLines } from './read-lines.ts';

/** The file's lines with their line breaks. Equal baselines give equal bytes, whatever order their rows come in. */
export function* renderBaseline({ suite, variants, cases }: Baseline): Generator<string> {
  yield renderLine([
    ['type', 'baseline'],
    ['format', baselineFormat],
    ['suite', suite],
  ]);
  for (const row of sortBy(variants, (row) => [row.prompt, row.provider])) yield renderVariant(row);
  for (const row of sortBy(cases, (row) => [row.caseId, row.prompt, row.provider])) yield renderCase(row);
}

/** The inverse of `renderBaseline`. Every line that can't be used is a problem of one UserError. */
export function parseBaseline(source: string | Iterable<string>, file: string): Baseline {
  const [variants, cases, problems]: [BaselineVariant[], BaselineCase[], Problem[]] = [[], [], []];
  const lineOfKey = new Map<string, number>();
  let suite: string | undefined;
  let line = 0;
  for (const raw of typeof source === 'string' ? source.split('\n') : source) {
    line += 1;
    const text = line === 1 && raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
    if (text.trim() === '') continue;
    // A conflict makes most of what follows it wrong too, and none of that is worth a word.
    if (conflictMarker.test(text)) throw new UserError([conflictProblem(file, line)]);
    if (suite === undefined) {
      suite = parseHeader(text, file, line);
      continue;
    }
    const row = parseRow(text);
    const earlier = typeof row === 'string' ? undefined : lineOfKey.get(keyText(row));
    if (typeof row === 'string') problems.push(damageProblem(file, line, row));
    else if (earlier !== undefined) problems.push(duplicateProblem(file, line, row, earlier));
    else {
      lineOfKey.set(keyText(row), line);
      if (row.type === 'case') cases.push(row);
      else variants.push(row);
    }
    if (problems.length === maxProblems) throw new UserError(problems);
  }
  if (suite === undefined) throw new UserError([notABaseline(file, 1, 'it is empty')]);
  for (const row of cases) {
    if (lineOfKey.has(variantKey(row))) continue;
    problems.push(orphanProblem(file, lineOfKey.get(keyText(row)) ?? 1, row));
    if (problems.length === maxProblems) break;
  }
  if (problems.length > 0) throw new UserError(problems);
  return { suite, variants, cases };
}

/** Undefined where there is no such file; `shown` is how problems name it. */
export function readBaseline(path: string, shown = path): Baseline | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    return parseBaseline(textLines(fd), shown);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT') return undefined;
    const message = `The baseline ${shown} can't be read (${code}).`;
    throw new UserError([{ code: 'record', severity: 'error', message }], { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** False where the file holds these bytes already. A kill leaves the old file or the new one; a full disk is a `StorageError`. */
export function writeBaseline(path: string, baseline: Baseline): boolean {
  return withStorageErrors('Writing', path, () => {
    if (holdsBytes(path, byteBlocks(renderBaseline(baseline)))) return false;
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      writeWhole(temporary, byteBlocks(renderBaseline(baseline)));
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    return true;
  });
}

const maxProblems = 20;
const blockChars = 1 << 16;
const conflictMarker = /^(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)/;

function renderVariant(row: BaselineVariant): string {
  return renderLine([
    ['type', 'variant'],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['adapter', row.adapter],
    ['model', row.model],
    ['baseUrl', row.baseUrl],
    ['replaces', row.replaces],
    ['params', row.params],
    ['messages', row.messages],
    ['contract', row.contract],
    ['models', row.models.toSorted()],
  ]);
}

function renderCase(row: BaselineCase): string {
  return renderLine([
    ['type', 'case'],
    ['caseId', row.caseId],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['stamp', row.stamp],
    ['mustPass', row.mustPass],
    ['trials', sortTrials(row.trials)],
    ['confirmations', row.confirmations === undefined ? undefined : sortTrials(row.confirmations)],
  ]);
}

/** The line's own keys stand as a reader wants them, those within in canonical order. Answers can't act on a terminal that shows a diff. */
function renderLine(members: readonly (readonly [string, unknown])[]): string {
  const texts = members.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${canonicalJson(value)}`]));
  return `${escapeJsonText(`{${texts.join(',')}}`)}\n`;
}

function sortTrials(trials: readonly BaselineTrial[]): BaselineTrial[] {
  return trials.toSorted((a, b) => a.trial - b.trial);
}

/** By code units: the same on every machine, which no locale's order is. */
function sortBy<Row>(rows: readonly Row[], keyOf: (row: Row) => readonly string[]): Row[] {
  return rows.toSorted((a, b) => {
    const other = keyOf(b);
    for (const [index, part] of keyOf(a).entries()) {
      const against = other[index] ?? '';
      if (part !== against) return part < against ? -1 : 1;
    }
    return 0;
  });
}

function parseHeader(text: string, file: string, line: number): string {
  const parsed = parseJson(text);
  const header = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
  if (header['type'] !== 'baseline' || header['format'] === undefined) {
    throw new UserError([notABaseline(file, line, `it begins with ${quote(text.trim(), 60)}`)]);
  }
  if (header['format'] !== baselineFormat) {
    const message = `The baseline ${file} has format ${JSON.stringify(header['format'])}; this version reads format ${baselineFormat}.`;
    const hint = 'use the version of llmcheck that wrote it, or accept a run again with this one';
    throw new UserError([{ code: 'record', severity: 'error', message, hint, at: { file, line, column: 1 } }]);
  }
  const { suite } = header;
  if (typeof suite !== 'string') throw new UserError([notABaseline(file, line, 'its header names no suite')]);
  return suite;
}

/** A row, or in words why the line is none. */
function parseRow(text: string): BaselineVariant | BaselineCase | string {
  const parsed = parseJson(text);
  if (!parsed.ok) return `it is no JSON: ${parsed.reason}`;
  const row: unknown = parsed.value;
  if (isBaselineCase(row)) return hasRepeatedTrial(row) ? 'it holds a trial twice' : row;
  return isBaselineVariant(row) ? row : describeRowFault(row);
}

function hasRepeatedTrial({ trials, confirmations = [] }: BaselineCase): boolean {
  const indices = new Set([...trials, ...confirmations].map(({ trial }) => trial));
  return indices.size !== trials.length + confirmations.length;
}

function keyText(row: BaselineVariant | BaselineCase): string {
  return row.type === 'case' ? JSON.stringify([row.caseId, row.prompt, row.provider]) : variantKey(row);
}

function variantKey({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([prompt, provider]);
}

function notABaseline(file: string, line: number, found: string): Problem {
  const hint = 'a baseline is made by `llmcheck baseline accept`';
  const message = `${file} is no baseline: ${found}.`;
  return { code: 'record', severity: 'error', message, hint, at: { file, line, column: 1 } };
}

function conflictProblem(file: string, line: number): Problem {
  const hint = 'take either side whole, run the suite and accept again: a merge of two baselines was never measured';
  const message = `The baseline ${file} holds an unresolved merge conflict at line ${line}.`;
  return { code: 'record', severity: 'error', message, hint, at: { file, line, column: 1 } };
}

function damageProblem(file: string, line: number, found: string): Problem {
  const hint = 'restore the file from git, or run the suite and accept again';
  const message = `Line ${line} of the baseline ${file} is damaged: ${found}.`;
  return { code: 'record', severity: 'error', message, hint, at: { file, line, column: 1 } };
}

function duplicateProblem(file: string, line: number, row: BaselineVariant | BaselineCase, earlier: number): Problem {
  const name = row.type === 'case' ? `the case ${quote(row.caseId)} of ${nameVariant(row)}` : nameVariant(row);
  return damageProblem(file, line, `line ${earlier} holds ${name} already`);
}

function orphanProblem(file: string, line: number, row: BaselineCase): Problem {
  return damageProblem(file, line, `no line says what ${nameVariant(row)} was`);
}

function nameVariant({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return `${quote(prompt)} on ${quote(provider)}`;
}

function* textLines(fd: number): Generator<string> {
  for (const line of readLines(fd)) yield bytesOf(line).toString('utf8');
}

/** Lines joined to blocks, since a system call a line would take most of the time. */
function* byteBlocks(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < blockChars) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function holdsBytes(path: string, blocks: Iterable<Buffer>): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    for (const block of blocks) if (!readUpTo(fd, block.length).equals(block)) return false;
    return readUpTo(fd, 1).length === 0;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readUpTo(fd: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, null);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

function writeWhole(path: string, blocks: Iterable<Buffer>): void {
  const fd = openSync(path, 'wx');
  try {
    for (const block of blocks) {
      for (let written = 0; written < block.length; ) written += writeSync(fd, block, written);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { systemErrorCode } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { parseJson } from '../json/parse-json.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Completion } from '../model/run/completion.ts';
import { quote } from '../text/shorten.ts';
import { didYouMean, findNearest } from '../text/words/did-you-mean.ts';
import { completionKeys, writtenCompletionSchema } from './cache-entry.ts';

/** Grows when a line gains or changes meaning. */
const recordingFormat = 2;
/** Its hashes forgot the order of params, so they can't tell which request was answered. */
const formatOfOrderlessHashes = 1;

/** A committed answer. A conversation has several lines of one cell, in the order of its turns. */
export interface RecordingLine {
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly trial: number;
  /** The `recordingHash` of the request. Undefined in a line written by hand, until `cache import` fills it. */
  readonly requestHash?: string;
  readonly completion: Completion;
}

export interface Recordings {
  /** The file as messages name it. */
  readonly file: string;
  readonly lines: readonly NumberedRecording[];
  /** Set if there is no such file. */
  readonly isMissing?: true;
}

export interface NumberedRecording extends RecordingLine {
  /** 1-based, in the file. */
  readonly lineNumber: number;
}

/** Reads a recordings file; one that is not there holds nothing, and every cell will say how to record it. */
export function readRecordings(path: string, file: string = path): Recordings {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return { file, lines: [], isMissing: true };
    if (code === undefined) throw error;
    const message = `The recordings in ${file} can't be read (${code}).`;
    throw new UserError({ code: 'file-unreadable', message }, { cause: error });
  }
  return parseRecordings(text, file);
}

/** Throws every problem of the file at once. */
export function parseRecordings(text: string, file: string): Recordings {
  const lines: NumberedRecording[] = [];
  const answers = new Map<string, NumberedRecording>();
  const problems: Problem[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '') continue;
    const lineNumber = index + 1;
    const parsed = parseLine(line);
    if (parsed.ok) {
      const numbered = { ...parsed.line, lineNumber };
      const other = findOtherAnswer(numbered, answers);
      if (other !== undefined) problems.push(otherAnswerProblem(numbered, other, file));
      lines.push(numbered);
    } else for (const fault of parsed.faults) problems.push(lineProblem(fault, { file, line: lineNumber, text: line }));
  }
  if (problems.length > 0) throw new UserError(problems);
  return { file, lines };
}

/** Names the request that a line answers, as far as it is known. */
export function recordedRequestKey(line: RecordingLine): string {
  return `${line.requestHash ?? ''} ${recordedCellKey(line)}`;
}

/** An earlier line that answers the same request otherwise: nothing says which of them holds. */
function findOtherAnswer(
  line: NumberedRecording,
  answers: Map<string, NumberedRecording>,
): NumberedRecording | undefined {
  // Lines of a conversation that were written by hand differ only by their order.
  if (line.requestHash === undefined) return undefined;
  const key = recordedRequestKey(line);
  const earlier = answers.get(key);
  if (earlier === undefined) answers.set(key, line);
  const isSame = earlier === undefined || canonicalJson(earlier.completion) === canonicalJson(line.completion);
  return isSame ? undefined : earlier;
}

function otherAnswerProblem(line: NumberedRecording, other: NumberedRecording, file: string): Problem {
  const { prompt, provider, caseId, trial, lineNumber } = line;
  const cell = `prompt ${quote(prompt)}, provider ${quote(provider)}, case ${quote(caseId)}, trial ${trial}`;
  return {
    code: 'recording',
    severity: 'error',
    message: `Lines ${other.lineNumber} and ${lineNumber} of ${file} answer one request differently: ${cell}.`,
    hint: `remove the wrong one, ${file}:${other.lineNumber} or ${file}:${lineNumber}`,
    at: { file, line: lineNumber, column: 1 },
  };
}

/** One line of the file, without its line break; equal lines give equal bytes. */
export function renderRecording({ prompt, provider, caseId, trial, requestHash, completion }: RecordingLine): string {
  const names = JSON.stringify({ format: recordingFormat, prompt, provider, caseId, trial, requestHash });
  return `${names.slice(0, -1)},"completion":${canonicalJson(completion)}}`;
}

/** Names the cell that a line or a request belongs to. */
export function recordedCellKey({ prompt, provider, caseId, trial }: Omit<RecordingLine, 'completion'>): string {
  return JSON.stringify([prompt, provider, caseId, trial]);
}

const id = z.string().min(1);

const lineSchema = z.strictObject({
  format: z.number().optional(),
  prompt: id,
  provider: id,
  caseId: id,
  trial: z.int().nonnegative().default(0),
  requestHash: z.string().min(1).exactOptional(),
  completion: writtenCompletionSchema,
});

type ParsedLine =
  | { readonly ok: true; readonly line: RecordingLine }
  | { readonly ok: false; readonly faults: readonly LineFault[] };

function parseLine(text: string): ParsedLine {
  const json = parseJson(text);
  if (!json.ok) return { ok: false, faults: [{ message: `not JSON: ${json.reason}` }] };
  const parsed = lineSchema.safeParse(json.value);
  if (!parsed.success) {
    // Parses again to report the found values, which is too slow for valid lines.
    const { error } = lineSchema.safeParse(json.value, { reportInput: true });
    return { ok: false, faults: describeLineIssues(error?.issues ?? [], keysAt) };
  }
  const { format = recordingFormat, ...line } = parsed.data;
  if (format === recordingFormat) return { ok: true, line };
  if (format === formatOfOrderlessHashes) {
    const { requestHash: _, ...unfilled } = line;
    return { ok: true, line: unfilled };
  }
  const message = `format ${format} is unknown; this version reads format ${recordingFormat}`;
  return { ok: false, faults: [{ message, sought: '"format"' }] };
}

function keysAt(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(lineSchema.shape);
  return path.length === 1 && path[0] === 'completion' ? completionKeys : [];
}

/** A mistake in a line of a recordings file, with the key or word that it concerns. */
interface LineFault {
  readonly message: string;
  readonly hint?: string;
  /** The characters to look for in the line, as JSON; without them the fault is placed at its start. */
  readonly sought?: string;
}

const example = 'a line is {"prompt": …, "provider": …, "caseId": …, "completion": {"text": …}}';

/** Every mistake in a line that is JSON; a key that is missing because it is mistyped is one. */
function describeLineIssues(
  issues: readonly z.core.$ZodIssue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): readonly LineFault[] {
  const strange = issues.filter((issue) => issue.code === 'unrecognized_keys');
  const meant = new Set(
    strange.flatMap(({ keys, path }) => keys.map((key) => [...path, findNearest(key, keysAt(path))].join('.'))),
  );
  const isStrange = (name: string) => strange.some(({ path }) => path.join('.') === name);
  return issues.flatMap((issue): readonly LineFault[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(issue.path);
      return issue.keys.map((key) => ({
        message: `unknown key "${key}"`,
        hint: hintOfKey(key, known, issue.path.length === 0 ? keysAt(['completion']) : []),
        sought: JSON.stringify(key),
      }));
    }
    const name = issue.path.join('.');
    const key = issue.path.findLast((step) => typeof step === 'string');
    // The unknown key may be a misspelling of a missing one.
    if (issue.code === 'custom' && isStrange(name)) return [];
    if (issue.code === 'custom') return [{ message: `${name || 'it'} ${issue.message}`, ...soughtOf(key) }];
    if (name === '') return [{ message: 'it is not a map of keys' }];
    if (issue.input === undefined) return meant.has(name) ? [] : [{ message: `"${name}" is missing` }];
    return [describeValueIssue(name, issue, soughtOf(key))];
  });
}

function hintOfKey(key: string, known: readonly string[], within: readonly string[]): string {
  if (within.includes(key)) return `it belongs inside: "completion": {"${key}": …}`;
  return didYouMean(key, known) ?? (known.length === 0 ? 'leave it out' : `known here: ${known.join(', ')}`);
}

function soughtOf(key: string | undefined): { readonly sought?: string } {
  return key === undefined ? {} : { sought: JSON.stringify(key) };
}

function describeValueIssue(name: string, issue: z.core.$ZodIssue, sought: { readonly sought?: string }): LineFault {
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String);
    const hint = typeof issue.input === 'string' ? didYouMean(issue.input, words) : undefined;
    const message = `"${name}" must be ${words.length === 1 ? '' : 'one of '}${words.join(', ')}`;
    return hint === undefined ? { message, ...sought } : { message, hint, ...sought };
  }
  if (issue.code === 'invalid_type') return { message: `"${name}" must be ${nounOf(issue.expected)}`, ...sought };
  if (issue.code === 'too_small')
    return {
      message: issue.origin === 'string' ? `"${name}" is empty` : `"${name}" must be ${String(issue.minimum)} or more`,
      ...sought,
    };
  return { message: `"${name}" has a value that is not known`, ...sought };
}

function nounOf(expected: string): string {
  if (expected === 'string') return 'a text';
  if (expected === 'int') return 'a whole number';
  if (expected === 'array') return 'a list';
  return expected === 'object' ? 'a map' : `a ${expected}`;
}

/** The fault as a problem at its place, with the line as its frame. */
function lineProblem(fault: LineFault, place: { file: string; line: number; text: string }): Problem {
  const { file, line, text } = place;
  const found = fault.sought === undefined ? -1 : text.indexOf(fault.sought);
  return {
    code: 'recording',
    severity: 'error',
    message: `This line is not a recorded answer: ${fault.message}.`,
    hint: fault.hint ?? example,
    at: { file, line, column: found + (found === -1 ? 2 : 1), excerpt: { startLine: line, lines: [text.trimEnd()] } },
  };
}

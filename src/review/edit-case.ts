import { extname, relative, resolve } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { readOrUndefined, replaceFile } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import { deepEqual, isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { parseJson } from '../json/parse-json.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import { type SourceLocation, UserError } from '../model/problem.ts';
import type { Case, Project } from '../model/suite/suite.ts';
import { indexCells } from '../plan/find-cells.ts';
import { planRun } from '../plan/plan-run.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { type LoadOptions, loadProject } from '../project/load-project.ts';
import { bytesOfText, openProjectFiles } from '../suite/files/project-files.ts';
import { findProject, kindOfPath } from '../suite/files/project-place.ts';
import { isTemplate } from '../templates/template.ts';
import { editYamlMap, readYamlMap } from '../text/yaml/replace-values.ts';
import { type AnswerChange, isPromotable } from './review-changes.ts';

/**
 * What the reviewer says of an observed case:
 * - `expected`: the answer of this run is right, and becomes the expected one.
 * - `recorded`: the answer in `expected` is right.
 * - `wrong`: the answer in `expected` is wrong, so that a check must fail it.
 */
export type Promotion = 'expected' | 'recorded' | 'wrong';

/**
 * Takes a case out of observe, so that it counts. The file is written only if the case's checks pass the right answer,
 * or fail the wrong one.
 */
export function promoteCase(found: AnswerChange, promotion: Promotion, context: AcceptContext): Promise<Accepted> {
  return editCase(found, context, (change, text) => promote(change, text, promotion, context));
}

async function promote(
  change: AnswerChange,
  before: string,
  promotion: Promotion,
  context: AcceptContext,
): Promise<Edited> {
  const { testCase } = change;
  if (!isPromotable(testCase)) return { refused: 'the case is not under observe with an answer in "expected"' };
  const kind = extname(testCase.at.file).toLowerCase();
  if (kind === '.csv')
    return { refused: 'a row of CSV has no column for checks: take "observe" out of its file, and add "assert" there' };
  const answer = promotion === 'expected' ? readAnswer(change) : { value: testCase.expected };
  if ('refused' in answer) return answer;
  const isWrong = promotion === 'wrong';
  if (isWrong && (typeof answer.value !== 'string' || isTemplate(answer.value)))
    return { refused: 'the answer holds braces of templates or is no text: write the check by hand' };
  const isLine = kind === '.jsonl' || kind === '.ndjson';
  const edited = (isLine ? judgeLine : judgeMap)(before, testCase, answer.value, isWrong);
  if ('refused' in edited) return edited;
  const shown = typeof answer.value === 'string' ? answer.value : (writeJson(answer.value) ?? '');
  const judged = await judgeEdited(change, edited.text, context, shown);
  if ('fault' in judged) return { refused: judged.fault };
  if (promotion === 'wrong')
    return judged.failing === undefined ? { refused: 'no check of the case catches the answer' } : edited;
  return judged.failing === undefined ? edited : { refused: `the answer does not pass: ${judged.failing}` };
}

/** The run's answer, of the kind that the case has. */
function readAnswer({ row, testCase }: AnswerChange): { readonly value: unknown } | { readonly refused: string } {
  const text = row.output?.trim() ?? '';
  if (text === '' || (row.toolCalls?.length ?? 0) > 0) return { refused: 'the answer is not only text' };
  if (typeof testCase.expected === 'string') return { value: text };
  const parsed = parseJson(text);
  return parsed.ok ? { value: parsed.value } : { refused: 'the answer is no JSON, as "expected" is' };
}

/** Takes the case on its line of JSONL out of observe. Other lines keep their bytes. */
function judgeLine(text: string, { at, checks }: Case, answer: unknown, isWrong: boolean): Edited {
  const lines = text.split('\n');
  const parsed = parseJson(lines[at.line - 1] ?? '');
  if (!parsed.ok || !isRecord(parsed.value)) return { refused: 'the line of the case is no JSON object' };
  const { observe, expected: _expected, assert: own, ...rest } = parsed.value;
  const assert = judgeBy(own, { checks, answer, isWrong });
  const row = {
    ...rest,
    ...defined({
      // The file's settings may put every case under observe.
      observe: observe === undefined ? false : undefined,
      expected: isWrong ? undefined : answer,
      assert: assert.length === 0 ? undefined : assert,
    }),
  };
  lines[at.line - 1] = writeJson(row) ?? '';
  return { text: lines.join('\n') };
}

/** Takes a case in YAML or JSON out of observe. No other byte of the file changes. */
function judgeMap(text: string, { at, checks }: Case, answer: unknown, isWrong: boolean): Edited {
  const offset = offsetOf(text, at);
  const own = readYamlMap(text, offset);
  if ('fault' in own) return { refused: `the case ${own.fault}` };
  const { observe, expected, assert: given } = own.value;
  const assert = judgeBy(given, { checks, answer, isWrong });
  const isSame = Array.isArray(given) && assert.length === given.length;
  const edited = editYamlMap(text, offset, {
    ...defined({ assert: isSame || assert.length === 0 ? undefined : assert }),
    // The file's settings may put every case under observe.
    observe: observe === undefined ? false : undefined,
    ...(!isWrong && deepEqual(expected, answer) ? {} : { expected: isWrong ? undefined : answer }),
  });
  return 'fault' in edited ? { refused: `the case ${edited.fault}` } : edited;
}

/** Adds a check only where it is needed: checks of the case or of its file may already tell a right answer. */
function judgeBy(
  own: unknown,
  { checks, answer, isWrong }: { readonly checks: Case['checks']; readonly answer: unknown; readonly isWrong: boolean },
): readonly unknown[] {
  const given = Array.isArray(own) ? own : [];
  const check = isWrong ? { not: { equals: { value: answer, trim: true } } } : buildCheck(answer);
  return isWrong || checks.length === 0 ? [...given, check] : given;
}

function buildCheck(answer: unknown): unknown {
  return typeof answer === 'object'
    ? { equals: '{{expected}}', select: { json: true } }
    : { equals: { value: '{{expected}}', trim: true } };
}

export interface AcceptContext {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configPath?: string;
  readonly ports: JudgePorts;
}

export type Accepted = { readonly file: string } | { readonly refused: string };

export type Edited = { readonly text: string } | { readonly refused: string };

/**
 * Edits the file that a case is written in. The case and the file are read again first, since accepting another answer
 * may have moved its lines. They are read once more if another process wrote the file in the meantime.
 */
export async function editCase(
  found: AnswerChange,
  context: AcceptContext,
  edit: (change: AnswerChange, text: string) => Promise<Edited>,
): Promise<Accepted> {
  const path = pathOf(found, context);
  for (;;) {
    const before = readOrUndefined(path);
    const change = await reloadCase(found, context);
    if (change === undefined) return { refused: 'the case is not in the suite any more' };
    if (pathOf(change, context) !== path) return { refused: 'the case is in another file now' };
    const read = await openProjectFiles(findProject(context.cwd, context.configPath), context.cwd).read(path);
    if ('fault' in read) return { refused: read.fault.message };
    const edited = await edit(change, read.text);
    if ('refused' in edited) return edited;
    const isWritten = withFileLock(path, () => {
      if (readOrUndefined(path) !== before) return false;
      replaceFile(path, markOf(before) + edited.text);
      return true;
    });
    if (isWritten) return { file: relative(context.cwd, path) };
  }
}

/** Where the map of a case starts in the text of its file. */
export function offsetOf(text: string, { line, column }: SourceLocation): number {
  return text.split('\n', line - 1).reduce((sum, before) => sum + before.length + 1, 0) + column - 1;
}

function pathOf({ testCase }: AnswerChange, { cwd }: AcceptContext): string {
  return resolve(cwd, testCase.at.file);
}

/** The byte order mark of a file, which reading drops and writing must restore. */
function markOf(text: string | undefined): string {
  const mark = '\ufeff';
  return text?.startsWith(mark) === true ? mark : '';
}

async function reloadCase(
  change: AnswerChange,
  { root, cwd, configPath }: AcceptContext,
): Promise<AnswerChange | undefined> {
  const paths = [resolve(root, change.suite.path)];
  const project = await loadEdited({ paths, cwd, ...defined({ configPath }) });
  const suites = typeof project === 'string' ? [] : project.suites;
  const suite = suites.find(({ id }) => id === change.suite.id);
  const testCase = suite && [...suite.cases()].find(({ id }) => id === change.testCase.id);
  return testCase === undefined ? undefined : { ...change, testCase };
}

/**
 * Judges an answer as if the case's file held `text`. Without `answered`, it judges the answer of the run. `failing` is
 * why the answer does not pass, and `fault` is why it can't be judged. Nothing is written.
 */
export async function judgeEdited(
  change: AnswerChange,
  text: string,
  context: AcceptContext,
  answered?: string,
): Promise<{ readonly failing: string | undefined } | { readonly fault: string }> {
  const { suite, testCase, prompt, provider, row } = change;
  const { root, cwd, env, configPath, ports } = context;
  const path = pathOf(change, context);
  const place = findProject(cwd, configPath);
  const onDisk = openProjectFiles(place, cwd);
  const files = {
    ...onDisk,
    read: (asked: string) => (asked === path ? Promise.resolve({ text }) : onDisk.read(asked)),
    readBytes: (asked: string) =>
      asked === path ? Promise.resolve({ bytes: bytesOfText(text) }) : onDisk.readBytes(asked),
  };
  const snapshot = { place, files, kindOf: kindOfPath };
  const paths = [resolve(root, suite.path)];
  const project = await loadEdited({ paths, cwd, snapshot, ...defined({ configPath }) });
  if (typeof project === 'string') return { fault: project };
  const settings = { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false } as const;
  const { plan } = await planRun({ project, selection: emptySelection, settings, record: false }, { env });
  const cell = indexCells(plan)(suite.id, prompt, provider, testCase.id);
  if (cell === undefined) return { fault: 'the case is not in the suite any more' };
  const view = answerViewOf(row);
  const completion = answered === undefined ? view : { ...view, text: answered, toolCalls: [] };
  const answer = { cell, completion, latencyMs: completion.latencyMs, costUsd: completion.costUsd, calls: [] };
  const { verdicts } = await judgeAnswer(cell.checks, answer, ports);
  const decision = decideAnswer(verdicts, cell.threshold);
  if (decision.status === 'errored') return { fault: decision.reason };
  const reason = verdicts.find(({ pass }) => !pass)?.reason ?? 'its score is too low';
  return { failing: decision.passed ? undefined : reason };
}

async function loadEdited(options: LoadOptions): Promise<Project | string> {
  try {
    return (await loadProject(options)).project;
  } catch (error) {
    // The suite was valid before the edit.
    if (!(error instanceof UserError)) throw error;
    return error.problems[0]?.message ?? 'the suite is broken by it';
  }
}

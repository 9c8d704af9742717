import { relative, resolve } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { readOrUndefined, replaceFile } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import { type SourceLocation, UserError } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { indexCells } from '../plan/find-cells.ts';
import { planRun } from '../plan/plan-run.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { type LoadOptions, loadProject } from '../project/load-project.ts';
import { bytesOfText, openProjectFiles } from '../suite/files/project-files.ts';
import { findProject, kindOfPath } from '../suite/files/project-place.ts';
import type { AnswerChange } from './review-changes.ts';

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
 * Edits the file that a case is written in. The case and the file are read again first, since accepting another answer may
 * have moved its lines, and once more where another process has written the file in the meantime.
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
 * Why an answer would not pass with the case's file edited to a text, or why that can't be judged. The run's answer where no
 * other is given. Nothing is written.
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

import { relative, resolve } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { readOrUndefined, replaceFile } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import { UserError } from '../model/problem.ts';
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

/** Writes an edited file, and edits it again where another process has written it in the meantime. */
export async function editFile(
  path: string,
  context: AcceptContext,
  edit: () => Promise<{ readonly text: string } | { readonly refused: string }>,
): Promise<Accepted> {
  for (;;) {
    const before = readOrUndefined(path);
    const edited = await edit();
    if ('refused' in edited) return edited;
    const isWritten = withFileLock(path, () => {
      if (readOrUndefined(path) !== before) return false;
      replaceFile(path, markOf(path) + edited.text);
      return true;
    });
    if (isWritten) return { file: relative(context.cwd, path) };
  }
}

/** The byte order mark of a file, which reading drops and writing must restore. */
function markOf(path: string): string {
  const mark = '\ufeff';
  return readOrUndefined(path)?.startsWith(mark) === true ? mark : '';
}

/** Reads the case from disk again, since accepting another answer may have moved its lines. */
export async function reloadCase(
  change: AnswerChange,
  { root, cwd, configPath }: AcceptContext,
): Promise<AnswerChange | undefined> {
  const paths = [resolve(root, change.suite.path)];
  const project = await loadEdited({ paths, cwd, ...defined({ configPath }) });
  const suites = typeof project === 'string' ? [] : project.suites;
  const suite = suites.find(({ id }) => id === change.suite.id);
  if (suite === undefined) return undefined;
  const testCase = [...suite.cases()].find(({ id }) => id === change.testCase.id);
  return testCase === undefined ? undefined : { ...change, testCase };
}

export interface EditedFile {
  /** What it would hold; it is not written yet. */
  readonly text: string;
  readonly path: string;
  /** Of the case's suite. */
  readonly suitePath: string;
}

/** Why an answer would not pass with an edited file, or why that can't be judged. The run's answer where no other is given. */
export async function judgeEdited(
  { text, path, suitePath }: EditedFile,
  { suite, testCase, prompt, provider, row }: AnswerChange,
  { cwd, env, configPath, ports }: AcceptContext,
  answered?: string,
): Promise<{ readonly failing: string | undefined } | { readonly fault: string }> {
  const place = findProject(cwd, configPath);
  const onDisk = openProjectFiles(place, cwd);
  const files = {
    ...onDisk,
    read: (asked: string) => (asked === path ? Promise.resolve({ text }) : onDisk.read(asked)),
    readBytes: (asked: string) =>
      asked === path ? Promise.resolve({ bytes: bytesOfText(text) }) : onDisk.readBytes(asked),
  };
  const snapshot = { place, files, kindOf: kindOfPath };
  const project = await loadEdited({ paths: [suitePath], cwd, snapshot, ...defined({ configPath }) });
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

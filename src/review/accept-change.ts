import { extname, relative, resolve } from 'node:path';
import { selectTarget } from '../assertions/select-target.ts';
import { mergeBaseline } from '../baseline/baseline-cases.ts';
import { judgeAsAccepted } from '../baseline/judge-as-accepted.ts';
import { openBaselineFile } from '../baseline/open-baseline.ts';
import { buildBaseline, writeBaseline } from '../baseline/write-baseline.ts';
import { withFileLock } from '../files/file-lock.ts';
import { readOrUndefined, replaceFile } from '../files/write-files.ts';
import { spell } from '../json/canonical-json.ts';
import { deepEqual } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { parseJson } from '../json/parse-json.ts';
import { answerViewOf, decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import { openJudgePorts } from '../judges/open-judge-ports.ts';
import { UserError } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import type { CheckSpec, SelectSpec } from '../model/verdict.ts';
import { indexCells, openCells } from '../plan/find-cells.ts';
import { planRun } from '../plan/plan-run.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { type LoadOptions, loadProject } from '../project/load-project.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { bytesOfText, openProjectFiles } from '../suite/files/project-files.ts';
import { findProject, kindOfPath } from '../suite/files/project-place.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { replaceCsvField, replaceYamlValue } from '../text/replace-values.ts';
import { quote } from '../text/shorten.ts';
import type { AnswerChange, Review } from './review-changes.ts';

interface AcceptContext {
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configPath?: string;
  readonly ports: JudgePorts;
}

type Accepted = { readonly file: string } | { readonly refused: string };

type Place = 'expected' | 'baseline';

/** Writes accepted changes to files, one after the other. */
export interface OpenReview {
  accept(change: AnswerChange, place: Place): Promise<Accepted>;
  close(): void;
}

export function openReview(review: Review, options: Omit<AcceptContext, 'ports'>): OpenReview {
  const judge = openJudgePorts(options);
  const context = { ...options, ports: judge.ports };
  return {
    accept: (change, place) =>
      place === 'expected' ? acceptIntoExpected(change, context) : acceptIntoBaseline(change, review, context),
    close: () => judge.close(),
  };
}

/** Merges one case's rows into the baseline beside its suite. */
async function acceptIntoBaseline(change: AnswerChange, { record }: Review, context: AcceptContext): Promise<Accepted> {
  const { root, cwd, ports } = context;
  const { suite, testCase, variant, summary } = change;
  const recorded = record.summary.suites.find((other) => other.recorded.suite === suite.id);
  if (recorded === undefined) return { refused: 'the run has no such suite' };
  const only = { ...recorded, variants: [{ ...variant, cases: new Map([[testCase.id, summary]]) }] };
  const cellOf = openCells(record.header, context);
  const judged = await judgeAsAccepted(only, { readRow: record.readRow, cellOf, ports });
  const trials = judged.suite.variants[0]?.cases.get(testCase.id)?.trials ?? [];
  if (testCase.mustPass && trials.find(({ answerHash }) => answerHash !== undefined)?.status !== 'passed') {
    return { refused: 'the case must pass, and it does not' };
  }
  const path = baselinePathOf(root, suite.path);
  const file = relative(cwd, path);
  const fresh = buildBaseline(judged.suite, judged.readRow);
  withFileLock(path, () => {
    // A failure that a reviewer accepts becomes a known failure, whatever earlier runs showed.
    const beginsAgain = () => trials.some(({ status }) => status === 'failed');
    writeBaseline(path, mergeBaseline(openBaselineFile(path, file), fresh, { isFull: false, beginsAgain }));
  });
  return { file };
}

/**
 * Writes the answer into the case's `expected`: the whole answer or a part that its checks select, whichever first makes
 * the case pass. Where none does, the file stays as it is.
 */
async function acceptIntoExpected(found: AnswerChange, context: AcceptContext): Promise<Accepted> {
  const path = resolve(context.cwd, found.testCase.at.file);
  for (;;) {
    const before = readOrUndefined(path);
    const edited = await editExpected(found, path, context);
    if ('refused' in edited) return edited;
    const isWritten = withFileLock(path, () => {
      // Another process may have written the file in the meantime. Then the loop edits the new text.
      if (readOrUndefined(path) !== before) return false;
      replaceFile(path, markOf(path) + edited.text);
      return true;
    });
    if (isWritten) return { file: relative(context.cwd, path) };
  }
}

/** The file's text with the golden answer in it. */
async function editExpected(
  found: AnswerChange,
  path: string,
  context: AcceptContext,
): Promise<{ readonly text: string } | { readonly refused: string }> {
  const change = await reloadCase(found, context);
  if (change === undefined) return { refused: 'the case is not in the suite any more' };
  const { testCase, suite } = change;
  if (resolve(context.cwd, testCase.at.file) !== path) return { refused: 'the case is in another file now' };
  const kind = extname(path).toLowerCase();
  if (testCase.expected === undefined) return { refused: 'the case has no "expected" to put it into' };
  const files = openProjectFiles(findProject(context.cwd, context.configPath), context.cwd);
  const read = await files.read(path);
  if ('fault' in read) return { refused: read.fault.message };
  const suitePath = resolve(context.root, suite.path);
  let reason = 'the answer has no part of the kind that "expected" has';
  for (const value of findCandidates(change)) {
    const edited = editCase(read.text, change, value, kind);
    if ('fault' in edited) return { refused: `the case ${edited.fault}` };
    const failing = await findFailure(edited.text, path, suitePath, change, context);
    if (failing === undefined) return edited;
    reason = `no part of the answer makes the case pass: ${failing}`;
  }
  return { refused: reason };
}

/** The byte order mark of a file, which reading drops and writing must restore. */
function markOf(path: string): string {
  const mark = '\ufeff';
  return readOrUndefined(path)?.startsWith(mark) === true ? mark : '';
}

/** Reads the case from disk again, since accepting another answer may have moved its lines. */
async function reloadCase(
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

/** Values to write as the golden answer: texts where it is a text, or else JSON values. */
function findCandidates({ testCase, row }: AnswerChange): readonly unknown[] {
  const isText = typeof testCase.expected === 'string';
  const selects = testCase.checks.flatMap(selectsOf);
  const whole: SelectSpec[] = isText ? [{ kind: 'text' }] : [{ kind: 'json' }];
  const values = [...selects, ...whole].flatMap((select) => {
    const target = selectTarget({ ...answerViewOf(row), latencyMs: row.latencyMs }, select, {
      deadline: runWithDeadline,
    });
    if ('missing' in target) return [];
    if (isText)
      return target.kind === 'text' ? [target.text.trim()] : typeof target.value === 'string' ? [target.value] : [];
    if (target.kind === 'json') return [plainNumbers(target.value)];
    const parsed = parseJson(target.text);
    return parsed.ok ? [plainNumbers(parsed.value)] : [];
  });
  return values.filter((value, index) => values.findIndex((other) => deepEqual(other, value)) === index);
}

function selectsOf({ select, children = [] }: CheckSpec): readonly SelectSpec[] {
  return [...(select === undefined ? [] : [select]), ...children.flatMap(selectsOf)];
}

function editCase(text: string, { testCase }: AnswerChange, value: unknown, kind: string) {
  const { line, column } = testCase.at;
  if (kind === '.csv') return editRow(text, line, value);
  const start = text.split('\n', line - 1).reduce((sum, before) => sum + before.length + 1, 0);
  if (!/^\.(?:jsonl|ndjson)$/.test(kind)) return replaceYamlValue(text, start + column - 1, 'expected', value);
  const end = text.indexOf('\n', start);
  const row = text.slice(start, end === -1 ? text.length : end);
  const edited = replaceYamlValue(row, column - 1, 'expected', value);
  if ('fault' in edited) return edited;
  return { text: text.slice(0, start) + edited.text + (end === -1 ? '' : text.slice(end)) };
}

function editRow(text: string, line: number, value: unknown) {
  const field = spell(value);
  // A spreadsheet program would run a formula that a model wrote (CSV injection).
  if (/^(?:[=@\t\r]|[+-](?![\d.,\s]*$))/.test(field))
    return { fault: `can't take ${quote(field, 60)}: a spreadsheet would read it as a formula` };
  return replaceCsvField(text, line, 'expected', field);
}

/** Why the case would not pass with the edited file, which is not written yet. */
async function findFailure(
  text: string,
  path: string,
  suitePath: string,
  { suite, testCase, prompt, provider, row }: AnswerChange,
  { cwd, env, configPath, ports }: AcceptContext,
): Promise<string | undefined> {
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
  if (typeof project === 'string') return project;
  const settings = { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false } as const;
  const { plan } = await planRun({ project, selection: emptySelection, settings, record: false }, { env });
  const cell = indexCells(plan)(suite.id, prompt, provider, testCase.id);
  if (cell === undefined) return 'the case is not in the suite any more';
  const completion = answerViewOf(row);
  const answer = { cell, completion, latencyMs: completion.latencyMs, costUsd: completion.costUsd, calls: [] };
  const { verdicts } = await judgeAnswer(cell.checks, answer, ports);
  const decision = decideAnswer(verdicts, cell.threshold);
  if (decision.status === 'errored') return decision.reason;
  return decision.passed ? undefined : (verdicts.find(({ pass }) => !pass)?.reason ?? 'its score is too low');
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

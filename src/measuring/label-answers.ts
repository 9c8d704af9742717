import { extname, relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile, readOrUndefined, replaceFile, withStorageErrors } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import { withRefusal } from '../model/storage-problem.ts';
import type { Criterion, Suite } from '../model/suite.ts';
import { quote } from '../text/shorten.ts';
import { type DrawnAnswer, type DrawOptions, drawAnswers } from './draw-answers.ts';
import { findKnownAnswers, type KnownAnswersOptions } from './known-answers.ts';

export interface LabelOptions extends DrawOptions, Pick<KnownAnswersOptions, 'root' | 'cwd' | 'run'> {
  /** The name of a check or its assertion; undefined where the suite has one. */
  readonly check?: string;
}

export interface LabelSession {
  readonly criterion: Criterion;
  /** The file of labels, relative to the working folder. */
  readonly file: string;
  /** Of the draw, those without a label. */
  readonly open: readonly DrawnAnswer[];
  /** The size of the draw, labelled answers included. */
  readonly drawn: number;
  /** Where the answers are stored. */
  readonly source: string;
  /** Adds a row to the file before it returns. */
  save(answer: DrawnAnswer, label: 'pass' | 'fail'): void;
}

/** Draws stored answers for a person to label, and keeps each label as it is given. Throws a `UserError`. */
export function openLabelSession(suite: Suite, options: LabelOptions): LabelSession {
  const { cwd } = options;
  const criterion = chooseCriterion(suite, options.check);
  const path = findFile(criterion, cwd);
  const known = findKnownAnswers(suite, { ...options, from: options.run === undefined ? 'auto' : 'run' });
  const drawn = known === undefined ? [] : drawAnswers(suite, criterion, known.answers, options);
  if (known === undefined || drawn.length === 0) {
    const message =
      known === undefined
        ? `there is no stored answer of ${suite.path}`
        : `${known.source} holds no verdict of judge ${quote(criterion.judge.id)} by ${nameOf(criterion)}`;
    throw refuse(message, `run it first: llmcheck run ${suite.path}`);
  }
  withRefusal(() => probeFile(path));
  const isOwn = (label: { readonly criterion: Criterion }) => label.criterion.judge.id === criterion.judge.id;
  const labelled = new Set(suite.labels.filter(isOwn).map(({ id }) => id));
  return {
    criterion,
    file: relative(cwd, path),
    open: drawn.filter(({ id }) => !labelled.has(id)),
    drawn: drawn.length,
    source: known.source,
    save: (answer, label) => withRefusal(() => appendRow(path, answer.id, renderRow(answer, label, criterion))),
  };
}

function chooseCriterion({ criteria, path }: Suite, wanted: string | undefined): Criterion {
  const matching = criteria.filter(({ name, assertion }) => wanted === undefined || wanted === (name ?? assertion));
  const [only, second] = matching;
  if (only === undefined || second !== undefined) {
    const names = [...new Set(criteria.map(nameOf))];
    if (names.length === 0) throw refuse(`${path} has no check that asks a judge`, 'add one, such as rubric: …');
    const isAmbiguous = only !== undefined && wanted !== undefined;
    throw refuse(
      isAmbiguous
        ? `${matching.length} checks of ${path} are called ${wanted}`
        : wanted === undefined
          ? `${path} asks judges by ${names.length} checks`
          : `${path} has no judged check called ${wanted}`,
      isAmbiguous || names.length === 1
        ? 'give each check a name: of its own'
        : `name one: --check ${names.join(', --check ')}`,
    );
  }
  if (only.assertion !== 'pairwise') return only;
  throw refuse(
    'pairwise compares two answers, and a stored run holds one of them',
    'write its labels by hand, see docs/judges.md',
  );
}

function findFile({ judge }: Criterion, cwd: string): string {
  const path = judge.judging?.labels;
  if (path === undefined) {
    throw refuse(
      `judge ${quote(judge.id)} names no file for its labels`,
      'add labels: FILE.jsonl to the judge',
      judge.at,
    );
  }
  if (['.jsonl', '.ndjson'].includes(extname(path).toLowerCase())) return path;
  throw refuse(`${relative(cwd, path)} can't be added to row by row`, 'name a .jsonl file in labels:', judge.at);
}

function nameOf({ name, assertion }: Criterion): string {
  return name ?? assertion;
}

function refuse(message: string, hint: string, at?: Criterion['at']): UserError {
  return new UserError({ code: 'usage', message, hint, ...defined({ at }) });
}

function renderRow({ id, testCase, answer, drawn }: DrawnAnswer, label: string, criterion: Criterion): string {
  const { vars, expected } = testCase;
  return writeJson({ id, check: nameOf(criterion), vars, expected, answer, label, drawn }) ?? '';
}

/** A kill leaves the file with the row or without it. Of two people who label one answer, the first is heard. */
function appendRow(path: string, id: string, row: string): void {
  withFileLock(path, () => {
    const before = withStorageErrors('Reading', path, () => readOrUndefined(path)) ?? '';
    if (before.includes(`{"id":${JSON.stringify(id)},`)) return;
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    replaceFile(path, `${before}${gap}${row}\n`);
  });
}

import { extname, relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile, readOrUndefined, replaceFile, withStorageErrors } from '../files/write-files.ts';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import { withRefusal } from '../model/storage-problem.ts';
import type { Case, Criterion, LabelledAnswer, Suite } from '../model/suite/suite.ts';
import { docsUrl } from '../text/addresses/docs-url.ts';
import { compareText } from '../text/compare-text.ts';
import { sha256Hex } from '../text/sha256.ts';
import { quote } from '../text/shorten.ts';
import { findKnownAnswers, type KnownAnswer, type KnownAnswersOptions } from './known-answers.ts';

export interface LabelOptions extends DrawOptions, Pick<KnownAnswersOptions, 'root' | 'cwd' | 'run'> {
  /** Name of a check or its assertion; undefined if the suite has only one. */
  readonly check?: string;
}

export interface LabelSession {
  readonly criterion: Criterion;
  /** File of labels, relative to the working folder. */
  readonly file: string;
  /** Drawn answers without a label. */
  readonly open: readonly DrawnAnswer[];
  /** Number of drawn answers, including labelled ones. */
  readonly drawn: number;
  /** Source of the answers. */
  readonly source: string;
  /** Adds a row to the file before it returns. */
  save(answer: DrawnAnswer, label: 'pass' | 'fail'): void;
}

/** Draws stored answers for a person to label, and saves each label at once. Throws a `UserError`. */
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
    `write its labels by hand, see ${docsUrl('judges.md')}`,
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

/** Adds a row atomically. If two people label one answer, the first label counts. */
function appendRow(path: string, id: string, row: string): void {
  const append = (): void => {
    const before = withStorageErrors('Reading', path, () => readOrUndefined(path)) ?? '';
    if (before.includes(`{"id":${JSON.stringify(id)},`)) return;
    const gap = before === '' || before.endsWith('\n') ? '' : '\n';
    replaceFile(path, `${before}${gap}${row}\n`);
  };
  withFileLock(path, append);
}

/** A stored answer for a person to label. Contains nothing of the judge's verdict. */
export interface DrawnAnswer {
  /** Equal for the same answer in every draw. */
  readonly id: string;
  readonly testCase: Case;
  readonly check: CheckSpec;
  readonly answer: string;
  readonly drawn: NonNullable<LabelledAnswer['drawn']>;
}

interface DrawOptions {
  readonly size: number;
  readonly seed: number;
}

/** A distinct answer with the judge's verdict. */
interface Candidate extends Omit<DrawnAnswer, 'drawn'> {
  readonly isPass: boolean;
  /** True if votes, or two trials with this answer, differed. */
  readonly isSplit: boolean;
}

/**
 * Draws half of the answers from passes and half from failures of the judge. Up to half of each group have split votes
 * and come first; nothing else in the order depends on the verdict. The seed fixes the order of a group, so the same
 * draw starts with the same answers.
 */
function drawAnswers(
  suite: Suite,
  criterion: Criterion,
  answers: readonly KnownAnswer[],
  { size, seed }: DrawOptions,
): readonly DrawnAnswer[] {
  const rank = ({ id }: Pick<Candidate, 'id'>) => sha256Hex(`${seed} ${id}`);
  const candidates = findCandidates(suite, criterion, answers)
    .map((candidate) => ({ candidate, order: rank(candidate) }))
    .toSorted((a, b) => compareText(a.order, b.order))
    .map(({ candidate }) => candidate);
  const groups = [true, false].map((isPass) =>
    [true, false].map((isSplit) => candidates.filter((one) => one.isPass === isPass && one.isSplit === isSplit)),
  );
  const sides = shareOut(
    size,
    groups.map((side) => side.reduce((sum, group) => sum + group.length, 0)),
  );
  const drawn = groups.flatMap((side, s) => {
    const parts = shareOut(
      sides[s] ?? 0,
      side.map((group) => group.length),
    );
    return side.flatMap((group, g) =>
      group.slice(0, parts[g]).map((one) => ({ one, drawn: { stratum: 2 * s + g + 1, of: group.length } })),
    );
  });
  return drawn
    .toSorted((a, b) => Number(b.one.isSplit) - Number(a.one.isSplit) || compareText(rank(a.one), rank(b.one)))
    .map(({ one: { isPass: _isPass, isSplit: _isSplit, ...rest }, drawn: from }) => ({ ...rest, drawn: from }));
}

/** Splits a number into two halves. A group that is too small leaves its rest to the other. */
function shareOut(total: number, [first = 0, second = 0]: readonly number[]): readonly [number, number] {
  const half = Math.min(first, Math.max(Math.ceil(total / 2), total - second));
  return [half, Math.min(second, total - half)];
}

/**
 * Distinct answers to single questions with a verdict. Conversations are left out: they are more than their last
 * answer.
 */
function findCandidates(
  suite: Suite,
  { judge, assertion, name }: Criterion,
  answers: readonly KnownAnswer[],
): readonly Candidate[] {
  const isAsked = (check: { readonly assertion: string; readonly name?: string }) =>
    check.assertion === assertion && check.name === name;
  const cases = new Map([...suite.cases()].map((testCase) => [testCase.id, testCase]));
  const found = new Map<string, Candidate>();
  for (const { caseId, completion, checks } of answers) {
    const testCase = cases.get(caseId);
    const check = testCase?.checks.find((one) => one.asks === judge.id && isAsked(one));
    const judgedCheck = checks.find(
      (one) => one.judgement?.judge === judge.id && isAsked(one) && one.error === undefined,
    );
    if (testCase === undefined || check === undefined || judgedCheck?.judgement === undefined) continue;
    if (testCase.turns.length > 0 || completion.text === '') continue;
    const id = `${caseId}-${sha256Hex(`${name ?? assertion} ${completion.text}`).slice(0, 8)}`;
    const known = found.get(id);
    const isSplit = judgedCheck.judgement.agreement < 1 || (known !== undefined && known.isPass !== judgedCheck.pass);
    found.set(id, {
      id,
      testCase,
      check,
      answer: completion.text,
      isPass: known?.isPass ?? judgedCheck.pass,
      isSplit: isSplit || known?.isSplit === true,
    });
  }
  return [...found.values()];
}

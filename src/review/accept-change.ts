import { extname, relative } from 'node:path';
import { selectTarget } from '../assertions/select-target.ts';
import { judgeAsAccepted } from '../baseline/acceptable-record.ts';
import { mergeBaseline } from '../baseline/baseline-cases.ts';
import { openBaselineFile } from '../baseline/open-baseline.ts';
import { buildBaseline, writeBaseline } from '../baseline/write-baseline.ts';
import { withFileLock } from '../files/file-lock.ts';
import { spell } from '../json/canonical-json.ts';
import { deepEqual } from '../json/deep-equal.ts';
import { parseJson } from '../json/parse-json.ts';
import { answerViewOf, openJudgePorts } from '../judges/judge-answer.ts';
import type { CheckSpec, SelectSpec } from '../model/run/verdict.ts';
import { openCells } from '../plan/find-cells.ts';
import { baselinePathOf } from '../project/project-paths.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { quote } from '../text/shorten.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { replaceCsvField, replaceYamlValue } from '../text/yaml/replace-values.ts';
import { type AcceptContext, type Accepted, editCase, judgeEdited, offsetOf, promoteCase } from './edit-case.ts';
import { type AnswerChange, isPromotable, type Review } from './review-changes.ts';

/** `recorded` and `wrong` promote a case under observe by the answer that it has. */
export type Place = 'expected' | 'baseline' | 'recorded' | 'wrong';

/** Writes accepted changes to files, one after the other. */
export interface OpenReview {
  accept(change: AnswerChange, place: Place): Promise<Accepted>;
  close(): void;
}

export function openReview(review: Review, options: Omit<AcceptContext, 'ports'>): OpenReview {
  const judge = openJudgePorts(options);
  const context = { ...options, ports: judge.ports };
  return {
    accept: (change, place) => {
      if (place === 'baseline') return acceptIntoBaseline(change, review, context);
      if (place !== 'expected' || isPromotable(change.testCase)) return promoteCase(change, place, context);
      return acceptIntoExpected(change, context);
    },
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
  const fresh = buildBaseline(judged.suite, { readRow: judged.readRow, checksOf: record.checksOf });
  withFileLock(path, () => {
    // A failure that a reviewer accepts becomes a known failure, whatever earlier runs showed.
    const beginsAgain = () => trials.some(({ status }) => status === 'failed');
    writeBaseline(path, mergeBaseline(openBaselineFile(path, file), fresh, { isFull: false, beginsAgain }));
  });
  return { file };
}

/**
 * Writes into the case's `expected` the whole answer or a part that its checks select. The first one that makes the
 * case pass is used. Where none does, the file stays as it is.
 */
function acceptIntoExpected(found: AnswerChange, context: AcceptContext): Promise<Accepted> {
  return editCase(found, context, async (change, text) => {
    if (change.testCase.expected === undefined) return { refused: 'the case has no "expected" to put it into' };
    let reason = 'the answer has no part of the kind that "expected" has';
    for (const value of findCandidates(change)) {
      const edited = replaceExpected(text, change, value);
      if ('fault' in edited) return { refused: `the case ${edited.fault}` };
      const judged = await judgeEdited(change, edited.text, context);
      const failing = 'fault' in judged ? judged.fault : judged.failing;
      if (failing === undefined) return edited;
      reason = `no part of the answer makes the case pass: ${failing}`;
    }
    return { refused: reason };
  });
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

function replaceExpected(text: string, { testCase }: AnswerChange, value: unknown) {
  const { file, line, column } = testCase.at;
  const kind = extname(file).toLowerCase();
  if (kind === '.csv') return editRow(text, line, value);
  const offset = offsetOf(text, testCase.at);
  if (!/^\.(?:jsonl|ndjson)$/.test(kind)) return replaceYamlValue(text, offset, 'expected', value);
  const start = offset - column + 1;
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

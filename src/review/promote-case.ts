import { extname } from 'node:path';
import { writeJson } from '../json/canonical-json.ts';
import { deepEqual } from '../json/deep-equal.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Case } from '../model/suite.ts';
import { isTemplate } from '../templates/template.ts';
import { isMap } from '../templates/template-values.ts';
import { editYamlMap, readYamlMap } from '../text/replace-values.ts';
import { type AcceptContext, type Accepted, type Edited, editCase, judgeEdited, offsetOf } from './edit-case.ts';
import { type AnswerChange, isPromotable } from './review-changes.ts';

/** The run's answer is right, the answer that the case has is right, or that one is wrong. */
export type Promotion = 'expected' | 'recorded' | 'wrong';

/** Makes a judged case of one under observe. It is written only if its checks tell a right answer, or catch a wrong one. */
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

/** The file's text with the case judged. Other lines keep their bytes. */
function judgeLine(text: string, { at, checks }: Case, answer: unknown, isWrong: boolean): Edited {
  const lines = text.split('\n');
  const parsed = parseJson(lines[at.line - 1] ?? '');
  if (!parsed.ok || !isMap(parsed.value)) return { refused: 'the line of the case is no JSON object' };
  const { observe, expected: _expected, assert: own, ...rest } = parsed.value;
  const assert = judgeBy(own, { checks, answer, isWrong });
  const row = {
    ...rest,
    // The file's settings may put every case under observe.
    ...(observe === undefined ? { observe: false } : {}),
    ...(isWrong ? {} : { expected: answer }),
    ...(assert.length === 0 ? {} : { assert }),
  };
  lines[at.line - 1] = writeJson(row) ?? '';
  return { text: lines.join('\n') };
}

/** The same for a case in YAML or JSON: no other byte of the file changes. */
function judgeMap(text: string, { at, checks }: Case, answer: unknown, isWrong: boolean): Edited {
  const offset = offsetOf(text, at);
  const own = readYamlMap(text, offset);
  if ('fault' in own) return { refused: `the case ${own.fault}` };
  const { observe, expected, assert: given } = own.value;
  const assert = judgeBy(given, { checks, answer, isWrong });
  const isSame = Array.isArray(given) && assert.length === given.length;
  const edited = editYamlMap(text, offset, {
    ...(isSame || assert.length === 0 ? {} : { assert }),
    // The file's settings may put every case under observe.
    observe: observe === undefined ? false : undefined,
    ...(!isWrong && deepEqual(expected, answer) ? {} : { expected: isWrong ? undefined : answer }),
  });
  return 'fault' in edited ? { refused: `the case ${edited.fault}` } : edited;
}

/** The case's own checks, or those of its file, say what a right answer is. */
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

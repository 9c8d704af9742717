import { extname, resolve } from 'node:path';
import { writeJson } from '../json/canonical-json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Case } from '../model/suite.ts';
import { openProjectFiles } from '../suite/files/project-files.ts';
import { findProject } from '../suite/files/project-place.ts';
import { isTemplate } from '../templates/template.ts';
import { isMap } from '../templates/template-values.ts';
import { type AcceptContext, type Accepted, editFile, judgeEdited, reloadCase } from './judge-edited.ts';
import { isPromotable } from './promotable.ts';
import type { AnswerChange } from './review-changes.ts';

/** The run's answer is right, the answer that the case has is right, or that one is wrong. */
export type Promotion = 'expected' | 'recorded' | 'wrong';

/** Makes a judged case of one under observe. It is written only if its checks tell a right answer, or catch a wrong one. */
export function promoteCase(found: AnswerChange, promotion: Promotion, context: AcceptContext): Promise<Accepted> {
  const path = resolve(context.cwd, found.testCase.at.file);
  return editFile(path, context, () => editPromoted(found, promotion, path, context));
}

async function editPromoted(
  found: AnswerChange,
  promotion: Promotion,
  path: string,
  context: AcceptContext,
): Promise<{ readonly text: string } | { readonly refused: string }> {
  const change = await reloadCase(found, context);
  if (change === undefined) return { refused: 'the case is not in the suite any more' };
  const { testCase, suite } = change;
  if (!isPromotable(testCase)) return { refused: 'the case is not under observe with an answer in "expected"' };
  if (!/^\.(?:jsonl|ndjson)$/i.test(extname(path)))
    return { refused: 'only a case in JSON lines is promoted: take "observe" out, and add "assert"' };
  const answer = promotion === 'expected' ? readAnswer(change) : { value: testCase.expected };
  if ('refused' in answer) return answer;
  const read = await openProjectFiles(findProject(context.cwd, context.configPath), context.cwd).read(path);
  if ('fault' in read) return { refused: read.fault.message };
  const text = editLine(read.text, testCase, answer.value, promotion === 'wrong');
  if (typeof text !== 'string') return text;
  const shown = typeof answer.value === 'string' ? answer.value : (writeJson(answer.value) ?? '');
  const edited = { text, path, suitePath: resolve(context.root, suite.path) };
  const judged = await judgeEdited(edited, change, context, shown);
  if ('fault' in judged) return { refused: judged.fault };
  if (promotion === 'wrong')
    return judged.failing === undefined ? { refused: 'no check of the case catches the answer' } : { text };
  return judged.failing === undefined ? { text } : { refused: `the answer does not pass: ${judged.failing}` };
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
function editLine(
  text: string,
  { at, checks }: Case,
  answer: unknown,
  isWrong: boolean,
): string | { readonly refused: string } {
  const lines = text.split('\n');
  const parsed = parseJson(lines[at.line - 1] ?? '');
  if (!parsed.ok || !isMap(parsed.value)) return { refused: 'the line of the case is no JSON object' };
  const { observe, expected: _expected, assert: own, ...rest } = parsed.value;
  if (isWrong && (typeof answer !== 'string' || isTemplate(answer)))
    return { refused: 'the answer holds braces of templates or is no text: write the check by hand' };
  const given = Array.isArray(own) ? own : [];
  const check = isWrong ? { not: { equals: { value: answer, trim: true } } } : buildCheck(answer);
  // The case's own checks, or those of its file, say what a right answer is.
  const assert = isWrong || checks.length === 0 ? [...given, check] : given;
  const row = {
    ...rest,
    // The file's settings may put every case under observe.
    ...(observe === undefined ? { observe: false } : {}),
    ...(isWrong ? {} : { expected: answer }),
    ...(assert.length === 0 ? {} : { assert }),
  };
  lines[at.line - 1] = writeJson(row) ?? '';
  return lines.join('\n');
}

function buildCheck(answer: unknown): unknown {
  return typeof answer === 'object'
    ? { equals: '{{expected}}', select: { json: true } }
    : { equals: { value: '{{expected}}', trim: true } };
}

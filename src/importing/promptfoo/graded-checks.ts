import { LeftOut, type Written } from '../draft.ts';
import type { Check, TypeContext } from './check-context.ts';
import { readList, readText } from './values.ts';

/** What a judge is told of each kind of grading, the prompts of promptfoo being worded differently. */
const GRADINGS: Readonly<Record<string, (value: string) => string>> = {
  'llm-rubric': (value) => value,
  'g-eval': (value) => value,
  'model-graded-closedqa': (value) => value,
  factuality: (value) =>
    `The facts of the answer contradict nothing of this reference. Facts that are missing or more do not matter. Reference: ${value}`,
};

/** A check by a model, as a rubric. */
export async function convertGraded(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base, threshold } = context;
  const name = base === 'model-graded-factuality' ? 'factuality' : base;
  const isList = base === 'g-eval' && Array.isArray(written.child('value').value);
  const text = isList ? await readList(written, context) : await readText(written, context);
  if (text instanceof LeftOut) return text;
  const criterion = typeof text === 'string' ? text : text.map((one, index) => `${index + 1}. ${one}`).join('\n');
  const least = threshold ?? (base === 'g-eval' ? 0.7 : undefined);
  if (typeof least === 'number' && least > 1)
    return context.draft.refuse(
      written.child('threshold'),
      'a rubric is scored from 0 to 1 here, not up to its threshold',
    );
  const min = typeof least === 'number' && least > 0 && name !== 'factuality' ? { threshold: least } : {};
  return buildRubric(GRADINGS[name]?.(criterion) ?? criterion, min, written, context);
}

async function buildRubric(
  value: string,
  more: Check,
  written: Written,
  context: TypeContext,
): Promise<Check | LeftOut> {
  const judge = await context.judge(written.child('provider'));
  if (typeof judge !== 'string') return judge;
  const { type } = written.value as { readonly type: string };
  context.draft.note(written, `${type} becomes rubric: the prompt of the judge is worded differently`);
  return { rubric: { value, judge, ...more } };
}

/** Shares that promptfoo counts from what a judge says, here the judge's score. */
const SHARES: Readonly<Record<string, string>> = {
  'context-faithfulness':
    'Score the share of the claims in the answer that this context supports. A claim that it neither states nor implies is not supported.',
  'context-recall':
    'Score the share of the sentences of this expected answer that the context supports, whatever the answer says.',
  'context-relevance':
    'Score the share of the sentences of this context that the question needs, whatever the answer says.',
};

/** A check of the context that an answer is made of: a variable of the test, or what code finds in the answer. */
export async function convertContextCheck(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { base, draft, varNames, threshold, isScored } = context;
  const isRecall = base === 'context-recall';
  const isMade = written.child('contextTransform').value !== undefined;
  const needed = [...(isMade ? [] : ['context']), ...(isRecall ? [] : ['query'])];
  const missing = needed.find((name) => !varNames.includes(name));
  if (missing !== undefined)
    return draft.refuse(written, `${base} without a variable "${missing}" has no equivalent here`);
  const expected = isRecall ? await readText(written, context) : undefined;
  if (expected instanceof LeftOut) return expected;
  const given = isRecall ? `Expected answer: ${expected}` : 'Question: {{ query }}';
  const value = [SHARES[base], given, isMade ? 'The context is given with the answer.' : 'Context: {{ context }}'].join(
    '\n\n',
  );
  const isMin = typeof threshold === 'number' && threshold > 0;
  if (isMin || isScored) {
    if (!isMin) return draft.refuse(written, `${base} without a threshold has no equivalent in a test that has one`);
    return buildRubric(value, { threshold, input: false }, written, context);
  }
  draft.note(written, `${base} without a threshold passes every answer in promptfoo: it does not decide here either`);
  const check = await buildRubric(value, { input: false }, written, context);
  return check instanceof LeftOut ? check : { ...check, weight: 0 };
}

/** Each answer is one window of its conversation: it is relevant or not. */
export async function convertRelevance(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { draft, threshold = 0.5 } = context;
  if (typeof threshold !== 'number' || threshold <= 0 || threshold > 1)
    return draft.refuse(written, 'conversation-relevance needs a threshold above 0 and up to 1');
  return buildRubric('The answer is relevant to what the user says.', {}, written, context);
}

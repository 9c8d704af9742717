import { LeftOut, type Written } from '../draft.ts';
import type { BaseContext, Check } from './check-context.ts';
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
export async function convertGraded(base: string, written: Written, context: BaseContext): Promise<Check | LeftOut> {
  const { threshold } = context;
  const name = base === 'model-graded-factuality' ? 'factuality' : base;
  const isList = base === 'g-eval' && Array.isArray(written.child('value').value);
  const text = isList ? await readList(written, context) : await readText(written, context);
  if (text instanceof LeftOut) return text;
  const judge = await context.judge(written.child('provider'));
  if (typeof judge !== 'string') return judge;
  context.draft.note(written, `${base} becomes rubric: the prompt of the judge is worded differently`);
  const criterion = typeof text === 'string' ? text : text.map((one, index) => `${index + 1}. ${one}`).join('\n');
  const least = threshold ?? (base === 'g-eval' ? 0.7 : undefined);
  const min = typeof least === 'number' && least > 0 && name !== 'factuality' ? { threshold: least } : {};
  return { rubric: { value: GRADINGS[name]?.(criterion) ?? criterion, judge, ...min } };
}

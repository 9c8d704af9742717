import { DeadlineError, runWithDeadline } from '../text/deadline.ts';
import { isHarmlessRegex } from '../text/regex.ts';

const limitMs = 100;

/** Whether a text matches a schema's pattern; undefined where finding out takes long, since both may be hostile. */
export function matchPattern(pattern: string, text: string): boolean | undefined {
  const test = () => new RegExp(pattern, 'u').test(text);
  if (isHarmlessRegex(pattern, 'u', text.length)) return test();
  try {
    return runWithDeadline(test, limitMs);
  } catch (error) {
    if (error instanceof DeadlineError) return undefined;
    throw error;
  }
}

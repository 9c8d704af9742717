import { isCheapRegex } from '../lib/regex-safety.ts';

/** Whether a text matches a schema's pattern; undefined where finding out could take long, since both may be hostile. */
export function matchPattern(pattern: string, text: string): boolean | undefined {
  return isCheapRegex(pattern, 'u', text.length) ? new RegExp(pattern, 'u').test(text) : undefined;
}

import type * as z from 'zod';
import type { Problem } from '../model/problem.ts';
import { didYouMean, findNearest } from '../text/did-you-mean.ts';

/** A mistake in a line of a recordings file, with the key or word that it concerns. */
export interface LineFault {
  readonly message: string;
  readonly hint?: string;
  /** The characters to look for in the line, as JSON; without them the fault is placed at its start. */
  readonly sought?: string;
}

const example =
  'a line is {"format": 1, "prompt": …, "provider": …, "caseId": …, "trial": 0, "completion": {"text": …}}';

/** Every mistake in a line that is JSON; a key that is missing because it is mistyped is one. */
export function describeLineIssues(
  issues: readonly z.core.$ZodIssue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): readonly LineFault[] {
  const strange = issues.filter((issue) => issue.code === 'unrecognized_keys');
  const meant = new Set(
    strange.flatMap(({ keys, path }) => keys.map((key) => [...path, findNearest(key, keysAt(path))].join('.'))),
  );
  const isStrange = (name: string) => strange.some(({ path }) => path.join('.') === name);
  return issues.flatMap((issue): readonly LineFault[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(issue.path);
      return issue.keys.map((key) => ({
        message: `unknown key "${key}"`,
        hint: hintOfKey(key, known, issue.path.length === 0 ? keysAt(['completion']) : []),
        sought: JSON.stringify(key),
      }));
    }
    const name = issue.path.join('.');
    const key = issue.path.findLast((step) => typeof step === 'string');
    // The unknown key may be a misspelling of what the object lacks.
    if (issue.code === 'custom' && isStrange(name)) return [];
    if (issue.code === 'custom') return [{ message: `${name || 'it'} ${issue.message}`, ...soughtOf(key) }];
    if (name === '') return [{ message: 'it is not a map of keys' }];
    if (issue.input === undefined) return meant.has(name) ? [] : [{ message: `"${name}" is missing` }];
    return [describeValueIssue(name, issue, soughtOf(key))];
  });
}

function hintOfKey(key: string, known: readonly string[], within: readonly string[]): string {
  if (within.includes(key)) return `it belongs inside: "completion": {"${key}": …}`;
  return didYouMean(key, known) ?? (known.length === 0 ? 'leave it out' : `known here: ${known.join(', ')}`);
}

function soughtOf(key: string | undefined): { readonly sought?: string } {
  return key === undefined ? {} : { sought: JSON.stringify(key) };
}

function describeValueIssue(name: string, issue: z.core.$ZodIssue, sought: { readonly sought?: string }): LineFault {
  if (issue.code === 'invalid_value') {
    const words = issue.values.filter((value) => typeof value === 'string');
    const hint = typeof issue.input === 'string' ? didYouMean(issue.input, words) : undefined;
    const message = `"${name}" must be one of ${words.join(', ')}`;
    return hint === undefined ? { message, ...sought } : { message, hint, ...sought };
  }
  if (issue.code === 'invalid_type') return { message: `"${name}" must be ${nounOf(issue.expected)}`, ...sought };
  if (issue.code === 'too_small')
    return {
      message: issue.origin === 'string' ? `"${name}" is empty` : `"${name}" must be ${String(issue.minimum)} or more`,
      ...sought,
    };
  return { message: `"${name}" has a value that is not known`, ...sought };
}

function nounOf(expected: string): string {
  if (expected === 'string') return 'a text';
  if (expected === 'int') return 'a whole number';
  if (expected === 'array') return 'a list';
  return expected === 'object' ? 'a map' : `a ${expected}`;
}

/** The fault as a problem at its place, with the line as its frame. */
export function lineProblem(fault: LineFault, place: { file: string; line: number; text: string }): Problem {
  const { file, line, text } = place;
  const found = fault.sought === undefined ? -1 : text.indexOf(fault.sought);
  return {
    code: 'recording',
    severity: 'error',
    message: `This line is no recorded answer: ${fault.message}.`,
    hint: fault.hint ?? example,
    at: { file, line, column: found + (found === -1 ? 2 : 1), excerpt: { startLine: line, lines: [text.trimEnd()] } },
  };
}

import { defined } from '../json/defined.ts';

/** A place in a file that the user wrote, 1-based. */
export interface SourceLocation {
  /** Relative to the working folder if that is shorter, else absolute. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** For values that code made: the path in the data. Line and column are then a guess. */
  readonly dataPath?: string;
  /** The address of the line at the tested commit, if it is known. */
  readonly url?: string;
  /** The lines around the place, for the code frame. */
  readonly excerpt?: { readonly startLine: number; readonly lines: readonly string[] };
}

/** Something the user can fix. Codes are stable and documented in docs/problems.md. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  /** One sentence that says what is wrong and names the found value. */
  readonly message: string;
  /** The next step: 'did you mean "contains"?', 'add an id'. */
  readonly hint?: string;
  readonly at?: SourceLocation;
}

export type ProblemDetails = Omit<Problem, 'severity'>;

/** A mistake in one setting, without its place. The code that reads the file adds the place. */
export interface SettingFault extends Pick<Problem, 'code' | 'message' | 'hint'> {
  readonly key: string;
}

export const problemCodes = [
  'usage', // a flag or argument
  'file-unreadable',
  'file-outside-project',
  'syntax', // YAML, JSON, JSONL, CSV or template syntax
  'unknown-key',
  'unknown-assertion',
  'invalid-value', // wrong type, missing required, out of range
  'invalid-regex',
  'invalid-schema',
  'invalid-json-path',
  'invalid-template',
  'missing-variable',
  'unused-variable',
  'no-assertion',
  'duplicate-id',
  'unknown-id', // a reference to a prompt, provider, judge or case that does not exist
  'unknown-tool', // a check or stub of a tool that the model is not given
  'foreign-key',
  'literal-key',
  'unknown-adapter',
  'missing-key',
  'missing-price',
  'refused-schema', // a schema that the API of a provider is known to refuse
  'retired-model', // a model that its vendor shuts down soon, or has shut down
  'swap-candidate', // what a candidate for a swap lacks, or must be read with
  'contract-input',
  'no-suite',
  'selects-nothing', // a path, pattern, filter or file of cases that brings no case
  'recording',
  'config',
  'environment',
  'not-carried-over', // a part of another tool's file that has no equivalent here
  'mcp-server', // a server of tools that can't be asked
  'mcp-drift', // a server whose tools are no longer those of its snapshot
  'record', // a stored run or baseline that can't be read
] as const;

export type ProblemCode = (typeof problemCodes)[number];

/** All problems that the user must fix. The command ends with exit code 2 and sends nothing. */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(found: readonly Problem[] | ProblemDetails, options?: ErrorOptions) {
    const problems = 'code' in found ? [{ ...found, severity: 'error' } as const] : found;
    super(problems.map((problem) => problem.message).join('\n'), options);
    this.name = 'UserError';
    this.problems = problems;
  }
}

/** A mistake on the command line; the hint is a next step that works. */
export function usageProblem(message: string, hint?: string): Problem {
  return { code: 'usage', severity: 'error', message, ...defined({ hint }) };
}

export function usageError(message: string, hint?: string): UserError {
  return new UserError([usageProblem(message, hint)]);
}

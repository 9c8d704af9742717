import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AskModel, CompletionView } from '../../src/assertions/define.ts';
import { assertions } from '../../src/assertions/index.ts';
import { judgeChecks } from '../../src/assertions/judge-checks.ts';
import type { CheckSpec, SelectSpec, Verdict } from '../../src/model/run/verdict.ts';
import type { AssertionInput } from '../../src/model/suite/own-code.ts';
import { openPackages } from '../../src/programs/import-module.ts';
import { DeadlineError, runWithDeadline } from '../../src/text/deadline.ts';

/** Own code here is a lambda that looks for an "a"; that real children are bounded is shown elsewhere. */
const callLambda = ({ input }: { readonly input: AssertionInput }) =>
  Promise.resolve({ returned: { pass: input.text.includes('a'), reason: 'looked for a' } });

/** A judge that likes an "a" in the last part it is shown; embeddings here count letters. */
const askLambda: AskModel = ({ kind, messages }) => {
  const shown = messages.at(-1)?.content ?? '';
  if (kind === 'embeddings') {
    const counts = ['a', 'b', ' '].map((letter) => shown.split(letter).length - 1);
    return Promise.resolve({ text: JSON.stringify([...counts, 1]), canRefresh: false });
  }
  const pass = (shown.split('<<<answer').at(-1) ?? '').split('\n').slice(1, -1).join().includes('a');
  return Promise.resolve({
    text: JSON.stringify({ reason: 'looked for a', pass, score: Number(pass) }),
    canRefresh: false,
  });
};

export const ports = {
  ask: askLambda,
  deadline: runWithDeadline,
  ownCode: { runModule: callLambda, runCommand: callLambda },
  importPackage: openPackages(join(import.meta.dirname, '../..')).load,
};

export function buildView(answer: string | Partial<CompletionView>): CompletionView {
  const base = { text: '', toolCalls: [], finishReason: 'stop', latencyMs: 100, costUsd: 0.001 } as const;
  return { ...base, ...(typeof answer === 'string' ? { text: answer } : answer) };
}

export function buildToolCall(name: string, args: unknown) {
  const rawArguments = typeof args === 'string' ? args : JSON.stringify(args);
  return { name, rawArguments, arguments: typeof args === 'string' ? undefined : JSON.parse(rawArguments) };
}

export interface SpecOptions {
  readonly select?: SelectSpec | undefined;
  readonly weight?: number;
  readonly required?: boolean;
  readonly name?: string;
}

/** A check with its parameters parsed as the suite does. */
export function buildSpec(assertion: string, params: unknown, options: SpecOptions = {}): CheckSpec {
  const { select, name } = options;
  return {
    assertion,
    params: parseParams(assertion, params),
    weight: options.weight ?? 1,
    required: options.required ?? false,
    source: null,
    ...(assertions[assertion]?.code !== undefined && { code: { folder: '/', file: '/check.mjs', hash: '' } }),
    ...(asksPort(assertion, params) && { asks: 'strict' }),
    ...(select !== undefined && { select }),
    ...(name !== undefined && { name }),
  };
}

/** Embeddings without a provider are computed here. */
function asksPort(assertion: string, params: unknown): boolean {
  const asks = assertions[assertion]?.asks;
  return asks !== undefined && (asks.kind === 'judge' || (params as { provider?: string }).provider !== undefined);
}

export function combine(assertion: 'not' | 'anyOf' | 'allOf', ...children: readonly CheckSpec[]): CheckSpec {
  return { assertion, params: {}, children, weight: 1, required: false, source: null };
}

/** Its deadline comes ten times as early, and names the time that it was given: what has no end reaches either. */
const hastyPorts = {
  ...ports,
  deadline: <T>(run: () => T, limitMs: number): T => {
    try {
      return runWithDeadline(run, limitMs / 10);
    } catch (error) {
      throw error instanceof DeadlineError ? new DeadlineError(limitMs, { cause: error }) : error;
    }
  },
};

export async function judgeOne(
  spec: CheckSpec,
  answer: string | Partial<CompletionView>,
  { isHasty = false }: { readonly isHasty?: boolean } = {},
): Promise<Verdict> {
  const [verdict] = await judgeChecks([spec], buildView(answer), isHasty ? hastyPorts : ports);
  if (verdict === undefined) throw new Error('There is a verdict for every check.');
  return verdict;
}

/** The messages of what the schema refuses, with the parameter before each. */
export function findProblems(assertion: string, params: unknown): readonly string[] {
  const result = assertions[assertion]?.params.safeParse(params);
  return (result?.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

export interface Row {
  readonly when: string;
  readonly params: unknown;
  readonly answer: string | Partial<CompletionView>;
  readonly select?: SelectSpec;
  /** `missing` fails, and fails under `not` too. */
  readonly is: 'pass' | 'fail' | 'missing' | 'error';
  readonly score?: number;
  readonly reason?: RegExp;
  /** True for what the deadline stops. */
  readonly isEndless?: true;
}

/** Runs a table of an assertion, each row beside its `not`. */
export function describeAssertion(assertion: string, rows: readonly Row[]): void {
  describe(`the assertion ${assertion}`, () => {
    test.each(rows)('$is: $when', async ({ params, answer, select, is, score, reason, isEndless: isHasty = false }) => {
      const spec = buildSpec(assertion, params, { select });
      const verdict = await judgeOne(spec, answer, { isHasty });
      expect({ outcome: outcomeOf(verdict), reason: verdict.reason }).toEqual({
        outcome: is === 'missing' ? 'fail' : is,
        reason: expect.stringMatching(reason ?? /./),
      });
      expect(verdict.score).toBeCloseTo(score ?? verdict.score);
      const inverse = await judgeOne(combine('not', spec), answer, { isHasty });
      expect({ outcome: outcomeOf(inverse), reason: inverse.reason }).toEqual({
        outcome: { pass: 'fail', fail: 'pass', missing: 'fail', error: 'error' }[is],
        reason: expect.stringContaining(verdict.reason),
      });
    });
  });
}

export function outcomeOf({ pass, error }: Verdict): 'pass' | 'fail' | 'error' {
  if (error !== undefined) return 'error';
  return pass ? 'pass' : 'fail';
}

function parseParams(assertion: string, params: unknown): unknown {
  const declared = assertions[assertion];
  if (declared === undefined) throw new Error(`There is no assertion ${assertion}.`);
  return declared.params.parse(params);
}

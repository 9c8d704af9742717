import { resolve } from 'node:path';
import { env, cwd as processCwd } from 'node:process';
import { expect, test } from 'vitest';
import { contextKeys, openContext, refuseUnknown, runSuitesKeys, toFlags } from '../../src/api/options.ts';
import { UserError } from '../../src/model/problem.ts';

test('a context is that of the process where nothing else is said', () => {
  expect(openContext({})).toEqual({ cwd: processCwd(), env });
  expect(openContext({ cwd: 'below', env: { A: 'a' } })).toEqual({ cwd: resolve('below'), env: { A: 'a' } });
});

test('options are flags without what says nothing, and numbers are texts', () => {
  expect(toFlags({})).toEqual({});
  const context = { cwd: '/', env: {}, config: 'c', paths: ['a'], plugins: [], signal: AbortSignal.abort() };
  expect(
    toFlags({ ...context, trials: 0, maxCost: 0.5, tag: [], bail: true, early: false, timeout: '', baseline: 'main' }),
  ).toEqual({ trials: '0', maxCost: '0.5', tag: [], bail: true, timeout: '', baseline: 'main' });
  const unset = { trials: undefined, baseline: undefined } as unknown as Parameters<typeof toFlags>[0];
  expect(toFlags(unset)).toStrictEqual({});
  expect(toFlags({ baseline: false, resume: true })).toEqual({ noBaseline: true, resume: true });
  expect(toFlags({ trials: null } as never)).toEqual({ trials: null });
});

test('each unknown option is named with what was meant, or with those that there are', () => {
  const refusal = (given: object, known: Readonly<Record<string, true>> = contextKeys) => {
    try {
      refuseUnknown(given, known, 'it');
    } catch (error) {
      return error instanceof UserError ? error.problems : error;
    }
    return [];
  };
  const problem = (key: string, hint: string) => ({
    code: 'unknown-key',
    severity: 'error',
    message: `it has no option "${key}"`,
    hint,
  });
  expect(refusal({ cwd: 1, env: 2, config: undefined })).toEqual([]);
  expect(refusal({ cwdd: 1, env: 2, other: 3, constructor: 4 })).toEqual([
    problem('cwdd', 'did you mean "cwd"?'),
    problem('other', 'there are: cwd, env, config'),
    problem('constructor', 'there are: cwd, env, config'),
  ]);
  expect(refusal(Object.fromEntries(Object.keys(runSuitesKeys).map((key) => [key, 1])), runSuitesKeys)).toEqual([]);
});

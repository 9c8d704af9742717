import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CheckOptions, checkOneAnswer } from '../../src/judges/check-one-answer.ts';
import { UserError } from '../../src/model/problem.ts';
import { makeFolder } from '../record/build-rows.ts';

const check = (checks: readonly unknown[], more: Partial<CheckOptions> = {}) =>
  checkOneAnswer({ text: 'yes' }, checks, {
    cwd: makeFolder(),
    env: {},
    vars: {},
    expected: undefined,
    plugins: [],
    ...more,
  });

async function problemsOf(checks: readonly unknown[]) {
  const error: unknown = await check(checks).catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw error;
  return error.problems.map(({ code, message, at }) => [code, message, at?.file]);
}

test('checks read the variables and the golden answer that are given', async () => {
  const verdicts = await check([{ equals: '{{ word }}' }, { equals: '{{ expected }}' }, { equals: '{{ word }}!' }], {
    vars: { word: 'yes' },
    expected: 'yes',
  });
  expect(verdicts.map(({ pass }) => pass)).toEqual([true, true, false]);
});

test('the cost and the latency of the answer are judged as they are given', async () => {
  const answer = { text: 'yes', costUsd: 0.5, latencyMs: 20 };
  const options = { cwd: makeFolder(), env: {}, vars: {}, expected: undefined, plugins: [] };
  const checks = [{ cost: 0.5 }, { cost: 0.4 }, { latency: '20ms' }, { latency: '19ms' }];
  const verdicts = await checkOneAnswer(answer, checks, options);
  expect(verdicts.map(({ pass }) => pass)).toEqual([true, false, true, false]);
});

test('files of checks are read from the working folder', async () => {
  const cwd = makeFolder();
  writeFileSync(join(cwd, 'schema.json'), '{"const":"yes"}');
  const checks = [{ jsonSchema: 'schema.json' }];
  const [verdict] = await checkOneAnswer({ text: '"yes"' }, checks, {
    cwd,
    env: {},
    vars: {},
    expected: undefined,
    plugins: [],
  });
  expect(verdict?.pass).toBe(true);
});

test('a mistake has its place in the checks', async () => {
  expect(await problemsOf([{ equal: 'x' }])).toMatchObject([
    ['unknown-assertion', 'unknown assertion "equal"', 'checks'],
  ]);
});

test('a check that needs a run says why', async () => {
  expect(await problemsOf([{ snapshot: 'exact' }, { not: { snapshot: 'exact' } }])).toEqual([
    ['usage', 'snapshot looks at the baseline, which needs a run', undefined],
    ['usage', 'not looks at the baseline, which needs a run', undefined],
  ]);
});

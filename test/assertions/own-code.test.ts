import { expect, test } from 'vitest';
import { judgeChecks } from '../../src/assertions/judge-checks.ts';
import type { AssertionInput, CodeOutcome } from '../../src/model/suite/own-code.ts';
import { buildSpec, buildToolCall, buildView, combine, findProblems, outcomeOf, ports } from './judge-one.ts';

/** Judges with code that ends so; also gives what the code was handed. */
async function judge(outcome: CodeOutcome, name = 'module', params: object = { value: 'check.mjs' }) {
  const seen: AssertionInput[] = [];
  const run = ({ input }: { readonly input: AssertionInput }) => {
    seen.push(input);
    return Promise.resolve(outcome);
  };
  const spec = buildSpec(name, params, { select: { kind: 'json' } });
  const view = buildView({ text: '{"a": 1}', toolCalls: [buildToolCall('find', { id: 7 })], costUsd: undefined });
  const own = { ...ports, ownCode: { runModule: run, runCommand: run } };
  const [verdict, inverse] = await judgeChecks([spec, combine('not', spec)], view, own);
  if (verdict === undefined || inverse === undefined) throw new Error('There is a verdict for every check.');
  return { verdict, outcome: outcomeOf(verdict), inverse: outcomeOf(inverse), seen };
}

const cases: readonly (readonly [string, CodeOutcome, object])[] = [
  ['a pass', { returned: { pass: true } }, { outcome: 'pass', inverse: 'fail', verdict: { score: 1 } }],
  ['a fail', { returned: { pass: false } }, { outcome: 'fail', inverse: 'pass', verdict: { score: 0 } }],
  [
    'a score and a reason',
    { returned: { pass: true, score: 0.25, reason: 'polite' } },
    { verdict: { score: 0.25, reason: 'polite' } },
  ],
  ['a fault', { fault: 'took longer than 5 ms' }, { outcome: 'error', inverse: 'error' }],
  ['a boolean', { returned: true }, { outcome: 'error', verdict: { error: expect.stringContaining('found true') } }],
  ['nothing', { returned: null }, { outcome: 'error', inverse: 'error' }],
  ['a pass that is a text', { returned: { pass: 'yes' } }, { outcome: 'error', inverse: 'error' }],
  ['a score of 2', { returned: { pass: true, score: 2 } }, { outcome: 'error', inverse: 'error' }],
  ['a score that is null', { returned: { pass: true, score: null } }, { outcome: 'error', inverse: 'error' }],
  ['a pass of 0', { returned: { pass: true, score: 0 } }, { outcome: 'error', inverse: 'error' }],
  ['a failure of 1', { returned: { pass: false, score: 1 } }, { outcome: 'error', inverse: 'error' }],
  ['a failure of 0.9', { returned: { pass: false, score: 0.9 } }, { outcome: 'fail', inverse: 'pass' }],
  ['a further key', { returned: { pass: true, passed: true } }, { outcome: 'error', inverse: 'error' }],
];

test.each(cases)('own code that gives %s', async (_, outcome, expected) => {
  expect(await judge(outcome)).toMatchObject(expected);
  expect(await judge(outcome, 'exec', { value: 'node check.mjs' })).toMatchObject(expected);
});

test('own code is given the target, the answer and its args; what is not known is null', async () => {
  const { seen } = await judge({ returned: { pass: true } }, 'module', { value: 'check.mjs', args: { max: 3 } });
  const [input] = seen;
  expect(input).toEqual({
    target: { a: 1 },
    text: '{"a": 1}',
    toolCalls: [{ name: 'find', arguments: { id: 7 } }],
    finishReason: 'stop',
    latencyMs: 100,
    costUsd: null,
    args: { max: 3 },
  });
});

test('a reason is cut, and the code is named where it has none', async () => {
  const long = await judge({ returned: { pass: true, reason: 'x'.repeat(5000) } });
  expect(long.verdict.reason).toBe(`${'x'.repeat(1000)}…`);
  expect((await judge({ returned: { pass: false } })).verdict.reason).toBe('"check.mjs" says fail');
});

test('where no own code may run the check is an error', async () => {
  const [verdict] = await judgeChecks([buildSpec('exec', { value: 'node x' })], buildView('a'), {
    deadline: ports.deadline,
  });
  expect(verdict?.error).toBe("node x can't be run here");
});

test.each([
  ['module', {}, /^value: /],
  ['module', { value: '' }, /^value: /],
  ['module', { value: 'a.mjs', timeout: '0s' }, /^timeout: must be more than 0/],
  ['module', { value: 'a.mjs', timeout: 5 }, /^timeout: /],
  ['module', { value: 'a.mjs', memoryMb: 1 }, /^memoryMb: must be 16 or more/],
  ['exec', { value: 'node "a' }, /^value: must be a command with closed quotes/],
  ['exec', { value: ' ' }, /^value: must be a command/],
  ['exec', { value: [] }, /^value: /],
])('%s refuses %j', (assertion, params, problem) => {
  expect(findProblems(assertion, params).join('\n')).toMatch(problem);
});

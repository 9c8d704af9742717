import { describe, expect, test } from 'vitest';
import { type ScriptedCall, type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const refund: readonly ScriptedStep[] = [
  [['find_order', { id: 7 }]],
  [
    ['find_user', { name: 'Ada' }],
    ['issue_refund', { order: 7, amount: 30 }],
  ],
  'Refunded.',
];

async function judge(assert: string, steps: readonly ScriptedStep[] = refund) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Refund order 7" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
tools:
  find_order: { returns: { state: lost } }
  find_user: { returns: { id: 1 } }
  issue_refund: { returns: ok }
cases: [{ id: refund, assert: [${assert}] }]
`,
  );
  const server = await startAgentServer(steps);
  const { code, report, stderr } = await project.report(['run', '--no-baseline'], { env: server.env });
  return { code, stderr, check: trialsOf(report)[0]?.checks[0] };
}

describe('trajectory', () => {
  test.each([
    'calls: [issue_refund, find_order]',
    'calls: [find_order, issue_refund], order: ordered',
    'calls: [find_order, find_user, issue_refund], order: exact',
    'calls: { name: issue_refund, args: { amount: 30 } }',
    'calls: [{ name: issue_refund, args: { amount: 30, order: 7 } }], compare: exact',
    'never: [delete_order, { name: issue_refund, args: { amount: 31 } }]',
    'counts: { find_order: 1, issue_refund: { max: 1 }, delete_order: 0 }',
    'steps: { max: 3 }',
    'steps: 3, noRepeats: true',
    'after: { issue_refund: find_order }',
    'after: { issue_refund: [{ name: find_order, args: { id: 7 } }], delete_order: find_user }',
  ])('passes for { %s }', async (params) => {
    const { code, check } = await judge(`{ trajectory: { ${params} } }`);
    expect([code, check?.pass, check?.reason]).toEqual([0, true, expect.stringContaining('takes the wanted path')]);
  });

  test.each([
    ['calls: [delete_order]', 'no fitting call of "delete_order"'],
    ['calls: [issue_refund, find_order], order: ordered', 'calls "find_order" before "issue_refund", wanted after it'],
    ['calls: [issue_refund, delete_order], order: ordered', 'no fitting call of "delete_order"'],
    ['calls: [{ name: find_order, count: 2 }], order: ordered', 'no fitting call of "find_order"'],
    [
      'calls: [find_order, issue_refund], order: exact',
      'no fitting call of "issue_refund" as call 2, the call is of "find_user"',
    ],
    ['calls: { name: issue_refund, args: { amount: 31 } }', 'expected the number 31, found the number 30'],
    ['calls: [{ name: issue_refund, args: { amount: 30 } }], compare: exact', 'no fitting call of "issue_refund"'],
    ['never: issue_refund', 'calls issue_refund({"order":7,"amount":30}) at step 2, which it must never call'],
    ['counts: { issue_refund: 0 }', 'calls "issue_refund" once, wanted exactly 0'],
    ['counts: { delete_order: { min: 1 } }', 'calls "delete_order" 0 times, wanted at least 1'],
    [
      'steps: { max: 2 }',
      'takes 3 steps, wanted at most 2: 1 find_order({"id":7}) → 2 find_user({"name":"Ada"}) + issue_refund',
    ],
    [
      'after: { issue_refund: [find_order, find_user] }',
      'calls issue_refund({"order":7,"amount":30}) at step 2, before it has a result of "find_user"',
    ],
    [
      'after: { issue_refund: { name: find_order, args: { id: 8 } } }',
      'before it has a result of "find_order", $.id of its arguments: expected the number 8, found the number 7',
    ],
    ['state: { orders: 1 }', "the case's tools keep no state"],
  ])('fails for { %s }', async (params, reason) => {
    const { code, check } = await judge(`{ trajectory: { ${params} } }`);
    expect([code, check?.pass]).toEqual([1, false]);
    expect(check?.reason).toContain(reason);
  });

  test('sees a call that is made twice with the same arguments, in whatever order', { tags: ['slow'] }, async () => {
    const twice: ScriptedStep[] = [
      [['find_order', { id: 7, full: true }]],
      [['find_order', { full: true, id: 7 }]],
      'ok',
    ];
    const { check } = await judge('{ trajectory: { noRepeats: true } }', twice);
    expect(check?.reason).toBe('makes the call find_order({"full":true,"id":7}) twice');
    expect((await judge('{ trajectory: { noRepeats: [issue_refund] } }', twice)).code).toBe(0);
    expect((await judge('{ trajectory: { noRepeats: find_order } }', twice)).code).toBe(1);
  });

  test('takes as many calls in a row as count allows, also where the order is exact', { tags: 'slow' }, async () => {
    const find = (id: number): ScriptedStep => [['find_order', { id }]];
    const exact = (calls: string) => `{ trajectory: { calls: [${calls}], order: exact } }`;
    const right = [
      '{ name: find_order, count: { min: 1, max: 3 } }',
      '{ name: find_order, count: { min: 1 } }',
      '{ name: find_order, count: { max: 2 } }, { name: issue_refund, count: { max: 1 } }',
      '{ name: find_order, count: { max: 2 } }, { name: find_order, args: { id: 2 } }',
    ];
    const wrong = [
      ['{ name: find_order, count: { max: 1 } }', '2 calls of "find_order" fit, wanted at most 1'],
      ['{ name: find_order, count: { min: 3 } }', 'no fitting call of "find_order", it is not made'],
      ['{ name: find_order, args: { id: 1 }, count: { min: 1 } }', 'makes 2 tool calls'],
      ['{ name: find_order, count: { min: 1 } }, issue_refund', 'no fitting call of "issue_refund"'],
    ];
    for (const calls of right) {
      const { check } = await judge(exact(calls), [find(1), find(2), 'ok']);
      expect([calls, check?.pass]).toEqual([calls, true]);
      expect((await judge(`{ toolCalls: { value: [${calls}], order: exact } }`, [find(1), find(2), 'ok'])).code).toBe(
        0,
      );
    }
    for (const [calls = '', reason = ''] of wrong) {
      const { check } = await judge(exact(calls), [find(1), find(2), 'ok']);
      expect([calls, check?.pass, check?.reason]).toEqual([calls, false, expect.stringContaining(reason)]);
    }
  });

  test('sees a refund without looking: before the look-up, at once with it, and after one that failed', async () => {
    const after =
      '{ trajectory: { calls: [find_order, issue_refund], order: ordered, after: { issue_refund: find_order } } }';
    const find: ScriptedCall = ['find_order', { id: 7 }];
    const pay: ScriptedCall = ['issue_refund', { order: 7 }];
    const failing: ScriptedCall = ['find_order', '{"id":'];
    expect((await judge(after, [[find], [pay], 'ok'])).code).toBe(0);
    const wrongPaths: readonly [steps: readonly ScriptedStep[], step: number][] = [
      [[[find, pay], 'ok'], 1],
      [[[pay], [find], [pay], 'ok'], 1],
      [[[pay, find], [pay], 'ok'], 1],
      [[[failing], [find, pay], 'ok'], 2],
    ];
    for (const [steps, step] of wrongPaths) {
      const { check } = await judge(after, steps);
      expect(check?.reason).toContain(`at step ${step}, before it has a result of "find_order"`);
    }
  });

  test('fails an agent that does nothing', async () => {
    expect((await judge('{ trajectory: { calls: find_order } }', ['Done.'])).code).toBe(1);
    expect((await judge('{ trajectory: { steps: { min: 2 } } }', ['Done.'])).code).toBe(1);
  });

  test.each([
    ['{ trajectory: {} }', 'needs one of calls'],
    ['{ trajectory: { order: ordered } }', 'order needs calls'],
    ['{ trajectory: { steps: -1 } }', 'steps'],
    ['{ trajectory: { call: x } }', 'calls'],
    ['{ trajectory: { noRepeats: false } }', 'must be true, or the names of tools'],
    ['{ trajectory: { never: { name: x, count: 2 } } }', 'count'],
    ['{ trajectory: { after: find_order } }', 'after'],
    ['{ trajectory: { after: { issue_refund: [] } } }', 'needs at least one tool'],
    ['{ trajectory: { after: {} } }', 'trajectory.after needs at least one tool'],
    ['{ trajectory: { counts: {} } }', 'trajectory.counts needs at least one tool'],
  ])('refuses %s at its place', async (assert, message) => {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', 'suites: [a.eval.yaml]\n');
    project.write(
      'a.eval.yaml',
      `suite: a
prompts: [{ id: v1, text: a }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
cases: [{ id: a, assert: [${assert}] }]
`,
    );
    const { code, stderr } = await project.run(['validate']);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain('a.eval.yaml:4:');
  });
});

describe('toolCalls in a case with tools', () => {
  test.each([
    ['toolCalls: [find_order, issue_refund]', 0],
    ['toolCalls: { none: true }', 1],
    ['toolCalls: { count: 3 }', 0],
    ['toolCalls: { names: [find_order], order: exact, step: 1 }', 0],
    ['toolCalls: { names: [issue_refund], step: 1 }', 1],
    ['toolCalls: { none: true, step: 3 }', 0],
    ['toolCalls: { none: true, step: 4 }', 1],
    ['not: { toolCalls: { names: [delete_order], step: 9 } }', 1],
  ])('sees the calls of all answers, or those of one: { %s }', async (assert, code) => {
    expect((await judge(`{ ${assert} }`)).code).toBe(code);
  });

  test('says that there is no such step', async () => {
    expect((await judge('{ toolCalls: { none: true, step: 4 } }')).check?.reason).toBe(
      'there is no step 4: the model answered 3 times',
    );
  });
});

import { describe, expect, test } from 'vitest';
import { checkAnswer, UserError } from '../../src/index.ts';
import { openTempProject } from '../support/temp-project.ts';
// oxlint-disable-next-line import/no-unassigned-import -- it registers the matcher
import '../../src/vitest.ts';

describe('checkAnswer', () => {
  test('judges as a suite does, with vars, golden answer and tool calls', async () => {
    const { root } = openTempProject();
    const answer = { text: '{"queue":"billing"}', toolCalls: [{ name: 'route', arguments: { to: 'billing' } }] };
    const verdicts = await checkAnswer(
      answer,
      [
        { equals: '{{expected}}', select: { jsonPath: '$.queue' } },
        { contains: '{{ other }}' },
        { toolCalls: [{ name: 'route' }] },
        { cost: { max: 1 } },
      ],
      { cwd: root, expected: 'billing', vars: { other: 'refund' } },
    );
    expect(verdicts.map(({ pass, error }) => error ?? pass)).toEqual([
      true,
      false,
      true,
      expect.stringContaining('price'),
    ]);
  });

  test.each([
    ['a typo', [{ contians: 'a' }], 'did you mean "contains"?'],
    ['a missing variable', [{ contains: '{{ nowhere }}' }], 'nowhere'],
    ['a judge', [{ rubric: 'is polite' }], 'judge'],
    ['a baseline', [{ snapshot: 'exact' }], 'needs a run'],
  ])('refuses %s', async (_, checks, message) => {
    const { root } = openTempProject();
    const error = await checkAnswer('a', checks as never, { cwd: root }).catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw new Error('expected a UserError');
    const said = error.problems.map((problem) => `${problem.message} ${problem.hint ?? ''}`).join('\n');
    expect(said).toContain(message);
  });
});

describe('an answer of checkAnswer', () => {
  const judge = async (answer: unknown, ...checks: object[]) => {
    const { root: cwd } = openTempProject();
    const verdicts = await checkAnswer(answer as never, checks, { cwd });
    return verdicts.map(({ pass, error }) => error ?? pass);
  };

  test.each([
    ['a promise', Promise.resolve('a'), 'await it'],
    ['undefined', undefined, 'is a text, or an object with a text'],
    ['an object without a text', {}, 'is a text, or an object with a text'],
    ['a call without a name', { text: 'a', toolCalls: [{ function: { name: 'f' } }] }, 'each with a name'],
    ['calls that are no list', { text: 'a', toolCalls: { name: 'f' } }, 'each with a name'],
  ])('is not %s', async (_, answer, message) => {
    const error = await judge(answer, { toolCalls: { none: true } }).catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw new Error('expected a UserError');
    expect(error.problems.map((problem) => `${problem.message} ${problem.hint ?? ''}`).join()).toContain(message);
  });

  test('may have the arguments of a call as their text', async () => {
    const answer = { text: 'a', toolCalls: [{ name: 'f', arguments: '{"a":1}' }] };
    const never = { trajectory: { never: { name: 'f', args: { a: 1 } } } };
    expect(await judge(answer, { toolCalls: { name: 'f', args: { a: 1 } } }, never)).toEqual([true, false]);
  });

  test('that says nothing of its calls has no verdict on them', async () => {
    const checks = [{ toolCalls: { none: true } }, { trajectory: { never: 'f' } }];
    const unknown = expect.stringContaining('unknown');
    expect(await judge('a', ...checks)).toEqual([unknown, unknown]);
    expect(await judge({ text: 'a' }, ...checks)).toEqual([true, unknown]);
    expect(await judge({ text: 'a', toolCalls: [] }, ...checks)).toEqual([true, true]);
  });
});

describe('toPassChecks', () => {
  test('passes, fails with every reason, and is inverted by not', async () => {
    await expect('Hello, Ada').toPassChecks([{ contains: 'Ada' }]);
    await expect('Hello, Ada').not.toPassChecks([{ contains: 'Bob' }]);
    await expect(expect('Hello').toPassChecks([{ contains: 'Ada' }, { length: { max: 1 } }])).rejects.toThrow(
      /contains: does not contain "Ada"[^]*length: /,
    );
  });

  test('a check that can not be made throws, under not too', async () => {
    const { root: cwd } = openTempProject();
    await expect(expect('a').not.toPassChecks([{ latency: { max: '1s' } }], { cwd })).rejects.toThrow('latency:');
    await expect(expect('a').toPassChecks([], { cwd })).rejects.toThrow('needs at least one assertion');
  });
});

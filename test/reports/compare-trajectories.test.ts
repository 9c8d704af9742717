import { describe, expect, test } from 'vitest';
import type { AgentStep, AnsweredCall } from '../../src/model/run/completion.ts';
import { compareTrajectories, describeTrajectoryChange } from '../../src/reports/cases/compare-trajectories.ts';
import fc from '../support/property.ts';

/** `find {"id":7}`, with its result after `→`, or a text in double quotes; calls made at once are joined by ` + `. */
function steps(...written: readonly string[]): readonly AgentStep[] {
  return written.map((text) =>
    text.startsWith('"') ? { text, calls: [] } : { text: '', calls: text.split(' + ').map(writtenCall) },
  );
}

function writtenCall(text: string): AnsweredCall {
  const [call = '', content = 'ok'] = text.split(' → ');
  const [name = '', ...args] = call.split(' ');
  return { name, arguments: undefined, rawArguments: args.join(' '), result: { content } };
}

const path = steps('find {"id":7}', 'refund {"id":7}', '"Done."');

describe('the paths of an agent', () => {
  test.each<[string, readonly AgentStep[], readonly string[]]>([
    ['no difference', path, []],
    ['other key order and blanks', steps('find { "id": 7.0 }', 'refund {"id":7}', '"Other words."'), []],
    [
      'a new call',
      steps('find {"id":7}', 'issue {}', 'refund {"id":7}', '"Done."'),
      ['now calls issue at step 2', 'takes 4 steps, was 3'],
    ],
    [
      'a new tool, several times',
      steps('find {"id":7}', 'issue {} + issue {"a":1}', 'refund {"id":7}'),
      ['now calls issue 2 times, first at step 2'],
    ],
    ['a call left out', steps('refund {"id":7}', '"Done."'), ['no longer calls find', 'takes 2 steps, was 3']],
    ['no call at all', steps('"Done."'), ['no longer calls find', 'no longer calls refund', 'takes 1 step, was 3']],
    [
      'another argument',
      steps('find {"id":8}', 'refund {"id":7}', '"Done."'),
      ['calls find with {"id":8} at step 1, was {"id":7}'],
    ],
    [
      'arguments that are no JSON',
      steps('find {"id"', 'refund {"id":7}', '"Done."'),
      ['calls find with "{\\"id\\"" at step 1, was {"id":7}'],
    ],
    [
      'the other order',
      steps('refund {"id":7}', 'find {"id":7}', '"Done."'),
      ['calls refund before find, was after it'],
    ],
    ['both at once', steps('refund {"id":7} + find {"id":7}', '"Done."'), ['takes 2 steps, was 3']],
    [
      'once more',
      steps('find {"id":7}', 'find {"id":9}', 'refund {"id":7}', '"Done."'),
      ['calls find once more at step 2, with {"id":9}', 'takes 4 steps, was 3'],
    ],
    [
      'a loop',
      steps('find {"id":7}', 'find {"id":7}', 'find {"id":7}', 'refund {"id":7}', '"Done."'),
      ['calls find 3 times, was once', 'takes 5 steps, was 3'],
    ],
    [
      'another result',
      steps('find {"id":7} → gone', 'refund {"id":7}', '"Done."'),
      ['gets another result of find at step 1'],
    ],
    [
      'a call that ended the cell, so that later ones say nothing',
      [{ text: '', calls: [{ name: 'issue', arguments: {}, rawArguments: '{}' }] }],
      ['now calls issue at step 1'],
    ],
  ])('differ by %s', (_name, now, differences) => {
    expect(compareTrajectories({ trajectory: path }, { trajectory: now }).differences).toEqual(differences);
  });

  test('are compared with themselves in the other direction too', () => {
    const twice = steps('find {"id":7}', 'find {"id":7}', '"Done."');
    const once = steps('find {"id":7}', '"Done."');
    expect(compareTrajectories({ trajectory: twice }, { trajectory: once }).differences).toEqual([
      'calls find once, was 2 times',
      'takes 2 steps, was 3',
    ]);
  });

  test('say of calls made at once in another order that nothing changed', () => {
    const [one, other] = [steps('find {"id":7} + find {"id":8}'), steps('find {"id":8} + find {"id":7}')];
    expect(describeTrajectoryChange({ trajectory: one }, { trajectory: other })).toBeUndefined();
  });

  test('name what differs within long arguments, and mark the calls on both sides', () => {
    const long = (city: string) => steps(`ship {"note":"${'x'.repeat(100)}","to":{"city":"${city}"}}`, '"Done."');
    const [before, now] = [long('Bergen'), long('Oslo')];
    const { differences, changedBefore, changedNow } = compareTrajectories({ trajectory: before }, { trajectory: now });
    expect(differences).toEqual([
      'calls ship with another $.to.city at step 1: the string "Oslo", was the string "Bergen"',
    ]);
    expect([[...changedBefore], [...changedNow]]).toEqual([before[0]?.calls, now[0]?.calls]);
  });

  test('differ by the state that they leave', () => {
    const leaves = (state: string) => ({ trajectory: path, state: { orders: { '7': state } } });
    expect(describeTrajectoryChange(leaves('open'), leaves('cancelled'))).toBe(
      'leaves the string "cancelled" at $.orders["7"] of the state, was the string "open"',
    );
    expect(describeTrajectoryChange(leaves('open'), { trajectory: path })).toBeUndefined();
  });

  test('do not differ from themselves, whatever they hold', () => {
    const anyCall = fc.record({ name: fc.string(), rawArguments: fc.oneof(fc.json(), fc.string()) });
    const anySteps = fc.array(fc.record({ text: fc.string(), calls: fc.array(anyCall, { maxLength: 3 }) }));
    fc.assert(
      fc.property(anySteps, (found) => {
        const trajectory = found.map(({ text, calls }) => ({
          text,
          calls: calls.map((call) => ({ ...call, arguments: undefined })),
        }));
        expect(describeTrajectoryChange({ trajectory }, { trajectory })).toBeUndefined();
      }),
    );
  });

  test('are described in one line of the most telling differences', () => {
    const now = steps('a {}', 'b {}', 'c {}', 'd {}');
    expect(describeTrajectoryChange({ trajectory: path }, { trajectory: now })).toBe(
      'now calls a at step 1; now calls b at step 2; now calls c at step 3; and 4 more differences',
    );
  });
});

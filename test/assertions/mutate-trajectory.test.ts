import { expect, test } from 'vitest';
import { type Mutant, mutateAnswer } from '../../src/assertions/mutate-answer.ts';
import { mutateTrajectory } from '../../src/assertions/mutate-trajectory.ts';
import type { AgentStep } from '../../src/model/run/completion.ts';

function call(name: string, args: Readonly<Record<string, string | number>> = {}) {
  return { name, arguments: args, rawArguments: JSON.stringify(args), result: { content: 'ok' } };
}

function answerOf(steps: readonly AgentStep[]) {
  const text = steps.at(-1)?.text ?? '';
  return { text, toolCalls: steps.flatMap(({ calls }) => calls), finishReason: 'stop' as const, steps };
}

const done = { text: 'Done.', calls: [] };
const two = [{ text: '', calls: [call('find', { id: '07' })] }, { text: '', calls: [call('refund')] }, done];

/** `find({"id":"07"}) | refund({})`: the steps of a mutant, without the last text. */
function pathOf({ answer }: Mutant): string {
  return (answer.steps ?? [])
    .map(({ text, calls }) => (calls.length === 0 ? text : calls.map(writeCall).join(' + ')))
    .join(' | ');
}

function writeCall({ name, rawArguments }: { readonly name: string; readonly rawArguments: string }): string {
  return `${name}(${rawArguments})`;
}

test('a path loses, repeats, reorders, changes and adds a call, one at a time, and does nothing', () => {
  const mutants = [...mutateTrajectory(answerOf(two), { forbidden: [call('issue')], isOrdered: true })];
  expect(mutants.map((mutant) => [mutant.kind, mutant.detail, pathOf(mutant)])).toEqual([
    ['did-nothing', 'the same text without a call', 'Done.'],
    ['forbidden-call', 'calls issue too', 'find({"id":"07"}) | refund({}) | issue({}) | Done.'],
    ['call-dropped', 'without find at step 1', 'refund({}) | Done.'],
    ['call-doubled', 'find at step 1 twice', 'find({"id":"07"}) | find({"id":"07"}) | refund({}) | Done.'],
    ['argument-changed', 'another text at find.$.id', 'find({"id":"08"}) | refund({}) | Done.'],
    ['call-dropped', 'without refund at step 2', 'find({"id":"07"}) | Done.'],
    ['call-doubled', 'refund at step 2 twice', 'find({"id":"07"}) | refund({}) | refund({}) | Done.'],
    ['calls-reordered', 'refund before find', 'refund({}) | find({"id":"07"}) | Done.'],
  ]);
  for (const { answer } of mutants) expect(answer.toolCalls).toEqual(answer.steps?.flatMap(({ calls }) => calls));
});

test('calls made at once are not reordered, nor are calls whose order the case leaves open', () => {
  const kinds = (steps: readonly AgentStep[], isOrdered: boolean) =>
    [...mutateTrajectory(answerOf(steps), { forbidden: [], isOrdered })].map(({ kind }) => kind);
  const atOnce = [{ text: '', calls: [call('find', { id: 7 }), call('refund')] }, done];
  expect(kinds(atOnce, true)).not.toContain('calls-reordered');
  expect(kinds(two, false)).not.toContain('calls-reordered');
  expect(kinds([{ text: '', calls: [call('find')] }, { text: '', calls: [call('find')] }, done], true)).not.toContain(
    'calls-reordered',
  );
});

test('an answer that made no call has no other path', () => {
  expect([...mutateTrajectory(answerOf([done]), { forbidden: [], isOrdered: true })]).toEqual([]);
});

test('the changes of any answer are made to the steps too', () => {
  const mutants = [...mutateAnswer(answerOf(two), [])];
  for (const { answer } of mutants) {
    expect(answer.steps?.flatMap(({ calls }) => calls)).toEqual(answer.toolCalls);
    expect(answer.steps?.at(-1)?.text).toBe(answer.text);
  }
  const dropped = mutants.find(({ kind }) => kind === 'field-dropped');
  expect(dropped && pathOf(dropped)).toBe('find({}) | refund({}) | Done.');
});

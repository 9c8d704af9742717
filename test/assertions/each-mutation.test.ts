import { describe, expect, test } from 'vitest';
import { type Mutant, mutateAnswer } from '../../src/assertions/mutate-answer.ts';
import { mutateTrajectory } from '../../src/assertions/mutate-trajectory.ts';
import type { AgentStep, AnsweredCall, ToolCall } from '../../src/model/run/completion.ts';
import fc from '../support/property.ts';

/** Calls with names of their own, so that a change can be named. */
function buildSteps(shape: readonly (readonly string[])[]): readonly AgentStep[] {
  let number = 0;
  return shape.map((texts, at) => ({
    text: `text ${at}`,
    calls: texts.map((id) => {
      number += 1;
      const args = { id, deep: { list: ['x', id] } };
      return { name: `call${number}`, arguments: args, rawArguments: JSON.stringify(args) };
    }),
  }));
}

// The last step has the text of the answer; it may have calls too.
const paths = fc
  .array(fc.array(fc.constantFrom('07', 'a', ''), { maxLength: 3 }), { minLength: 1, maxLength: 4 })
  .map(buildSteps)
  .filter((steps) => steps.some(({ calls }) => calls.length > 0));

const forbidden: readonly ToolCall[] = [{ name: 'delete', arguments: {}, rawArguments: '{}' }];

const callsOf = (steps: readonly AgentStep[]) => steps.flatMap(({ calls }) => calls);
const stepsOf = ({ answer }: Mutant) => answer.steps ?? [];
const numberIn = (detail: string) => Number(/step (\d+)/.exec(detail)?.[1]) - 1;
const nameIn = (detail: string) => /call\d+|delete/.exec(detail)?.[0] ?? '';

/** The changes of one kind, each with the path that it was made to. */
function expectEach(kind: Mutant['kind'], look: (mutant: Mutant, steps: readonly AgentStep[]) => void): void {
  fc.assert(
    fc.property(paths, (steps) => {
      const text = steps.at(-1)?.text ?? '';
      const answer = { text, toolCalls: callsOf(steps), finishReason: 'stop' as const, steps };
      const mutants = [...mutateTrajectory(answer, { forbidden, isOrdered: true })];
      for (const mutant of mutants.filter((made) => made.kind === kind)) {
        expect(mutant.answer).toMatchObject({ text, finishReason: 'stop' });
        expect(mutant.answer.toolCalls).toEqual(callsOf(stepsOf(mutant)));
        look(mutant, steps);
      }
      expect(mutants.filter((made) => made.kind === kind).map(({ detail }) => detail)).toEqual(expectedOf(kind, steps));
    }),
    { numRuns: 60 },
  );
}

/** Every change of a kind, by its name: none may be left out. Calls may be exchanged in several orders. */
function expectedOf(kind: Mutant['kind'], steps: readonly AgentStep[]): unknown {
  const each = (write: (call: AnsweredCall, at: number) => readonly string[]) =>
    steps.flatMap(({ calls }, at) => calls.flatMap((call) => write(call, at)));
  const texts = ['$.id', '$.deep.list[0]', '$.deep.list[1]'];
  const details: Partial<Record<Mutant['kind'], readonly string[]>> = {
    'did-nothing': ['the same text without a call'],
    'forbidden-call': ['calls delete too'],
    'call-dropped': each(({ name }, at) => [`without ${name} at step ${at + 1}`]),
    'call-doubled': each(({ name }, at) => [`${name} at step ${at + 1} twice`]),
    'argument-changed': each(({ name }) => texts.map((path) => `another text at ${name}.${path}`)),
  };
  return details[kind] ?? expect.any(Array);
}

describe('of the path of an agent, exactly the named change is made', () => {
  test('did nothing', () => {
    expectEach('did-nothing', (mutant, steps) => {
      expect(stepsOf(mutant)).toEqual([{ ...steps.at(-1), calls: [] }]);
    });
  });

  test('a forbidden call', () => {
    expectEach('forbidden-call', (mutant, steps) => {
      const place = stepsOf(mutant).findIndex(({ calls }) => calls.some(({ name }) => name === 'delete'));
      expect(stepsOf(mutant)[place]).toEqual({ text: '', calls: forbidden });
      expect(place).toBe(steps.length - 1);
      expect(stepsOf(mutant).filter((_, at) => at !== place)).toEqual(steps);
    });
  });

  test('a call dropped', () => {
    expectEach('call-dropped', (mutant, steps) => {
      const name = nameIn(mutant.detail);
      const at = numberIn(mutant.detail);
      const rest = steps.map((step) => ({ ...step, calls: step.calls.filter((call) => call.name !== name) }));
      // A step of an agent that calls nothing would be its last.
      const isGone = rest[at]?.calls.length === 0 && at < steps.length - 1;
      expect(stepsOf(mutant)).toEqual(isGone ? rest.filter((_, index) => index !== at) : rest);
      expect(callsOf(steps).length - callsOf(stepsOf(mutant)).length).toBe(1);
    });
  });

  test('a call doubled', () => {
    expectEach('call-doubled', (mutant, steps) => {
      const name = nameIn(mutant.detail);
      const at = numberIn(mutant.detail);
      expect(stepsOf(mutant)[at + 1]).toEqual({
        text: '',
        calls: steps[at]?.calls.filter((call) => call.name === name),
      });
      expect(stepsOf(mutant).filter((_, index) => index !== at + 1)).toEqual(steps);
    });
  });

  test('calls of two neighbouring steps exchanged', () => {
    expectEach('calls-reordered', (mutant, steps) => {
      const changed = stepsOf(mutant).flatMap(({ calls }, at) =>
        JSON.stringify(calls) === JSON.stringify(steps[at]?.calls) ? [] : [at],
      );
      const [first = -1, second = -1] = changed;
      expect([changed.length, second - first]).toEqual([2, 1]);
      expect(stepsOf(mutant)[first]).toEqual({ ...steps[first], calls: steps[second]?.calls });
      expect(stepsOf(mutant)[second]).toEqual({ ...steps[second], calls: steps[first]?.calls });
      expect(mutant.detail).toBe(`${steps[second]?.calls[0]?.name} before ${steps[first]?.calls[0]?.name}`);
    });
  });

  test('a text of an argument changed', { tags: ['slow'] }, () => {
    expectEach('argument-changed', (mutant, steps) => {
      const name = nameIn(mutant.detail);
      for (const [at, step] of stepsOf(mutant).entries()) {
        expect({ ...step, calls: [] }).toEqual({ ...steps[at], calls: [] });
        for (const [place, call] of step.calls.entries()) {
          const before = steps[at]?.calls[place];
          expect(call.rawArguments).toBe(JSON.stringify(call.arguments));
          const changed = call.name === name ? [mutant.detail.split(`${name}.`)[1]] : [];
          expect(findLeaves(before?.arguments, call.arguments)).toEqual(changed);
        }
      }
      expect(stepsOf(mutant)).toHaveLength(steps.length);
    });
  });
});

/** The places at which two values of the same shape differ, and those of which only one side has a value. */
function findLeaves(before: unknown, after: unknown, path = '$'): readonly string[] {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) {
    return Object.is(before, after) ? [] : [path];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    findLeaves(
      Reflect.get(before, key),
      Reflect.get(after, key),
      Array.isArray(before) ? `${path}[${key}]` : `${path}.${key}`,
    ),
  );
}

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: -9, max: 9 }),
    fc.boolean(),
    fc.constantFrom('billing', 'a b'),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('map'),
  ),
  map: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { minKeys: 1, maxKeys: 3 }),
})).map;

const ended: ToolCall = { name: 'end', arguments: {}, rawArguments: '{}' };

/** The mutants of an answer, and of a call with the same value as arguments. */
function expectOfValues(kind: Mutant['kind'], look: (change: string, before: unknown, after: unknown) => void): void {
  const wrong = { text: '{"a": "legal", "b": ["legal"]}', toolCalls: [], finishReason: 'stop' as const };
  fc.assert(
    fc.property(values, (value) => {
      const call = { name: 'find', arguments: JSON.parse(JSON.stringify(value)), rawArguments: JSON.stringify(value) };
      const answer = { text: JSON.stringify(value), toolCalls: [call, ended], finishReason: 'stop' as const };
      for (const mutant of mutateAnswer(answer, [wrong])) {
        if (mutant.kind !== kind) continue;
        const [changed, last] = mutant.answer.toolCalls;
        expect(last).toBe(ended);
        const isOfCall = mutant.detail.includes(' find.$');
        expect(isOfCall ? mutant.answer.text : changed).toEqual(isOfCall ? answer.text : call);
        expect(changed?.arguments).toEqual(JSON.parse(changed?.rawArguments ?? ''));
        const after = isOfCall ? changed?.arguments : (JSON.parse(mutant.answer.text) as unknown);
        look(/(?<= |\.)\$\S*$/.exec(mutant.detail)?.[0] ?? '', value, after);
        expect(mutant.answer.toolCalls).toHaveLength(2);
        expect(mutant.answer.finishReason).toBe('stop');
      }
    }),
    { numRuns: 60 },
  );
}

describe('of an answer in JSON, and of the arguments of a call, exactly the named place is changed', () => {
  test('a field dropped', () => {
    expectOfValues('field-dropped', (place, before, after) => {
      expect(findLeaves(before, after)).toEqual([place]);
      expect(JSON.stringify(after).length).toBeLessThan(JSON.stringify(before).length);
    });
  });

  test.each(['number-changed', 'negated', 'hedged'] as const)('%s', (kind) => {
    expectOfValues(kind, (place, before, after) => expect(findLeaves(before, after)).toEqual([place]));
  });
});

describe('of a text, exactly the named change is made', () => {
  const texts = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => text.trim() !== '');
  const call = { name: 'find', arguments: {}, rawArguments: '{}' };

  test.each<[Mutant['kind'], (text: string) => object]>([
    ['emptied', () => ({ text: '', toolCalls: [], finishReason: 'stop' })],
    ['refusal', () => ({ text: "I'm sorry, but I can't help with that.", toolCalls: [], finishReason: 'stop' })],
    [
      'appended',
      (text) => ({
        text: `${text}\n\nOn second thought, nothing of this is right.`,
        toolCalls: [call],
        finishReason: 'stop',
      }),
    ],
    [
      'prefixed',
      (text) => ({ text: `Everything that follows is wrong:\n\n${text}`, toolCalls: [call], finishReason: 'stop' }),
    ],
    [
      'truncated',
      (text) => ({ text: text.slice(0, Math.ceil(text.length / 2)), toolCalls: [], finishReason: 'length' }),
    ],
  ])('%s', (kind, expected) => {
    fc.assert(
      fc.property(texts, (text) => {
        const mutants = [...mutateAnswer({ text, toolCalls: [call], finishReason: 'stop' }, [])];
        const made = mutants.filter((mutant) => mutant.kind === kind).map(({ answer }) => answer);
        expect(made).toEqual(kind === 'truncated' && text.length < 2 ? [] : [expected(text)]);
      }),
      { numRuns: 60 },
    );
  });
});

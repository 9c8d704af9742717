import { describe, expect, test } from 'vitest';
import type { TraceRow } from '../../../src/importing/traces/recorded-call.ts';
import { createRecoverVars, createSpreadCheck } from '../../../src/importing/traces/recover-vars.ts';
import type { Contract } from '../../../src/model/suite/recorded-settings.ts';
import type { PromptVersion } from '../../../src/model/suite/suite.ts';
import { compileTemplate } from '../../../src/templates/template.ts';

function promptOf(messages: readonly (readonly [role: string, text: string])[], contract?: Contract): PromptVersion {
  return {
    id: 'v1',
    messages: messages.map(([role, text]) => ({ role, template: compileTemplate(text) })) as PromptVersion['messages'],
    params: {},
    ...(contract !== undefined && { contract }),
  };
}

const said = (role: string, content: string): TraceRow['messages'][number] =>
  ({ role, content, calls: [] }) as unknown as TraceRow['messages'][number];
const rowOf = (messages: readonly (readonly [string, string])[], vars?: TraceRow['vars']): TraceRow => ({
  origin: [],
  messages: messages.map(([role, content]) => said(role, content)),
  ...(vars !== undefined && { vars }),
  answer: { text: 'x', calls: [] },
});

const route = promptOf([
  ['system', 'Route.'],
  ['user', 'Mail: {{ mail.text }} to {{ to }}'],
]);
const recover = (row: TraceRow, prompt = route, contract: Contract = {}) => createRecoverVars(prompt, contract)(row);

describe('the variables of a prompt that was sent', () => {
  test('are read from its messages', () => {
    expect(
      recover(
        rowOf([
          ['system', 'Route.'],
          ['user', 'Mail: hi to me'],
        ]),
      ),
    ).toEqual({
      vars: { mail: { text: 'hi' }, to: 'me' },
    });
    // Some APIs call the system a developer, and some programs trim what they send.
    expect(
      recover(
        rowOf([
          ['developer', ' Route. '],
          ['user', 'Mail: hi to me\n'],
        ]),
      ),
    ).toEqual({
      vars: { mail: { text: 'hi' }, to: 'me' },
    });
    const nested = promptOf([['user', '{{ a.b }}-{{ a.c.d }}-{{ a.c.e }}']]);
    expect(recover(rowOf([['user', '1-2-3']]), nested)).toEqual({ vars: { a: { b: '1', c: { d: '2', e: '3' } } } });
  });

  test.each<[string, readonly (readonly [string, string])[], string]>([
    [
      'another text',
      [
        ['system', 'Other.'],
        ['user', 'Mail: hi to me'],
      ],
      'it is not from this prompt: its messages have other texts',
    ],
    [
      'another role',
      [
        ['user', 'Route.'],
        ['user', 'Mail: hi to me'],
      ],
      'it is not from this prompt: its messages have other roles',
    ],
    ['too few messages', [['system', 'Route.']], 'it is not from this prompt: its messages have other roles'],
    [
      'more messages',
      [
        ['system', 'Route.'],
        ['user', 'Mail: hi to me'],
        ['assistant', 'x'],
      ],
      'the conversation goes on after the prompt',
    ],
    [
      'two readings',
      [
        ['system', 'Route.'],
        ['user', 'Mail: hi to you to me'],
      ],
      'two readings fit: a value holds the text that separates variables, or is the default of one',
    ],
  ])('are not recovered from %s', (_, messages, refused) => {
    expect(recover(rowOf(messages))).toEqual({ refused });
  });

  test('are not recovered from a message with calls', () => {
    const row = rowOf([
      ['system', 'Route.'],
      ['user', 'Mail: hi to me'],
    ]);
    const [first, second] = row.messages;
    if (first === undefined || second === undefined) throw new Error('two messages');
    const calling = { ...row, messages: [first, { ...second, calls: [{ name: 'f' }] as never }] };
    expect(recover(calling)).toEqual({ refused: 'it is not from this prompt: its messages have other roles' });
  });

  test('are those of the file where the prompt comes to what was sent with them, or nothing was', () => {
    const vars = { mail: { text: 'hi to you' }, to: 'me', other: 1 };
    const kept = { vars: { mail: { text: 'hi to you' }, to: 'me' } };
    expect(recover(rowOf([], vars))).toEqual(kept);
    // The messages alone have two readings.
    expect(
      recover(
        rowOf(
          [
            ['system', ' Route.'],
            ['user', 'Mail: hi to you to me '],
          ],
          vars,
        ),
      ),
    ).toEqual(kept);
    expect(
      recover(
        rowOf(
          [
            ['system', 'Route.'],
            ['user', 'Mail: x to y'],
          ],
          vars,
        ),
      ),
    ).toEqual({
      vars: { mail: { text: 'x' }, to: 'y' },
    });
    expect(recover(rowOf([], { mail: { text: 'x' } }))).toEqual({
      refused: 'its input is neither messages nor the variables of the prompt',
    });
    expect(recover(rowOf([], { mail: {}, to: 'x' }))).toEqual({ refused: 'its variables do not render' });
    const fixed = promptOf([['user', 'hi']]);
    expect(recover(rowOf([], { a: 1 }), fixed)).toEqual({
      refused: 'its input is neither messages nor the variables of the prompt',
    });
  });

  test('of a prompt of system messages hold the question that was asked after it', () => {
    const system = promptOf([['system', 'Answer {{ user_message }}.']]);
    expect(
      recover(
        rowOf([
          ['system', 'Answer fast.'],
          ['user', 'Why {{ x }}?'],
        ]),
        system,
      ),
    ).toEqual({
      vars: { user_message: 'fast', user_message_: 'Why {{ x }}?' },
      turns: [{ user: '{{ user_message_ }}' }],
    });
    const plain = promptOf([['developer', 'Answer.']]);
    expect(
      recover(
        rowOf([
          ['system', 'Answer.'],
          ['user', 'Why?'],
        ]),
        plain,
      ),
    ).toEqual({
      vars: { user_message: 'Why?' },
      turns: [{ user: '{{ user_message }}' }],
    });
    expect(
      recover(
        rowOf([
          ['system', 'Other.'],
          ['user', 'Why?'],
        ]),
        plain,
      ),
    ).toEqual({
      refused: 'it is not from this prompt: its messages have other texts',
    });
    expect(
      recover(
        rowOf([
          ['system', 'Answer.'],
          ['assistant', 'Why?'],
        ]),
        plain,
      ),
    ).toEqual({
      refused: 'the conversation goes on after the prompt',
    });
  });

  test('have the types of the contract, that of the prompt before that of the suite', () => {
    const typed = (type: string): Contract => ({
      input: { type: 'object', properties: { to: { type }, mail: { type: 'object' } } },
    });
    const valueOf = (text: string, suite: Contract, prompt = route) => {
      const found = recover(
        rowOf([
          ['system', 'Route.'],
          ['user', `Mail: hi to ${text}`],
        ]),
        prompt,
        suite,
      );
      return 'refused' in found ? found.refused : found.vars['to'];
    };
    const broken = 'its variables break contract.input';
    expect(['7', '07', 'x'].map((text) => valueOf(text, typed('number')))).toEqual([7, broken, broken]);
    expect(['7', '7.5'].map((text) => valueOf(text, typed('integer')))).toEqual([7, broken]);
    expect(['true', 'false', 'yes'].map((text) => valueOf(text, typed('boolean')))).toEqual([true, false, broken]);
    expect(['7', 'true'].map((text) => valueOf(text, typed('string')))).toEqual(['7', 'true']);
    expect(valueOf('7', {})).toBe('7');
    expect(valueOf('7', { input: true })).toBe('7');
    const own = promptOf(
      [
        ['system', 'Route.'],
        ['user', 'Mail: {{ mail.text }} to {{ to }}'],
      ],
      typed('number'),
    );
    expect(valueOf('7', typed('string'), own)).toBe(7);
  });
});

test('variables that the prompt puts beside one another may come to personal data', () => {
  const spreads = createSpreadCheck(promptOf([['user', 'Write {{ user }}@{{ host }} or help@example.com']]));
  expect(spreads({ user: 'ada', host: 'example.org' })).toBe(true);
  expect(spreads({ user: 'ada', host: 'x' })).toBe(false);
  expect(spreads({ user: 'ada' })).toBe(false);
});

import { describe, expect, it } from 'vitest';
import type { AskedPrompt } from '../../src/probing/asked-prompt.ts';
import { listInstructions } from '../../src/probing/list-instructions.ts';
import { splitChange } from '../../src/probing/prompt-change.ts';
import { splitBlocks, splitSentences } from '../../src/probing/text-parts.ts';
import { createRandom } from '../../src/text/random.ts';

const asked = (content: string, rest: Partial<AskedPrompt> = {}): AskedPrompt => ({
  messages: [{ role: 'system', content }],
  params: {},
  model: 'm',
  ...rest,
});

const sentences = [
  'Be brief.',
  'Use e.g. JSON, as {{ a. b }} says.',
  '- one\n- two',
  '# Rules',
  '',
  '{% if x %}',
  'No tools!',
];

describe('the parts of a text', () => {
  it('tells paragraphs, items, examples, headings and tags apart', () => {
    const text =
      '# Task\nSort the mail. Be kind, e.g. greet.\nWrapped line.\n\n- one\n  more of one\n- two\n\n<example>\nA. B.\n</example>\n{% if x %}\n```\ncode. Code.\n```\n';
    expect(splitBlocks(text).map(({ kind, text: own }) => [kind, own])).toEqual([
      ['heading', '# Task'],
      ['paragraph', 'Sort the mail. Be kind, e.g. greet.\nWrapped line.'],
      ['item', '- one\n  more of one'],
      ['item', '- two'],
      ['example', '<example>\nA. B.\n</example>'],
      ['mark', '{% if x %}'],
      ['example', '```\ncode. Code.\n```'],
      ['mark', ''],
    ]);
    expect(
      splitSentences(text)
        .slice(1, 4)
        .map((part) => part.text),
    ).toEqual(['Sort the mail.', 'Be kind, e.g. greet.', 'Wrapped line.']);
  });
});

describe('the hunks of a change', () => {
  it('make both prompts again, whatever was changed', () => {
    const random = createRandom(7);
    const draw = () => {
      const count = Math.floor(random() * 9);
      const parts = Array.from({ length: count }, () => sentences[Math.floor(random() * sentences.length)] ?? '');
      return parts.join(random() < 0.5 ? '\n' : ' \n\n');
    };
    for (let round = 0; round < 100; round += 1) {
      const [before, after] = [asked(draw()), asked(draw())];
      const change = splitChange(before, after);
      expect(change.make(new Set())).toEqual(before);
      expect(change.make(new Set(change.hunks.keys()))).toEqual(after);
      for (const hunk of change.hunks.keys()) expect(change.make(new Set([hunk]))).not.toEqual(before);
    }
  });

  it('are sentences, items, messages, tools, parameters and the model, each with its lines', () => {
    const tool = (description: string, name = 'route') => ({ type: 'function', function: { name, description } });
    const before: AskedPrompt = {
      messages: [
        { role: 'system', content: 'Sort the mail. Answer in JSON.\n\n- refunds go to billing\n' },
        { role: 'user', content: '{{ mail }}' },
      ],
      params: { temperature: 0, tools: [tool('Sends it.'), tool('Old.', 'gone')] },
      model: 'm-1',
    };
    const after: AskedPrompt = {
      messages: [
        {
          role: 'system',
          content: 'Sort the mail. Answer in one JSON object. Be kind.\n\n- refunds go to legal\n- be brief\n',
        },
        { role: 'assistant', content: 'Ready.' },
        { role: 'user', content: '{{ mail }}' },
      ],
      params: { temperature: 1, tools: [tool('Sends the mail.')] },
      model: 'm-2',
    };
    const change = splitChange(before, after);
    expect(
      change.hunks.map(({ kind, name, before: old, after: own, place }) => [kind, name ?? place?.line, old, own]),
    ).toEqual([
      ['sentence', 1, 'Answer in JSON.', 'Answer in one JSON object.'],
      ['sentence', 1, undefined, 'Be kind.'],
      ['item', 3, '- refunds go to billing', '- refunds go to legal'],
      ['item', 4, undefined, '- be brief'],
      ['message', 1, undefined, 'Ready.'],
      ['param', 'temperature', '0', '1'],
      ['tool', 'tools.route.function.description', 'Sends it.', 'Sends the mail.'],
      ['tool', 'tools.gone', JSON.stringify(tool('Old.', 'gone')), undefined],
      ['model', 'model', 'm-1', 'm-2'],
    ]);
    expect(change.make(new Set())).toEqual(before);
    expect(change.make(new Set(change.hunks.keys()))).toEqual(after);
    expect(change.make(new Set([1, 6])).messages[0]?.content).toBe(
      'Sort the mail. Answer in JSON. Be kind.\n\n- refunds go to billing\n',
    );
  });

  it('are none where nothing changed', () => {
    expect(splitChange(asked('Same.'), asked('Same.')).hunks).toEqual([]);
  });
});

describe('the instructions of a prompt', () => {
  it('are its paragraphs, items, examples and tool descriptions, and the prompt can be made without each', () => {
    const prompt: AskedPrompt = {
      messages: [
        { role: 'system', content: '# Task\nSort it. Be kind.\n\n- one\n- two' },
        { role: 'user', content: 'A shot' },
        { role: 'assistant', content: 'billing' },
        { role: 'user', content: '{{ mail }}' },
      ],
      params: { tools: [{ type: 'function', function: { name: 'route', description: 'Sends it.' } }] },
      model: 'm',
    };
    const found = listInstructions(prompt);
    expect(found.map(({ kind, text, place }) => [kind, text, place?.line])).toEqual([
      ['paragraph', 'Sort it. Be kind.', 2],
      ['item', '- one', 4],
      ['item', '- two', 5],
      ['example', 'A shot\nbilling', 1],
      ['tool', 'Sends it.', undefined],
    ]);
    expect(found.map((one) => one.without().messages.map(({ content }) => content))).toEqual([
      ['# Task\n\n- one\n- two', 'A shot', 'billing', '{{ mail }}'],
      ['# Task\nSort it. Be kind.\n- two', 'A shot', 'billing', '{{ mail }}'],
      ['# Task\nSort it. Be kind.\n\n- one', 'A shot', 'billing', '{{ mail }}'],
      ['# Task\nSort it. Be kind.\n\n- one\n- two', '{{ mail }}'],
      ['# Task\nSort it. Be kind.\n\n- one\n- two', 'A shot', 'billing', '{{ mail }}'],
    ]);
    expect(found.at(-1)?.without().params).toEqual({ tools: [{ type: 'function', function: { name: 'route' } }] });
  });
});

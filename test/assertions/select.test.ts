import { describe, expect, test } from 'vitest';
import { selectTarget } from '../../src/assertions/select-target.ts';
import type { SelectSpec } from '../../src/model/run/verdict.ts';
import { growsLinearly } from '../support/growth.ts';
import { buildToolCall, buildView, ports } from './judge-one.ts';

function select(spec: SelectSpec, answer: Parameters<typeof buildView>[0]): unknown {
  const target = selectTarget(buildView(answer), spec, ports);
  if ('missing' in target) return target;
  return target.kind === 'text' ? target.text : { json: target.value };
}

const regex = { kind: 'regex', flags: '', group: 0, match: 'first' } as const;

describe('regex', () => {
  test('the whole first match is selected', () => {
    expect(select({ ...regex, pattern: '\\d+' }, 'a 12 b 34')).toBe('12');
  });

  test('a group and the last match can be selected', () => {
    expect(select({ ...regex, pattern: '(\\w)=(\\d+)', group: 2, match: 'last' }, 'a=1 b=2')).toBe('2');
  });

  test('the last of empty matches is found', () => {
    expect(select({ ...regex, pattern: '', match: 'last', flags: 'u' }, '😀😀')).toBe('');
  });

  test('the second answer is searched from its start', () => {
    const spec = { ...regex, pattern: 'x', match: 'last', flags: 'y' } as const;
    expect([select(spec, 'xa'), select(spec, 'xa')]).toEqual(['x', 'x']);
  });

  test('no match, a group that took no part and a group that is not there are missing', () => {
    expect(select({ ...regex, pattern: 'z' }, 'a')).toEqual({ missing: '/z/ matches nothing in "a"' });
    expect(select({ ...regex, pattern: '(b)|a', group: 1 }, 'a')).toEqual({
      missing: 'group 1 of /(b)|a/ took no part in the match "a"',
    });
    expect(select({ ...regex, pattern: 'a', group: 1 }, 'a')).toEqual({ missing: '/a/ has no group 1: it has 0' });
  });
});

test('matches are replaced: the first, or all', () => {
  const replace = { kind: 'replace', pattern: '(a)b', flags: 'i', with: '$1-' } as const;
  expect(select({ ...replace, match: 'first' }, 'ab AB')).toBe('a- AB');
  expect(select({ ...replace, match: 'all', flags: 'gi' }, 'ab AB')).toBe('a- A-');
  expect(select({ kind: 'trim' }, ' a ')).toBe('a');
});

test('each step selects from what the one before it found', () => {
  const steps = (...specs: readonly SelectSpec[]): SelectSpec => ({ kind: 'steps', steps: specs });
  const [json, first] = [
    { kind: 'jsonPath', path: '$.a' },
    { ...regex, pattern: '\\d' },
  ] as const;
  expect(select(steps({ kind: 'codeBlock', language: '' }, json, first), '```\n{"b": 1, "a": [2]}\n```')).toBe('2');
  expect(select(steps(json, first), '{"b": 1}')).toEqual({ missing: expect.stringContaining('$.a') });
  expect(select(steps(), 'x')).toBe('x');
});

describe('the skill that an agent loads', () => {
  const call = (name: string, args: unknown) => buildToolCall(name, args);
  const steps = (...calls: readonly ReturnType<typeof call>[]) => ({ steps: [{ text: '', calls }], text: 'Done.' });

  test.each<[answer: Parameters<typeof buildView>[0], skill: string]>([
    [steps(call('find', {}), call('Skill', { skill: 'pdf' })), 'pdf'],
    [steps(call('mcp__x__skill', { command: '/tools:pdf ' })), 'pdf'],
    [steps(call('skill', { name: 'docs' })), 'docs'],
    [steps(call('Read', { file_path: '/home/.claude/skills/pdf/SKILL.md' })), 'pdf'],
    [steps(call('read', { path: String.raw`C:\skills\docs\skill.md` })), 'docs'],
    [steps(call('read', { path: '/skills/pdf/README.md' })), 'none'],
    [steps(call('read', 'x')), 'none'],
    [{ toolCalls: [call('Skill', { skill: 'pdf' })] }, 'pdf'],
    ['I use {"skill": "pdf"}.', 'pdf'],
    ['{"skill":null}', 'none'],
    [{ steps: [{ text: 'Hello', calls: [] }], text: '' }, 'none'],
  ])('%j: %s', (answer, skill) => {
    expect(select({ kind: 'skill' }, answer)).toBe(skill);
  });

  test('is not known of one that shows no work', () => {
    const idle = { steps: [{ text: ' ', calls: [] }], text: '' };
    expect(select({ kind: 'skill' }, idle)).toMatchObject({ isUnknown: true });
    const usage = { inputTokens: 1, outputTokens: 0 };
    expect(select({ kind: 'skill' }, { ...idle, text: 'x', usage })).toMatchObject({ isUnknown: true });
    expect(select({ kind: 'skill' }, 'x')).toEqual({ missing: expect.stringContaining('has no steps') });
    expect(select({ kind: 'skill' }, { ...steps(), isPathUnknown: true })).toEqual({ missing: expect.any(String) });
  });
});

describe('JSON', () => {
  test('the whole text is parsed', () => {
    expect(select({ kind: 'json' }, ' [1] ')).toEqual({ json: [1] });
  });

  test('a path to one node gives its value, to several a list, to none nothing', () => {
    const answer = '{"a": [1, 2], "b": {"c": null}}';
    expect(select({ kind: 'jsonPath', path: '$.b.c' }, answer)).toEqual({ json: null });
    expect(select({ kind: 'jsonPath', path: '$.a[*]' }, answer)).toEqual({ json: [1, 2] });
    expect(select({ kind: 'jsonPath', path: '$.c' }, answer)).toEqual({
      missing: expect.stringContaining('$.c selects nothing'),
    });
  });

  test('a fenced block is not JSON, and the reason says how to select it', () => {
    expect(select({ kind: 'json' }, '```json\n{}\n```')).toEqual({
      missing: expect.stringContaining('{codeBlock: json}'),
    });
  });

  test('prototype keys are not there unless they are data', () => {
    expect(select({ kind: 'jsonPath', path: '$.constructor' }, '{}')).toEqual({ missing: expect.any(String) });
    expect(select({ kind: 'jsonPath', path: '$["__proto__"]' }, '{"__proto__": 1}')).toEqual({ json: 1 });
  });
});

describe('codeBlock', () => {
  const python = { kind: 'codeBlock', language: 'python' } as const;

  test('the first block of the language is selected, its language in any case or short', () => {
    expect(select(python, '```js\n1\n```\n```PY title="x"\na\n\nb\n```\n```python\nc\n```')).toBe('a\n\nb');
  });

  test('an empty language selects the first block', () => {
    expect(select({ kind: 'codeBlock', language: '' }, 'x\n~~~\na\n~~~')).toBe('a');
  });

  test('a longer fence holds a shorter one', () => {
    expect(select({ kind: 'codeBlock', language: 'md' }, '````markdown\n```\nx\n```\n````')).toBe('```\nx\n```');
    expect(select({ kind: 'codeBlock', language: '' }, '```\nx\n`````\ny')).toBe('x');
  });

  test('an indented block loses its indentation', () => {
    expect(select(python, '1. Like so:\n   ```python\n   if x:\n     y\n   ```')).toBe('if x:\n  y');
  });

  test('a block that is never closed runs to the end', () => {
    expect(select(python, '```python\na\r\nb')).toBe('a\nb');
  });

  test('inline code is no block', () => {
    expect(select(python, 'Use ```python x``` here')).toEqual({ missing: expect.stringContaining('"python"') });
  });
});

test('a fence of tildes may name backquotes, one of backquotes may not', () => {
  const block = { kind: 'codeBlock', language: 'python' } as const;
  expect(select(block, '~~~ python `x`\ncode\n~~~')).toBe('code');
  expect(select(block, '``` python `x`\ncode\n```')).toMatchObject({ missing: expect.stringContaining('no fenced') });
});

test('a file of the workspace is selected as the program left it', () => {
  const deleted = ['d'];
  const more = { from: 'shop', hash: '', unchanged: ['a'], deleted };
  const workspace = { ...more, changed: { b: { text: 'B' } }, created: { c: { text: 'C' }, l: { link: 'b' } } };
  const found = (path: string) => select({ kind: 'file', path }, { state: { workspace } });
  expect(['a', 'b', 'c', 'd', 'e', 'l'].map(found)).toEqual([
    { missing: "a can't be read: the workspace is not at hand here", isUnknown: true },
    'B',
    'C',
    { missing: 'the program deleted d' },
    { missing: 'the workspace has no file e' },
    { missing: 'l is a link to b' },
  ]);
});

describe('xmlTag', () => {
  const answer = { kind: 'xmlTag', tag: 'answer' } as const;

  test('the trimmed content of the first element is selected', () => {
    expect(select(answer, 'x <answer a="1">\n 42 \n</answer> <answer>43</answer>')).toBe('42');
  });

  test('elements of the same name inside it are included', () => {
    expect(select(answer, '<answer>a<answer>b</answer>c</answer>')).toBe('a<answer>b</answer>c');
  });

  test('a longer name is another tag', () => {
    expect(select(answer, '<answers>1</answers>')).toEqual({
      missing: expect.stringContaining('is not in the answer'),
    });
  });

  test('an element that is never closed is missing', () => {
    expect(select(answer, '<answer>1')).toEqual({ missing: expect.stringContaining('never closes') });
  });

  test('an empty element has an empty content', () => {
    expect(select(answer, '<answer/>')).toBe('');
  });

  test('an empty element within does not end it, and an end without a start begins nothing', () => {
    expect(select(answer, '<answer>a<answer/>b</answer>')).toBe('a<answer/>b');
    expect(select(answer, '</answer> <answer>1</answer>')).toBe('1');
  });

  test('a name with special characters is taken as letters', () => {
    expect(select({ kind: 'xmlTag', tag: 'a.b' }, '<axb>1</axb><a.b>2</a.b>')).toBe('2');
  });
});

test('tool calls are a list of names and arguments, and missing where there are none', () => {
  const toolCalls = [buildToolCall('a', { x: 1 }), buildToolCall('b', '{"x"')];
  expect(select({ kind: 'toolCalls' }, { toolCalls })).toEqual({
    json: [
      { name: 'a', arguments: { x: 1 } },
      { name: 'b', arguments: '{"x"' },
    ],
  });
  expect(select({ kind: 'toolCalls' }, 'x')).toEqual({ missing: expect.stringContaining('no tool call') });
});

test('reasoning is missing where the answer came without', () => {
  expect(select({ kind: 'reasoning' }, { reasoning: 'hm' })).toBe('hm');
  expect(select({ kind: 'reasoning' }, 'x')).toEqual({ missing: 'the answer came without reasoning' });
});

test.each<SelectSpec>([
  { kind: 'xmlTag', tag: 'a' },
  { kind: 'codeBlock', language: 'x' },
  { kind: 'json' },
  { kind: 'jsonPath', path: '$.a' },
])('a hostile answer is searched in time that grows with its length: %j', async (spec) => {
  for (const part of ['<a>', '<a ', '</a>', '<', '```\n', '```x\n', '~~~', '[', '{"a":', '"', '\\"', '\ud800']) {
    const search = (chars: number) => select(spec, part.repeat(Math.ceil(chars / part.length)));
    expect([part, await growsLinearly(search, 16_000)]).toEqual([part, true]);
  }
});

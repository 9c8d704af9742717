import { describe, expect, test } from 'vitest';
import type { PromptFilePorts } from '../../src/model/suite/prompt-file.ts';
import { parsePromptFile } from '../../src/prompts/parse-prompt-file.ts';

const noFiles: PromptFilePorts = { read: () => Promise.reject(new Error('No file is named here.')) };

async function messagesOf(path: string, text: string) {
  const parsed = await parsePromptFile({ path, text }, noFiles);
  if ('problems' in parsed) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.messages;
}

async function problemsOf(path: string, text: string) {
  const parsed = await parsePromptFile({ path, text }, noFiles);
  return 'problems' in parsed ? parsed.problems.map(({ code, at }) => [code, at?.line, at?.column]) : [];
}

describe('prompt files', async () => {
  test.each(['p.md', 'p.txt', 'P.MD'])('%s is one user message, without the newline at its end', async (path) => {
    const [message, ...others] = await messagesOf(path, '# Hello\r\n{{ name }}\n\n');
    expect(others).toEqual([]);
    expect(message).toMatchObject({ role: 'user', content: { source: '# Hello\n{{ name }}\n' } });
    expect(message?.locate(2, 1)).toEqual({ line: 2, column: 1 });
  });

  test.each([
    [
      'p.yaml',
      '- role: system\n  content: Be brief.\n- { role: user, content: "{{ q }}" }\n- { role: assistant, file: a.md }\n',
    ],
    [
      'p.yml',
      'messages:\n  - role: system\n    content: Be brief.\n  - { role: user, content: "{{ q }}" }\n  - { role: assistant, file: a.md }\n',
    ],
    [
      'p.json',
      '[{"role":"system","content":"Be brief."},{"role":"user","content":"{{ q }}"},{"role":"assistant","file":"a.md"}]',
    ],
    [
      'p.json',
      '{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"{{ q }}"},{"role":"assistant","file":"a.md"}]}',
    ],
  ])('%s holds a list of messages', async (path, text) => {
    expect((await messagesOf(path, text)).map(({ role, content }) => [role, content])).toEqual([
      ['system', { source: 'Be brief.' }],
      ['user', { source: '{{ q }}' }],
      ['assistant', { file: 'a.md' }],
    ]);
  });

  test('roles are split before rendering: what a variable says stays in its message', async () => {
    const messages = await messagesOf('p.yaml', '- role: user\n  content: "{{ q }}"\n');
    expect(messages).toHaveLength(1);
  });

  test('a place within a message is found in the file', async () => {
    const [message] = await messagesOf('p.yaml', '- role: user\n  content: |\n    one\n    {{ two }}\n');
    expect(message?.locate(2, 4)).toEqual({ line: 4, column: 8 });
  });

  test.each([
    ['unknown role', '- { role: sytem, content: a }', 'invalid-value', 1, 11],
    ['a role of another API', '- { role: model, content: a }', 'invalid-value', 1, 11],
    ['a tool message', '- { role: tool, content: a }', 'invalid-value', 1, 11],
    ['unknown key', '- { role: user, contents: a, content: b }', 'unknown-key', 1, 17],
    ['no content', '- { role: user }', 'invalid-value', 1, 3],
    ['two contents', '- { role: user, content: a, file: b }', 'invalid-value', 1, 3],
    ['content that is not a text', '- { role: user, content: [a] }', 'invalid-value', 1, 26],
    ['a message that is not a map', '- hello', 'invalid-value', 1, 3],
    ['no message', '[]', 'invalid-value', 1, 1],
    ['a text', 'hello', 'invalid-value', 1, 1],
    ['one message', 'role: user\ncontent: a', 'invalid-value', 1, 1],
    ['unknown key at the top', 'message: []\nmessages: [{ role: user, content: a }]', 'unknown-key', 1, 1],
    ['syntax', '- { role: user', 'syntax', 1, 3],
  ])('%s is a problem at its place', async (_, text, code, line, column) => {
    expect(await problemsOf('p.yaml', text)).toEqual([[code, line, column]]);
  });

  test.each([
    ['{ role: model, content: a }', 'write assistant'],
    ['{ role: sytem, content: a }', 'did you mean "system"?'],
    ['{ role: [user], content: a }', undefined],
    ['{ role: user, content: a, zz: b }', 'known here: role, content, file'],
    ['{ role: user, content: a, fil: b }', 'did you mean "file"?'],
  ])('%s has the hint %s', async (message, hint) => {
    const parsed = await parsePromptFile({ path: 'p.yaml', text: `- ${message}\n` }, noFiles);
    expect('problems' in parsed ? parsed.problems.map((problem) => problem.hint) : []).toEqual([hint]);
  });

  test('broken JSON is a problem at its place', async () => {
    expect(await problemsOf('p.json', '[{"role": user}]')).toEqual([['syntax', 1, 11]]);
  });

  test.each(['-0.1', '1.1'])('a choice of an evaluator can not have the score %s', async (score) => {
    const text = `messages: [{ role: user, content: hi }]
testData: [{ input: a }]
evaluators:
  - { name: e, llm: { modelId: openai/m, prompt: p, choices: [{ choice: a, score: ${score} }] } }
`;
    expect(await problemsOf('p.prompt.yml', text)).toEqual([['invalid-value', 4, 63]]);
  });

  test.each([
    ['evaluators that are no list', 'evaluators: x', 'invalid-value', 3, 13],
    ['test data that is not a list', 'testData: x', 'invalid-value', 3, 11],
    ['an entry that is not a map', 'testData: [x]', 'invalid-value', 3, 12],
    ['an evaluator that is not a map', 'evaluators: [x]', 'invalid-value', 3, 14],
    ['an evaluator of nothing', 'evaluators: [{ name: x }]', 'invalid-value', 3, 14],
    ['an unknown key', 'evaluators: [{ string: { equals: a }, nmae: x }]', 'unknown-key', 3, 39],
    ['a string that is none', 'evaluators: [{ string: a }]', 'invalid-value', 3, 24],
    ['an unknown comparison', 'evaluators: [{ string: { equals: a, equal: b } }]', 'unknown-key', 3, 37],
    ['an empty comparison', 'evaluators: [{ string: { equals: "" } }]', 'invalid-value', 3, 24],
    ['a comparison with a list', 'evaluators: [{ string: { equals: [a] } }]', 'invalid-value', 3, 34],
    ['the placeholder of the answer', 'evaluators: [{ string: { equals: "{answer}" } }]', 'invalid-template', 3, 34],
    ['a variable that is a path', 'evaluators: [{ string: { equals: "{{a.b}}" } }]', 'invalid-template', 3, 34],
    ['a variable of a reserved name', 'evaluators: [{ string: { equals: "{{first}}" } }]', 'invalid-template', 3, 34],
    ['an llm that is not a map', 'evaluators: [{ llm: a }]', 'invalid-value', 3, 21],
    ['an llm without choices', 'evaluators: [{ llm: { modelId: m/m, prompt: p } }]', 'invalid-value', 3, 21],
    [
      'a model that is not a text',
      'evaluators: [{ llm: { modelId: 5, prompt: p, choices: [{ choice: a }] } }]',
      'invalid-value',
      3,
      32,
    ],
    [
      'an empty question',
      'evaluators: [{ llm: { modelId: m/m, prompt: "", choices: [{ choice: a }] } }]',
      'invalid-value',
      3,
      45,
    ],
    [
      'an empty choice',
      'evaluators: [{ llm: { modelId: m/m, prompt: p, choices: [{ choice: "" }] } }]',
      'invalid-value',
      3,
      58,
    ],
    ['a JSON Schema that is not JSON', "responseFormat: json_schema\njsonSchema: '{'", 'syntax', 4, 15],
    [
      'a JSON Schema without a name',
      `responseFormat: json_schema\njsonSchema: '{"schema": {}}'`,
      'invalid-value',
      4,
      13,
    ],
    [
      'a JSON Schema that is a list',
      `responseFormat: json_schema\njsonSchema: '{"name": "a", "schema": []}'`,
      'invalid-schema',
      4,
      13,
    ],
    ['no rating of that name', 'evaluators: [{ uses: github/similarty }]', 'invalid-value', 3, 22],
  ])('%s is a problem at its place', async (_, part, code, line, column) => {
    const text = `messages: [{ role: user, content: hi }]\nmodel: openai/m\n${part}\n`;
    expect(await problemsOf('p.prompt.yml', text)).toEqual([[code, line, column]]);
  });

  test('evaluators are assertions of each row, whose places are those of the evaluators', async () => {
    const text = `messages: [{ role: user, content: hi }]
testData: [{ input: a, expected: x }, { input: 12345678901234567890 }, { expected: x, input: a }]
evaluators:
  - { name: same, string: { equals: "a {{expected}} b {{ input }} c {% {{{", contains: y } }
  - { name: 5, string: { contains: z } }
  - { name: "", llm: { modelId: m/m, systemPrompt: "Be {{x}}", prompt: "{{completion}}?", choices: [{ choice: a, score: 1 }] } }
  - { uses: github/fluency }
`;
    const parsed = await parsePromptFile({ path: 'p.prompt.yml', text }, noFiles);
    if ('problems' in parsed) throw new Error('It is right.');
    const { rows = [], judges = [] } = parsed.tests ?? {};
    const equals = 'a {{ expected }} b {{ input }} c {% raw %}{%{% endraw %} {% raw %}{{{{% endraw %}';
    const select = { regex: expect.any(String) };
    const assert = [
      { equals: { value: equals }, select, name: 'same' },
      { contains: { value: 'z', ignoreCase: true }, select },
      {
        choice: {
          value: '{answer}?',
          system: 'Be {% raw %}{{{% endraw %}x}}',
          choices: [{ choice: 'a', score: 1 }],
          judge: 'm/m',
        },
      },
      { choice: { value: expect.stringContaining('{answer}'), choices: expect.any(Array), judge: 'openai/gpt-4o' } },
    ];
    expect(rows.map(({ value }) => value)).toEqual([
      { vars: { input: 'a', expected: 'x' }, expected: 'x', assert },
      { vars: { input: expect.anything() }, assert },
    ]);
    expect(judges.map(({ written }) => written)).toEqual(['m/m', 'openai/gpt-4o']);
    const placeOf = (path: readonly PropertyKey[]) => {
      const at = rows[0]?.at(path, 'value');
      return text.split('\n')[(at?.line ?? 0) - 1]?.slice((at?.column ?? 0) - 1);
    };
    expect(placeOf(['assert', 0, 'equals'])).toMatch(/^"a \{\{expected/);
    expect(placeOf(['assert', 2, 'choice', 'prompt'])).toMatch(/^"\{\{completion/);
    expect(placeOf(['assert', 3, 'choice', 'value'])).toMatch(/^github/);
    expect(placeOf(['assert', 9])).toMatch(/^- \{ name: same/);
    expect(placeOf(['vars', 'input'])).toMatch(/^a, expected/);
    expect(placeOf(['expected'])).toMatch(/^x \}, \{ input: 1/);
    expect(parsed.warnings.map(({ code, at }) => [code, at?.line, at?.column])).toEqual([
      ['invalid-value', 4, 78],
      ['invalid-value', 6, 91],
      ['invalid-value', 7, 13],
      ['duplicate-id', 2, 72],
    ]);
  });

  test.each([
    [
      'evaluators: [{ uses: github/fluency }]',
      [
        ['invalid-value', 2],
        ['invalid-value', 2],
      ],
      undefined,
    ],
    ['testData: [{ a: 1 }]', [['no-assertion', 2]], [{ vars: { a: 1 }, observe: true }]],
    ['testData: []', [], []],
    ['zz: 1', [['unknown-key', 2]], undefined],
  ])('%s has its remarks', async (part, warnings, rows) => {
    const text = `messages: [{ role: user, content: hi }]\n${part}\n`;
    const parsed = await parsePromptFile({ path: 'p.prompt.yml', text }, noFiles);
    if ('problems' in parsed) throw new Error('It is right.');
    expect(parsed.warnings.map(({ code, at }) => [code, at?.line])).toEqual(warnings);
    expect(parsed.tests?.rows.map(({ value }) => value)).toEqual(rows);
  });

  test.each([
    ['modelParameters: { minTokens: 5 }', 'did you mean "maxTokens"?'],
    ['modelParameters: { zzz: 5 }', 'known: maxTokens, maxCompletionTokens, temperature'],
    ['modelParameters: { constructor: 5 }', 'known: maxTokens'],
    ['testData: []\nmesages: []', 'did you mean "messages"?'],
  ])('%s has the hint %s', async (part, hint) => {
    const text = `messages: [{ role: user, content: hi }]\n${part}\n`;
    const parsed = await parsePromptFile({ path: 'p.prompt.yml', text }, noFiles);
    expect('problems' in parsed ? parsed.problems.map((problem) => problem.hint) : []).toEqual([
      expect.stringContaining(hint),
    ]);
  });

  test('each message of a list must be a map with a role and a text', async () => {
    const text = 'messages: [hi, { role: user, content: [a] }, { role: usr, content: a }, { content: a }]\n';
    expect(await problemsOf('p.prompt.yml', text)).toEqual(
      [12, 39, 54, 73].map((column) => ['invalid-value', 1, column]),
    );
  });

  test('a judge that several evaluators ask is one model, and a prompt without any has no remark', async () => {
    const llm = (model: string) => `{ llm: { modelId: ${model}, prompt: p, choices: [{ choice: a }] } }`;
    const messages = 'messages: [{ role: user, content: hi }]\n';
    const text = `${messages}testData: [{ a: 1 }]\nevaluators: [${['m/m', 'm/n', 'm/m'].map(llm).join(', ')}]\n`;
    const judged = await parsePromptFile({ path: 'p.prompt.yml', text }, noFiles);
    expect('problems' in judged ? [] : judged.tests?.judges.map(({ written }) => written)).toEqual(['m/m', 'm/n']);
    const plain = await parsePromptFile({ path: 'p.prompt.yml', text: messages }, noFiles);
    expect(plain).toMatchObject({ warnings: [] });
  });

  test('a choice that hides behind another is a warning, at the one that comes first', async () => {
    const choices = ['No', 'none', 'yes', 'Not now', 'know'].map((choice) => `{ choice: ${choice} }`).join(', ');
    const text = `messages: [{ role: user, content: hi }]
testData: [{ input: a }]
evaluators: [{ llm: { modelId: openai/m, prompt: p, choices: [${choices}] } }]
`;
    const parsed = await parsePromptFile({ path: 'p.prompt.yml', text }, noFiles);
    const hidden = ('problems' in parsed ? [] : parsed.warnings).filter(({ message }) => message.includes('holds'));
    expect(hidden.map(({ message, at }) => [message, at?.line])).toEqual([
      ['a reply of "none" holds "No", which comes first and counts', 3],
    ]);
  });

  test('a suffix that is not known is refused, not guessed', async () => {
    expect(await problemsOf('p.html', 'x')).toEqual([['invalid-value', undefined, undefined]]);
  });
});

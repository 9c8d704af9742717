import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadAt, onlySuite } from '../../suite/load-fixture.ts';
import { startChatServer } from '../../support/chat-server.ts';
import { importBase as base, importConfig } from '../../support/import-config.ts';
import { runCli } from '../../support/run-cli.ts';
import { openTempProject, plannedTrialsOf } from '../../support/temp-project.ts';

/** The verdicts of one assertion on an answer, as promptfoo 0.123.1 gave them. */
const verdicts: readonly (readonly [assertion: string, answer: string, pass: boolean])[] = [
  ['{ type: equals, value: Yes }', 'Yes', true],
  ['{ type: equals, value: Yes }', 'yes', false],
  ['{ type: equals, value: 1.0 }', '1', true],
  ['{ type: equals, value: { a: [1] } }', ' {"a": [1]} ', true],
  ['{ type: equals, value: { a: ["{{q}}"] } }', '{"a": ["{{q}}"]}', true],
  ['{ type: equals, value: { a: [1] } }', 'none', false],
  ['{ type: not-equals, value: { a: [1] } }', 'none', true],
  ['{ type: not-equals, value: { a: [1] } }', '{"a":[1]}', false],
  ['{ type: contains, value: "{{q}}!" }', 'say hi! now', true],
  ['{ type: not-contains, value: hi }', 'say hi', false],
  ['{ type: icontains, value: HI }', 'say hi', true],
  ['{ type: contains-any, value: "b, hi" }', 'say hi', true],
  ['{ type: contains-all, value: [say, no] }', 'say hi', false],
  ['{ type: not-icontains-any, value: [SAY] }', 'say hi', false],
  ['{ type: icontains-all, value: "SAY, HI" }', 'say hi', true],
  ['{ type: starts-with, value: say }', 'say hi', true],
  ['{ type: regex, value: "^s.y \\\\w{2}$" }', 'say hi', true],
  ['{ type: is-json }', '[1]', true],
  ['{ type: is-json }', '```json\n[1]\n```', false],
  ['{ type: not-is-json }', 'text', true],
  ['{ type: is-json, value: { type: object, required: [a] } }', '{"a":1}', true],
  ['{ type: is-json, value: { items: [{ type: string }] } }', '[1]', false],
  ['{ type: not-is-json, value: { required: [a], type: object } }', 'text', true],
  ['{ type: not-is-json, value: { required: [a], type: object } }', '{"a":1}', false],
  ['{ type: levenshtein, value: kitten }', 'sitting', true],
  ['{ type: levenshtein, value: kitten, threshold: 2 }', 'sitting', false],
  ['{ type: equals, value: "42", transform: JSON.parse(output).n }', '{"n": 42}', true],
  ['{ type: equals, value: hi, transform: output.trim() }', ' hi ', true],
  ['{ type: contains, value: i, transform: "JSON.parse(output)[0].a" }', '[{"a":"hi"}]', true],
  ['{ type: finish-reason, value: STOP }', 'x', true],
  ['{ type: assert-set, assert: [{ type: contains, value: a }, { type: contains, value: b }] }', 'a', false],
  [
    '{ type: assert-set, threshold: 0.5, assert: [{ type: contains, value: a }, { type: contains, value: b }] }',
    'a',
    true,
  ],
  ['{ type: contains, value: z, weight: 0 }, { type: contains, value: a }', 'a', true],
  ['{ type: assert-set, weight: 0, assert: [{ type: contains, value: z }] }, { type: contains, value: a }', 'a', false],
  [set('threshold: 0.5'), 'a', false],
  [set('threshold: 0.5'), 'ab', true],
  [set('threshold: 0.34'), 'c', false],
  [set('threshold: 0.33'), 'c', true],
  [set('threshold: 1'), 'ab', false],
  [set('threshold: 0.5', ', weight: 3'), 'a', true],
  [set('threshold: 0.5', ', weight: 3'), 'bc', false],
  [set('threshold: 1', ', weight: 0'), 'bc', true],
  [set('metric: all', ', weight: 2'), 'ab', false],
  ['{ type: is-json, value: "type: object\\nrequired: [a]" }', '{"a":1}', true],
  ['{ type: is-json, value: "{\\"required\\": [\\"a\\"], \\"type\\": \\"object\\"}" }', '{}', false],
  ['{ type: not-latency, threshold: 0 }', 'x', true],
  ['{ type: not-latency, threshold: 100000 }', 'x', false],
];

/** A set of three checks, the first with these further keys. */
function set(keys: string, more = ''): string {
  const checks = ['a', 'b', 'c'].map((value, at) => `{ type: contains, value: ${value}${at === 0 ? more : ''} }`);
  return `{ type: assert-set, ${keys}, assert: [${checks.join(', ')}] }`;
}

test('each assertion gives the verdict that promptfoo gives', { tags: 'slow' }, async () => {
  const tests = verdicts.map(([assertion], index) => `  - { vars: { q: hi, n: ${index} }, assert: [${assertion}] }`);
  const { project, code, stderr } = await importConfig(
    `${base}tests:\n${tests.join('\n')}\n`.replace('{{q}}', '{{q}} {{n}}'),
  );
  expect([code, stderr.includes(' error ')]).toEqual([0, false]);
  const server = await startChatServer(({ text }) => verdicts[Number(text.split(' ')[1])]?.[1] ?? '');
  const { report } = await project.report(['run', '--no-baseline'], { env: server.env });
  // The report sorts its cases by their ids; an answer and its assertion together tell which it is.
  const asked = server.requests.map(
    ({ body }) => (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content,
  );
  // Those that fail are asked for again.
  expect(new Set(asked).size).toBe(verdicts.length);
  const cases = onlySuite(await loadAt(project.root, ['evals'])).cases();
  const numbers = new Map([...cases].map(({ id, vars }) => [id, Number(vars['n'])]));
  const found = plannedTrialsOf(report).map(
    ({ caseId, status }) => [numbers.get(caseId), status === 'passed'] as const,
  );
  const wrong = found.filter(([index = -1, pass]) => verdicts[index]?.[2] !== pass);
  expect(wrong.map(([index = -1]) => verdicts[index])).toEqual([]);
});

describe('a config becomes a suite', () => {
  test('with its prompts, providers, defaults, matrix, scenarios and thresholds', async () => {
    const { suite, code, project } = await importConfig(
      `description: Router
prompts:
  - file://prompts/r.txt
  - { label: chat, raw: '[{"role":"system","content":"Be {{tone}}"},{"role":"user","content":"{{ q | upper }}{# gone #}"}]' }
providers:
  - { id: "openai:responses:gpt-4o", label: main, config: { temperature: 0, apiBaseUrl: "http://127.0.0.1:1/v1", apiKeyEnvar: KEY } }
  - anthropic:messages:claude-x
defaultTest: { vars: { tone: kind }, assert: [{ type: is-json, metric: shape, weight: 2 }], options: { suffix: " End." } }
tests:
  - { description: Two of them, vars: { q: [a, b], other: "{{tone}}!" }, threshold: 0.5, prompts: [chat] }
  - { vars: { q: "file://data/q.txt", list: [1, 2] }, threshold: 1 }
scenarios:
  - config: [{ vars: { lang: de } }, { vars: { lang: fr } }]
    tests: [{ vars: { q: x }, assert: [{ type: contains, value: "{{lang}}" }] }]
evaluateOptions: { repeat: 3 }
`.replace(', options: { suffix: " End." }', ''),
      [],
      { 'prompts/r.txt': 'One {{q}}\n---\nTwo {{ q }} {{gone}}\n', 'data/q.txt': ' from file \n' },
    );
    expect(code).toBe(0);
    expect(suite).toEqual({
      description: 'Router',
      prompts: [
        { id: 'prompts-r.txt-1', text: 'One {{ q }}' },
        { id: 'prompts-r.txt-2', text: 'Two {{ q }} {{ gone }}' },
        {
          id: 'chat',
          messages: [
            { role: 'system', content: 'Be {{ tone }}' },
            { role: 'user', content: '{{ q | upcase }}' },
          ],
        },
      ],
      providers: [
        {
          id: 'main',
          use: 'openai:gpt-4o',
          api: 'responses',
          baseURL: 'http://127.0.0.1:1/v1',
          apiKeyEnv: 'KEY',
          params: { temperature: 0, max_output_tokens: 1024 },
        },
        {
          id: 'anthropic:claude-x',
          use: 'anthropic:claude-x',
          params: { max_tokens: 1024, temperature: 0 },
        },
      ],
      defaults: { trials: 3, vars: { gone: '', lang: '' } },
      cases: [
        ...['a', 'b'].map((q, index) => ({
          id: index === 0 ? 'Two-of-them' : 'Two-of-them-2',
          description: 'Two of them',
          vars: { tone: 'kind', q, other: 'kind!' },
          prompts: ['chat'],
          threshold: 0.5,
          assert: [{ json: true, name: 'shape', weight: 2 }],
        })),
        {
          vars: { tone: 'kind', q: 'from file', list: [1, 2] },
          threshold: 1,
          assert: [{ json: true, name: 'shape', weight: 2 }],
        },
        ...['de', 'fr'].map((lang) => ({
          vars: { tone: 'kind', lang, q: 'x' },
          assert: [{ json: true, name: 'shape', weight: 2 }, { contains: { value: '{{ lang }}' } }],
        })),
      ],
    });
    expect((await project.run(['validate', 'evals'])).code).toBe(0);
  });

  test('what it can not say is left out with the place and the reason', async () => {
    const { code, stderr, suite } = await importConfig(
      `${base}defaultTest: file://defaults.yaml
sharing: true
nunjucksFilters: {}
tests:
  - vars: { q: a }
    assert:
      - { type: similar, value: hi }
      - { type: similar, value: hi, provider: openai:embedding:x }
      - { type: not-similar, value: [hi, ho], threshold: 0.9 }
`,
      ['--partial'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/:3:14 .*defaults\.yaml/);
    expect(suite?.['cases']).toMatchObject([
      {
        assert: [
          { similar: { value: 'hi', min: 0.75, provider: 'openai:text-embedding-3-large' } },
          { similar: { value: 'hi', min: 0.75, provider: 'openai:x' } },
          { not: { similar: { value: ['hi', 'ho'], min: 0.9 } } },
        ],
      },
    ]);
  });

  test.each([
    ['tests.csv', 'q,__expected,__expected2,__description\nhi,contains: h,not-contains: z,one\nho,ho,,\n'],
    [
      'tests.jsonl',
      '{"description":"one","vars":{"q":"hi"},"assert":[{"type":"contains","value":"h"},{"type":"not-contains","value":"z"}]}\n\n{"vars":{"q":"ho"},"assert":[{"type":"equals","value":"ho"}]}\n',
    ],
    [
      'tests.yaml',
      '- { description: one, vars: { q: hi }, assert: [{ type: contains, value: h }, { type: not-contains, value: z }] }\n- { vars: { q: ho }, assert: [{ type: equals, value: ho }] }\n',
    ],
  ])('with tests from %s', async (name, text) => {
    const { suite } = await importConfig(`${base}tests: file://${name}\n`, [], { [name]: text });
    expect(suite?.['cases']).toEqual([
      {
        id: 'one',
        description: 'one',
        vars: { q: 'hi' },
        assert: [{ contains: { value: 'h' } }, { not: { contains: { value: 'z' } } }],
      },
      { vars: { q: 'ho' }, assert: [{ equals: { value: 'ho' } }] },
    ]);
  });
});

test.each<[part: string, place: string]>([
  ['tests: [{ vars: { q: a }, assert: [{ type: webhook, value: "https://a.test" }] }]', '3:36 error not-carried-over'],
  ['tests: [{ vars: { q: a }, assert: [{ type: not-contains-json }] }]', '3:36 error not-carried-over'],
  ['tests: [{ vars: { q: a }, assert: [{ type: not-factuality, value: a }] }]', '3:36 error not-carried-over'],
  ['tests: [{ vars: { q: "{{env.HOME}}" } }]', '3:22 error not-carried-over'],
  ['tests: [{ vars: { q: a }, options: { transformVars: x } }]', '3:53 error not-carried-over'],
  ['tests: file://make.py:tests', '3:8 error not-carried-over'],
  ['tests: [{ vars: { q: "file://../../etc/passwd.txt" } }]', '3:22 error not-carried-over'],
  [
    'tests: [{ vars: { q: a }, assert: [{ type: equals, value: "{% macro a() %}a{% endmacro %}" }] }]',
    '3:59 error not-carried-over',
  ],
  ['redteam: { plugins: [pii] }', '3:10 error not-carried-over'],
  ['extensions: [file://hook.js:all]', '3:14 error not-carried-over'],
])('%s is refused with its place, and becomes a comment under --partial', async (part, place) => {
  const strict = await importConfig(`${base}${part}\n`);
  expect([strict.code, strict.suite]).toEqual([2, null]);
  expect(strict.stderr).toContain(`promptfooconfig.yaml:${place}`);
  const partial = await importConfig(`${base}${part}\n`, ['--partial']);
  expect(partial.code).toBe(0);
  expect(partial.text).toMatch(/^ *# not carried over \(promptfooconfig\.yaml:3\): /m);
  // Where no case is left, the suite is right and there is nothing to run.
  const isEmpty = partial.suite?.['cases'] === undefined || String(partial.suite['cases']) === '';
  expect((await partial.project.run(['validate', 'evals'])).code).toBe(isEmpty ? 4 : 0);
});

test('nothing outside the project is read, no code runs and no key is written', async () => {
  const project = openTempProject();
  mkdirSync(project.path('in/.git'), { recursive: true });
  project.write('secret.txt', 'the secret');
  symlinkSync(project.path('secret.txt'), project.path('in/link.txt'));
  project.write(
    'in/promptfooconfig.yaml',
    `prompts: ["{{q}}"]
providers: [{ id: "openai:m", config: { apiKey: sk-abcdefgh12345678 } }, "exec:touch ran"]
env: { OPENAI_API_KEY: sk-abcdefgh12345678 }
tests: [{ vars: { q: "file://link.txt" } }, { vars: { q: "file://../secret.txt" } }, { vars: { q: ok } }]
`,
  );
  const { code, stdout, stderr } = await runCli(['import', 'promptfoo', '.', '--partial', '-o', 'x.eval.yaml'], {
    cwd: project.path('in'),
  });
  const written = project.read('in/x.eval.yaml');
  expect(code).toBe(0);
  expect(written + stdout + stderr).not.toMatch(/the secret|sk-abc/);
  expect(project.files().some((file) => file.endsWith('ran'))).toBe(false);
});

test('an exported run of the Evals API becomes a suite', async () => {
  const project = openTempProject();
  const run = {
    eval: {
      name: 'router',
      testing_criteria: [
        {
          type: 'string_check',
          name: 'right',
          input: '{{ sample.output_text }}',
          operation: 'eq',
          reference: '{{ item.team }}',
        },
        { type: 'string_check', input: '{{sample.output_text}}', operation: 'ilike', reference: 'bill' },
        { type: 'label_model', name: 'judge' },
      ],
    },
    run: {
      data_source: {
        model: 'gpt-4o-mini',
        input_messages: {
          type: 'template',
          template: [{ role: 'user', content: { type: 'input_text', text: 'Route {{item.ticket}}' } }],
        },
        source: { type: 'file_content', content: [{ item: { ticket: 'card', team: 'billing' } }] },
      },
    },
  };
  project.write('none.json', '{ "eval": { "name": "router" } }');
  const none = await project.run(['import', 'openai-evals', 'none.json']);
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringContaining('an exported eval has a list of testing_criteria'),
  ]);
  const check = (more: object) => ({ type: 'string_check', input: '{{sample.output_text}}', reference: 'a', ...more });
  const odd = {
    testing_criteria: [
      check({ operation: 'ne' }),
      check({ operation: 'like' }),
      check({ operation: 'near' }),
      check({ operation: 'eq', input: 'a' }),
      check({ operation: 'eq', reference: '{% if a %}' }),
    ],
    data_source: { source: { content: [{ item: 'a' }] } },
  };
  project.write('odd.json', JSON.stringify(odd));
  const { stderr } = await project.run(['import', 'openai-evals', 'odd.json']);
  for (const words of [
    'the operation "near" is not known here',
    'only {{ sample.output_text }} can be compared with a text',
    "the reference has no equivalent in a suite's templates",
    'there is no template of messages',
    'an item of the data must be a map',
    'there is no model',
  ])
    expect(stderr).toContain(words);
  project.write('run.json', JSON.stringify(run, undefined, 2));
  const strict = await project.run(['import', 'openai-evals', 'run.json']);
  expect([strict.code, strict.stderr.includes('run.json:18:7 error not-carried-over')]).toEqual([2, true]);
  expect((await project.run(['import', 'openai-evals', 'run.json', '--partial'])).code).toBe(0);
  expect(parse(project.read('evals/run.eval.yaml'))).toEqual({
    description: 'router',
    prompts: [{ id: 'v1', messages: [{ role: 'user', content: 'Route {{ ticket }}' }] }],
    providers: ['openai:gpt-4o-mini'],
    cases: [
      {
        vars: { ticket: 'card', team: 'billing' },
        assert: [{ equals: { value: '{{ team }}' }, name: 'right' }, { contains: { value: 'bill', ignoreCase: true } }],
      },
    ],
  });
});

test('a data set of JSON lines becomes a suite, which is never overwritten unasked', async () => {
  const project = openTempProject();
  project.write(
    'data.jsonl',
    '{"id":1,"question":"2+2?","answer":"4"}\n{"question":"3+3?","answer":["6","six"]}\n{"question":"a","answer":["6",6]}\n',
  );
  const { code, stdout } = await project.run(['import', 'jsonl', 'data.jsonl']);
  expect([code, stdout]).toEqual([0, 'wrote evals/data.eval.yaml: prompts 1, providers 1, cases 3\n']);
  expect((parse(project.read('evals/data.eval.yaml')) as { cases: unknown }).cases).toEqual([
    { id: '1', vars: { question: '2+2?' }, expected: '4', assert: [{ equals: { value: '{{expected}}', trim: true } }] },
    { vars: { question: '3+3?' }, expected: ['6', 'six'], assert: [{ oneOf: '{{expected}}' }] },
    { vars: { question: 'a' }, expected: ['6', 6], assert: [{ equals: '{{expected}}', select: { json: true } }] },
  ]);
  expect((await project.run(['import', 'jsonl', 'data.jsonl'])).code).toBe(2);
  expect((await project.run(['import', 'jsonl', 'data.jsonl', '--force'])).code).toBe(0);
});

test.each([
  ['evals/a.eval.yaml', ''],
  ['evals/a.yaml', 'to run it, name it: llmcheck run evals/a.yaml\n'],
  ['other folder/a.eval.yaml', "to run it, name it: llmcheck run 'other folder/a.eval.yaml'\n"],
])('a suite in %j is said to need its name where a run leaves it out', async (output, remark) => {
  const project = openTempProject();
  project.write('data.jsonl', '{"question":"2+2?","answer":"4"}\n');
  expect(await project.run(['import', 'jsonl', 'data.jsonl', '-o', output])).toMatchObject({ code: 0, stderr: remark });
  const found = await project.run(['validate', ...(remark === '' ? [] : [output])], { env: { OPENAI_API_KEY: 'x' } });
  expect([found.code, found.stdout]).toEqual([0, '1 suite, 1 case, 1 cell: valid\n']);
});

test.each([
  [['jsonl', 'data.jsonl', '-o', 'evals'], '-o evals: a suite is a YAML file\n  hint: write a name such as evals/'],
  [
    ['promptfoo', 'promptfooconfig.js'],
    'promptfooconfig.js is code, and import runs none\n  hint: write what it exports',
  ],
])('%j is refused with the next step', async (argv, message) => {
  const project = openTempProject();
  project.write('data.jsonl', '{"question":"2+2?","answer":"4"}\n');
  project.write('promptfooconfig.js', 'module.exports = {};\n');
  const { code, stderr } = await project.run(['import', ...argv]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(project.files('evals')).toEqual([]);
});

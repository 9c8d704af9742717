// oxlint-disable vitest/expect-expect -- expectLines asserts.
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { importDataSet } from '../../src/importing/data-sets/data-set.ts';
import type { ImportedSuite, ImportPorts } from '../../src/importing/draft.ts';
import { LeftOut, nameOf, quote } from '../../src/importing/draft.ts';
import { importOpenaiEvals } from '../../src/importing/openai-evals.ts';
import * as nunjucks from '../../src/importing/promptfoo/code/nunjucks.ts';
import { importPromptfoo } from '../../src/importing/promptfoo/import-promptfoo.ts';
import {
  convertModel,
  hasFixedSampling,
  isKnownProvider,
  isReasoningModel,
} from '../../src/importing/promptfoo/providers/model-ids.ts';
import type { Problem } from '../../src/model/problem.ts';

const show = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof LeftOut) return { leftOut: part.reason, value: part.value };
    return part instanceof Set ? [...(part as Set<unknown>)] : part;
  }) ?? 'undefined';

async function expectLines(name: string, lines: readonly string[]): Promise<void> {
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/${name}.txt`);
}

const tell = (problems: readonly Problem[], mark: string) =>
  problems.map(
    ({ message, hint, at }) =>
      `  ${mark} ${at === undefined ? '' : `${at.line}:${at.column} `}${message}${hint === undefined ? '' : ` (${hint})`}`,
  );

function describe(found: ImportedSuite | { readonly problems: readonly Problem[] }): readonly string[] {
  if ('problems' in found) return tell(found.problems, '!');
  const { suite, leftOut = [], refused, notes, code = [] } = found;
  return [
    ...(leftOut.length === 0 ? [] : [`  left out: ${show(leftOut)}`]),
    ...Object.entries(suite).map(([key, value]) => `  ${key}: ${show(value)}`),
    ...code.map(({ path, text }) => `  ${path}: ${JSON.stringify(text)}`),
    ...tell(refused, '×'),
    ...tell(notes, '·'),
  ];
}

const templates: readonly string[] = [
  'plain {a} }} text',
  '{{a}} {{ a.b }} {{a[0]}} {{ a["b c"] }} {{ a.length }} {{- a -}}',
  '{{ a | upper }}{{ a|trim|lower }}{{ a | default("x") }}{{ a | d(b) }}{{ a | join(", ") }}{{ a | replace("a", "b") }}{{ a | safe }}{{ a | dump }}',
  '{{ a | default("") | trim }}{{ (a | d(\'\')) }}',
  '{{ a | nl2br }}',
  '{{ a | toString }}',
  '{{ a | join(b.c, 3) }}{{ a | join() }}{{ a | join(b + c) }}',
  '{{ "text" }}{{ \'{{x}}\' }}{{ 3 }}{{ true }}{{ "{{y}}" | upper }}',
  '{{ a + b }}',
  '{{ f(a) }}',
  '{{ _conversation[0].input }}',
  '{{ env.HOME }}',
  '{{ }}',
  '{# comment #}x',
  '{% raw %}{{ a }}{% endraw %}{%- raw -%}b{%- endraw -%}',
  '{% if a %}1{% elif b.c %}2{% else %}3{% endif %}',
  '{%- if not a -%}1{%- endif -%}',
  '{% if a == "x" and b != 3 %}1{% endif %}{% if a === 1 or b < 2 %}2{% endif %}{% if a | length > 2 %}3{% endif %}',
  '{% if a and b %}1{% endif %}{% if a or b %}2{% endif %}{% if not a or not b %}3{% endif %}',
  '{% if a and b or c %}1{% endif %}',
  '{% if (a) %}1{% endif %}',
  '{% if a == b %}1{% endif %}',
  '{% if a in b %}1{% endif %}',
  '{% for x in a.b %}{{ x.y }}{{ loop.index }}{{ loop.revindex0 }}{% if loop.first %}f{% endif %}{% endfor %}',
  '{% for x, y in a %}{% endfor %}',
  '{% for x in range(3) %}{% endfor %}',
  '{% set b = a | upper %}{{ b }}{{ c }}',
  '{% if a %}{% set b = 1 %}{% endif %}',
  '{% set b = f(1) %}',
  '{% else x %}',
  '{% endif %}',
  '{% for x in a %}{% endif %}',
  '{% if a %}',
  '{% include "x" %}',
  '{% zzz',
  'a {{ b',
  'a {# b',
  '{{ a }} {{ b',
  '{"a": "{{ a }}", "b": ["x", 3, "{{ b | upper }}"]}',
  '{"a": "x {{ a }}"}',
  '{"a": "{{ \'{{x}}\' }}"}',
  '{"a": "{% if b %}"}',
  '{"a": 1}',
  '[{"role": "user", "content": "{{ q }}"}]',
  'not json {{ a }}',
];

test('templates of Nunjucks as those of a suite', () =>
  expectLines(
    'nunjucks',
    templates.flatMap((text) => [
      show(text),
      `  ${show(nunjucks.translateNunjucks(text))}`,
      ...(text.includes('env') ? [`  ${show(nunjucks.translateNunjucks(text, true))}`] : []),
      `  ${show(nunjucks.translateJson(text))}`,
      `  ${show(nunjucks.isPartialTemplate(text))}`,
    ]),
  ));

test('variables are filled into each other for five rounds', () => {
  expect(
    [
      { a: 'x {{b}} {{ b }}', b: 'y' },
      { a: '{{b}}', b: '{{c}}', c: '{{d}}', d: 1 },
      { a: '{{a}}x' },
      { a: '{{gone}} {{b}}', b: 1 },
      { a: 3, b: ['{{a}}'], c: '{{a.b}}' },
    ].map(nunjucks.fillIn),
  ).toMatchInlineSnapshot(`
    [
      {
        "a": "x y y",
        "b": "y",
      },
      {
        "a": "1",
        "b": "1",
        "c": "1",
        "d": 1,
      },
      {
        "a": "{{a}}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      },
      {
        "a": "{{gone}} {{b}}",
        "b": 1,
      },
      {
        "a": 3,
        "b": [
          "{{a}}",
        ],
        "c": "{{a.b}}",
      },
    ]
  `);
});

test('the loop over a conversation is left out of a chat with one question after it', () => {
  const chat = (loop: string, end = '{"role": "user", "content": "{{q}}"}]') => `[${loop}${end}`;
  const body = '{"role": "user", "content": "{{ c.input }}"}, {"role": "assistant", "content": {{ c.output | dump }}},';
  const loop = (text: string) => `{% for c in _conversation %}${text}{% endfor %}`;
  expect(
    [
      chat(loop(body)),
      chat(loop(body.replaceAll('c.', 'd.'))),
      chat(loop(body), '{"role": "user"}, {"role": "user"}]'),
      chat(loop(body.slice(5))),
      chat(''),
      chat(`{%- for c in _conversation -%}${body}{%- endfor -%}`),
    ].map((text) => nunjucks.withoutConversation(text) ?? null),
  ).toMatchInlineSnapshot(`
    [
      "[{"role": "user", "content": "{{q}}"}]",
      null,
      null,
      null,
      null,
      "[{"role": "user", "content": "{{q}}"}]",
    ]
  `);
});

const ids =
  'openai:gpt-4o openai:chat:gpt-4o openai:responses:gpt-4o openai:o1-pro openai:gpt-5-codex openai:embedding:x openai:image:dall-e-3 openai:gpt-4o-realtime openai: openai:chat: azure:chat:dep azure:dep azure:responses:dep azureopenai:chat:dep anthropic:messages:claude-opus-4-8 anthropic:claude-3 anthropic:completion:x google:gemini-2 google:imagen-3 google:live:x vertex:gemini-2 vertex:claude-3 mistral:large groq:x groq:responses:x deepseek:x openrouter:a/b:free together:x togetherai:chat:x perplexity:sonar cerebras:x cohere:command fireworks:x nvidia:x moonshot:x hyperbolic:x llamaapi:chat:x localai:chat:x localai:embeddings:x litellm:x xai:grok xai:responses:grok xai:image:x ollama:chat:x ollama:completion:x ollama:embeddings:x bedrock:anthropic.claude bedrock:converse:x bedrock:nova-sonic:x bedrock:amazon.nova-reel huggingface:chat:x huggingface:text-generation:x hf:chat:x github:gpt-4o echo python:x.py exec:x file.js a.b unknown:x toString:x http https://x webhook:x openai/gpt-4o ft:gpt-5 claude-sonnet-5 claude-opus-45 o3-mini custom/o1 gpt-4'.split(
    ' ',
  );

test('the models of another tool as a suite names them', () =>
  expectLines(
    'models',
    ids.map(
      (id) =>
        `${id}: ${show(convertModel(id) ?? null)} ${[isKnownProvider(id), hasFixedSampling(id), isReasoningModel(id)].map(Number).join('')}`,
    ),
  ));

test('names are made of labels, and long texts are cut', () => {
  const taken = new Set<string>();
  expect(
    ['file://a b.txt', 'Größe!', '', '--', 'a-b.txt', 'x'.repeat(70), 'a b.txt', 'a b.txt'].map((label) =>
      nameOf(label, taken, 'none'),
    ),
  ).toEqual(['a-b.txt', 'Gro-e', 'none', 'none-2', 'a-b.txt-2', 'x'.repeat(60), 'a-b.txt-3', 'a-b.txt-4']);
  expect(['short', 'two\nlines', ' led', 'x'.repeat(60), 'x'.repeat(61)].map(quote)).toEqual([
    'short',
    'two…',
    'led…',
    'x'.repeat(60),
    `${'x'.repeat(60)}…`,
  ]);
});

const ports: ImportPorts = {
  read: (path) =>
    Promise.resolve(path === 'data/p.txt' ? { text: 'From a file {{q}}' } : { message: `${path} is not there` }),
  glob: (pattern) => Promise.resolve(pattern.includes('*') ? ['data/p.txt'] : []),
  readBytes: (path) => Promise.resolve({ message: `${path} is not there` }),
};
const place = { suite: '/project/evals/x.eval.yaml', folder: '/project', shown: 'promptfooconfig.yaml' };

const one = { vars: { q: 'a' }, assert: [{ type: 'contains', value: 'x' }] };
const base = { prompts: ['{{q}}'], providers: ['openai:gpt-4o'], tests: [one] };
const provider = (config: object, id = 'openai:gpt-4o', more: object = {}) => ({
  ...base,
  providers: [{ id, config, ...more }],
});
const assertions = (...assert: readonly object[]) => ({ ...base, tests: [{ vars: { q: 'a' }, assert }] });

const configs: Readonly<Record<string, readonly unknown[]>> = {
  providers: [
    'text',
    { ...base, providers: [] },
    { ...base, providers: 'echo' },
    { ...base, providers: ['echo', 'echo', 'openai:gpt-4o', 'openai:chat:gpt-4o'] },
    { ...base, providers: [{ id: 'echo', label: 'mine' }] },
    { ...base, providers: [{ label: 'no id' }] },
    { ...base, providers: [3] },
    { ...base, providers: ['zzz:x', 'replicate:x', 'http://127.0.0.1/x'] },
    { ...base, providers: [{ 'openai:gpt-4o': { label: 'short', config: { temperature: 1 } } }] },
    provider({}),
    provider({ temperature: 0.5, max_tokens: 5, top_p: 0.1, stop: ['a'], seed: 3, frequency_penalty: 1 }),
    provider({ max_completion_tokens: 7, reasoning_effort: 'low' }, 'openai:o3-mini'),
    provider({ verbosity: 'low', max_completion_tokens: 7, reasoning_effort: 'low' }),
    provider({ verbosity: 'low', reasoning_effort: 'low' }, 'openai:gpt-5.2'),
    provider({ top_p: 0.9, verbosity: 'low' }, 'openai:responses:gpt-5.2'),
    provider({ search_recency_filter: 'month', web_search_options: {}, top_k: 3 }, 'perplexity:sonar'),
    provider({}, 'openai:responses:codex-mini-latest'),
    provider({}, 'groq:qwen/qwen3-32b'),
    provider({ max_tokens: 5, max_completion_tokens: 7, omitDefaults: true }, 'groq:openai/gpt-oss-120b'),
    provider({ stop: ['a'], frequency_penalty: 1, max_tokens: 5, reasoning_effort: 'low' }, 'xai:grok-4'),
    provider({ stop: ['a'], max_completion_tokens: 7 }, 'xai:grok-4-fast-non-reasoning'),
    provider({ stop: ['a'], reasoning_effort: 'low' }, 'xai:grok-3-mini'),
    provider({ top_k: 5, max_completion_tokens: 7, verbosity: 'low', zzz: 1 }, 'togetherai:chat:a/b'),
    provider({ top_k: 5, max_completion_tokens: 7, max_tokens: 5 }, 'cerebras:llama3'),
    provider({ omitDefaults: true }, 'cerebras:llama3'),
    provider({ max_completion_tokens: 7, max_tokens: 5 }, 'litellm:gpt-4o'),
    provider({ max_completion_tokens: 7, max_tokens: 5 }, 'litellm:gpt-5-mini'),
    provider({ temperature: 1 }, 'anthropic:messages:claude-opus-4-8'),
    provider({ temperature: 1 }, 'openrouter:anthropic/claude-opus-4-8'),
    provider({ max_tokens: 9, thinking: { type: 'enabled', budget_tokens: 5 } }, 'anthropic:messages:claude-3'),
    provider({ generationConfig: { maxOutputTokens: 4, temperature: 0.1 } }, 'google:gemini-2'),
    provider({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } } }),
    provider({ tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], tool_choice: 'required' }),
    provider({ passthrough: { service_tier: 'x' }, zzz: 1 }),
    provider({ apiBaseUrl: 'https://proxy.example.com/v1/' }),
    provider({ apiHost: 'proxy.example.com', apiKeyEnvar: 'MY_KEY' }),
    provider({ apiBaseUrl: 'http://localhost:8080/v1', apiKey: 'abc' }),
    provider({ apiBaseUrl: 'https://proxy.example.com', apiKey: 'sk-abcdefghijk' }),
    provider({ apiKey: 'sk-abcdefghijk' }),
    provider({ apiKey: '{{env.OTHER_KEY}}' }),
    provider({ apiKey: '${SHELL_KEY}' }),
    provider({ apiKey: '' }),
    provider({ apiBaseUrl: '{{env.URL}}' }),
    provider({ apiBaseUrl: 'http://[bad' }),
    provider({ apiHost: 'gen.example.com' }, 'google:gemini-2'),
    provider({ apiBaseUrl: 'https://a.example.com' }, 'anthropic:messages:claude-3'),
    provider({ apiBaseUrl: 'https://a.example.com/v1' }, 'anthropic:messages:claude-3'),
    provider({ apiHost: 'a.openai.azure.com' }, 'azure:chat:dep'),
    provider({ apiHost: 'a.openai.azure.com', apiVersion: '2024-06-01' }, 'azure:chat:dep'),
    provider({ apiBaseUrl: 'http://x' }, 'ollama:chat:llama'),
    provider({}, 'github:gpt-4o'),
    provider({ headers: { 'X-A': 'b', Authorization: 'Bearer x', 'X-Env': '{{env.E}}', 'X-T': '{{q}}', 'X-N': 3 } }),
    provider({ organization: 'org' }),
    provider({}, 'openai:gpt-4o', { prompts: ['p1'], delay: 5, transform: 'output.x', label: 'l', odd: 1 }),
    { ...base, targets: ['echo'], providers: undefined },
  ],
  tests: [
    { ...base, tests: [] },
    { ...base, tests: 'data/none.csv' },
    { ...base, tests: [3, { vars: 'x' }, { vars: { q: 'a' } }] },
    {
      ...base,
      tests: [{ description: 'd', vars: { q: 'a' }, metadata: { k: 'v' }, threshold: 0.5, assert: one.assert }],
    },
    {
      ...base,
      tests: [
        { ...one, threshold: 'x' },
        { ...one, odd: 1 },
      ],
    },
    { ...base, tests: [{ vars: { q: ['a', 'b'], r: [1, 2] }, assert: one.assert }] },
    { ...base, tests: [{ vars: { q: ['a', 'b'] }, options: { disableVarExpansion: true }, assert: one.assert }] },
    { ...base, tests: [one, one] },
    { ...base, tests: [{ vars: {}, assert: one.assert }, one] },
    {
      ...base,
      prompts: ['{{ q["a b"] }} {{q.c}} {{ q.d | default("x") }}'],
      tests: [{ vars: { q: { 'a b': 1 } } }, { vars: { q: { d: '' } } }],
    },
    { ...base, prompts: ['{{ q | default("x") }}'], tests: [{ vars: { q: '' } }, { vars: {} }] },
    { ...base, defaultTest: { vars: { r: 1 }, assert: [{ type: 'is-json' }], options: { prefix: 'a' } } },
    { ...base, defaultTest: { threshold: 0.5, options: { transform: 'output.x' } } },
    { ...base, scenarios: [{ config: [{ vars: { q: 'x' } }, { vars: { q: 'y' } }], tests: [{ assert: one.assert }] }] },
    {
      ...base,
      evaluateOptions: { repeat: 3, maxConcurrency: 2 },
      description: 'all',
      env: { A: 'b' },
      tags: { t: 'x' },
    },
    { ...base, nunjucksFilters: { f: 'x.js' }, extensions: ['file://x.js:f'], zzz: 1 },
    {
      ...base,
      tests: [
        { ...one, providers: ['openai:gpt-4o'] },
        { ...one, prompts: ['x'] },
      ],
    },
    { ...base, tests: [{ ...one, vars: { q: '{{r}}', r: 'x' } }] },
    {
      ...base,
      tests: [
        { ...one, vars: { q: 'file://data/p.txt' } },
        { ...one, vars: { q: 'file://none.txt' } },
      ],
    },
  ],
  prompts: [
    { ...base, prompts: [] },
    { ...base, prompts: 'data/p.txt' },
    { ...base, prompts: ['file://data/p.txt', 'file://none.txt', 'file://data/*.txt'] },
    { ...base, prompts: ['', 3, { raw: 'x {{q}}', label: 'mine' }, { id: 'file://data/p.txt', label: 'other' }] },
    { ...base, prompts: { 'data/p.txt': 'label' } },
    { ...base, prompts: ['[{"role":"system","content":"S"},{"role":"user","content":"{{q}}"}]'] },
    { ...base, prompts: ['- role: system\n  content: S\n- role: user\n  content: "{{q}}"'] },
    { ...base, prompts: ['{"a": "{{q}}"}'] },
    { ...base, prompts: ['{{ q | nl2br }}', '{{ q'] },
    { ...base, prompts: ['a', 'a', 'A!'] },
  ],
  checks: [
    assertions({ type: 'equals', value: 'a {{q}}' }, { type: 'not-equals', value: 3 }),
    assertions({ type: 'contains-any', value: ['a', 'b'] }, { type: 'icontains-all', value: 'a, b' }),
    assertions({ type: 'regex', value: 'a+' }, { type: 'not-regex', value: '(' }, { type: 'starts-with', value: 'a' }),
    assertions({ type: 'is-json', value: { type: 'object' } }, { type: 'contains-json' }, { type: 'not-is-json' }),
    assertions(
      { type: 'cost', threshold: 0.1 },
      { type: 'latency', threshold: 100 },
      { type: 'not-cost', threshold: 1 },
    ),
    assertions(
      { type: 'levenshtein', value: 'a', threshold: 3 },
      { type: 'rouge-n', value: 'a' },
      { type: 'bleu', value: 'a' },
    ),
    assertions({ type: 'similar', value: 'a', threshold: 0.9 }, { type: 'similar', value: ['a', 'b'] }),
    assertions(
      { type: 'llm-rubric', value: 'is kind' },
      { type: 'llm-rubric', value: 'x', threshold: 0.5, provider: 'openai:gpt-4o' },
    ),
    assertions(
      { type: 'factuality', value: 'a' },
      { type: 'model-graded-closedqa', value: 'b' },
      { type: 'g-eval', value: 'c' },
    ),
    assertions({ type: 'javascript', value: 'output.length > 1' }, { type: 'python', value: 'len(output) > 1' }),
    assertions({ type: 'assert-set', assert: one.assert, threshold: 0.5 }, { type: 'zzz' }, { type: 'contains' }),
    assertions(
      { type: 'llm-rubric', value: ' ' },
      { type: 'g-eval', value: [] },
      { type: 'contains', value: 'x', metric: '' },
    ),
    assertions({ type: 'contains', value: 'x', weight: 0, metric: 'm', transform: 'output.a', provider: 'x' }),
    assertions(
      { type: 'is-refusal' },
      { type: 'is-valid-openai-tools-call' },
      { type: 'finish-reason', value: 'stop' },
    ),
    assertions(
      { type: 'word-count', value: { min: 1, max: 3 } },
      { type: 'is-html' },
      { type: 'is-xml', value: { requiredElements: ['a'] } },
    ),
    assertions(
      { type: 'trajectory:tool-used', value: 'f' },
      { type: 'tool-call-f1', value: ['f'] },
      { type: 'skill-used', value: 's' },
    ),
    {
      ...base,
      assertionTemplates: { t: { type: 'contains', value: 'x' } },
      tests: [{ vars: { q: 'a' }, assert: [{ $ref: '#/assertionTemplates/t' }, { $ref: '#/zzz' }] }],
    },
  ],
};

test.each(Object.entries(configs))('the %s of promptfoo', async (name, list) => {
  const lines: string[] = [];
  for (const config of list) {
    const text = stringify(config);
    lines.push(show(config), ...describe(await importPromptfoo('promptfooconfig.yaml', text, ports, place)));
  }
  await expectLines(`promptfoo-${name}`, lines);
});

const rows: readonly (readonly [file: string, text: string, expected?: string | false])[] = [
  ['a.jsonl', ''],
  ['a.jsonl', '{"question":"q","answer":"a"}\n{"question":"r","answer":null}\n'],
  ['a.jsonl', '{"question":"q","answer":"a","expected":"b"}\n'],
  ['a.jsonl', '{"question":"q","answer":"a","expected":"b"}\n', 'answer'],
  ['a.jsonl', '{"question":"q","category":"a"}\n'],
  ['a.jsonl', '{"question":"q","category":"a"}\n', false],
  ['a.jsonl', '{"question":"q","output":"a","actual_output":"b"}\n'],
  ['a.jsonl', '{"question":"q","answer_format":"x"}\n'],
  ['a.jsonl', '{"input":{"q":"a"},"expected":{"answer":"b"},"metadata":{"m":1},"tags":["t"]}\n'],
  ['a.jsonl', '{"inputs":{"q":"a"},"outputs":{"x":1,"y":2}}\n', 'outputs'],
  [
    'a.jsonl',
    '{"messages":[{"role":"system","content":"S"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n',
  ],
  [
    'a.jsonl',
    '{"messages":[{"role":"user","content":"q"}],"ideal":"a"}\n{"messages":[{"role":"user","content":[{"type":"image"}]}],"ideal":"b"}\n',
  ],
  ['a.jsonl', '{"question":"q","choices":["x","y"],"answer":"B"}\n{"question":"q","choices":["x","y"],"answer":"b"}\n'],
  ['a.jsonl', '{"context":"c","question":"q","answers":{"text":["a","a"],"answer_start":[1,2]}}\n'],
  ['a.jsonl', '{"question":"q","ответ":"a"}\n{"question":"q","answer":1}\nnot json\n'],
  ['a.json', '[{"question":"q","answer":["a","b"]},{"question":"r","answer":true},3]'],
  ['a.json', '{"rows":[{"question":"q","answer":1.50}]}'],
  ['a.csv', 'question,answer\r\n"a, ""b""",x\r\nlast,y\r\n'],
  ['a.csv', 'question;answer\na;b\n'],
  ['a.csv', 'question,question\na,b\n'],
  ['a.tsv', 'question\tanswer\na\tb\n'],
  ['a.yaml', '- question: q\n  answer: a\n'],
  ['a.txt', 'plain'],
];

test('rows of data sets', () =>
  expectLines(
    'rows',
    rows.flatMap(([file, text, expected]) => [
      `${file} ${show(text)} ${show(expected)}`,
      ...describe(importDataSet(file, text, expected)),
    ]),
  ));

const evaluation = (criteria: readonly unknown[], data: object = {}) => ({
  name: 'E',
  testing_criteria: criteria,
  data_source: {
    input_messages: { template: [{ role: 'user', content: '{{item.q}}' }] },
    source: { content: [{ item: { q: 'a', want: 'b' } }] },
    model: 'gpt-4o',
    ...data,
  },
});

test('evals of OpenAI', () =>
  expectLines(
    'openai-evals',
    [
      {},
      evaluation([]),
      evaluation([], {
        sampling_params: { temperature: 0, max_completions_tokens: 9, seed: null, text: { format: { type: 'text' } } },
      }),
      evaluation([
        { type: 'string_check', operation: 'eq', input: '{{sample.output_text}}', reference: '{{item.want}}' },
      ]),
      evaluation([{ type: 'string_check', operation: 'ilike', input: '{{sample.output_text}}', reference: 'x' }]),
      evaluation([{ type: 'string_check', operation: 'ne', input: '{{item.q}}', reference: 'x' }]),
      evaluation([
        {
          type: 'text_similarity',
          evaluation_metric: 'bleu',
          input: '{{sample.output_text}}',
          reference: 'x',
          pass_threshold: 0.5,
        },
      ]),
      evaluation([
        {
          type: 'label_model',
          labels: ['a', 'b'],
          passing_labels: ['a'],
          model: 'm',
          input: [{ role: 'user', content: 'x' }],
        },
      ]),
      evaluation([
        {
          type: 'score_model',
          range: [0, 1],
          pass_threshold: 0.5,
          model: 'm',
          input: [{ role: 'user', content: 'x' }],
        },
      ]),
      evaluation([{ type: 'python', source: 'x' }, { type: 'zzz' }, 3]),
      { eval: evaluation([]), data: [] },
    ].flatMap((value) => {
      const text = JSON.stringify(value);
      return [text, ...describe(importOpenaiEvals('eval.json', text))];
    }),
  ));

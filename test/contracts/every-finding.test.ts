import { beforeAll, expect, test } from 'vitest';
import { type AnsweredVariant, compareContracts, type SuiteContracts } from '../../src/contracts/compare-contracts.ts';
import { comparePromptContracts, comparePromptSets } from '../../src/contracts/compare-prompts.ts';
import { compareTools } from '../../src/contracts/compare-tools.ts';
import { type ContractVariant, describeContract, type PromptContract } from '../../src/contracts/describe-contract.ts';
import { observeAnswers } from '../../src/contracts/observe-answers.ts';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import type { Finding, LocatedFinding } from '../../src/model/comparison/finding.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';

beforeAll(loadTemplateEngine);

const base: PromptContract = {
  promptId: 'p',
  variables: [{ name: 'a', hasDefault: false }],
  tools: [],
  provider: 'openai',
  model: 'm',
  params: {},
  messages: [{ role: 'user' }],
};

function showFinding({ ruleId, direction, severity, path, message, old, new: replacement, ...rest }: LocatedFinding) {
  const { approved, at } = rest;
  const sides = [old, replacement].map((side) => (side === undefined ? '–' : JSON.stringify(side))).join(' → ');
  const marks = [approved === true ? 'approved' : '', at === undefined ? '' : `at ${at.line}:${at.column}`].join(' ');
  return `  ${severity} ${ruleId} ${direction} ${path} ${sides}\n    ${message} ${marks}`.trimEnd();
}

function showAll(title: string, findings: readonly Finding[]): string {
  return [title, ...findings.map(showFinding), ''].join('\n');
}

const strings = { type: 'object', properties: { a: { type: 'string' } } };
const required = { ...strings, required: ['a'] };
const short = (maxLength: number) => ({ type: 'object', properties: { a: { type: 'string', maxLength } } });

test('every difference between two prompts is described', async () => {
  const variable = (name: string, value?: JsonValue) =>
    value === undefined ? { name, hasDefault: false } : { name, hasDefault: true, default: value };
  const pairs: readonly (readonly [
    title: string,
    old: Partial<PromptContract>,
    replacement: Partial<PromptContract>,
  ])[] = [
    ['nothing', {}, {}],
    ['variables come', { variables: [] }, { variables: [variable('a'), variable('b.c'), variable('d', null)] }],
    ['variables go', { variables: [variable('a'), variable('b', 1)] }, { variables: [] }],
    [
      'defaults',
      { variables: [variable('a', 1), variable('b'), variable('c', 'x'), variable('d', null)] },
      {
        variables: [variable('a', 2), variable('b', 'x'), variable('c'), variable('d')],
      },
    ],
    [
      'a default of null is a default',
      { variables: [{ name: 'a', hasDefault: true }] },
      { variables: [variable('a', null)] },
    ],
    ['a required variable is read', { inputSchema: required, variables: [] }, { inputSchema: required }],
    ['an optional variable is read', { inputSchema: strings, variables: [] }, { inputSchema: strings }],
    ['any input', { inputSchema: true, variables: [] }, { inputSchema: true }],
    ['a newly required variable is read', { inputSchema: {}, variables: [] }, { inputSchema: required }],
    ['an input schema comes', {}, { inputSchema: strings }],
    ['an input schema goes', { inputSchema: strings }, {}],
    [
      'a property with a default becomes required',
      { inputSchema: strings, variables: [variable('a.b', 1)] },
      {
        inputSchema: required,
        variables: [variable('a.b', 1)],
      },
    ],
    ['a property becomes required', { inputSchema: strings }, { inputSchema: required }],
    ['an output schema comes', {}, { outputSchema: strings }],
    ['an output schema goes', { outputSchema: strings }, {}],
    ['an output schema changes', { outputSchema: required }, { outputSchema: strings }],
    ['text becomes JSON', { outputFormat: 'text' }, { outputFormat: 'json' }],
    ['JSON is declared', {}, { outputFormat: 'json' }],
    ['text is declared', {}, { outputFormat: 'text' }],
    ['JSON is declared beside a schema', { outputSchema: strings }, { outputSchema: strings, outputFormat: 'json' }],
    ['JSON is declared no more', { outputFormat: 'json' }, {}],
    ['provider and model', {}, { provider: 'anthropic', model: 'n' }],
    [
      'parameters',
      { params: { a: 1, b: null, c: [1], tools: [1] } },
      { params: { a: 2, d: { x: 1 }, e: null, tools: [] } },
    ],
    ['a null comes', { params: {} }, { params: { a: null } }],
    ['a null goes', { params: { a: null } }, { params: {} }],
    ['a limit of tokens comes', {}, { params: { max_tokens: 5 } }],
    ['a limit of tokens goes', { params: { num_predict: 5 } }, {}],
    ['a limit of tokens is lowered', { params: { max_tokens: 5 } }, { params: { max_tokens: 4 } }],
    ['a limit of tokens is raised', { params: { max_tokens: 5 } }, { params: { max_tokens: 6 } }],
    ['a limit of tokens is a text', { params: { max_tokens: 'x' } }, { params: { max_tokens: 6 } }],
    ['another number is lowered', { params: { top_k: 5 } }, { params: { top_k: 4 } }],
    ['roles', { messages: [] }, { messages: [{ role: 'system' }, { role: 'user' }] }],
    ['no roles', {}, { messages: [] }],
  ];
  const shown = pairs.map(([title, old, replacement]) =>
    showAll(title, comparePromptContracts({ ...base, ...old }, { ...base, ...replacement })),
  );
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/prompts.txt');
});

test('every difference between two sets of prompts is described', async () => {
  const prompt = (promptId: string, rest: Partial<PromptContract> = {}): PromptContract => ({
    ...base,
    promptId,
    ...rest,
  });
  const sets: readonly (readonly [
    title: string,
    old: readonly PromptContract[],
    replacement: readonly PromptContract[],
  ])[] = [
    ['one goes', [prompt('p'), prompt('q')], [prompt('q')]],
    ['one is renamed', [prompt('p'), prompt('q')], [prompt('q'), prompt('r')]],
    ['one may be renamed to two', [prompt('p')], [prompt('q'), prompt('r')]],
    ['one goes and another comes', [prompt('p')], [prompt('q', { model: 'n' })]],
    ['an heir', [prompt('p')], [prompt('q', { replaces: 'p', model: 'n' })]],
    ['an heir and a twin', [prompt('p')], [prompt('r'), prompt('q', { replaces: 'p', model: 'n' })]],
    ['an heir of another', [prompt('p')], [prompt('q', { replaces: 'z' })]],
    ['an heir beside the old one', [prompt('p')], [prompt('p'), prompt('q', { replaces: 'p', model: 'n' })]],
    [
      'one that replaced another already',
      [prompt('p'), prompt('q', { replaces: 'p' })],
      [prompt('q', { replaces: 'p' })],
    ],
  ];
  const shown = sets.map(([title, old, replacement]) =>
    [
      title,
      ...comparePromptSets(old, replacement).map(({ promptId, findings }) => showAll(` ${promptId}`, findings)),
    ].join('\n'),
  );
  const lenient = comparePromptSets([prompt('p'), prompt('q')], [prompt('r')], (id) => ({
    overrides: [{ rule: 'prompt-removed', severity: id === 'p' ? 'info' : 'warn' }],
  }));
  shown.push(...lenient.map(({ promptId, findings }) => showAll(`with a policy for ${promptId}`, findings)));
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/prompt-sets.txt');
});

test('every difference between two lists of tools is described', async () => {
  const tool = (name: string, rest: object = {}) => ({ name, ...rest });
  const enumOf = (...values: string[]) => ({ type: 'object', properties: { a: { enum: values } } });
  type Tools = Parameters<typeof compareTools>[0];
  const pairs: readonly (readonly [title: string, old: Tools, replacement: Tools])[] = [
    ['nothing', [tool('a'), tool('b')], [tool('b'), tool('a')]],
    ['one comes', [tool('a', { parameters: strings })], [tool('a', { parameters: strings }), tool('b')]],
    ['one goes', [tool('a', { parameters: strings }), tool('b')], [tool('a', { parameters: strings })]],
    ['one is renamed', [tool('a', { description: 'd' })], [tool('b', { description: 'e' })]],
    ['two are renamed to two', [tool('a'), tool('b')], [tool('c'), tool('d')]],
    [
      'two are renamed, told apart',
      [tool('a'), tool('b', { parameters: strings })],
      [tool('c', { parameters: strings }), tool('d')],
    ],
    ['two may be renamed to one', [tool('a'), tool('b')], [tool('c')]],
    [
      'one is renamed and described',
      [tool('a', { parameters: strings })],
      [tool('b', { parameters: { ...strings, description: 'd' } })],
    ],
    ['descriptions', [tool('a', { description: 'd' }), tool('b')], [tool('a'), tool('b', { description: 'e' })]],
    ['parameters', [tool('a', { parameters: enumOf('x', 'y') })], [tool('a', { parameters: enumOf('x', 'z') })]],
    ['parameters come', [tool('a')], [tool('a', { parameters: required })]],
    [
      'parameters that could not be read',
      [tool('a', { parameters: { type: 'zzz' } })],
      [tool('a', { parameters: strings })],
    ],
    [
      'of a server: parameters',
      [tool('a', { mcp: {}, parameters: enumOf('x', 'y') })],
      [tool('a', { mcp: {}, parameters: enumOf('x', 'z') })],
    ],
    [
      'of a server: required',
      [tool('a', { mcp: {}, parameters: strings })],
      [tool('a', { mcp: {}, parameters: required })],
    ],
    [
      'of a server: not required',
      [tool('a', { mcp: {}, parameters: required })],
      [tool('a', { mcp: {}, parameters: strings })],
    ],
    // Each is worse on one side, which is the one that is told.
    [
      'of a server: longer texts',
      [tool('a', { mcp: {}, parameters: short(5) })],
      [tool('a', { mcp: {}, parameters: short(9) })],
    ],
    [
      'of a server: shorter texts',
      [tool('a', { mcp: {}, parameters: short(9) })],
      [tool('a', { mcp: {}, parameters: short(5) })],
    ],
    ['of a server: newly', [tool('a')], [tool('a', { mcp: { title: 't', outputSchema: strings } })]],
    ['of a server: no more', [tool('a', { mcp: { title: 't', outputSchema: strings } })], [tool('a')]],
    ['of a server: titles', [tool('a', { mcp: { title: 't' } })], [tool('a', { mcp: { title: 'u' } })]],
    [
      'of a server: results',
      [tool('a', { mcp: { outputSchema: enumOf('x') } })],
      [tool('a', { mcp: { outputSchema: enumOf('x', 'y') } })],
    ],
    [
      'of a server: annotations',
      [tool('a', { mcp: { annotations: { z: true, b: 1, same: [1] } } })],
      [tool('a', { mcp: { annotations: { same: [1], a: null, z: false, c: 'x' } } })],
    ],
    [
      'of a server: no annotations',
      [tool('a', { mcp: { annotations: 'x' } })],
      [tool('a', { mcp: { annotations: { a: 1 } } })],
    ],
  ];
  const shown = pairs.map(([title, old, replacement]) =>
    showAll(title, compareTools(old, replacement, { promptId: 'p' })),
  );
  const strict = { promptId: 'p', policy: 'formal' } as const;
  shown.push(
    showAll(
      'strictly',
      compareTools([tool('a', { parameters: enumOf('x') })], [tool('b', { parameters: enumOf('x') })], strict),
    ),
  );
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/tools.txt');
});

const variant: ContractVariant = {
  prompt: 'p',
  provider: 'main',
  adapter: 'openai',
  model: 'gpt-4o',
  params: {},
  messages: [{ role: 'user', content: '{{ a }}' }],
  contract: {},
};

test('every part of a request that others rely on is read', async () => {
  const said = (content: string): Partial<ContractVariant> => ({ messages: [{ role: 'user', content }] });
  const variants: readonly Partial<ContractVariant>[] = [
    {},
    { replaces: 'o', params: { temperature: 1 } },
    { contract: { input: strings, output: true } },
    { contract: { input: 'x', output: ['y'] } },
    { params: { response_format: 'json' } },
    { params: { response_format: { type: 'text' } } },
    { params: { response_format: { type: 'json_object' } } },
    { params: { response_format: { type: 'json_object', json_schema: 5 } } },
    { params: { response_format: { type: 'xml' } } },
    { params: { response_format: null } },
    { params: { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: strings } } } },
    { params: { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: 5 } } } },
    { params: { response_format: { type: 'json_schema', json_schema: { schema: strings, strict: true } } } },
    { params: { response_format: { type: 'json_schema', json_schema: { schema: strings, strict: false } } } },
    { params: { text: { format: { type: 'json_schema', schema: strings, strict: true } } } },
    {
      params: { response_format: { type: 'json_schema', json_schema: { schema: strings } } },
      contract: { output: strings },
    },
    {
      params: { response_format: { type: 'json_schema', json_schema: { schema: strings } } },
      contract: { output: required },
    },
    {
      params: {
        response_format: { type: 'json_schema', json_schema: { schema: { ...required, additionalProperties: false } } },
      },
      contract: { output: required },
    },
    {
      adapter: 'zzz',
      params: { response_format: { type: 'json_schema', json_schema: { schema: strings } } },
      contract: { output: required },
    },
    { params: { tools: 5 } },
    {
      params: {
        tools: [
          5,
          {},
          { type: 'web_search' },
          { name: 5 },
          { name: 'flat', description: 'd', parameters: strings },
          { name: 'none', description: 5, parameters: 5 },
          { name: 'own', input_schema: strings },
          { name: 'both', parameters: true, input_schema: strings },
          { type: 'function', function: { name: 'nested', description: 'd', parameters: strings } },
          { type: 'function', function: { name: 'strict', strict: true, parameters: strings } },
          { type: 'function', function: { name: 'loose', strict: false, parameters: strings } },
          { type: 'function', function: 5, name: 'beside' },
          { name: 'listed', mcp: { title: 't', outputSchema: strings, annotations: { a: 1 } } },
          { name: 'bare', mcp: { title: 5, outputSchema: 5 } },
          { name: 'no', mcp: 5 },
        ],
      },
    },
    said(
      '{{ a.b }} {{ c | default: "x" }} {{ d | default: \'y\' }} {{ e | default: 1.5 }} {{ f | default: -2 }} {{ g | default: true }} {{ h | default: false }} {{ i | default: j }}',
    ),
    said('{{ a | default: "x" }} {{ a }}'),
    said('{{ a | default: "x" }} {{- a | default: "y" -}}'),
    said('{{ b | default: a }} {{ b | append: a | default: "x" }}'),
    said(
      '{% if a %}{{ a }}{% endif %}{% unless b %}{{ b }}{% endunless %}{% if c == "c" %}{{ c }}{% endif %}{% if d == e %}{% endif %}',
    ),
    said('{{ "a b" | append: a | default: "a" }} {{ ab }} {{ b-a }}'),
    said('{{ a'),
    {
      messages: [
        { role: 'system', content: 'S', language: { name: 'jinja' } },
        { role: 'user', content: '{{ a }}', language: { name: 'jinja' } },
      ],
    },
    { messages: [{ role: 'system', content: '{% if %}', language: { name: 'jinja' } }] },
    { messages: [] },
  ];
  const shown = variants.map(
    (part) => `${JSON.stringify(part)}\n  ${JSON.stringify(describeContract({ ...variant, ...part }))}\n`,
  );
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/variants.txt');
});

test('what stored answers show of two schemas is counted and described', async () => {
  const ab = { enum: ['a', 'b'] };
  const a = { enum: ['a'] };
  const broken = { type: 'zzz' };
  const answers = (...texts: string[]) => texts.map((text, index) => ({ caseId: `c${index}`, text }));
  const [json, bad] = [answers('"a"', '"b"'), answers('"a"', 'x', '"z"')];
  const sides: readonly Parameters<typeof observeAnswers>[0][] = [
    { old: ab, replacement: ab, baselineAnswers: json, newAnswers: json },
    { old: undefined, replacement: undefined, baselineAnswers: json, newAnswers: json },
    { old: null, replacement: undefined, baselineAnswers: json },
    { old: ab, replacement: a, baselineAnswers: json, newAnswers: json },
    { old: a, replacement: ab, baselineAnswers: json, newAnswers: json },
    { old: undefined, replacement: a, baselineAnswers: bad, newAnswers: bad },
    { old: ab, replacement: undefined, baselineAnswers: bad, newAnswers: bad },
    { old: ab, replacement: a, baselineAnswers: bad, newAnswers: [] },
    { old: ab, replacement: a, baselineAnswers: answers('x'), newAnswers: answers('"a"') },
    {
      old: ab,
      replacement: a,
      baselineAnswers: answers(...'bbbbbb'.split('').map((text) => `"${text}"`)),
      newAnswers: answers('"a"'),
    },
    { old: ab, replacement: broken, baselineAnswers: answers('"a"', '"z"', 'x'), newAnswers: answers('"a"', '"z"') },
    { old: broken, replacement: a, baselineAnswers: answers('"b"', '"a"'), newAnswers: answers('"a"') },
  ];
  const shown = sides.map(({ old, replacement, baselineAnswers, newAnswers }) =>
    [
      JSON.stringify({ old, replacement, baselineAnswers, newAnswers }),
      ...observeAnswers({ old, replacement, baselineAnswers, newAnswers: newAnswers ?? [] }).map(
        (one) => `  ${JSON.stringify(one)}`,
      ),
      '',
    ].join('\n'),
  );
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/observed.txt');
});

test('the contracts of a suite are compared on each provider, approved, located and observed', async () => {
  const answered = (part: Partial<ContractVariant>, ...texts: string[]): AnsweredVariant => ({
    variant: { ...variant, ...part },
    answers: () => texts.map((text, index) => ({ caseId: `c${index}`, text })),
  });
  const schema = (output: JsonObject, rest: object = {}): Partial<ContractVariant> => ({
    contract: { output, ...rest },
  });
  const [ab, a] = [{ enum: ['a', 'b'] }, { enum: ['a'] }];
  const suites: readonly (readonly [string, Partial<SuiteContracts>])[] = [
    ['one prompt', { old: [answered(schema(a), '"a"')], replacement: [answered(schema(ab), '"b"', '"b"')] }],
    [
      'on two providers, reported once',
      {
        old: [answered(schema(a)), answered({ ...schema(a), provider: 'other' })],
        replacement: [answered(schema(ab)), answered({ ...schema(ab), provider: 'other', model: 'n' })],
      },
    ],
    [
      'on another provider',
      {
        old: [answered(schema(a))],
        replacement: [
          answered({ ...schema(a), provider: 'x', model: 'n' }),
          answered({ ...schema(ab), provider: 'y' }),
        ],
      },
    ],
    [
      'a prompt that is not on that provider',
      {
        old: [answered({ prompt: 'q' }), answered({ provider: 'other' })],
        replacement: [answered({ prompt: 'q' }), answered({ provider: 'other', model: 'n' })],
      },
    ],
    ['a prompt goes', { old: [answered({}), answered({ prompt: 'q' })], replacement: [answered({})] }],
    [
      'a prompt goes from a part',
      { old: [answered({}), answered({ prompt: 'q' })], replacement: [answered({})], isPart: true },
    ],
    [
      'a prompt is renamed',
      {
        old: [answered({ ...schema(a), prompt: 'q' }, '"a"', '"c"')],
        replacement: [answered({ ...schema(ab), replaces: 'q' }, '"b"')],
      },
    ],
    [
      'a prompt is renamed in a part',
      {
        old: [answered({ prompt: 'q' })],
        replacement: [answered({ replaces: 'q', model: 'n' })],
        isPart: true,
      },
    ],
    [
      'rules of the prompt',
      {
        old: [answered(schema(a))],
        replacement: [answered(schema(ab, { overrides: [{ rule: 'enum-value-added', severity: 'info' }] }))],
        contract: { policy: 'formal' },
      },
    ],
    [
      'rules of the suite for what went',
      {
        old: [answered({ prompt: 'q' })],
        replacement: [answered({})],
        contract: { overrides: [{ rule: 'prompt-removed', severity: 'info' }] },
      },
    ],
    [
      'located',
      {
        old: [answered(schema(a))],
        replacement: [answered({ ...schema(ab), model: 'n' })],
        locate: (prompt, pointer) =>
          Promise.resolve(pointer === '/model' ? undefined : { file: prompt, line: pointer.length, column: 1 }),
      },
    ],
    [
      'prefixes are compared where cases are known',
      {
        old: [answered({ messages: [{ role: 'user', content: `${'word '.repeat(2000)}{{ a }}` }] })],
        replacement: [answered({ messages: [{ role: 'user', content: `{{ a }}${'word '.repeat(2000)}` }] })],
        cases: () => [{ a: 'x' }, { a: 'y' }],
      },
    ],
    [
      'and of renamed ones',
      {
        old: [answered({ prompt: 'q', messages: [{ role: 'user', content: `${'word '.repeat(2000)}{{ a }}` }] })],
        replacement: [
          answered({ replaces: 'q', messages: [{ role: 'user', content: `{{ a }}${'word '.repeat(2000)}` }] }),
        ],
        cases: () => [{ a: 'x' }, { a: 'y' }],
      },
    ],
  ];
  const show = async (suite: Partial<SuiteContracts>) => {
    const entries = await compareContracts({
      suite: 's',
      against: 'the baseline',
      old: [],
      replacement: [],
      isPart: false,
      contract: {},
      ...suite,
    });
    return entries.flatMap(({ findings, ...entry }) => [`  ${JSON.stringify(entry)}`, ...findings.map(showFinding)]);
  };
  const shown: string[] = [];
  for (const [title, suite] of suites) shown.push([title, ...(await show(suite)), ''].join('\n'));
  const known = await compareContracts({
    suite: 's',
    against: 'b',
    old: [answered(schema(a)), answered({ prompt: 'q' })],
    replacement: [answered(schema(ab))],
    isPart: false,
    contract: {},
  });
  const approved = known.flatMap(({ findings }) => findings.map(({ fingerprint }) => fingerprint));
  shown.push(
    [
      'approved',
      ...(await show({
        old: [answered(schema(a)), answered({ prompt: 'q' })],
        replacement: [answered(schema(ab, { approved: approved.slice(0, 2) }))],
        contract: { approved },
      })),
    ].join('\n'),
  );
  const before = [answered({ ...schema(a), prompt: 'q' })];
  const renamed = { suite: 's', against: 'b', old: before, isPart: false, contract: {} };
  const [one] = await compareContracts({ ...renamed, replacement: [answered({ ...schema(a), replaces: 'q' })] });
  const own = { approved: one?.findings.map(({ fingerprint }) => fingerprint) ?? [] };
  shown.push(
    [
      '',
      'a renamed prompt, approved by the contract of its new name',
      ...(await show({ old: before, replacement: [answered({ ...schema(a, own), replaces: 'q' })] })),
    ].join('\n'),
  );
  await expect(shown.join('\n')).toMatchFileSnapshot('snapshots/suites.txt');
});

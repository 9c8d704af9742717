import { describe, expect, test } from 'vitest';
import { comparePromptContracts, comparePromptSets } from '../../src/contracts/compare-prompts.ts';
import type { PromptContract } from '../../src/contracts/describe-contract.ts';

const search = {
  name: 'search',
  description: 'Searches orders.',
  parameters: { type: 'object', properties: { status: { enum: ['open', 'closed'] } }, required: ['status'] },
};
const base: PromptContract = {
  promptId: 'triage',
  variables: [{ name: 'email', hasDefault: false }],
  outputFormat: 'json',
  inputSchema: { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] },
  outputSchema: { type: 'object', properties: { queue: { enum: ['billing', 'legal'] } }, required: ['queue'] },
  tools: [search],
  provider: 'openai',
  model: 'gpt-4o-mini',
  params: { temperature: 0, max_tokens: 200 },
  messages: [{ role: 'system' }, { role: 'user' }],
};
const { inputSchema: _input, ...unchecked } = base;
const { outputSchema: _output, ...untyped } = base;

function list(old: PromptContract, replacement: PromptContract): readonly string[] {
  return comparePromptContracts(old, replacement).map(
    ({ ruleId, direction, severity, path }) => `${ruleId} ${direction} ${severity} ${path}`,
  );
}

test('a prompt compared with itself has no finding', () => {
  expect(list(base, structuredClone(base))).toEqual([]);
});

describe('input', () => {
  test('a variable that callers do not send is an error', () => {
    const variables = [...base.variables, { name: 'order.id', hasDefault: false }];
    expect(list(base, { ...base, variables })).toEqual(['input-variable-added input error /variables/order']);
  });

  test('a variable with a default, or one that callers send already, is none', () => {
    const withDefault = [...base.variables, { name: 'tone', hasDefault: true, default: 'kind' }];
    expect(list(base, { ...base, variables: withDefault })).toEqual([
      'input-variable-added input info /variables/tone',
    ]);
    expect(list({ ...base, variables: [] }, base)).toEqual([]);
  });

  test('a variable with a default in one message and none in another is one without', () => {
    const tone = { name: 'tone', hasDefault: true, default: 'kind' };
    const bare = { name: 'tone.level', hasDefault: false };
    const schema = { type: 'object', required: ['email', 'tone'], properties: { tone: { type: 'string' } } };
    for (const [first, second] of [
      [tone, bare],
      [bare, tone],
    ]) {
      const variables = [...base.variables, ...(first && second ? [first, second] : [])];
      expect(list(base, { ...base, variables })).toEqual(['input-variable-added input error /variables/tone']);
      const required = comparePromptContracts(base, { ...base, variables, inputSchema: schema });
      expect(required.filter(({ severity }) => severity === 'error').map(({ path }) => path)).toEqual([
        '/inputSchema/properties/tone',
      ]);
    }
  });

  test('a variable that the schema newly requires is reported once', () => {
    const replacement: PromptContract = {
      ...base,
      variables: [...base.variables, { name: 'lang', hasDefault: false }],
      inputSchema: {
        type: 'object',
        properties: { email: { type: 'string' }, lang: { type: 'string' } },
        required: ['email', 'lang'],
      },
    };
    expect(list(base, replacement)).toEqual(['property-added-required input error /inputSchema/properties/lang']);
  });

  test('a required property with a default in the prompt breaks no caller', () => {
    const inputSchema = { type: 'object', properties: { email: { type: 'string' }, lang: { type: 'string' } } };
    const replacement: PromptContract = {
      ...base,
      variables: [...base.variables, { name: 'lang', hasDefault: true, default: 'en' }],
      inputSchema: { ...inputSchema, required: ['email', 'lang'] },
    };
    expect(list(base, replacement)).toEqual([
      'property-added-required input info /inputSchema/properties/lang',
      'input-variable-added input info /variables/lang',
    ]);
  });

  test('a variable that is read no more, and another default, are warnings', () => {
    expect(list(base, { ...base, variables: [] })).toEqual(['input-variable-unused input warn /variables/email']);
    const tone = (value: string): PromptContract => ({
      ...base,
      variables: [...base.variables, { name: 'tone', hasDefault: true, default: value }],
    });
    expect(list(tone('kind'), tone('dry'))).toEqual(['input-default-changed input warn /variables/tone']);
  });

  test('an input schema follows input polarity', () => {
    const inputSchema = { type: 'object', properties: { email: { type: 'string' } } };
    expect(list({ ...base, inputSchema }, base)).toEqual([
      'property-became-required input error /inputSchema/properties/email',
    ]);
    expect(list(base, { ...base, inputSchema })).toEqual([
      'property-became-optional input info /inputSchema/properties/email',
    ]);
  });

  test('an input schema that comes warns, one that goes informs', () => {
    expect(list(unchecked, base)).toEqual(['input-schema-added input warn /inputSchema']);
    expect(list(base, unchecked)).toEqual(['input-schema-removed input info /inputSchema']);
  });
});

describe('output', () => {
  test('another format breaks parsers', () => {
    expect(list(base, { ...base, outputFormat: 'text' })).toEqual(['output-format-changed output error /outputFormat']);
  });

  test('a schema that comes is a gain, one that goes is a loss', () => {
    expect(list(untyped, base)).toEqual(['output-schema-added output info /outputSchema']);
    expect(list(base, untyped)).toEqual(['output-schema-removed output error /outputSchema']);
  });

  test('an output schema follows output polarity', () => {
    const outputSchema = {
      type: 'object',
      properties: { queue: { enum: ['billing', 'legal', 'sales'] } },
      required: ['queue'],
    };
    expect(list(base, { ...base, outputSchema })).toEqual([
      'enum-value-added output error /outputSchema/properties/queue',
    ]);
  });

  test('descriptions and order in the output schema are behaviour', () => {
    const schema = (properties: PromptContract['params']): PromptContract => ({
      ...base,
      outputSchema: { type: 'object', properties },
    });
    const [reason, answer] = [{ type: 'string' }, { type: 'string' }];
    expect(list(schema({ reason, answer }), schema({ answer, reason: { ...reason, description: 'Why.' } }))).toEqual([
      'description-or-title-changed output info /outputSchema/properties/reason',
      'property-order-changed output info /outputSchema',
    ]);
  });
});

describe('tools', () => {
  test('a removed tool is an error, an added one a warning', () => {
    expect(list(base, { ...base, tools: [] })).toEqual(['tool-removed output error /tools/search']);
    expect(list({ ...base, tools: [] }, base)).toEqual(['tool-added output warn /tools/search']);
  });

  test('a tool of another name and equal parameters is renamed', () => {
    const renamed = { ...search, name: 'find/orders' };
    expect(list(base, { ...base, tools: [renamed] })).toEqual(['tool-renamed output error /tools/search']);
    expect(list({ ...base, tools: [renamed] }, { ...base, tools: [] })).toEqual([
      'tool-removed output error /tools/find~1orders',
    ]);
  });

  test('two tools that look alike are no rename', () => {
    const tools = [
      { ...search, name: 'a' },
      { ...search, name: 'b' },
    ];
    expect(list(base, { ...base, tools })).toEqual([
      'tool-removed output error /tools/search',
      'tool-added output warn /tools/a',
      'tool-added output warn /tools/b',
    ]);
  });

  test('parameters follow output polarity, since the model writes them', () => {
    const parameters = {
      type: 'object',
      properties: { status: { enum: ['open', 'closed', 'void'] } },
      required: ['status'],
    };
    const wider: PromptContract = { ...base, tools: [{ ...search, parameters }] };
    const path = '/tools/search/parameters/properties/status';
    expect(list(base, wider)).toEqual([`tool-parameter-enum-value-added output error ${path}`]);
    expect(list(wider, base)).toEqual([`tool-parameter-enum-value-removed output info ${path}`]);
    const overrides = [{ rule: 'enum-value-added', severity: 'warn' }] as const;
    expect(comparePromptContracts(base, wider, { overrides }).map(({ severity }) => severity)).toEqual(['warn']);
  });

  test('parameters that a tool had none of are an addition to a closed object', () => {
    const bare = { name: 'search', description: 'Searches orders.' };
    expect(list({ ...base, tools: [bare] }, base)).toContain(
      'tool-parameter-property-added-required output warn /tools/search/parameters/properties/status',
    );
  });

  test('the description of a tool is behaviour', () => {
    const tools = [{ ...search, description: 'Finds orders.' }];
    expect(list(base, { ...base, tools })).toEqual(['description-or-title-changed output info /tools/search']);
  });
});

test('a schema that the API enforces no more promises less, one that it enforces now more', () => {
  const strict: PromptContract = { ...base, isOutputStrict: true, tools: [{ ...search, isStrict: true }] };
  expect(list(strict, base)).toEqual([
    'schema-enforcement-removed output warn /outputFormat/strict',
    'schema-enforcement-removed output warn /tools/search/strict',
  ]);
  expect(list(base, strict)).toEqual([
    'schema-enforcement-added output info /outputFormat/strict',
    'schema-enforcement-added output info /tools/search/strict',
  ]);
  expect(list(strict, strict)).toEqual([]);
});

describe('model, parameters and messages', () => {
  test('what asks for another run informs', () => {
    const replacement: PromptContract = {
      ...base,
      provider: 'anthropic',
      model: 'haiku',
      params: { temperature: 1, max_tokens: 200, stop: ['x'] },
    };
    expect(list(base, replacement)).toEqual([
      'provider-changed output info /provider',
      'model-changed output info /model',
      'param-changed output info /params/temperature',
      'param-changed output info /params/stop',
    ]);
  });

  test('a lowered limit of output tokens is a warning, a raised one is not', () => {
    const limited = (limit: number): PromptContract => ({ ...base, params: { temperature: 0, max_tokens: limit } });
    expect(list(base, limited(100))).toEqual(['max-output-tokens-lowered output warn /params/max_tokens']);
    expect(list(base, limited(300))).toEqual(['param-changed output info /params/max_tokens']);
    expect(list({ ...base, params: { temperature: 0 } }, base)).toEqual([
      'max-output-tokens-lowered output warn /params/max_tokens',
    ]);
  });

  test('other roles are another structure', () => {
    expect(list(base, { ...base, messages: [{ role: 'user' }] })).toEqual([
      'role-structure-changed output info /messages',
    ]);
  });

  test('a breaking change under the same version label is named', () => {
    const schema = { type: 'object', properties: { queue: { enum: ['a'] } } };
    const wider = { type: 'object', properties: { queue: { enum: ['a', 'b'] } } };
    const old = { ...base, outputSchema: { ...schema, 'x-version': '1.2' } };
    const stale = 'version-not-bumped output warn /outputSchema/x-version';
    expect(list(old, { ...base, outputSchema: { ...wider, 'x-version': '1.2' } })).toContain(stale);
    expect(list(old, { ...base, outputSchema: { ...wider, 'x-version': '2.0' } })).not.toContain(stale);
    expect(list(old, { ...base, outputSchema: { ...schema, 'x-version': '2.0' } })).toEqual([
      'annotation-changed output info /outputSchema',
    ]);
    expect(list(old, { ...old, model: 'other' })).toEqual(['model-changed output info /model']);
  });
});

test('a problem in a schema names which schema', () => {
  const bad: PromptContract = { ...base, tools: [{ ...search, parameters: { type: 'objekt' } }] };
  expect(() => comparePromptContracts(base, bad)).toThrow(
    expect.objectContaining({ pointer: '/tools/search/parameters/type', side: 'new' }),
  );
  expect(() => comparePromptContracts({ ...base, outputSchema: { minLength: -1 } }, base)).toThrow(
    expect.objectContaining({ pointer: '/outputSchema/minLength', side: 'old' }),
  );
});

describe('sets of prompts', () => {
  const ids = (old: readonly PromptContract[], replacement: readonly PromptContract[]): readonly string[] =>
    comparePromptSets(old, replacement).flatMap(({ findings }) =>
      findings.map(({ ruleId, severity, path }) => `${ruleId} ${severity} ${path}`),
    );

  test('a removed prompt breaks those that refer to it', () => {
    expect(ids([base], [])).toEqual(['prompt-removed error /prompts/triage']);
  });

  test('a prompt that replaces it makes it a rename, and is compared with it', () => {
    const heir: PromptContract = { ...base, promptId: 'triage-v2', replaces: 'triage', outputFormat: 'text' };
    expect(ids([base], [heir])).toEqual([
      'prompt-renamed error /prompts/triage',
      'output-format-changed error /outputFormat',
    ]);
  });

  test('one new prompt that differs in its name alone is a rename; two are not', () => {
    const [b, c] = ['b', 'c'].map((promptId): PromptContract => ({ ...base, promptId }));
    if (b === undefined || c === undefined) throw new Error('two were made');
    expect(ids([base], [b])).toEqual(['prompt-renamed error /prompts/triage']);
    expect(ids([base], [b, c])).toEqual(['prompt-removed error /prompts/triage']);
    expect(ids([base], [{ ...b, model: 'other' }])).toEqual(['prompt-removed error /prompts/triage']);
  });

  test('a prompt that replaces another is compared with it while both are there', () => {
    const heir: PromptContract = { ...base, promptId: 'triage-v2', replaces: 'triage', outputFormat: 'text' };
    expect(comparePromptSets([base], [base, heir])).toMatchObject([
      { promptId: 'triage', findings: [] },
      { promptId: 'triage-v2', findings: [{ ruleId: 'output-format-changed' }] },
    ]);
  });

  test('a rename is judged by the rules of the new name', () => {
    const renamed = { ...base, promptId: 'sorting', replaces: 'triage' };
    const quiet = { overrides: [{ rule: 'prompt-renamed', severity: 'info' as const }] };
    const [found] = comparePromptSets([base], [renamed], (id) => (id === 'sorting' ? quiet : {}));
    expect(found?.findings).toMatchObject([{ ruleId: 'prompt-renamed', severity: 'info' }]);
  });

  test('a schema that can not be read is named under the id that its prompt has on its side', () => {
    const faulty = { outputSchema: { type: 'strnig' } };
    const renamed = { ...base, promptId: 'sorting', replaces: 'triage' };
    expect(() => comparePromptSets([{ ...base, ...faulty }], [renamed])).toThrow(
      expect.objectContaining({ side: 'old', promptId: 'triage' }),
    );
    expect(() => comparePromptSets([base], [{ ...renamed, ...faulty }])).toThrow(
      expect.objectContaining({ side: 'new', promptId: 'sorting' }),
    );
  });

  test('prompts are paired by id, and a new one breaks no caller', () => {
    expect(
      ids(
        [base],
        [
          { ...base, promptId: 'new' },
          { ...base, outputFormat: 'text' },
        ],
      ),
    ).toEqual(['output-format-changed error /outputFormat']);
  });
});

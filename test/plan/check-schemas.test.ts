import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import type { PlannedSuite } from '../../src/model/run/plan.ts';
import type { PromptVersion, ProviderConfig, Suite } from '../../src/model/suite/suite.ts';
import { findRefusedSchemas } from '../../src/plan/check-schemas.ts';
import { buildParams } from '../../src/plan/render-cells.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';

const openObject: JsonObject = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const closed: JsonObject = { ...openObject, additionalProperties: false };

const openai = buildProvider({ id: 'gpt', at: { file: 'evals/triage.eval.yaml', line: 30, column: 3 } });
const claude = buildProvider({ ...openai, id: 'claude', adapter: 'anthropic', model: 'claude-sonnet-4-5' });
const local = buildProvider({ ...openai, id: 'local', adapter: 'ollama' });

interface Given {
  readonly provider?: ProviderConfig;
  readonly prompt?: Partial<PromptVersion>;
  readonly suite?: Partial<Suite>;
  readonly planned?: number;
  readonly observed?: number;
}

function plannedSuite({
  provider = openai,
  prompt = {},
  suite: more = {},
  planned = 1,
  observed = 0,
}: Given): PlannedSuite {
  const version = buildPrompt(prompt);
  const suite = buildSuite([buildCase()], {
    // Knows each place but those of providers.
    locateContract: async (id: string, pointer: string) =>
      pointer.startsWith('/providers') ? undefined : { file: `${id} ${pointer}`, line: 1, column: 1 },
    providers: [provider],
    prompts: [version],
    ...more,
  });
  const params = buildParams(suite, version, provider);
  return {
    suite,
    variants: [{ prompt: version, provider, params, planned, observed }],
    filtered: false,
    selectedCases: 1,
  };
}

async function refusals(...given: readonly Given[]): Promise<readonly string[]> {
  const problems = await findRefusedSchemas(given.map(plannedSuite));
  return problems.map(({ severity, message, hint, at }) => {
    const said = `${severity} at ${at?.file}:${at?.line}: ${message}; ${hint}`;
    return said.replaceAll(/https:\S+/g, 'SOURCE').replaceAll(/as known on [\d-]+/g, 'as known');
  });
}

const format = (schema: JsonValue, more: JsonObject = { strict: true }): JsonObject => ({
  response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, ...more } },
});
const tool = (parameters: JsonValue, more: JsonObject = {}): JsonObject => ({
  tools: [{ type: 'function', function: { name: 'find', parameters, ...more } }],
});
const native = (more: JsonObject = {}): JsonObject => ({
  tools: [{ name: 'find', input_schema: openObject, ...more }],
});

const refused: readonly (readonly [string, Given])[] = [
  ['a format of the prompt', { prompt: { params: format(openObject) } }],
  ['a format where strict mode is no choice', { provider: claude, prompt: { params: format(openObject, {}) } }],
  ['a format of the provider', { provider: { ...openai, params: format(openObject) } }],
  ['a strict tool of the prompt', { prompt: { params: tool(openObject, { strict: true }) } }],
  ['a strict tool of the provider', { provider: { ...openai, params: tool(openObject, { strict: true }) } }],
  ['a strict tool in another form', { provider: claude, prompt: { params: native({ strict: true }) } }],
  [
    'a contract without a flag',
    { provider: claude, prompt: { contract: { output: { ...openObject, not: {} } }, structured: true } },
  ],
  ['a contract with a flag', { prompt: { contract: { output: openObject }, structured: true } }],
  [
    'a contract that can’t be sent',
    {
      provider: claude,
      prompt: {
        contract: {
          output: { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'], additionalProperties: false },
        },
        structured: true,
      },
    },
  ],
  ['cells that are observed alone', { prompt: { params: format(openObject) }, planned: 0, observed: 1 }],
];

test('a part that an API refuses is reported with its place', async () => {
  const found = await Promise.all(refused.map(async ([what, given]) => [what, await refusals(given)]));
  expect(Object.fromEntries(found)).toMatchInlineSnapshot(`
    {
      "a contract that can’t be sent": [
        "error at v1 /outputSchema/properties/a/$ref:1: provider claude: Anthropic's structured output refuses schemas that refer to themselves, so the contract can't be sent as \`structured: true\` demands; change the contract, or leave out structured; SOURCE (as known)",
      ],
      "a contract with a flag": [
        "warning at v1 /outputSchema:1: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so the contract is sent without strict mode; every answer is still checked against the whole contract; SOURCE (as known)",
      ],
      "a contract without a flag": [
        "warning at v1 /outputSchema/not:1: provider claude: Anthropic's structured output refuses "not", so the contract is sent without it; every answer is still checked against the whole contract; SOURCE (as known)",
        "warning at v1 /outputSchema:1: provider claude: Anthropic's structured output demands additionalProperties: false on every object, so the contract is sent closed; every answer is still checked against the whole contract; SOURCE (as known)",
      ],
      "a format of the prompt": [
        "warning at v1 /params/response_format/json_schema/schema:1: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so calls with this schema fail; change it: SOURCE (as known)",
      ],
      "a format of the provider": [
        "warning at evals/triage.eval.yaml:30: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so calls with this schema fail; change it: SOURCE (as known)",
      ],
      "a format where strict mode is no choice": [
        "warning at v1 /params/response_format/json_schema/schema:1: provider claude: Anthropic's structured output demands additionalProperties: false on every object, so calls with this schema fail; change it: SOURCE (as known)",
      ],
      "a strict tool in another form": [
        "warning at v1 /tools/find/input_schema:1: provider claude: Anthropic's structured output demands additionalProperties: false on every object, so calls with the tool "find" fail; change it: SOURCE (as known)",
      ],
      "a strict tool of the prompt": [
        "warning at v1 /tools/find/parameters:1: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so calls with the tool "find" fail; change it: SOURCE (as known)",
      ],
      "a strict tool of the provider": [
        "warning at evals/triage.eval.yaml:30: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so calls with the tool "find" fail; change it: SOURCE (as known)",
      ],
      "cells that are observed alone": [
        "warning at v1 /params/response_format/json_schema/schema:1: provider gpt: OpenAI's strict mode demands additionalProperties: false on every object, so calls with this schema fail; change it: SOURCE (as known)",
      ],
    }
  `);
});

test.each<[string, Given]>([
  ['a format that is closed', { prompt: { params: format(closed) } }],
  ['a format without strict mode', { prompt: { params: format(openObject, {}) } }],
  ['a format that is none', { prompt: { params: { response_format: 'json' } } }],
  ['a format of text', { prompt: { params: { response_format: { type: 'json_object' } } } }],
  ['a tool without strict mode', { prompt: { params: tool(openObject) } }],
  [
    'a tool without a schema',
    { prompt: { params: { tools: [{ type: 'function', function: { name: 'find', strict: true } }, 'x', 7] } } },
  ],
  ['tools that are none', { prompt: { params: { tools: 'find' } } }],
  ['a contract that is not sent', { prompt: { contract: { output: openObject } } }],
  ['a variant without cells', { prompt: { params: format(openObject) }, planned: 0 }],
  ['a prompt of the baseline', { prompt: { params: format(openObject), baselineOf: 'v1' } }],
  ['an API of which nothing is known', { provider: local, prompt: { params: format(openObject) } }],
])('%s is no problem', async (_what, given) => {
  expect(await refusals(given)).toEqual([]);
});

test('all tools are strict where the parameters say so', async () => {
  const given = { provider: claude, prompt: { params: native() } };
  expect(await refusals(given)).toEqual([]);
  const strict = { ...given, prompt: { params: { ...native(), strict_tools: true } } };
  expect(await refusals(strict)).toHaveLength(
    (await refusals({ ...given, prompt: { params: native({ strict: true }) } })).length,
  );
});

test('a problem is reported once for each place and each message', async () => {
  const one: Given = { prompt: { params: format(openObject) } };
  const once = await refusals(one);
  expect(await refusals(one, one)).toEqual(once);
  const other: Given = { prompt: { ...one.prompt, id: 'v2' } };
  expect(await refusals(one, other)).toHaveLength(2 * once.length);
  const two: JsonObject = { ...openObject, properties: { a: openObject, b: openObject }, required: ['a', 'b'] };
  expect(new Set(await refusals({ prompt: { params: format(two) } })).size).toBe(3);
  expect(await refusals({ provider: { ...openai, params: format(two) } })).toHaveLength(1);
});

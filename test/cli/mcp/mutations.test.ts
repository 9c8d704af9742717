import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { cancelOrder, findOrder, startMcpServer, type ToolList } from '../../support/mcp-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

type Json = Record<string, unknown>;

/** Changes a copy of the tools: its schema of arguments, its schema of results, or the tool itself. */
function change(
  edit: (parts: { tool: Json; input: Json; fields: Json; output: Json }, list: Json[]) => void,
): ToolList {
  const list = structuredClone([cancelOrder, findOrder]) as unknown as Json[];
  const tool = list[1] ?? {};
  const input = tool['inputSchema'] as Json;
  edit({ tool, input, fields: input['properties'] as Json, output: tool['outputSchema'] as Json }, list);
  return list as unknown as Tool[];
}

const limit = (more: Json) => change(({ fields }) => Object.assign(fields['limit'] as Json, more));
const status = (schema: Json) => change(({ fields }) => Object.assign(fields, { status: schema }));
const argument = 'tool-parameter-';
const result = 'tool-result-';

/** Each with the rules and severities that it has in both directions: of each change the worse one. */
const mutations: readonly (readonly [string, ToolList, string])[] = [
  ['a tool is removed', change((_, list) => list.splice(0, 1)), 'tool-removed error'],
  ['a tool is renamed', change((_, [cancel]) => Object.assign(cancel ?? {}, { name: 'void' })), 'tool-renamed error'],
  [
    'a tool is added',
    change((_, list) => list.push({ name: 'x', inputSchema: { type: 'object' } })),
    'tool-added warn',
  ],
  ['a description', change(({ tool }) => (tool['description'] = 'Other.')), 'description-or-title-changed info'],
  ['no description', change(({ tool }) => delete tool['description']), 'description-or-title-changed info'],
  ['a title', change(({ tool }) => (tool['title'] = 'Other')), 'description-or-title-changed info'],
  ['an annotation', change(({ tool }) => (tool['annotations'] = { readOnlyHint: false })), 'annotation-changed info'],
  [
    'a required argument more',
    change(({ input, fields }) => {
      fields['shop'] = { type: 'string' };
      input['required'] = ['order_id', 'shop'];
    }),
    `${argument}property-added-required error`,
  ],
  [
    'an optional argument more',
    change(({ fields }) => (fields['shop'] = { type: 'string' })),
    `${argument}property-added-optional warn`,
  ],
  [
    'an optional argument less',
    change(({ fields }) => delete fields['limit']),
    `${argument}property-removed-optional error`,
  ],
  [
    'the required argument less',
    change(({ input, fields }) => {
      delete fields['order_id'];
      input['required'] = [];
    }),
    `${argument}property-removed-required error`,
  ],
  [
    'an argument becomes required',
    change(({ input }) => (input['required'] = ['order_id', 'status'])),
    `${argument}property-became-required error`,
  ],
  [
    'an argument becomes optional',
    change(({ input }) => (input['required'] = [])),
    `${argument}property-became-optional error`,
  ],
  [
    'an argument is renamed',
    change(({ fields }) => {
      fields['state'] = fields['status'];
      delete fields['status'];
    }),
    `${argument}property-renamed error`,
  ],
  [
    'a type changes',
    change(({ fields }) => (fields['order_id'] = { type: 'integer' })),
    `${argument}type-changed error`,
  ],
  ['a number may have a fraction', limit({ type: 'number' }), `${argument}type-generalized error`],
  [
    'null is allowed',
    change(({ fields }) => (fields['order_id'] = { type: ['string', 'null'], minLength: 1 })),
    `${argument}became-nullable error`,
  ],
  ['a value more', status({ enum: ['open', 'shipped', 'lost'] }), `${argument}enum-value-added error`],
  ['a value less', status({ enum: ['open'] }), `${argument}enum-value-removed error`],
  ['a lower maximum', limit({ maximum: 20 }), `${argument}maximum-lowered error`],
  ['a higher maximum', limit({ maximum: 100 }), `${argument}maximum-raised error`],
  ['a lower minimum', limit({ minimum: 0 }), `${argument}minimum-lowered error`],
  ['another default', limit({ default: 20 }), `${argument}default-changed warn`],
  [
    'a longer text',
    change(({ fields }) => (fields['order_id'] = { type: 'string', minLength: 3 })),
    `${argument}min-length-raised error`,
  ],
  [
    'a pattern',
    change(({ fields }) => (fields['order_id'] = { type: 'string', minLength: 1, pattern: '^[0-9]+$' })),
    `${argument}pattern-added error`,
  ],
  [
    'further arguments are allowed',
    change(({ input }) => delete input['additionalProperties']),
    `${argument}object-opened warn`,
  ],
  [
    'the description of an argument',
    limit({ description: 'How many.' }),
    `${argument}description-or-title-changed info`,
  ],
  [
    'a result may be another value',
    change(({ output }) => ((output['properties'] as Json)['state'] = { enum: ['open', 'shipped', 'lost'] })),
    `${result}enum-value-added error`,
  ],
  [
    'a result may lack a member',
    change(({ output }) => (output['required'] = [])),
    `${result}property-became-optional error`,
  ],
  ['no schema of the result', change(({ tool }) => delete tool['outputSchema']), 'output-schema-removed error'],
  [
    'a schema of the result',
    change((_, [cancel]) => Object.assign(cancel ?? {}, { outputSchema: { type: 'object' } })),
    'output-schema-added info',
  ],
];

const suite = `suite: shop
prompts: [{ id: v1, text: "Help.", params: { tools: [{ mcp: ../tools/orders.mcp.json }] } }]
providers: ["openai:gpt-4o-mini"]
cases: [{ id: a, assert: [{ contains: x }] }]
`;

async function openShop(): Promise<{ project: TempProject; serve: (tools: ToolList) => void }> {
  const project = openTempProject();
  let tools: ToolList = [findOrder, cancelOrder];
  const { url } = await startMcpServer({ tools: () => tools });
  await project.run(['mcp', 'snapshot', url, '-o', 'tools/orders.mcp.json']);
  project.write('evals/shop.eval.yaml', suite);
  return { project, serve: (list) => (tools = list) };
}

describe('a server that has changed since its snapshot', () => {
  test.each(mutations)('%s: validate --live names the rule, its severity and the line', async (_, tools, expected) => {
    const { project, serve } = await openShop();
    serve(tools);
    const { code, stderr } = await project.run(['validate', '--live']);
    const found = [...stderr.matchAll(/^(\S+):\d+:\d+ error mcp-drift: .* has changed: (\w+) (\S+) at/gm)];
    expect([code, found.map(([, file, severity, rule]) => `${file} ${rule} ${severity}`)]).toEqual([
      2,
      [`tools/orders.mcp.json ${expected}`],
    ]);
    expect((await project.run(['mcp', 'snapshot'])).stdout).toContain(expected.split(' ').toReversed().join(' '));
  });

  test('has each of several changed values named', async () => {
    const { project, serve } = await openShop();
    serve(status({ enum: ['lost', 'kept'] }));
    const { stderr } = await project.run(['validate', '--live']);
    const values = [...stderr.matchAll(/ error (\S+) at .*: The value "(\w+)"/g)].map(([, rule, value]) => [
      rule,
      value,
    ]);
    expect(values).toEqual([
      [`${argument}enum-value-removed`, 'open'],
      [`${argument}enum-value-removed`, 'shipped'],
      [`${argument}enum-value-added`, 'lost'],
      [`${argument}enum-value-added`, 'kept'],
    ]);
  });

  test('is asked with --live alone, and is the same again after a new snapshot', async () => {
    const { project, serve } = await openShop();
    expect(await project.run(['validate', '--live'])).toMatchObject({ code: 0 });
    serve([findOrder]);
    expect((await project.run(['validate'])).code).toBe(0);
    expect((await project.run(['validate', '--live'])).code).toBe(2);
    await project.run(['mcp', 'snapshot']);
    const stdout = '1 suite, 1 case, 1 cell, 1 MCP server: valid\n';
    expect(await project.run(['validate', '--live'])).toMatchObject({ code: 0, stdout });
  });

  test('can be asked only where a suite uses a snapshot', async () => {
    const { project } = await openShop();
    project.write('evals/shop.eval.yaml', suite.replace('[{ mcp: ../tools/orders.mcp.json }]', '[]'));
    const { code, stderr } = await project.run(['validate', '--live']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no server to ask')]);
  });
});

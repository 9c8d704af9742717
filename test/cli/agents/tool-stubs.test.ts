import { describe, expect, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';
import { openShop, type ShopParts } from './shop-project.ts';

/** Runs the agent of a shop, which takes the given steps. */
async function runAgent(
  steps: readonly ScriptedStep[],
  { files = {}, ...parts }: ShopParts & { readonly files?: Readonly<Record<string, string>> } = {},
) {
  const project = openShop(parts);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  const server = await startAgentServer(steps);
  const run = await project.report(['run', '--no-baseline'], { env: server.env });
  return { ...run, server, project, trial: trialsOf(run.report)[0] };
}

function sent(server: Awaited<ReturnType<typeof startAgentServer>>, index: number) {
  return (JSON.parse(server.requests[index]?.body ?? '{}') as { messages: Record<string, unknown>[] }).messages;
}

describe('the tool calls of a model', () => {
  test('are answered by the first stub whose arguments match, until the model answers in text', async () => {
    const { code, server, trial } = await runAgent([
      [['find_order', { order_id: '7731', verbose: true }]],
      'DHL has it.',
    ]);
    expect([code, server.requests.length]).toEqual([0, 2]);
    expect(sent(server, 1).at(-1)).toEqual({
      role: 'tool',
      name: 'find_order',
      tool_call_id: 'call_0_0',
      content: '{"state":"shipped","carrier":"DHL"}',
    });
    expect(trial?.output).toBe('DHL has it.');
    expect(trial?.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 });
  });

  test('get the error of a stub that fails, and the model may try again', async () => {
    const steps: ScriptedStep[] = [[['find_order', { order_id: '1' }]], [['find_order', { order_id: '7731' }]], 'DHL.'];
    const { code, server } = await runAgent(steps);
    expect([code, server.requests.length]).toEqual([0, 3]);
    expect(sent(server, 1).at(-1)?.['content']).toBe('no such order');
  });

  test('are answered by a stub whose schema is a file, and its texts may be no templates', async () => {
    const tools = ' { find_order: [{ schema: id.json, returns: "{{ costs }}", templates: false }, { fails: "no" }] }';
    const files = { 'id.json': '{ "properties": { "order_id": { "pattern": "^77" } } }' };
    const steps: ScriptedStep[] = [[['find_order', { order_id: '7731' }]], [['find_order', { order_id: '8' }]], 'DHL.'];
    const { code, server } = await runAgent(steps, { tools, files });
    expect([code, sent(server, 1).at(-1)?.['content'], sent(server, 2).at(-1)?.['content']]).toEqual([
      0,
      '{{ costs }}',
      'no',
    ]);
    const missing = openTempProject();
    missing.write(
      'shop.eval.yaml',
      'suite: s\nprompts: [{ id: v1, text: hi }]\nproviders: [{ id: m, use: "openai:gpt-4o-mini" }]\ncases: [{ id: a, tools: { f: { schema: none.json, returns: x } } }]\n',
    );
    const refused = await missing.run(['validate', 'shop.eval.yaml']);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/shop\.eval\.yaml:4:\d+ error .*none\.json/),
    ]);
  });

  test.each([
    ['[{ name: find_order }, { name: cancel }]', '{ find_ordr: { returns: 1 } }', 'did you mean "find_order"?'],
    ['[{ type: function, function: { name: cancel } }]', '{ say: { fails: no } }', 'declare it under params: tools'],
    ['[{ functionDeclarations: [{ name: issue_refund }] }]', '{ issue_refnd: { never: true } }', '"issue_refund"?'],
    ['[{ name: find_order }]', '{ find_order: { returns: 1 }, issue_refund: { never: true } }', undefined],
    ['[{ type: web_search }, { name: say }]', '{ say: { returns: 1 } }', undefined],
    ['[{ odd: 1 }, { name: say }]', '{ other: { returns: 1 } }', undefined],
    ['[]', '{ other: { returns: 1 } }', undefined],
  ])('are warned of where a model that is given %s, with %s, can make none', async (given, tools, words) => {
    const project = openTempProject();
    const provider = `{ id: m, use: "openai:gpt-4o-mini", params: { tools: ${given} } }`;
    const cases = `[{ id: a, tools: ${tools}, assert: [{ contains: x }] }]`;
    project.write(
      'shop.eval.yaml',
      `suite: s\nprompts: [{ id: v1, text: hi }]\nproviders: [${provider}]\ncases: ${cases}\n`,
    );
    const { code, stderr } = await project.run(['validate', 'shop.eval.yaml']);
    expect(code).toBe(0);
    const isWarned = /shop\.eval\.yaml:4:\d+ warning unknown-tool: the tool "\w+" has stubs/.test(stderr);
    expect([isWarned, stderr]).toEqual([words !== undefined, expect.stringContaining(words ?? '')]);
  });

  test('made at once are answered in their order, each under its id', async () => {
    const { code, server } = await runAgent([
      [
        ['find_order', { order_id: '7731' }],
        ['find_order', { order_id: '2' }],
      ],
      'DHL.',
    ]);
    expect([code, server.requests.length]).toEqual([0, 2]);
    const results = sent(server, 1).filter(({ role }) => role === 'tool');
    expect(results.map(({ tool_call_id, content }) => [tool_call_id, content])).toEqual([
      ['call_0_0', '{"state":"shipped","carrier":"DHL"}'],
      ['call_0_1', 'no such order'],
    ]);
  });

  test('fail the cell at once where the tool must never be called', async () => {
    const { code, server, trial } = await runAgent([[['issue_refund', { amount: 30 }]], 'Refunded by DHL.']);
    expect(code).toBe(1);
    expect(server.requests.every((_, index) => sent(server, index).length === 1)).toBe(true);
    expect(trial?.checks.map(({ assertion, pass }) => [assertion, pass])).toEqual([['tools', false]]);
    expect(trial?.checks[0]?.reason).toBe('calls issue_refund({"amount":30}), which it must never call');
  });

  test('fail the cell without a stub, and the reason is the line that answers them', async () => {
    const { code, trial, project } = await runAgent([[['find_parcel', { id: 7, tags: ['a'] }]], 'DHL.']);
    expect(code).toBe(1);
    const reason = trial?.checks[0]?.reason ?? '';
    expect(reason).toContain('no stub answers "find_parcel"');
    const line = reason.slice(reason.indexOf('under tools: ') + 'under tools: '.length);
    expect(line).toBe('find_parcel: [ { when: { id: 7, tags: [ a ] }, returns: … } ]');
    project.write(
      'shop.eval.yaml',
      project.read('shop.eval.yaml').replace('    tools:\n', `    tools:\n      ${line}\n`),
    );
    const server = await startAgentServer([[['find_parcel', { id: 7, tags: ['a'] }]], 'DHL.']);
    expect((await project.report(['run', '--no-baseline', '--cache', 'off'], { env: server.env })).code).toBe(0);
  });

  test('name the tool where it is known and no entry matches', async () => {
    const { trial } = await runAgent([[['find_order', { id: 1 }]], 'DHL.'], {
      tools: ' { find_order: [{ when: { id: 2 }, returns: 1 }] }',
    });
    expect(trial?.checks[0]?.reason).toContain('no stub of "find_order" matches its call');
  });

  test('whose arguments are no JSON get an error, as a real tool would give one', async () => {
    const { code, server } = await runAgent([
      [['find_order', '{"order_id": ']],
      [['find_order', { order_id: '7731' }]],
      'DHL.',
    ]);
    expect(code).toBe(0);
    expect(sent(server, 1).at(-1)?.['content']).toContain('the arguments are not JSON');
  });

  test('end at maxSteps, without a further request', async () => {
    const loop: ScriptedStep[] = Array.from({ length: 9 }, () => [['find_order', { order_id: '7731' }]]);
    const { code, server, trial } = await runAgent(loop, { keys: '    maxSteps: 3\n    assert: [{ contains: DHL }]' });
    expect(code).toBe(1);
    expect(sent(server, 2)).toHaveLength(5);
    expect(server.requests.filter((_, index) => sent(server, index).length > 5)).toEqual([]);
    expect(trial?.checks[0]?.reason).toBe('still calls "find_order" after 3 answers, the most that maxSteps allows');
  });

  test('are bounded in number and in the size of their results', async () => {
    const many = await runAgent([
      Array.from({ length: 17 }, () => ['find_order', { order_id: '7731' }] as const),
      'DHL.',
    ]);
    expect(many.trial?.checks[0]?.reason).toBe('makes 17 tool calls at once, and 16 are the most');
    const large = await runAgent([[['dump', {}]], 'DHL.'], {
      tools: ` { dump: { returns: "${'x'.repeat(300_000)}" } }`,
    });
    expect(large.trial?.checks[0]?.reason).toContain(
      'the result of "dump" has 300,000 bytes, and 262,144 are the most',
    );
  });

  test('are answered from the cache in a second run', async () => {
    const { project, server } = await runAgent([[['find_order', { order_id: '7731' }]], 'DHL.']);
    const again = await project.report(['run', '--no-baseline'], { env: server.env });
    expect([again.code, again.report.totals.cached, server.requests.length]).toEqual([0, 1, 2]);
  });
});

describe('stubs', () => {
  test('are templates over the variables of the case', async () => {
    const { server } = await runAgent([[['echo', { said: 'Where is order 7731?' }]], 'DHL.'], {
      tools: ' { echo: [{ when: { said: "{{ question }}" }, returns: "you asked: {{ question }}" }] }',
    });
    expect(sent(server, 1).at(-1)?.['content']).toBe('you asked: Where is order 7731?');
  });

  test('of the suite answer what the case does not', async () => {
    const { code, server } = await runAgent([[['find_order', { order_id: '2' }]], [['clock', {}]], 'DHL.'], {
      suite: 'tools: { find_order: { returns: "of the suite" }, clock: { returns: 12 } }',
      tools: ' { find_order: [{ when: { order_id: "1" }, returns: "of the case" }] }',
    });
    expect(code).toBe(0);
    expect([sent(server, 1).at(-1)?.['content'], sent(server, 2).at(-1)?.['content']]).toEqual(['of the suite', '12']);
  });

  test('may be in a file that cases share, with the entries of the case first', async () => {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', 'suites: [a.eval.yaml]\n');
    project.write('stubs/shop.yaml', 'find_order: [{ when: { id: 1 }, returns: one }, { fails: "unknown" }]\n');
    project.write(
      'a.eval.yaml',
      `suite: a
prompts: [{ id: v1, text: "{{ q }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
cases:
  - { id: file, vars: { q: a }, tools: stubs/shop.yaml, assert: [{ contains: ok }] }
  - { id: both, vars: { q: b }, tools: [{ find_order: { returns: own } }, stubs/shop.yaml], assert: [{ contains: ok }] }
`,
    );
    const server = await startAgentServer([[['find_order', { id: 1 }]], 'ok']);
    const { code } = await project.report(['run', '--no-baseline'], { env: server.env });
    expect(code).toBe(0);
    const results = server.requests.flatMap(({ body }) => {
      const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] };
      return messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    });
    expect(results.sort()).toEqual(['one', 'own']);
  });

  for (const [name, tools, message, place] of [
    ['a key that there is not', ' { find: { return: 1 } }', 'return', ':8:'],
    ['two answers', ' { find: { returns: 1, fails: "x" } }', 'needs one of returns, fails and never', ':8:'],
    ['no answer', ' { find: { when: { a: 1 } } }', 'needs one of returns, fails and never', ':8:'],
    ['a file that is not there', ' stubs/none.yaml', 'stubs/none.yaml', ':8:'],
    ['a text for a tool', ' { find: "x" }', 'tool "find"', ':8:'],
    ['never: false', ' { find: { never: false } }', 'must be true', ':8:'],
    ['a variable that there is not', ' { find: { returns: "{{ nope }}" } }', 'nope', ':8:'],
  ] as const) {
    test(`with ${name} are refused at their place`, async () => {
      const project = openShop({ tools });
      const { code, stderr } = await project.run(['validate']);
      expect(code).toBe(2);
      expect(stderr).toContain(message);
      expect(stderr).toContain(`shop.eval.yaml${place}`);
    });
  }
});

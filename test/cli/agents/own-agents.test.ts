import { describe, expect, test } from 'vitest';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const wanted =
  '{ trajectory: { calls: [{ name: find_order, args: { order_id: "7731" } }, cancel_order], order: ordered, steps: 3 } }, { contains: Done }';

/** Runs a provider that answers with a given object, as a program or as a module. */
async function runAgent(answer: object, { use = 'exec', assert = wanted, times = 1, tools = '' } = {}) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  const text = JSON.stringify(answer);
  project.write(
    'app.mjs',
    `export default () => (${text});\nif (process.argv[1]?.endsWith('app.mjs')) console.log(${JSON.stringify(text)});\n`,
  );
  const provider = use === 'exec' ? '"exec:node app.mjs", output: json' : '"module:app.mjs"';
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731." }]
providers: [{ id: app, use: ${provider} }]
gate: { confirm: { budget: 0 } }
cases: [{ id: one, ${tools}assert: [${assert}] }]
`,
  );
  let run = await project.report(['run', '--no-baseline']);
  for (let more = 1; more < times; more += 1) run = await project.report(['run', '--no-baseline']);
  return { ...run, project, trial: trialsOf(run.report)[0] };
}

const steps = [
  { toolCalls: [{ name: 'find_order', arguments: { order_id: '7731' }, result: { state: 'open' } }] },
  { text: 'One moment.', toolCalls: [{ name: 'cancel_order', arguments: { order_id: '7731' }, result: 'ok' }] },
  { text: 'Done.' },
];

const openAi = [
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'x', type: 'function', function: { name: 'old', arguments: '{}' } }],
  },
  { role: 'tool', tool_call_id: 'x', content: 'of an earlier question' },
  { role: 'assistant', content: 'It is open.' },
  { role: 'user', content: 'Cancel order 7731.' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'find_order', arguments: '{"order_id":"7731"}' } }],
  },
  { role: 'tool', tool_call_id: 'a', content: '{"state":"open"}' },
  {
    role: 'assistant',
    content: '',
    tool_calls: [{ id: 'b', type: 'function', function: { name: 'cancel_order', arguments: '{"order_id":"7731"}' } }],
  },
  { role: 'tool', tool_call_id: 'b', content: 'ok' },
  { role: 'assistant', content: 'Done.' },
];

const anthropic = [
  { role: 'user', content: 'Cancel order 7731.' },
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'I look it up.' },
      { type: 'tool_use', id: 'a', name: 'find_order', input: { order_id: '7731' } },
    ],
  },
  {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: '{"state":"open"}' }] }],
  },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'b', name: 'cancel_order', input: { order_id: '7731' } }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: 'ok', is_error: false }] },
  { role: 'assistant', content: [{ type: 'text', text: 'Done.' }] },
];

describe('an agent of your own', () => {
  const forms = Object.entries({
    steps: { steps },
    'messages of OpenAI': { messages: openAi },
    'messages of Anthropic': { messages: anthropic },
  });
  for (const [name, answer] of forms) {
    for (const use of ['exec', 'module']) {
      test(`is checked by its ${name}, run as ${use}, also from the cache`, { tags: 'slow' }, async () => {
        const { code, trial } = await runAgent(answer, { use });
        expect(trial?.checks.map(({ reason }) => reason)).toEqual([
          expect.stringContaining('takes the wanted path: 1 find_order({"order_id":"7731"}) → 2 cancel_order'),
          expect.anything(),
        ]);
        expect(code).toBe(0);
        const again = await runAgent(answer, { use, times: 2 });
        expect([again.code, again.report.totals.cached]).toEqual([0, 1]);
      });
    }
  }

  test('has its steps and results in the record, and toolCalls checks them all', async () => {
    const assert = '{ toolCalls: [find_order, cancel_order] }, { toolCalls: { names: [cancel_order], step: 2 } }';
    const { code, project } = await runAgent({ steps }, { assert });
    expect(code).toBe(0);
    const [record = ''] = project.files('.llmcheck/runs');
    const row = project
      .read(record)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find(({ type }) => type === 'cell');
    expect(row).toMatchObject({
      steps: 3,
      output: 'Done.',
      trajectory: [
        { calls: [{ name: 'find_order', result: { content: '{"state":"open"}' } }] },
        { text: 'One moment.', calls: [{ result: { content: 'ok' } }] },
        { text: 'Done.', calls: [] },
      ],
    });
  });

  test('that takes another path fails its case', async () => {
    const { code, trial } = await runAgent({ steps: [{ toolCalls: steps[1]?.toolCalls }, { text: 'Done.' }] });
    expect(code).toBe(4);
    expect(trial?.checks[0]?.pass).toBe(false);
  });

  test('that reports what can not be read is errored, and the reason says why', { tags: 'slow' }, async () => {
    const wrong: readonly [object, string][] = [
      [{ steps: [] }, 'steps'],
      [{ steps: [{ calls: [] }] }, 'steps.0'],
      [{ steps: [{ text: 'a', toolCalls: [{ arguments: {} }] }] }, 'steps.0.toolCalls.0.name'],
      [{ messages: [{ role: 'user', content: 'Hi' }] }, 'messages hold no message of the assistant'],
      [{ messages: ['Hi'] }, 'messages.0'],
      [{ usage: { inputTokens: 1, outputTokens: 1 } }, 'text is missing'],
    ];
    for (const [answer, words] of wrong) {
      const { code, trial } = await runAgent(answer);
      expect([code, trial?.error?.message]).toEqual([3, expect.stringContaining(words)]);
    }
  });

  test('fails its case where it reports a call that a stub forbids', { tags: 'slow' }, async () => {
    const assert = '{ contains: Done }';
    for (const [tools, reason] of [
      ['cancel_order: { never: true }', 'calls cancel_order({"order_id":"7731"}), which it must never call'],
      ['cancel_order: [{ when: { order_id: "7731" }, never: true }]', 'which it must never call'],
      ['cancel_order: [{ when: { order_id: "1" }, never: true }]', ''],
      ['cancel_order: [{ when: { order_id: "7731" }, returns: ok }, { never: true }]', ''],
      ['issue_refund: { never: true }', ''],
    ] as const) {
      const { code, trial } = await runAgent({ steps }, { assert, tools: `tools: { ${tools} }, ` });
      const failed = trial?.checks.find(({ pass }) => !pass);
      expect([tools, code, failed?.reason ?? '']).toEqual([
        tools,
        reason === '' ? 0 : 4,
        expect.stringContaining(reason),
      ]);
    }
  });

  test('that answers with text alone has no verdict on its path, also where stubs forbid calls', {
    tags: ['slow'],
  }, async () => {
    for (const use of ['exec:echo Done', 'module:app.mjs']) {
      const project = openTempProject();
      project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
      project.write('app.mjs', 'export default () => "Done";\n');
      project.write(
        'shop.eval.yaml',
        `suite: shop
prompts: [{ id: v1, text: "Refund it." }]
providers: [{ id: app, use: "${use}" }]
tools: { issue_refund: { never: true } }
gate: { confirm: { budget: 0 } }
cases: [{ id: one, assert: [{ trajectory: { never: issue_refund } }] }]
`,
      );
      for (const cached of [0, 1]) {
        const { code, report } = await project.report(['run', '--no-baseline']);
        expect([code, report.totals.cached]).toEqual([3, cached]);
        expect(trialsOf(report)[0]?.error?.message).toContain('the program reports no steps');
      }
    }
  });

  test('keeps the state that it reports beside stubs', async () => {
    const tools = 'tools: { issue_refund: { never: true } }, ';
    const assert = '{ trajectory: { state: { orders: 1 } } }';
    const { code, project } = await runAgent({ steps, state: { orders: 1 } }, { assert, tools });
    expect(code).toBe(0);
    const [record = ''] = project.files('.llmcheck/runs');
    expect(project.read(record)).toContain('"state":{"orders":1}');
  });

  describe('whose messages use the ids of calls again', () => {
    const call = (name: string, id: string, args = '{}') => ({
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
    });
    const result = (id: string, content: string, status = 'success') => ({
      role: 'tool',
      tool_call_id: id,
      content,
      status,
    });
    const done = { role: 'assistant', content: 'Done.' };
    const after = '{ trajectory: { after: { cancel_order: find_order } } }';

    test('has each call judged by its own result', async () => {
      const failedFirst = [
        call('find_order', 'call_0'),
        result('call_0', 'no such order', 'error'),
        call('cancel_order', 'call_1'),
        result('call_1', 'ok'),
        call('find_order', 'call_0', '{"order_id":"2"}'),
        result('call_0', 'open'),
        done,
      ];
      const { code, trial } = await runAgent({ messages: failedFirst }, { assert: after });
      expect([code, trial?.checks[0]?.reason]).toEqual([4, expect.stringContaining('got only an error')]);
    });

    test('is errored where a result is missing, since it is not known which', async () => {
      const messages = [call('find_order', 'call_0'), call('cancel_order', 'call_0'), result('call_0', 'open'), done];
      const { code, trial } = await runAgent({ messages }, { assert: after });
      expect([code, trial?.error?.message]).toEqual([
        3,
        expect.stringContaining('2 calls of the id "call_0" and 1 of their results'),
      ]);
    });
  });

  test('that goes on before a call has a result did not wait for it', async () => {
    const made = (id: string, name: string) => ({ type: 'tool_use', id, name, input: {} });
    const messages = [
      { role: 'assistant', content: [made('a', 'find_order')] },
      { role: 'assistant', content: [made('b', 'cancel_order')] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: 'ok' }] },
      { role: 'assistant', content: 'Done.' },
    ];
    const assert = '{ trajectory: { after: { cancel_order: find_order } } }';
    const { code, trial } = await runAgent({ messages }, { assert });
    expect([code, trial?.checks[0]?.reason]).toEqual([4, expect.stringContaining('got no result')]);
  });
});

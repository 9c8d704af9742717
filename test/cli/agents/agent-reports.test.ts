// @module-tag slow
import { describe, expect, test } from 'vitest';
import type { PageCase } from '../../../src/model/report/page.ts';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const secret = 'hunter2-swordfish';

const changed = 'Help the customer.';

/** Runs a case of which an earlier path was accepted: only the changed prompt leads to the other path. */
async function runChanged(before: readonly ScriptedStep[], now: readonly ScriptedStep[]) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write(
    'shop.mjs',
    `const refunds = [];
export const tools = { issue_refund({ order_id }) { refunds.push({ order_id, code: '${secret}' }); return 'refunded'; } };
export const state = () => ({ refunds });
`,
  );
  const writeSuite = (prompt: string) =>
    project.write(
      'shop.eval.yaml',
      `suite: shop
prompts:
  - id: v1
    text: "${prompt} {{ question }}"
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
cases:
  - id: late
    vars: { question: "Where is order 7731?" }
    tools:
     - find_order:
        - { when: { order_id: "7731" }, returns: { state: shipped, carrier: DHL, code: "${secret}" } }
        - { fails: "no such order" }
     - module: shop.mjs
    assert:
      - trajectory: { calls: [{ name: find_order, args: { order_id: "7731" } }], never: [issue_refund] }
`,
    );
  writeSuite('Help.');
  const server = await startAgentServer((chat) => {
    const done = chat.messages.filter(({ role }) => role === 'assistant').length;
    const steps = String(chat.messages[0]?.content).startsWith(changed) ? now : before;
    return steps[done] ?? 'Nothing to add.';
  });
  const env = { ...server.env, OPENAI_API_KEY: secret };
  expect((await project.run(['run'], { env })).code).toBe(0);
  expect((await project.run(['baseline', 'accept'], { env })).code).toBe(0);
  writeSuite(changed);
  const run = await project.run(['run'], { env });
  const outputs = new Map<string, string>([['terminal', run.stdout]]);
  for (const name of ['markdown', 'github', 'html', 'json', 'junit'])
    outputs.set(name, (await project.run(['report', '-r', name], { env })).stdout);
  return { project, run, output: (name: string) => outputs.get(name) ?? '' };
}

const rightPath: readonly ScriptedStep[] = [[['find_order', { order_id: '7731' }]], 'DHL has it.'];
const refund: readonly ScriptedStep[] = [
  [['find_order', { order_id: '7731' }]],
  [['issue_refund', { order_id: '7731', code: secret }]],
  'Refunded.',
];

/** The details of every case, as the page reads them. */
function pageCases(html: string): readonly PageCase[] {
  const blocks = html.matchAll(/<script type="application\/json" id="block-\d+">(.*?)<\/script>/gs);
  return [...blocks].flatMap(([, json = '']) => JSON.parse(json) as PageCase[]);
}

describe('a broken case of an agent', () => {
  test('says in every report what the agent now does differently', async () => {
    const { run, output } = await runChanged(rightPath, refund);
    expect(run.code).toBe(1);
    for (const name of ['terminal', 'markdown', 'github', 'junit']) {
      expect([name, output(name)]).toEqual([name, expect.stringContaining('now calls issue_refund at step 2')]);
    }
    expect(output('terminal')).toContain('takes 3 steps, was 2');
    expect(output('html')).toContain('agent: now calls issue_refund at step 2');
  });

  test('says it in one line, too', async () => {
    const { project } = await runChanged(rightPath, refund);
    const { stdout } = await project.run(['report', '-q']);
    expect(stdout).toMatch(/✗ late .*now calls issue_refund at step 2/);
  });

  test('names another argument', async () => {
    const { output } = await runChanged(rightPath, [[['find_order', { order_id: '1' }]], 'No such order.']);
    expect(output('terminal').replaceAll(/\s+/g, ' ')).toContain(
      'calls find_order with {"order_id":"1"} at step 1, was {"order_id":"7731"}',
    );
  });

  test('has the steps of both sides in the page, with the differing call marked', async () => {
    const { output } = await runChanged(rightPath, refund);
    const [page] = pageCases(output('html'));
    const [trial] = page?.trials ?? [];
    expect(trial?.path).toEqual({
      differences: [
        'now calls issue_refund at step 2',
        'takes 3 steps, was 2',
        expect.stringMatching(/^leaves .* at \$\.refunds\[0\] of the state, was nothing$/),
      ],
      before: [],
      now: [[1, 0]],
    });
    expect(trial?.steps?.map(({ text, calls, usage }) => [text, calls.map(({ name }) => name), usage])).toEqual([
      [undefined, ['find_order'], { inputTokens: 10, outputTokens: 5 }],
      [undefined, ['issue_refund'], { inputTokens: 10, outputTokens: 5 }],
      ['Refunded.', [], { inputTokens: 10, outputTokens: 5 }],
    ]);
    expect(trial?.steps?.[1]?.calls[0]?.result?.content).toBe('refunded');
    expect([trial?.state, page?.baseline?.state]).toEqual([
      expect.stringContaining('"order_id": "7731"'),
      expect.stringContaining('"refunds": []'),
    ]);
    expect(page?.baseline?.steps?.map(({ calls }) => calls.length)).toEqual([1, 0]);
    expect([trial?.toolCalls, page?.baseline?.toolCalls]).toEqual([undefined, undefined]);
  });

  test('has the steps of both sides in the JSON report', async () => {
    const { output } = await runChanged(rightPath, refund);
    const [found] = JSON.parse(output('json')).suites[0].cases;
    expect(found.trials[0]).toMatchObject({
      steps: 3,
      trajectory: [
        { text: '', calls: [{ name: 'find_order' }], usage: { inputTokens: 10 } },
        { calls: [{ name: 'issue_refund', result: { content: 'refunded' } }] },
        { text: 'Refunded.', calls: [] },
      ],
    });
    expect(found.baseline.trajectory).toHaveLength(2);
    expect([found.trials[0].state.refunds.length, found.baseline.state]).toEqual([1, { refunds: [] }]);
  });

  test('has no secret in its steps, arguments, results and state', async () => {
    const { project, output } = await runChanged(rightPath, refund);
    for (const name of ['terminal', 'markdown', 'github', 'html', 'json', 'junit'])
      expect([name, output(name).includes(secret)]).toEqual([name, false]);
    const stored = project.files().filter((file) => !file.endsWith('shop.eval.yaml'));
    const leaks = stored.filter((file) => file.endsWith('jsonl') && project.read(file).includes(secret));
    expect(leaks).toEqual([]);
  });
});

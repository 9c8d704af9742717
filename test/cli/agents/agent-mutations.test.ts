import { describe, expect, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const rightPath: readonly ScriptedStep[] = [[['find_order', { id: '7' }]], [['refund', { id: '7' }]], 'Done.'];

interface Measured {
  readonly suites: readonly {
    readonly kinds: readonly { readonly mutation: string; readonly mutants: number; readonly caught: number }[];
    readonly weakCases: readonly { readonly survivors: readonly { readonly mutation: string }[] }[];
  }[];
}

const stubs = `
      find_order: { returns: found }
      refund: { when: { id: "7" }, returns: refunded }
      send_mail: { returns: sent }
      delete_order: { never: true }`;

/** The kinds of wrong answers that a case lets pass, and the counts of each kind. */
async function checkStrength(assert: string, { tools = stubs, steps = rightPath, from = 'run' } = {}) {
  const project = openTempProject();
  project.write(
    'evals/shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Refund order 7." }]
providers: ["openai:gpt-4o-mini"]
${from === 'recordings' ? 'recordings: shop.jsonl' : ''}
cases:
  - id: refund
    tools:${tools}
    assert: [${assert}]
`,
  );
  const { env } = await startAgentServer(steps);
  expect(
    (await project.run(['run', '--no-baseline', ...(from === 'recordings' ? ['--record'] : [])], { env })).code,
  ).toBe(0);
  const check = ['assertions', 'check', '--from', from];
  const { code, stdout } = await project.run([...check, '--json']);
  const [suite] = (JSON.parse(stdout) as Measured).suites;
  const weak = new Set(suite?.weakCases.flatMap(({ survivors }) => survivors.map(({ mutation }) => mutation)));
  const counts = Object.fromEntries((suite?.kinds ?? []).map((kind) => [kind.mutation, [kind.mutants, kind.caught]]));
  const text = (await project.run(check)).stdout;
  return { code, weak: [...weak].filter((kind) => /call|argument|nothing/.test(kind)), counts, text };
}

describe('assertions check on an agent', () => {
  test('names a case that checks only the text, by each kind of path that it lets pass', async () => {
    const { code, weak, text } = await checkStrength('{ equals: Done. }');
    expect(code).toBe(1);
    // No stub answers a refund of another order, and delete_order must never be called: both end the cell in a run.
    expect(weak).toEqual(['did-nothing', 'call-dropped', 'call-doubled', 'calls-reordered']);
    expect(text).toContain('did-nothing: the same text without a call');
    expect(text).toContain('call-dropped: without find_order at step 1');
  });

  test('finds the same in recordings, whose tools answer again, as in the record of a run', {
    tags: 'slow',
  }, async () => {
    for (const assert of [
      '{ equals: Done. }',
      '{ trajectory: { calls: [find_order, refund], order: exact, never: [send_mail] } }',
    ]) {
      const { text: ofRun, ...run } = await checkStrength(assert);
      const { text, ...recorded } = await checkStrength(assert, { from: 'recordings' });
      expect(recorded).toEqual(run);
      expect(text.length).toBeGreaterThan(0);
      expect(ofRun).toContain('run ');
    }
  });

  test('finds the exact path strong', async () => {
    const exact = '{ name: find_order, args: { id: "7" } }, { name: refund, args: { id: "7" } }';
    const { code, weak, counts } = await checkStrength(
      `{ trajectory: { calls: [${exact}], order: exact } }, { equals: Done. }`,
    );
    expect([code, weak]).toEqual([0, []]);
    expect(counts).toMatchObject({ 'call-dropped': [2, 2], 'forbidden-call': [2, 2], 'did-nothing': [1, 1] });
  });

  test('does not reorder calls that a case takes in any order', { tags: ['slow'] }, async () => {
    const any = '{ trajectory: { calls: [find_order, refund], counts: { find_order: 1, refund: 1, send_mail: 0 } } }';
    const { weak, counts } = await checkStrength(`${any}, { equals: Done. }`);
    expect(counts['calls-reordered']).toBeUndefined();
    expect(weak).toEqual([]);
  });

  test('counts a call of another tool only where its stub answers it', async () => {
    const { weak, counts } = await checkStrength('{ equals: Done. }', {
      tools: stubs.replace(/\n.*delete_order.*/, ''),
    });
    expect([weak.includes('forbidden-call'), counts['forbidden-call']]).toEqual([true, [1, 0]]);
  });
});

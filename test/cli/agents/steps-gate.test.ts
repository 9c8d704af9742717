import { describe, expect, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suiteOf = (prompt: string, gate: string) => `suite: shop
prompts: [{ id: v1, text: "${prompt} {{ word }}." }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
tools: { next: { returns: more } }
gate: { ${gate} }
defaults: { assert: [{ contains: Done }] }
cases:
${Array.from({ length: 12 }, (_, at) => `  - { id: c${at}, vars: { word: w${at} } }`).join('\n')}
`;

/** Accepts agents of two steps, then runs a prompt that makes them take `steps`. */
async function compareSteps(gate: string, steps: number, ...argv: readonly string[]) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  const server = await startAgentServer(({ messages }): ScriptedStep => {
    const done = messages.filter(({ role }) => role === 'assistant').length;
    const wanted = messages[0]?.content.startsWith('Please') === true ? steps : 2;
    return done + 1 < wanted ? [['next', { done }]] : 'Done.';
  });
  const { env } = server;
  project.write('shop.eval.yaml', suiteOf('Go to', gate));
  await project.run(['run', '-q'], { env });
  await project.run(['baseline', 'accept'], { env });
  project.write('shop.eval.yaml', suiteOf('Please go to', gate));
  const json = await project.report(['run', ...argv], { env });
  const shown = await project.run(['report'], { env });
  const variant = json.report.suites[0]?.variants[0] as { comparison?: { steps?: object; notes: readonly string[] } };
  return { ...json, variant, shown: shown.stdout };
}

describe('the steps of an agent', () => {
  test('are compared with the baseline, and more of them fail a gate that limits the increase', {
    tags: ['slow'],
  }, async () => {
    const { code, report, variant } = await compareSteps('steps: { maxIncrease: 20% }', 4);
    expect(code).toBe(1);
    expect(report.decision.breaches).toEqual([
      expect.objectContaining({ code: 'steps-regressed', metric: 'steps', baseline: 2, candidate: 4 }),
    ]);
    expect(report.decision.breaches[0]?.message).toMatch(/^steps rose: \+100\.0 %/);
    expect(variant.comparison?.steps).toMatchObject({ baseline: 2, candidate: 4, delta: 1 });
  });

  test('are a warning where the gate does not limit them, and shown beside the cost', { tags: ['slow'] }, async () => {
    const { code, variant, shown } = await compareSteps('alpha: 0.05', 4);
    expect(code).toBe(0);
    expect(variant.comparison?.notes.join('\n')).toContain('steps rose: +100.0 %');
    expect(shown.replace(/\s+/g, ' ')).toContain('steps 2.0 → 4.0, +100.0 %');
  });

  test('fail nothing where they stay within the limit, or are fewer', { tags: 'slow' }, async () => {
    for (const steps of [2, 1]) {
      const { code, variant } = await compareSteps('steps: { maxIncrease: 20%, max: 2 }', steps);
      expect([code, variant.comparison?.notes]).toEqual([0, []]);
    }
  });

  test('beyond the limit of their mean fail the gate', async () => {
    const { code, report } = await compareSteps('steps: { max: 2.5 }', 3);
    expect(code).toBe(1);
    expect(report.decision.breaches).toEqual([
      expect.objectContaining({
        code: 'steps-max',
        candidate: 3,
        message: 'agents take 3 steps in the mean, above 2.5',
      }),
    ]);
  });

  test('are a warning where a side does not report them and the gate limits their increase', {
    tags: ['slow'],
  }, async () => {
    const project = openTempProject();
    const write = (answer: object) => project.write('app.mjs', `export default () => (${JSON.stringify(answer)});\n`);
    write({ steps: [{ text: 'Done.' }] });
    project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
    project.write(
      'shop.eval.yaml',
      `suite: shop
prompts: [{ id: v1, text: "Go." }]
providers: [{ id: app, use: "module:app.mjs" }]
gate: { steps: { maxIncrease: 20% } }
cases: [{ id: one, assert: [{ contains: Done }] }]
`,
    );
    await project.run(['run']);
    await project.run(['baseline', 'accept']);
    const words =
      'shop · v1 × app: the gate of the steps was not applied: no case says on both sides how many steps it took';
    expect((await project.report(['run'])).report.decision.warnings).not.toContain(words);
    write({ text: 'Done.' });
    expect((await project.report(['run'])).report.decision.warnings).toContain(words);
  });

  test('are a warning where no answer reports them and the gate limits them', { tags: 'slow' }, async () => {
    const words = "no answer says how many steps it took, so the limit of 4 steps can't be judged";
    for (const [tools, answer, isWarned] of [
      ['', 'Done.', true],
      ['tools: { pay: { never: true } }', 'Done.', true],
      ['tools: { pay: { never: true } }', { text: 'Done.' }, false],
      ['', { steps: [{ text: 'Done.' }] }, false],
    ] as const) {
      const project = openTempProject();
      project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
      project.write('app.mjs', `export default () => (${JSON.stringify(answer)});\n`);
      project.write(
        'shop.eval.yaml',
        `suite: shop
prompts: [{ id: v1, text: "Go." }]
providers: [{ id: app, use: "module:app.mjs" }]
gate: { steps: { max: 4 } }
${tools}
cases: [{ id: one, assert: [{ contains: Done }] }]
`,
      );
      const { code, stdout } = await project.run(['run', '--no-baseline']);
      expect([code, stdout.replace(/\s+/g, ' ').includes(words)]).toEqual([0, isWarned]);
    }
  });
});

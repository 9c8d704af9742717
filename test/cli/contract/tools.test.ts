import { describe, expect, test } from 'vitest';
import { type ContractProject, linesOf, openContractProject, suiteFile } from './contract-project.ts';

const provider = (parameters: string): string =>
  `providers:\n  - { id: p, use: openai:test-model, params: { tools: [{ type: function, function: { name: send, parameters: ${parameters} } }] } }`;

async function openWithTool(parameters: string): Promise<ContractProject> {
  const project = await openContractProject();
  project.edit(suiteFile, 'providers: [openai:test-model]', provider(parameters));
  return project;
}

const good = '{ type: object, required: [to], properties: { to: { enum: [team] } } }';

describe('the parameters of a tool', () => {
  test('are judged as output: the model writes them', { tags: 'slow' }, async () => {
    const project = await openWithTool(good);
    project.commit();
    project.edit(suiteFile, '[team]', '[team, all]');
    const widened = await project.contract('check', '--against', 'git:HEAD');
    expect([widened.code, linesOf(widened.findings)]).toEqual([
      1,
      ['tool-parameter-enum-value-added error /tools/send/parameters/properties/to'],
    ]);
    project.commit();
    project.edit(suiteFile, '[team, all]', '[all]');
    expect((await project.contract('check', '--against', 'git:HEAD')).code).toBe(0);
  });

  test.each([
    ['a misspelt type', '{ type: objct }', '"type" must be one of'],
    ['a reference to another server', '{ $ref: "http://127.0.0.1:9/a.json" }', 'nothing is fetched'],
  ])('that are no schema, %s, are a problem before any call', async (_, parameters, message) => {
    const project = await openWithTool(parameters);
    for (const argv of [['validate'], ['run'], ['contract', 'check', '--against', 'git:HEAD']]) {
      const { code, stderr } = await project.llmcheck(...argv);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/^evals\/triage\.eval\.yaml:5:\d+ error invalid-schema/),
      ]);
      expect(stderr).toContain(message);
    }
    expect(project.server.requests).toEqual([]);
  });

  test('that could not be read in the baseline are the same doubt in a check and in a run', {
    tags: 'slow',
  }, async () => {
    const project = await openWithTool(good);
    await project.accept();
    const baseline = 'evals/triage.baseline.jsonl';
    project.edit(baseline, '"type":"object","required":["to"]', '"type":"objct","required":["to"]');
    const doubt = ['tool-parameter-undecided warn /tools/send/parameters'];
    const checked = await project.contract('check');
    expect([checked.code, linesOf(checked.findings)]).toEqual([0, doubt]);
    expect(checked.findings[0]?.message).toContain('old parameters could not be read');
    const { code, report } = await project.report(['run'], { env: project.server.env });
    expect([code, linesOf(report.contracts[0]?.findings ?? [])]).toEqual([0, doubt]);
  });
});

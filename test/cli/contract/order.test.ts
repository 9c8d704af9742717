import { expect, test } from 'vitest';
import { type ContractProject, linesOf, openContractProject, outputFile, suiteFile } from './contract-project.ts';

const baselineFile = 'evals/triage.baseline.jsonl';

const providers = `providers:
  - id: p
    use: openai:test-model
    params:
      tools:
        - type: function
          function:
            name: send
            parameters: { type: object, required: [to], properties: { to: { enum: [team] }, about: { type: string } } }`;

/** The schema, the tool and the parameters have their members in no alphabetical order. */
async function openAccepted(): Promise<ContractProject> {
  const project = await openContractProject();
  project.edit(suiteFile, 'providers: [openai:test-model]', providers);
  project.edit(outputFile, '"queue": {', '"to": { "properties": { "z": {}, "a": {} } }, "queue": {');
  await project.accept();
  return project;
}

test('an unchanged contract has no finding against its baseline', { tags: 'slow' }, async () => {
  const project = await openAccepted();
  const checked = await project.contract('check');
  expect([checked.code, linesOf(checked.findings)]).toEqual([0, []]);
  const { report } = await project.report(['run'], { env: project.server.env });
  expect(report.contracts.flatMap(({ findings }) => findings)).toEqual([]);
});

test('a change of order is found, at any depth', async () => {
  const project = await openAccepted();
  project.edit(outputFile, '"z": {}, "a": {}', '"a": {}, "z": {}');
  expect(linesOf((await project.contract('check')).findings)).toEqual([
    'property-order-changed info /outputSchema/properties/to',
  ]);
});

test('a renamed tool is renamed, and not removed and added', async () => {
  const project = await openAccepted();
  project.edit(suiteFile, 'name: send', 'name: post');
  expect(linesOf((await project.contract('check')).findings)).toEqual(['tool-renamed error /tools/send']);
});

test('two stored runs are compared with the answers of the first', { tags: 'slow' }, async () => {
  const project = await openContractProject();
  project.answers.set(1, { queue: 'sales', reason: 'buys' });
  const { env } = project.server;
  const before = await project.report(['run', '--no-baseline'], { env });
  project.write(outputFile, project.read(outputFile).replace(/,\s*"sales"/, ''));
  const after = await project.report(['run', '--no-baseline'], { env });
  const { report } = await project.report(['compare', before.report.run.id, after.report.run.id]);
  expect(report.contracts).toMatchObject([
    {
      prompt: 'v1',
      observed: [
        { total: 40, rejected: 1 },
        { total: 40, rejected: 0 },
      ],
    },
  ]);
});

test('a renamed property whose schema has an order of its own is renamed', { tags: ['slow'] }, async () => {
  const project = await openAccepted();
  project.edit(outputFile, '"to":', '"recipient":');
  expect(linesOf((await project.contract('check')).findings).join()).toContain('property-renamed');
});

test('accepting again changes no byte, and another order changes the line of the variant alone', {
  tags: 'slow',
}, async () => {
  const project = await openAccepted();
  const accepted = project.read(baselineFile);
  await project.accept();
  expect(project.read(baselineFile)).toBe(accepted);
  project.edit(outputFile, '"z": {}, "a": {}', '"a": {}, "z": {}');
  await project.accept();
  const [before, after] = [accepted.split('\n'), project.read(baselineFile).split('\n')];
  const changed = after.filter((line, index) => line !== before[index]);
  expect(changed.map((line) => JSON.parse(line).type)).toEqual(['variant']);
});

import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ruleRows } from '../../schema-diff/support/rule-rows.ts';
import type { JsonReport } from '../../support/temp-project.ts';
import {
  type ContractProject,
  inputFile,
  linesOf,
  openContractProject,
  outputFile,
  promptFile,
  suiteFile,
} from './contract-project.ts';

async function openAccepted(): Promise<ContractProject> {
  const project = await openContractProject();
  // Twelve of forty are sales.
  for (let index = 1; index <= 12; index += 1) project.answers.set(index, { queue: 'sales', reason: 'buys' });
  await project.accept();
  return project;
}

/** Past the cache, so that the answers are those of the server. */
const run = ['run', '--cache', 'off'];

describe('contract check without --against', () => {
  test('says that there is no baseline yet', async () => {
    const { code, findings, notes } = await (await openContractProject()).contract('check');
    expect([code, findings, notes]).toEqual([0, [], [expect.stringContaining('triage: no baseline yet')]]);
  });

  test('says that a baseline has no suite, since the prompts of that suite are not compared', async () => {
    const project = await openAccepted();
    project.write('evals/other.eval.yaml', project.read(suiteFile));
    rmSync(project.path(suiteFile));
    const { code, notes } = await project.contract('check');
    expect([code, notes]).toEqual([
      0,
      [
        expect.stringContaining('other: no baseline yet'),
        expect.stringContaining('evals/triage.baseline.jsonl has no suite beside it'),
      ],
    ]);
  });

  test('finds nothing where nothing has changed', { tags: 'slow' }, async () => {
    const { code, findings, observed } = await (await openAccepted()).contract('check');
    expect([code, findings, observed]).toEqual([0, [], []]);
  });

  test('judges input and output by the side that must keep up', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(inputFile, '[mail, chat]', '[mail]');
    project.edit(outputFile, '"legal",', '');
    const narrowed = await project.contract('check');
    expect([narrowed.code, linesOf(narrowed.findings)]).toEqual([
      1,
      [
        'enum-value-removed error /inputSchema/properties/channel',
        'enum-value-removed info /outputSchema/properties/queue',
      ],
    ]);
    expect(narrowed.findings[0]?.at).toEqual({ file: inputFile, line: 5, column: 3 });
    project.edit(inputFile, '[mail]', '[mail, chat, phone]');
    project.edit(outputFile, '"sales"', '"sales", "legal", "fraud"');
    const widened = await project.contract('check');
    expect([widened.code, linesOf(widened.findings)]).toEqual([
      1,
      [
        'enum-value-added error /outputSchema/properties/queue',
        'enum-value-added info /inputSchema/properties/channel',
      ],
    ]);
  });

  test('names the line of the schema that the prompt has for itself, beside that of its suite', {
    tags: 'slow',
  }, async () => {
    const project = await openContractProject();
    project.write('evals/schemas/own.yaml', `# Our own.\n\n${project.read(inputFile)}`);
    project.edit(
      suiteFile,
      'file: prompts/triage.md',
      'file: prompts/triage.md\n    contract: { input: schemas/own.yaml }',
    );
    await project.accept();
    project.edit('evals/schemas/own.yaml', '[mail, chat]', '[mail]');
    const { code, findings } = await project.contract('check');
    expect([code, linesOf(findings)]).toEqual([1, ['enum-value-removed error /inputSchema/properties/channel']]);
    expect(findings[0]?.at).toEqual({ file: 'evals/schemas/own.yaml', line: 7, column: 3 });
  });

  test('names the line of the schema of the suite, beside that of the config', { tags: 'slow' }, async () => {
    const project = await openContractProject();
    project.write('evals/schemas/general.yaml', `# For all.\n\n${project.read(inputFile)}`);
    project.write('llmcheck.config.yaml', 'contract: { input: evals/schemas/general.yaml }\n');
    await project.accept();
    project.edit(inputFile, '[mail, chat]', '[mail]');
    expect((await project.contract('check')).findings[0]?.at).toEqual({ file: inputFile, line: 5, column: 3 });
  });

  test('counts the stored answers that the new schema refuses', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, /"legal",\s*"sales"/, '"legal"');
    const { observed } = await project.contract('check');
    expect(observed).toMatchObject([
      {
        prompt: 'v1',
        answers: 'baseline',
        schema: 'new',
        total: 40,
        rejected: 12,
        message: '12 of 40 recorded answers would now be rejected',
        offenders: [{ caseId: 'case-01', reason: '$.queue must be one of ["billing","legal"]' }, {}, {}, {}, {}],
      },
    ]);
    const { stdout } = await project.llmcheck('contract', 'check');
    expect(stdout).toContain('12 of 40 recorded answers would now be rejected');
    expect(stdout).toContain('case-01: $.queue must be one of');
    expect(stdout).toContain('… and 7 more');
    expect(project.server.requests).toHaveLength(40);
  });

  test('does not count answers that were broken before', { tags: 'slow' }, async () => {
    const project = await openContractProject();
    project.answers.set(1, 'no JSON at all, but a queue');
    project.answers.set(2, { queue: 'unknown' });
    await project.accept();
    project.edit(outputFile, /"legal",\s*"sales"/, '"legal"');
    expect((await project.contract('check')).observed).toMatchObject([
      {
        total: 40,
        rejected: 0,
        alreadyRejected: 2,
        message: '0 of 38 recorded answers would now be rejected; 2 more broke the old schema already',
      },
    ]);
  });

  test('says so where every stored answer was broken before', { tags: 'slow' }, async () => {
    const project = await openContractProject();
    for (let number = 1; number <= 40; number += 1) project.answers.set(number, 'no JSON at all');
    await project.accept();
    project.edit(outputFile, /"legal",\s*"sales"/, '"legal"');
    const [observed] = (await project.contract('check')).observed;
    expect(observed?.message).toBe('all of 40 recorded answers broke the old schema already');
  });

  test('takes another baseline file, and says so where it belongs to no suite', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.write('old.jsonl', project.read('evals/triage.baseline.jsonl'));
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    await project.accept();
    expect((await project.contract('check')).code).toBe(0);
    expect((await project.contract('check', '--against', 'old.jsonl')).code).toBe(1);
    project.write('evals/unrelated.eval.yaml', project.read(suiteFile));
    const both = await project.contract('check', '--against', 'old.jsonl');
    expect([both.code, both.notes]).toEqual([1, [expect.stringMatching(/^unrelated: /)]]);
    project.edit(suiteFile, 'prompts:', 'suite: another\nprompts:');
    const { code, stderr } = await project.llmcheck('contract', 'check', '--against', 'old.jsonl');
    expect(code).toBe(2);
    expect(stderr).toContain('old.jsonl holds none of these suites: another, unrelated');
    expect((await project.llmcheck('contract', 'check', '--against', 'none.jsonl')).code).toBe(2);
  });

  test('names a schema that can not be read, at its place', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"string"', '"strnig"');
    const broken = await project.llmcheck('contract', 'check');
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain(`${outputFile}:16:`);
    project.edit(outputFile, '"type": "strnig"', '"$ref": "https://example.com/reason.json"');
    const remote = await project.llmcheck('contract', 'check');
    expect(remote.code).toBe(2);
    expect(remote.stderr).toContain(`${outputFile}:16:`);
    expect(remote.stderr).toContain('nothing is fetched');
  });

  test('finds every row of the rule table, as input and as output of a prompt', { tags: 'slow' }, async () => {
    const project = await openContractProject();
    const suite = (side: 'old' | 'new') =>
      JSON.stringify({
        prompts: ruleRows.map((row, index) => ({
          id: `p${index}`,
          text: 'Say: 1',
          contract: { input: row[side], output: row[side] },
        })),
        providers: ['openai:test-model'],
        cases: [{ id: 'a', observe: true, prompts: ['p0'], vars: { a: 'a', b: 'b' } }],
      });
    project.write(suiteFile, suite('old'));
    project.commit();
    project.write(suiteFile, suite('new'));
    const { findings } = await project.contract('check', '--against', 'git:HEAD');
    const found = ruleRows.map((_, index) =>
      (['input', 'output'] as const).map((direction) =>
        findings
          .filter(({ prompt, direction: own }) => prompt === `p${index}` && own === direction)
          .map(({ ruleId, severity }) => `${ruleId} ${severity}`),
      ),
    );
    expect(found).toEqual(
      ruleRows.map((row) =>
        [row.input, row.output].map((severity) => (severity === 'none' ? [] : [`${row.rule} ${severity}`])),
      ),
    );
  });
});

describe('a run with a baseline', () => {
  test('fails where the contract breaks, and passes where that is approved', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    const broken = await project.report(run, { env: project.server.env });
    expect([broken.code, broken.report.decision.breaches]).toMatchObject([
      1,
      [
        {
          code: 'contract-broken',
          suite: 'triage',
          prompt: 'v1',
          message: expect.stringContaining('enum-value-added'),
        },
      ],
    ]);
    const [, fingerprint = ''] = /approved: \[(\w+)\]/.exec(broken.report.decision.breaches[0]?.message ?? '') ?? [];
    project.edit(suiteFile, '  output:', `  approved: [${fingerprint}]\n  output:`);
    const approved = await project.report(run, { env: project.server.env });
    expect([approved.code, approved.report.decision.breaches]).toEqual([0, []]);
    // The approval is not part of what is accepted.
    await project.accept();
    expect(project.read('evals/triage.baseline.jsonl')).not.toContain(fingerprint);
  });

  test('the same break has the same fingerprint in a run and in a check', async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    const { findings } = await project.contract('check');
    const { report } = await project.report(run, { env: project.server.env });
    expect(report.decision.breaches[0]?.message).toContain(findings[0]?.fingerprint);
  });

  test('a stored run is reported with the same verdict', async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    const first = await project.report(run, { env: project.server.env });
    const again = await project.llmcheck('report', 'latest', '-r', 'json');
    expect(JSON.parse(again.stdout)).toMatchObject({ decision: first.report.decision });
  });

  test('holds stored answers against the new schema, and new ones against the old', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, /"legal",\s*"sales"/, '"legal", "fraud"');
    project.edit(outputFile, '"type": "string"', '"type": "string", "pattern": "^[a-z]+$"');
    project.answers.set(3, { queue: 'fraud', reason: 'odd' });
    const { code, report } = await project.report(run, { env: project.server.env });
    expect(code).toBe(1);
    expect(report.decision.warnings).toEqual(
      expect.arrayContaining([
        'triage: contract of v1: 12 of 40 recorded answers would now be rejected',
        "triage: contract of v1: 1 of 40 new answers would have been rejected by the baseline's schema",
      ]),
    );
  });

  test('every report shows the findings at their lines, with what stored answers say', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, /"legal",\s*"sales"/, '"legal", "fraud"');
    const files = ['json', 'jsonl', 'junit', 'markdown', 'github'].flatMap((name) => ['-r', `${name}=out/${name}`]);
    const { code, stdout } = await project.run([...run, ...files], { env: project.server.env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/error enum-value-added output \/outputSchema\/properties\/queue/);
    expect(stdout).toContain(outputFile);
    expect(stdout).toContain('seen  12 of 40 recorded answers would now be rejected');
    expect(stdout).toContain('… and 7 more');
    const report = JSON.parse(project.read('out/json')) as JsonReport;
    expect(report.contracts).toMatchObject([
      {
        prompt: 'v1',
        findings: [
          { ruleId: 'enum-value-removed' },
          { ruleId: 'enum-value-added', severity: 'error', at: { file: outputFile } },
        ],
        observed: [
          { total: 40, rejected: 12 },
          { total: 40, rejected: 0 },
        ],
      },
    ]);
    expect(project.read('out/jsonl')).toContain('"contracts":[{');
    expect(project.read('out/github')).toMatch(new RegExp(`^::error file=${outputFile},line=\\d+,col=\\d+,`));
    expect(project.read('out/markdown')).toContain('### Contract of `triage · v1`');
    expect(project.read('out/junit')).toMatch(/<testsuite name="contracts" tests="1" failures="1"/);
  });

  test('says how many stored answers could not be judged in time', { tags: ['slow'] }, async () => {
    const project = await openContractProject();
    project.answers.set(1, { queue: 'billing', reason: `${'a'.repeat(40)}!` });
    await project.accept();
    project.edit(outputFile, '"type": "string"', '"type": "string", "pattern": "^(a+)+$"');
    const { code, observed } = await project.contract('check');
    expect([code, observed]).toMatchObject([0, [{ total: 40, rejected: 39, unjudged: 1 }]]);
    expect(observed[0]?.message).toBe(
      '39 of 40 recorded answers would now be rejected; 1 could not be judged: the schema took longer than 500 ms on an answer',
    );
  });

  test('lists what is doubtful as a warning, and passes', async () => {
    const project = await openContractProject();
    project.edit(outputFile, '"type": "string"', '"type": "string", "pattern": "^[a-z]+$"');
    await project.accept();
    project.edit(outputFile, '^[a-z]+$', '^[a-y]+$');
    const { code, report } = await project.report(run, { env: project.server.env });
    expect(code).toBe(0);
    expect(report.decision.warnings).toContainEqual(
      expect.stringMatching(/^triage: contract of v1, pattern-changed at \/outputSchema\/properties\/reason/),
    );
  });

  test('without a baseline nothing is said of contracts', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    const { code } = await project.report([...run, '--no-baseline'], { env: project.server.env });
    expect(code).toBe(0);
  });

  test('a version beside the one it replaces owes it nothing before one is accepted, unless they are compared', {
    tags: 'slow',
  }, async () => {
    const project = await openContractProject();
    const contract = 'contract: { output: { type: object, required: [queue] } }';
    project.edit(
      suiteFile,
      'providers:',
      `  - { id: v2, file: prompts/triage.md, replaces: v1, ${contract} }\nproviders:`,
    );
    expect((await project.report(run, { env: project.server.env })).report.decision.breaches).toEqual([]);
    const compared = await project.report([...run, '--compare', 'v1,v2'], { env: project.server.env });
    expect([compared.code, compared.report.decision.breaches[0]?.code]).toEqual([1, 'contract-broken']);
  });

  test('the baseline’s own contract counts where its prompt runs again', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(outputFile, '"legal",', '"legal", "fraud",');
    const { code, report } = await project.report([...run, '--rerun-baseline'], { env: project.server.env });
    expect([code, report.decision.breaches[0]?.code]).toEqual([1, 'contract-broken']);
  });

  test('a run is compared by its own prompts, and not by the baseline’s that ran again', { tags: 'slow' }, async () => {
    const project = await openAccepted();
    project.edit(promptFile, 'Say', 'Tell');
    const { report } = await project.report([...run, '--rerun-baseline'], { env: project.server.env });
    const { code, findings } = await project.contract('check', '--against', report.run.id);
    expect([code, findings]).toEqual([0, []]);
  });

  test('a new variable that callers do not send is a break', { tags: ['slow'] }, async () => {
    const project = await openAccepted();
    project.edit(promptFile, '{{ email }}', '{{ email }}{{ suffix }}');
    project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","suffix":""');
    const { code, report } = await project.report(run, { env: project.server.env });
    expect(code).toBe(1);
    expect(report.decision.breaches.map(({ code: breach, message }) => `${breach} ${message}`)).toContainEqual(
      expect.stringMatching(/^contract-broken input contract, input-variable-added at \/variables\/suffix/),
    );
  });
});

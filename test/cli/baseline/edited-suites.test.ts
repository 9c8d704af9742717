import { describe, expect, test } from 'vitest';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  suiteFile,
} from './baseline-project.ts';

function editCases(project: BaselineProject, edit: (lines: string[]) => string[]): void {
  const lines = project.read(casesFile).trim().split('\n');
  project.write(casesFile, `${edit(lines).join('\n')}\n`);
}

const wordCase = (word: string) => JSON.stringify({ id: `case-${word}`, vars: { word }, expected: word });

describe('cases that were edited', () => {
  test('one put first, one deleted and the rest shuffled is one added, one removed and none regressed', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    editCases(project, ([, ...rest]) => [wordCase('new'), ...rest.toReversed()]);
    const { code, comparison } = await project.compared(['run', '--cache', 'refresh']);
    const { added, removed, regressed, redefined } = comparison.cases;
    expect([code, added, removed, regressed, redefined]).toEqual([0, ['case-new'], ['case-01'], [], []]);
  });

  test('the same without ids, whose identity is their content', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    editCases(project, (lines) => lines.map((line) => line.replace(/"id":"case-\d+",/, '')));
    await project.accept();
    editCases(project, ([, ...rest]) => [wordCase('new').replace('"id":"case-new",', ''), ...rest.toReversed()]);
    const { code, comparison } = await project.compared(['run', '--cache', 'refresh']);
    const { added, removed, regressed, redefined } = comparison.cases;
    expect([code, added?.length, removed?.length, regressed, redefined]).toEqual([0, 1, 1, [], []]);
  });

  test('an added one that fails its fresh trials too fails the run', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    editCases(project, (lines) => [wordCase('new'), ...lines]);
    project.answers.set('new', 'sorry');
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-added-failed'], ['case-new']]);
  });

  test('an added one that fails once is flaky, and under added: warn it only warns', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    editCases(project, (lines) => [wordCase('new'), ...lines]);
    project.answers.set('new', (asked) => (asked === 0 ? 'sorry' : 'new'));
    const flaky = await project.compared(['run']);
    // The first fresh trial that passes clears it.
    expect([flaky.code, project.asked.get('new')]).toEqual([0, 2]);
    project.answers.set('new', 'sorry');
    project.edit(suiteFile, 'defaults:', 'gate: { cases: { added: warn } }\ndefaults:');
    const warned = await project.compared(['run', '--cache', 'refresh']);
    expect([warned.code, warned.codes]).toEqual([0, []]);
    expect(warned.report.decision.warnings.join()).toContain('case-new');
  });

  test('one with other variables is redefined, and must pass like a new one', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(casesFile, '"word":"w05"', '"word":"w05b"');
    const failed = await project.compared(['run']);
    expect([failed.code, failed.named]).toEqual([1, ['case-05']]);
    expect(failed.comparison.cases).toMatchObject({ redefined: ['case-05'], regressed: [] });
    project.edit(casesFile, '"expected":"w05"', '"expected":"w05b"');
    const passed = await project.compared(['run']);
    expect(passed.code).toBe(0);
    // The stored answer is to another question, so it is not judged again.
    expect(passed.comparison.cases).toMatchObject({ redefined: ['case-05'], fixed: [] });
  });
});

describe('assertions that were edited', () => {
  test('excuse nothing that they find: what fails by them is redefined and fails the run, whatever the stored answers do', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, '[{ equals: "{{expected}}" }]', '[{ regex: "^w0" }]');
    const { code, codes, named, comparison, report, stdout } = await project.compared(['run']);
    expect([code, codes]).toEqual([1, ['case-added-failed']]);
    expect(comparison.cases).toMatchObject({ regressed: [], stillFailing: [], fixed: [] });
    expect(comparison.cases['redefined']).toHaveLength(11);
    expect(comparison.cases['redefined']).toEqual(expect.arrayContaining([...named]));
    // The stored answers are judged again for the rates alone.
    expect(comparison.passRate).toMatchObject({ baseline: 9 / 20, candidate: 9 / 20, delta: 0 });
    expect(comparison.notes.join()).toContain('judged again');
    expect(`${stdout}${report.decision.warnings.join()}`).not.toMatch(/known failure|broken on the baseline/);
    // `added: warn` relaxes it as it does for added cases.
    project.edit(suiteFile, 'defaults:', 'gate: { cases: { added: warn } }\ndefaults:');
    expect((await project.compared(['run'])).code).toBe(0);
    // Accepted, they are known.
    await project.accept();
    project.edit(suiteFile, 'gate: { cases: { added: warn } }\n', '');
    const known = await project.compared(['run']);
    expect([known.code, known.comparison.cases['stillFailing']?.length]).toEqual([0, 11]);
  });

  test.each([
    ['a failing case as well', (project: BaselineProject) => project.answers.set('w07', 'sorry')],
    ['a passing case', () => {}],
  ])('never excuse a contract, accepted as %s', { tags: ['slow'] }, async (_name, before) => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    project.edit(suiteFile, 'defaults:', 'gate: { cases: { added: warn } }\ndefaults:');
    before(project);
    await project.accept();
    project.edit(suiteFile, 'equals: "{{expected}}"', 'contains: "never said"');
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['must-pass'], ['case-07']]);
    expect(run.report.decision.warnings.join()).not.toContain('on the baseline already');
  });

  test('redefine a case that fails by them, even where the stored answer passes', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, '[{ equals: "{{expected}}" }]', '[{ contains: "{{expected}}" }]');
    project.answers.set('w03', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-added-failed'], ['case-03']]);
    expect(run.comparison.passRate.delta).toBeCloseTo(-0.05, 12);
  });

  test('are compared with the file, not with the old prompt that runs again', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, 'equals: "{{expected}}"', 'regex: "^w0"');
    const run = await project.compared(['run', '--rerun-baseline', '--cache', 'off']);
    expect([run.code, run.codes, run.comparison.cases['redefined']?.length]).toEqual([1, ['case-added-failed'], 11]);
    expect(run.comparison.cases).toMatchObject({ stillFailing: [] });
    expect(run.comparison.passRate.delta).toBe(0);
  });

  test('are asked again by the one prompt of their case, also where the run is narrowed to it', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-03"', '"prompts":["v1"],"id":"case-03"');
    await project.accept();
    const { report, stderr } = await project.compared(['run', '--rerun-baseline', '--cache', 'off', '--prompt', 'v1']);
    expect(stderr).toContain('40/40, 40 passed');
    expect(report.suites[0]?.variants.map(({ prompt, planned, passed }) => [prompt, planned, passed])).toEqual([
      ['v1', 20, 20],
      ['v1@baseline', 20, 20],
    ]);
  });

  test('run the old prompt again where another replaces it', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Say: {{word}}" }\nproviders:');
    project.forget();
    const { report, code } = await project.compared(['run', '--rerun-baseline', '--cache', 'off']);
    expect(code).toBe(0);
    expect(report.suites[0]?.variants.map(({ prompt }) => prompt)).toEqual(['v1', 'v1@baseline', 'v2', 'v2@baseline']);
  });

  test.each([['--baseline', baselineFile] as const, ['--baseline', 'git:main'] as const])(
    'excuse nothing against %s %s either',
    { tags: 'slow' },
    async (...argv) => {
      const project = await openBaselineProject();
      project.git('init', '-q', '-b', 'main');
      await project.accept();
      project.git('add', '.');
      project.git('commit', '-qm', 'accept');
      project.edit(suiteFile, 'equals: "{{expected}}"', 'equals: "never said"');
      const run = await project.compared(['run', ...argv]);
      expect([run.code, run.codes, run.comparison.cases['redefined']?.length]).toEqual([1, ['case-added-failed'], 20]);
      // A change that brings its own accepted baseline has had its differences looked at.
      await project.accept();
      const own = await project.compared(['run', '--baseline', 'git:main']);
      expect([own.code, own.comparison.accepted.length, own.comparison.accepted[0]]).toEqual([
        0,
        20,
        'case-01 (redefined)',
      ]);
    },
  );

  test('make what breaks a new output contract no known failure of the old one', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    project.answers.set('w01', '{"a":1}').set('w02', '{"a":1}').set('w03', 'sorry');
    project.edit(suiteFile, '[{ equals: "{{expected}}" }]', '[{ contains: never }]');
    project.edit(suiteFile, 'defaults:', 'contract: { output: { type: object } }\ndefaults:');
    await project.accept();
    const same = await project.compared(['run']);
    expect([same.code, same.comparison.cases['stillFailing']?.length]).toEqual([0, 20]);
    project.edit(suiteFile, 'type: object', 'type: object, required: [b]');
    const run = await project.compared(['run']);
    expect([run.code, run.comparison.cases['redefined']?.length]).toEqual([1, 20]);
    project.edit(suiteFile, 'required: [b]', 'required: [a]');
    const kept = await project.compared(['run']);
    expect(kept.comparison.cases['stillFailing']).toEqual(['case-01', 'case-02']);
    expect(kept.comparison.cases['redefined']).toHaveLength(18);
  });

  test.each([
    ['the same prompt', () => {}],
    ['an edited one', (project: BaselineProject) => project.editPrompt()],
  ])('make what breaks a new output contract no drift with %s', { tags: ['slow'] }, async (_, edit) => {
    const project = await openBaselineProject();
    for (const word of firstWords(20)) project.answers.set(word, `{"${word}":1}`);
    project.edit(suiteFile, '[{ equals: "{{expected}}" }]', '[{ contains: "{{expected}}" }]');
    await project.acceptUnchanged();
    edit(project);
    project.changeModel();
    project.edit(suiteFile, 'defaults:', 'contract: { output: { type: object, required: [w01] } }\ndefaults:');
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.comparison.cases['redefined']?.length]).toEqual([1, ['case-added-failed'], 19]);
    expect(run.comparison.cases['drifted']).toEqual([]);
  });

  test.each([
    ['added: warn', 'output: {}', 1],
    ['added: warn', 'equals', 1],
    ['broken: warn', 'output: {}', 1],
    ['added: warn, broken: warn', 'output: {}', 0],
  ])('fail what breaks an output contract, under %s with another %s', { tags: ['slow'] }, async (policy, key, code) => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', `gate: { cases: { ${policy} } }\ncontract: { output: {} }\ndefaults:`);
    await project.accept();
    project.edit(suiteFile, 'output: {}', 'output: { type: object }');
    if (key === 'equals') project.edit(suiteFile, key, 'contains');
    const run = await project.compared(['run']);
    expect([run.code, run.comparison.cases['redefined']?.length]).toEqual([code, 20]);
    expect(run.codes).toEqual(code === 0 ? [] : ['case-added-failed']);
  });

  test('redefine the cases whose answers were not kept', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'baseline: { outputs: hash }\ndefaults:');
    await project.accept();
    expect(project.read(baselineFile)).not.toContain('"output"');
    project.edit(suiteFile, 'equals:', 'contains:');
    const { code, comparison } = await project.compared(['run']);
    expect([code, comparison.cases['redefined']?.length, comparison.outcome]).toEqual([4, 20, 'inconclusive']);
  });

  test('again after the run have no say in it: its report does not judge by checks that it never made', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, 'equals:', 'contains:');
    const run = await project.compared(['run']);
    project.edit(suiteFile, 'contains: "{{expected}}"', 'contains: "never said"');
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(run.report.decision);
    const { redefined, fixed, regressed } = later.suites[0].variants[0].comparison.cases;
    expect([redefined, fixed, regressed]).toEqual([[], [], []]);
  });

  test('a report made later of the same run says the same', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.answers.set('w03', 'sorry');
    await project.accept();
    project.edit(suiteFile, 'equals:', 'contains:');
    const run = await project.compared(['run']);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.decision).toEqual(run.report.decision);
    expect(later.suites).toEqual(run.report.suites);
  });
});

test('a prompt text that was edited is the subject: compared, and shown beside the old one', {
  tags: ['slow'],
}, async () => {
  const project = await openBaselineProject();
  await project.accept();
  project.edit(suiteFile, '"Say: {{ word }}"', '"Please say. Say: {{ word }}"');
  for (const word of firstWords(20)) project.answers.set(`Please say. Say: ${word}`, word);
  const { code, comparison } = await project.compared(['run']);
  expect(code).toBe(0);
  expect(comparison.cases['redefined']).toEqual([]);
  expect(comparison.prompts).toEqual({
    baseline: [{ role: 'user', content: 'Say: {{ word }}' }],
    candidate: [{ role: 'user', content: 'Please say. Say: {{ word }}' }],
  });
});

test('parameters that were edited are shown as a further difference, and no bar to the comparison', async () => {
  const project = await openBaselineProject();
  await project.accept();
  project.edit(suiteFile, 'max_tokens: 21', 'max_tokens: 30, seed: 7');
  const { code, comparison } = await project.compared(['run']);
  expect(code).toBe(0);
  expect(comparison.cases['redefined']).toEqual([]);
  expect(comparison.residue).toEqual(['params.max_tokens: 20 → 30', 'params.seed: none → 7']);
});

describe('no baseline', () => {
  test('is said, and the suite must pass whole', async () => {
    const project = await openBaselineProject();
    const passed = await project.llmcheck('run');
    expect([passed.code, passed.stdout.includes('no baseline')]).toEqual([0, true]);
    project.answers.set('w01', 'sorry');
    const failed = await project.compared(['run', '--cache', 'refresh']);
    expect([failed.code, failed.codes, failed.comparisons]).toEqual([1, ['pass-rate-min'], []]);
  });

  test('means that a new provider must pass whole, while the other is compared', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    project.answers.set('w01', 'sorry');
    await project.accept();
    expect((await project.compared(['run'])).code).toBe(0);
    project.edit(suiteFile, 'defaults:', '  - { id: big, use: "openai:gpt-4o" }\ndefaults:');
    const run = await project.compared(['run']);
    expect([run.code, run.codes, run.comparisons.length]).toEqual([1, ['pass-rate-min'], 1]);
    expect(run.report.decision.breaches[0]).toMatchObject({ provider: 'big' });
  });

  test('is what --no-baseline asks for', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.answers.set('w01', 'sorry');
    await project.accept();
    const run = await project.compared(['run', '--no-baseline']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
    // Who asked for none is not told that there is none yet.
    for (const reporter of ['terminal', 'markdown']) {
      const { stdout } = await project.llmcheck('run', '--no-baseline', '-r', reporter);
      expect(stdout).not.toMatch(/no baseline yet|baseline accept/);
    }
  });
});

test('no comparable case is inconclusive and never passed', async () => {
  const project = await openBaselineProject();
  await project.accept();
  editCases(project, () => ['a', 'b', 'c'].map(wordCase));
  const run = await project.compared(['run']);
  expect([run.code, run.report.decision.outcome, run.comparison.outcome]).toEqual([4, 'inconclusive', 'inconclusive']);
  expect(run.comparison.advice.join()).toContain('no case is comparable');
});

test('a damaged baseline is a usage error before any call', async () => {
  const project = await openBaselineProject();
  await project.accept();
  const sent = project.server.requests.length;
  project.write(baselineFile, project.read(baselineFile).replace('"type":"case"', '"type":"cas"'));
  const { code, stderr } = await project.llmcheck('run', '--cache', 'refresh');
  expect([code, project.server.requests.length]).toEqual([2, sent]);
  expect(stderr).toContain(`${baselineFile}:3`);
});

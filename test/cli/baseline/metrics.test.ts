import { describe, expect, test } from 'vitest';
import { type BaselineProject, casesFile, firstWords, openBaselineProject, suiteFile } from './baseline-project.ts';

interface StoredRow {
  readonly type: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly position?: number;
}

/** Replaces the twenty cases by so many. */
function writeCases(project: BaselineProject, count: number): string[] {
  const words = Array.from({ length: count }, (_, index) => `n${index}`);
  const lines = words.map((word) => JSON.stringify({ id: word, vars: { word }, expected: word }));
  project.write(casesFile, `${lines.join('\n')}\n`);
  return words;
}

describe('the cost', () => {
  test('of a comparison is that of the table, and of as many answers on the baseline', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '2');
    project.tokens.set('*', 10);
    const { report, comparison } = await project.compared(['run', '--trials', '4', '--cache', 'refresh']);
    const [variant] = report.suites.flatMap(({ variants }) => variants);
    expect(comparison.costUsd.candidate).toBeCloseTo(variant?.costUsd ?? Number.NaN, 12);
    expect(comparison.costUsd.candidate).toBeCloseTo(report.totals.costUsd ?? Number.NaN, 12);
    // 10 tokens in and 5 or 10 out of each of 80 answers, at $0.15 and $0.60 a million.
    expect(comparison.costUsd.baseline).toBeCloseTo(80 * 4.5e-6, 12);
    expect(comparison.costUsd.candidate).toBeCloseTo(80 * 7.5e-6, 12);
    expect(comparison.costUsd.delta).toBeCloseTo(2 / 3, 9);
  });
});

describe('the pass rate', () => {
  test('of 50 of 50 against 35 of 50 is regressed', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    const words = writeCases(project, 50);
    await project.accept();
    for (const word of words.slice(0, 15)) project.answers.set(word, 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    // Broken cases fail the run, so that the average is not looked at again. Four of them take as many calls as were planned.
    expect([run.code, run.codes, run.named.length]).toEqual([1, ['case-broken'], 4]);
    const { passRate } = run.comparison;
    expect(passRate).toMatchObject({ baseline: 1, candidate: 0.7, delta: -0.3 });
    // Tango 1998 for b = 15, c = 0, n = 50.
    expect(passRate.low).toBeCloseTo(-0.4375, 3);
    expect(passRate.high).toBeCloseTo(-0.1909, 3);
    expect(passRate.p).toBeCloseTo(2 ** -16, 12);
    project.edit(suiteFile, 'defaults:', 'gate: { cases: { broken: warn } }\ndefaults:');
    const average = await project.compared(['run', '--cache', 'refresh']);
    expect([average.code, average.codes, average.named]).toEqual([1, ['pass-rate-regressed'], []]);
  });

  test('of 10 of 10 against 9 of 10 is inconclusive, with what would settle it', async () => {
    const project = await openBaselineProject();
    writeCases(project, 10);
    await project.accept();
    project.answers.set('n4', 'sorry');
    project.edit(suiteFile, 'defaults:', 'gate: { confirm: { budget: 0 } }\ndefaults:');
    await project.llmcheck('run', '--cache', 'refresh', '--no-baseline', '-q');
    const { code, stdout } = await project.llmcheck('compare', 'evals/words.baseline.jsonl', 'latest', '-r', 'json');
    const [variant] = JSON.parse(stdout).suites[0].variants;
    expect([code, variant.comparison.outcome]).toEqual([4, 'inconclusive']);
    expect(variant.comparison.advice.join()).toMatch(/a drop of up to 40\.4 pts .* to certify 5 pts: ~\d+ cases/);
    expect(variant.comparison.notes.join()).toContain('n4');
    const text = await project.llmcheck('compare', 'evals/words.baseline.jsonl', 'latest');
    expect(text.stdout).not.toMatch(/no regression|not regressed/i);
  });

  test('of 17 of 20 is printed with its interval, 64.0 to 94.8 %', async () => {
    const project = await openBaselineProject();
    for (const word of ['w01', 'w02', 'w03']) project.answers.set(word, 'sorry');
    const { code, stdout } = await project.llmcheck('run');
    expect(code).toBe(1);
    expect(stdout).toMatch(/85\.0 %[^]*64\.0–94\.8/);
  });

  test('below an explicit min fails however well it compares', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    for (const word of ['w01', 'w02', 'w03']) project.answers.set(word, 'sorry');
    await project.accept();
    project.edit(suiteFile, 'defaults:', 'gate: { passRate: { min: 90% } }\ndefaults:');
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
  });

  test('of a hundred clean cases is not regressed', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    writeCases(project, 100);
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.report.decision.outcome, run.comparison.outcome]).toEqual([0, 'passed', 'passed']);
    expect(run.comparison.passRate.low).toBeCloseTo(-0.037, 3);
  });

  test('of twenty clean cases asked five times is not regressed in the scope of the suite', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '5');
    const argv = ['run', '--trials', '5', '--require-conclusive'];
    const population = await project.compared([...argv, '--cache', 'refresh']);
    expect([population.code, population.codes]).toEqual([4, ['inconclusive']]);
    project.edit(suiteFile, 'defaults:', 'gate: { scope: suite }\ndefaults:');
    const suite = await project.compared(argv);
    expect([suite.code, suite.comparison.outcome]).toEqual([0, 'passed']);
    expect(suite.comparison.passRate.low).toBeCloseTo(-0.037, 3);
  });
});

describe('the cost', () => {
  const gated = (project: BaselineProject, gate: string) =>
    project.edit(suiteFile, 'defaults:', `gate: { cost: ${gate} }\ndefaults:`);

  test('that doubled trips its gate, with the ratio and its interval', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    for (const [index, word] of writeCases(project, 20).entries()) project.tokens.set(word, 100 + index);
    await project.accept();
    for (const [word, tokens] of project.tokens) project.tokens.set(word, tokens * 2 + (tokens % 3));
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes]).toEqual([1, ['cost-regressed']]);
    const { delta, low, high } = run.comparison.costUsd;
    expect(delta).toBeGreaterThan(0.9);
    expect(low).toBeLessThan(delta ?? 0);
    expect(high).toBeGreaterThan(delta ?? 0);
    expect(run.report.decision.breaches[0]?.message).toMatch(/cost rose: \+9\d\.\d % \[\+9\d\.\d, \+9\d\.\d\]/);
  });

  test('that doubled in every case alike is certain', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    project.edit(suiteFile, 'params:', 'price: { input: 0, output: 10 }\n    params:');
    await project.accept();
    project.tokens.set('*', 10);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.comparison.costUsd.delta]).toEqual([1, ['cost-regressed'], 1]);
  });

  test('of one answer that grew does not trip the gate of the others', async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    const words = writeCases(project, 20);
    for (const [index, word] of words.entries()) project.tokens.set(word, 100 + index);
    await project.accept();
    for (const [index, word] of words.entries()) project.tokens.set(word, index === 0 ? 50_000 : 99 + index);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect(run.comparison.costUsd.delta).toBeGreaterThan(1);
    expect(run.codes).toEqual([]);
  });

  test('that rose in most cases is not certain to be within the limit, whatever one expensive case hides', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    const words = writeCases(project, 100);
    project.tokens.set(words[0] ?? '', 1_000_000);
    for (const word of words.slice(1)) project.tokens.set(word, 1000);
    await project.accept();
    for (const word of words.slice(1)) project.tokens.set(word, 1150);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect(run.comparison.costUsd.high).toBeLessThan(0.1);
    expect([run.codes, run.comparison.certainty.kind]).toEqual([[], 'unseen']);
    expect(run.comparison.advice.join()).toContain(
      'cost: an increase beyond 10 % is not excluded by 100 cases: too few of them stayed within it',
    );
    for (const word of words.slice(1)) project.tokens.set(word, 1010);
    const within = await project.compared(['run', '--cache', 'refresh']);
    expect([within.codes, within.comparison.certainty.kind]).toEqual([[], 'certain']);
  });

  test('that rose by the test over cases alone says so beside its interval', async () => {
    const project = await openBaselineProject();
    const words = writeCases(project, 30);
    for (const [index, word] of words.entries()) project.tokens.set(word, 100 + index);
    await project.accept();
    for (const [index, word] of words.entries()) project.tokens.set(word, index === 0 ? 6000 : 115 + index);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect(run.comparison.costUsd.low).toBeLessThan(0);
    expect(run.report.decision.warnings.join()).toMatch(
      /cost rose: \+\d+\.\d % \[−\d+\.\d, \+\d+\.\d\] \(signed rank test over cases: p < 0\.001\)/,
    );
  });

  test('that doubled without a gate only warns', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.tokens.set('*', 500);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.report.decision.warnings.join()).toContain('cost rose');
  });

  test('of free models on both sides is held', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    project.edit(suiteFile, 'params:', 'price: { input: 0, output: 0 }\n    params:');
    writeCases(project, 100);
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.report.decision.outcome]).toEqual([0, 'passed']);
  });

  test('of the same answers does not change when a price table is updated', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    await project.accept();
    project.write('llmcheck.config.yaml', 'prices:\n  openai:gpt-4o-mini: { input: 9, output: 90 }\n');
    const run = await project.compared(['run']);
    expect([run.code, run.comparison.costUsd.delta]).toEqual([0, 0]);
    expect(run.comparison.costUsd.baseline).toBeCloseTo(20 * (10 * 9 + 5 * 90) * 1e-6, 12);
    const [stored] = JSON.parse((await project.llmcheck('list', 'runs', '--json')).stdout).toReversed();
    const byRun = await project.compared(['run', '--baseline', stored.id ?? stored.run]);
    expect([byRun.code, byRun.comparison.costUsd.delta]).toEqual([0, 0]);
    const later = JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
    expect(later.suites[0].variants[0].comparison.costUsd.delta).toBe(0);
  });

  test('of a model that the config alone prices is known to every later report and comparison', async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    project.edit(suiteFile, 'gpt-4o-mini', 'my-own-model');
    project.write('llmcheck.config.yaml', 'prices:\n  my-own-model: { input: 1, output: 2 }\n');
    await project.accept();
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect(run.comparison.costUsd).toMatchObject({ delta: 0 });
    const later = await project.llmcheck('report', 'latest', '-r', 'json');
    expect(JSON.parse(later.stdout).suites[0].variants[0].comparison.costUsd).toEqual(run.comparison.costUsd);
    const compared = await project.compared(['compare', 'evals/words.baseline.jsonl', 'latest']);
    expect(compared.comparison.costUsd).toEqual(run.comparison.costUsd);
  });

  test('can not be gated for a model without a price: a usage error before any call', async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    project.edit(suiteFile, 'gpt-4o-mini', 'my-own-model');
    const { code, stderr } = await project.llmcheck('run');
    expect([code, project.server.requests.length]).toEqual([2, 0]);
    expect(stderr).toContain('missing-price');
  });

  test('of answers without usage is an error under a gate, and never 0', async () => {
    const project = await openBaselineProject();
    gated(project, '{ maxIncrease: 10% }');
    await project.accept();
    project.answers.set('w01', () => ({
      status: 200,
      body: { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'w01' } }] },
    }));
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.comparison.costUsd.delta]).toEqual([3, ['unpriced'], null]);
  });
});

describe('the latency', () => {
  test('is not compared with a baseline of another day', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'gate: { latency: { maxIncrease: 10% } }\ndefaults:');
    await project.accept();
    const slower = project.read('evals/words.baseline.jsonl').replaceAll(/"latencyMs":[\d.]+/g, '"latencyMs":0.01');
    project.write('evals/words.baseline.jsonl', slower);
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.report.decision.warnings.join()).toContain('--rerun-baseline');
  });

  test('is held where both versions ran side by side, and not where one of them came from the cache', {
    tags: 'slow',
  }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'defaults:', 'gate: { latency: { maxIncrease: 10% } }\ndefaults:');
    project.edit(
      suiteFile,
      'providers:',
      '  - id: v2\n    replaces: v1\n    text: "slow. Say: {{ word }}"\nproviders:',
    );
    const cases = project.read(casesFile).trim().split('\n').length;
    for (let index = 1; index <= cases; index += 1) {
      const word = `w${String(index).padStart(2, '0')}`;
      project.answers.set(`slow. Say: ${word}`, word);
    }
    await project.llmcheck('run', '-q', '--prompt', 'v1', '-t', 'case-03');
    // The first trial of one case of one version.
    const cached = await project.compared(['run', '-q', '--trials', '2']);
    const fresh = await project.compared(['run', '--cache', 'refresh', '-q']);
    const isGated = (warnings: readonly string[]) => !warnings.join().includes('not comparable');
    expect([isGated(cached.report.decision.warnings), isGated(fresh.report.decision.warnings)]).toEqual([false, true]);
  });

  test.each([
    ['the order of the calls', ({ position = 0 }: StoredRow) => 100 + 10 * position, true, []],
    [
      'the prompt',
      ({ position = 0, prompt }: StoredRow) => 100 + position + (prompt === 'v2' ? 50 : 0),
      false,
      ['latency-regressed'],
    ],
    [
      'nothing',
      ({ caseId, prompt }: StoredRow) => 100 + (prompt === 'v2' ? 1 : -1) * (caseId > 'case-10' ? 1 : -1),
      false,
      [],
    ],
  ])('that follows %s is said to be so only if that is the order', async (_name, latencyOf, isSaid, codes) => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'providers:', '  - { id: v2, replaces: v1, text: "Now. Say: {{ word }}" }\nproviders:');
    for (const word of firstWords(20)) project.answers.set(`Now. Say: ${word}`, word);
    project.edit(suiteFile, 'defaults:', 'gate: { latency: { maxIncrease: 10% } }\ndefaults:');
    await project.llmcheck('run', '--cache', 'off', '-q');
    const [record = ''] = project.files('.llmcheck/runs');
    const rows = project.read(record).trimEnd().split('\n');
    const timed = rows.map((line) => {
      const row: StoredRow = JSON.parse(line);
      return row.type === 'cell' ? line.replace(/"latencyMs":[\d.]+/g, `"latencyMs":${latencyOf(row)}`) : line;
    });
    project.write(record, `${timed.join('\n')}\n`);
    const { stdout } = await project.llmcheck('report', 'latest', '-r', 'json');
    const { decision, suites } = JSON.parse(stdout);
    const { latencyMs, notes } = suites[0].variants.find(({ prompt }: StoredRow) => prompt === 'v2').comparison;
    expect(latencyMs.p).toBeTypeOf('number');
    const said = notes.filter((note: string) => note.startsWith('latency depends more on the order'));
    expect(said.map((note: string) => / took [\d.]+ % longer/.test(note))).toEqual(isSaid ? [true] : []);
    expect(decision.breaches.map(({ code }: { readonly code: string }) => code)).toEqual(codes);
  });
});

import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CompareRecordsOptions, compareRecords } from '../../src/assessing/compare-records.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import { UserError } from '../../src/model/problem.ts';
import { firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { gitEnv, initRepository } from '../support/git.ts';
import { writeStoredRun } from '../support/write-run.ts';

const idOf = (day: number): string => `2025110${day}-093000-aaaa`;

const rowsOf = (suite: string, prompt: string, status: CellRow['status']): readonly CellRow[] =>
  ['a', 'b', 'c'].map((caseId) =>
    buildRow(caseId, {
      suite,
      prompt,
      provider: 'p',
      status,
      score: status === 'passed' ? 1 : 0,
      output: `${status} ${caseId}`,
    }),
  );

/** A run of two suites; the first has the versions v1, which passes, and v2, which fails. */
function writeRun(root: string, day: number, versions: readonly string[] = ['v1', 'v2']): string {
  const variants = versions.map((prompt) => buildVariant(3, { prompt }));
  const suites = [
    buildRecordedSuite(variants, {}, { suite: 'one', path: 'evals/one.eval.yaml' }),
    buildRecordedSuite([buildVariant(3)], {}, { suite: 'two', path: 'evals/two.eval.yaml' }),
  ];
  const rows = [
    ...versions.flatMap((prompt) => rowsOf('one', prompt, prompt === 'v2' ? 'failed' : 'passed')),
    ...rowsOf('two', 'v1', 'passed'),
  ];
  return writeStoredRun(root, buildHeader({ id: idOf(day), suites }), rows, endRow);
}

function compare(root: string, sides: readonly string[], more: Partial<CompareRecordsOptions> = {}) {
  return compareRecords({ sides, suites: [], requireConclusive: false, root, cwd: root, env: gitEnv, ...more });
}

async function problemOf(compared: Promise<unknown>) {
  const error: unknown = await compared.catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw error;
  const [problem] = error.problems;
  return [problem?.message, problem?.hint];
}

describe('two records', () => {
  test('are compared suite by suite, or of the suites that are named', async () => {
    const root = makeFolder();
    writeRun(root, 1);
    writeRun(root, 2);
    const of = async (suites: readonly string[]) => {
      const report = await compare(root, [idOf(1), idOf(2)], { suites });
      return report.suites.map(({ suite, variants }) => [
        suite,
        variants.map(({ prompt, comparison }) => `${prompt} ${comparison?.against.source}`),
      ]);
    };
    const one = ['one', [`v1 run ${idOf(1)}`, `v2 run ${idOf(1)}`]];
    const two = ['two', [`v1 run ${idOf(1)}`]];
    expect(await of([])).toEqual([one, two]);
    expect(await of(['one'])).toEqual([one]);
    expect(await of(['two', 'one'])).toEqual([one, two]);
    expect(await problemOf(of(['one', 'three', 'four']))).toEqual([
      expect.stringMatching(/20251102-093000-aaaa.jsonl has no suite three, four$/),
      'there are: one, two',
    ]);
  });

  test('say the same of a suite that is compared alone, its fresh trials included', async () => {
    const root = makeFolder();
    writeRun(root, 1);
    const again = (trial: number, status: CellRow['status'], more: Partial<CellRow> = {}) =>
      buildRow('a', {
        suite: 'one',
        prompt: 'v1',
        provider: 'p',
        trial,
        status,
        score: status === 'passed' ? 1 : 0,
        confirmation: true,
        ...more,
      });
    const rows = [
      ...rowsOf('one', 'v1', 'failed'),
      ...rowsOf('two', 'v1', 'passed'),
      ...[1, 2, 3].map((trial) => again(trial, 'failed')),
      ...[1, 2].map((trial) => again(firstAcceptedTrial + trial, 'passed', { side: 'accepted' })),
    ];
    const suites = ['one', 'two'].map((suite) =>
      buildRecordedSuite([buildVariant(3)], {}, { suite, path: `evals/${suite}.eval.yaml` }),
    );
    const settings = { ...buildHeader().settings, baseline: { source: idOf(1) } };
    writeStoredRun(root, buildHeader({ id: idOf(2), suites, settings }), rows, endRow);
    const of = (names: readonly string[]) => compare(root, [idOf(1), idOf(2)], { suites: names });
    const [whole, alone] = [await of([]), await of(['one'])];
    // Latencies are functions.
    expect(JSON.stringify(alone.suites)).toBe(JSON.stringify(whole.suites.slice(0, 1)));
    expect(alone.decision.warnings).toEqual(whole.decision.warnings);
  });

  test('may be files, the first one the baseline', async () => {
    const root = makeFolder();
    const path = writeRun(root, 1);
    writeRun(root, 2);
    const report = await compare(root, [path, idOf(2)]);
    expect(report.run.id).toBe(idOf(2));
    expect(report.suites[0]?.variants[0]?.comparison?.against.source).toContain(`${idOf(1)}.jsonl`);
    writeFileSync(join(root, 'x.baseline.jsonl'), 'nonsense\n');
    const [message] = await problemOf(compare(root, [idOf(1), 'x.baseline.jsonl']));
    expect(message).toContain('x.baseline.jsonl');
    symlinkSync(writeRun(makeFolder(), 3), join(root, 'linked.jsonl'));
    await expect(compare(root, [idOf(1), 'linked.jsonl'])).rejects.toThrow('linked.jsonl');
  });

  test('may be the baselines of commits, where no run is stored', { tags: ['slow'] }, async () => {
    const root = makeFolder();
    const { planned: _planned, observed: _observed, acceptedPrompt: _state, ...variant } = buildVariant(1);
    const trials = [{ trial: 0, status: 'passed', score: 1, checks: [], answerHash: 'h1' }] as const;
    const content = contentOf({
      suite: 'one',
      variants: [{ type: 'variant', ...variant, models: [] }],
      cases: [{ type: 'case', prompt: 'v1', provider: 'p', caseId: 'a', caseHash: 'h', trials }],
    });
    writeFileSync(join(root, 'one.baseline.jsonl'), [...renderBaseline(content)].join(''));
    const commit = initRepository(root);
    const { suites, totals } = await compare(root, ['git:HEAD', 'git:main']);
    const sources = suites[0]?.variants.map(({ comparison }) => comparison?.against.source);
    expect([suites.map(({ suite }) => suite), sources, totals.passed]).toEqual([
      ['one'],
      [`git:HEAD (${commit.slice(0, 8)})`],
      1,
    ]);
  });
});

describe('versions of one run', () => {
  test('are compared with the first, in the suites that ran all of them', async () => {
    const root = makeFolder();
    writeRun(root, 1, ['v1', 'v2', 'v3']);
    const report = await compare(root, ['v2', 'v1']);
    expect(report.suites.map(({ suite }) => suite)).toEqual(['one']);
    const variants = report.suites[0]?.variants ?? [];
    expect(variants.map(({ prompt, replacedBy }) => [prompt, replacedBy])).toEqual([
      ['v1', undefined],
      ['v2', 'v1'],
    ]);
    const { comparison } = variants.find(({ prompt }) => prompt === 'v1') ?? {};
    expect([comparison?.isWithinRun, comparison?.against.prompt]).toEqual([true, 'v2']);
    expect(comparison?.cases.fixed).toEqual(['a', 'b', 'c']);
    expect(report.decision.outcome).toBe('passed');
    expect((await compare(root, ['v1', 'v2'])).decision.outcome).not.toBe('passed');
    const three = await compare(root, ['v1', 'v2', 'v3']);
    const compared = three.suites[0]?.variants.map(({ prompt, comparison }) => [prompt, comparison?.against.prompt]);
    expect(compared).toEqual([
      ['v1', undefined],
      ['v2', 'v1'],
      ['v3', 'v1'],
    ]);
  });

  test('are those of the latest run, or of the one that is named', async () => {
    const root = makeFolder();
    writeRun(root, 1);
    writeRun(root, 2, ['v1', 'v3']);
    expect((await compare(root, ['v1', 'v3'])).run.id).toBe(idOf(2));
    expect((await compare(root, ['v1', 'v2'], { run: idOf(1) })).run.id).toBe(idOf(1));
    expect(await problemOf(compare(root, ['v2', 'v3'], { run: idOf(1) }))).toEqual([
      expect.stringContaining('"v3" is no file'),
      expect.any(String),
    ]);
    const elsewhere = makeFolder();
    expect((await compare(elsewhere, ['v1', 'v2'], { run: writeRun(root, 3) })).run.id).toBe(idOf(3));
  });

  test('that no suite ran all of are a mistake', async () => {
    const root = makeFolder();
    const suites = ['v1', 'v2'].map((prompt) => {
      const variants = [prompt, 'v3'].map((one) => buildVariant(3, { prompt: one }));
      return buildRecordedSuite(variants, {}, { suite: prompt, path: `evals/${prompt}.eval.yaml` });
    });
    const rows = [...rowsOf('v1', 'v1', 'passed'), ...rowsOf('v2', 'v2', 'passed')];
    writeStoredRun(root, buildHeader({ id: idOf(1), suites }), rows, endRow);
    expect(await problemOf(compare(root, ['v1', 'v2']))).toEqual([
      expect.stringMatching(/^no suite of .*20251101-093000-aaaa.jsonl ran all of v1, v2$/),
      'run them first: llmcheck run --compare v1,v2',
    ]);
  });
});

test('sides of different kinds, one side and three records are mistakes', async () => {
  const root = makeFolder();
  writeRun(root, 1);
  writeRun(root, 2);
  const hint = 'name two prompt versions, or two of: git:REF, file, run id';
  const rest = "can't be compared with each other: prompt versions are compared within one run, anything else in pairs";
  for (const sides of [['v1', idOf(1)], [idOf(1)], [idOf(1), idOf(2), idOf(1)]])
    expect(await problemOf(compare(root, sides))).toEqual([`${sides.join(' and ')} ${rest}`, hint]);
});

test('a comparison of which nothing can be said is not settled, whether it must be conclusive or not', async () => {
  const root = makeFolder();
  const suite = buildRecordedSuite([buildVariant(1)], {}, { suite: 'one', path: 'evals/one.eval.yaml' });
  const run = (day: number, caseHash: string) =>
    writeStoredRun(
      root,
      buildHeader({ id: idOf(day), suites: [suite] }),
      [buildRow('a', { suite: 'one', provider: 'p', caseHash })],
      endRow,
    );
  run(1, 'h1');
  run(2, 'h2');
  const settings = async (requireConclusive: boolean) =>
    (await compare(root, [idOf(1), idOf(2)], { requireConclusive })).exitCode;
  expect([await settings(true), await settings(false)]).toEqual([4, 4]);
});

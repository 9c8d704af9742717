import { expect, test } from 'vitest';
import type { CellRow } from '../../../src/model/run/record.ts';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import fc from '../../support/property.ts';
import { type Amounts, type Counts, type Figures, readFigures } from '../../support/read-figures.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** Places where planned is not passed + failed + errored + skipped, or that show another value than the json report. */
function findDisagreements({ totals, variants }: Figures): readonly string[] {
  const { json = {}, ...places } = totals;
  const { json: whole = {}, ...others } = variants;
  const found = [
    ...checkSums('json', json),
    ...Object.entries(places).flatMap(([place, figures]) => compareFigures(place, figures, json)),
    ...Object.entries(whole).flatMap(([name, figures]) => checkSums(`json, ${name}`, figures)),
    ...Object.entries(others).flatMap(([place, figures]) =>
      Object.entries(figures).flatMap(([name, own]) => compareFigures(`${place}, ${name}`, own, whole[name] ?? {})),
    ),
  ];
  // The baseline that ran beside a version has no history, and neither has a run with a filter.
  const complete = Object.entries(others).filter(([place]) => place !== 'history');
  for (const [place, figures] of complete) {
    const missing = Object.keys(whole).filter((name) => figures[name] === undefined);
    if (missing.length > 0) found.push(`${place} lacks ${missing.join(', ')}`);
  }
  return found;
}

type PlaceFigures = Counts & Amounts;

function compareFigures(place: string, figures: PlaceFigures, truth: PlaceFigures): readonly string[] {
  return Object.entries(figures).flatMap(([key, value]) => {
    const other = truth[key as keyof PlaceFigures];
    return value === other ? [] : [`${place}: ${key} is ${value}, json says ${other}`];
  });
}

function checkSums(place: string, figures: PlaceFigures): readonly string[] {
  const { planned = 0, passed = 0, failed = 0, errored = 0, skipped = 0 } = figures;
  const { costUsd, spentUsd, spentApartUsd } = figures;
  const areKnown = typeof costUsd === 'number' && typeof spentUsd === 'number' && typeof spentApartUsd === 'number';
  return [
    ...(passed + failed + errored + skipped === planned ? [] : [`${place}: ${planned} planned do not add up`]),
    ...(areKnown && spentUsd - spentApartUsd > costUsd + 1e-9 ? [`${place}: more was spent than it cost`] : []),
  ];
}

const price = fc.constantFrom(0, 0.001, 0.0025, null);
const skipReason = fc.constantFrom('case', 'budget', 'deadline', 'bail', 'interrupted', 'storage', 'queue');

/** A finished cell, without the names of its place. */
const cell = fc
  .record({
    status: fc.constantFrom('passed', 'failed', 'errored', 'skipped'),
    cached: fc.boolean(),
    costUsd: price,
    isBilled: fc.boolean(),
    judgeCostUsd: fc.constantFrom(undefined, 0.0001, null),
    reason: skipReason,
    /** True where an earlier part of the run left another row of the cell. */
    ranBefore: fc.boolean(),
  })
  .map(({ status, cached, costUsd, isBilled, judgeCostUsd, reason, ranBefore }) => {
    const isJudged = status === 'passed' || status === 'failed';
    const row = {
      status,
      cached: isJudged && cached,
      ...(isJudged
        ? {
            score: status === 'passed' ? 1 : 0,
            latencyMs: 5,
            costUsd,
            spentUsd: cached || !isBilled ? 0 : costUsd,
            answerHash: 'h',
          }
        : {}),
      ...(judgeCostUsd === undefined || !isJudged ? {} : { judgeCostUsd }),
      ...(status === 'errored' ? { error: { kind: 'network', message: 'gone', attempts: 2 } } : {}),
      ...(status === 'skipped' ? { skip: { reason } } : {}),
      ...(isJudged ? { output: 'x' } : {}),
    };
    return { row, ranBefore };
  });

const testCase = fc.record({
  observe: fc.boolean(),
  mustPass: fc.boolean(),
  trials: fc.array(cell, { minLength: 1, maxLength: 3 }),
  confirmations: fc.array(cell, { maxLength: 2 }),
});

const variant = fc.record({ cases: fc.array(testCase, { maxLength: 4 }), unreached: fc.constantFrom(0, 0, 0, 2) });

const generatedRun = fc.record({
  suites: fc.array(fc.array(variant, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  replaces: fc.boolean(),
  end: fc.constantFrom('none', 'whole', 'budget', 'deadline', 'bail', 'storage', 'queue', 'interrupted'),
  allowEmpty: fc.boolean(),
});

const runId = '20261101-093000-aaaaaa';

type GeneratedRun = typeof generatedRun extends fc.Arbitrary<infer Run> ? Run : never;

function renderRecord({ suites, replaces, end, allowEmpty }: GeneratedRun): string {
  const limits = { passRate: {}, score: {}, cost: {}, latency: {} };
  const gate = { alpha: 0.05, scope: 'population', cases: { broken: 'fail', added: 'fail' }, ...limits };
  const rows: object[] = [];
  const earlier: object[] = [];
  const header = {
    type: 'run',
    format: 1,
    id: runId,
    startedAt: '2026-11-01T09:30:00.000Z',
    tool: { name: 'llmcheck', version: '0.1.0' },
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty, requireConclusive: false },
    suites: suites.map((variants, suiteIndex) => {
      const suite = `suite-${suiteIndex}`;
      const recorded = variants.map(({ cases, unreached }, index) => {
        const prompt = `v${index + 1}`;
        for (const [caseIndex, found] of cases.entries()) {
          const place = { suite, prompt, provider: 'mini', caseId: `case-${caseIndex}` };
          addRows(found, place, { rows, earlier });
        }
        const count = (isObserved: boolean) =>
          cases.filter(({ observe }) => observe === isObserved).reduce((sum, { trials }) => sum + trials.length, 0);
        return {
          prompt,
          provider: 'mini',
          adapter: 'openai',
          model: 'gpt-4o-mini',
          params: {},
          messages: [{ role: 'user', content: 'Say {{ word }}' }],
          contract: {},
          ...(replaces && index === 1 ? { replaces: 'v1' } : {}),
          planned: count(false) + unreached,
          observed: count(true),
        };
      });
      return { suite, path: `evals/${suite}.eval.yaml`, gate, outputs: 'full', filtered: false, variants: recorded };
    }),
  };
  const resume = earlier.length === 0 ? [] : [...earlier, { type: 'resume', startedAt: '2026-11-01T09:40:00.000Z' }];
  const stop = end === 'whole' ? {} : { stopReason: end };
  const last = end === 'none' ? [] : [{ type: 'end', durationMs: 10, ...stop, notes: [] }];
  return [header, ...resume, ...rows, ...last].map((line) => `${JSON.stringify(line)}\n`).join('');
}

function addRows(
  { observe, mustPass, trials, confirmations }: GeneratedRun['suites'][number][number]['cases'][number],
  place: Pick<CellRow, 'suite' | 'prompt' | 'provider' | 'caseId'>,
  { rows, earlier }: { readonly rows: object[]; readonly earlier: object[] },
): void {
  const marks = { ...(observe ? { observe } : {}), ...(mustPass ? { mustPass } : {}) };
  for (const [trial, { row, ranBefore }] of [...trials, ...confirmations].entries()) {
    const confirmation = trial < trials.length ? {} : { confirmation: true };
    const head = { type: 'cell', ...place, trial, caseHash: 's', ...marks, ...confirmation };
    const tail = { cellHash: 'i', at: { file: 'a.yaml', line: 1, column: 1 }, calls: [], checks: [], attempts: 1 };
    rows.push({ ...head, ...row, ...tail });
    if (ranBefore) {
      const error = { kind: 'network', message: 'gone', attempts: 1 };
      earlier.push({ ...head, status: 'errored', cached: false, error, ...tail });
    }
  }
}

test('any record has the same numbers in every report, list, history, output and the API', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  await fc.assert(
    fc.asyncProperty(generatedRun, async (run) => {
      project.write(`.llmcheck/runs/${runId}.jsonl`, renderRecord(run));
      expect(findDisagreements(await readFigures(project, runId))).toEqual([]);
    }),
    { numRuns: Number(process.env['LLMCHECK_TEST_RUNS'] ?? 20) },
  );
});

const suiteFile = 'evals/suite-0.eval.yaml';
const words = Array.from({ length: 12 }, (_, index) => `w${index}`);

/** Twelve words on two versions of which every fifth is answered wrongly, one must pass, one is observed, one is skipped. */
async function openProject() {
  const project = openTempProject();
  const marks: Readonly<Record<string, string>> = {
    w1: ', observe: true',
    w2: ', skip: "not now"',
    w5: ', mustPass: true',
  };
  project.write('llmcheck.config.yaml', '');
  project.write(
    suiteFile,
    `suite: suite-0
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini, params: { max_tokens: 20 } }]
defaults: { trials: 2, assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} }${marks[word] ?? ''} }`).join('\n')}
`,
  );
  const server = await startChatServer(({ text }) => (/[05]$/.test(text) ? 'wrong' : wordOf(text)));
  return { project, env: server.env };
}

function latestRun(project: TempProject): string {
  return idOf(project.files('.llmcheck/runs').at(-1) ?? '');
}

function idOf(record: string): string {
  return record.replace(/^.*\//, '').replace('.jsonl', '');
}

test.each([
  ['whole, with fresh trials', []],
  ['bail', ['--bail', '-j', '1']],
  ['budget', ['--max-cost', '0.00008', '-j', '1']],
  ['sample', ['--sample', '4', '--seed', '1']],
  ['two versions', ['--compare', 'v1,v2']],
  ['no cache', ['--cache', 'off', '--trials', '3']],
] as const)('a real run has the same numbers everywhere: %s', { tags: ['slow'] }, async (kind, flags) => {
  const { project, env } = await openProject();
  if (kind === 'two versions') {
    project.write(
      suiteFile,
      project.read(suiteFile).replace('" }]\n', '" }, { id: v2, text: "Now. Say: {{ word }}" }]\n'),
    );
  }
  const { stderr } = await project.run(['run', ...flags], { env });
  const figures = await readFigures(project, latestRun(project));
  expect(findDisagreements(figures)).toEqual([]);
  const { passed, failed, errored } = figures.totals['json'] ?? {};
  expect(stderr).toContain(`${passed} passed, ${failed} failed, ${errored} errored`);
});

test('a run that goes on has the same numbers everywhere, and says what was kept', { tags: ['slow'] }, async () => {
  const { project, env } = await openProject();
  await project.run(['run'], { env });
  const record = `.llmcheck/runs/${latestRun(project)}.jsonl`;
  const lines = project.read(record).trimEnd().split('\n');
  project.write(record, `${lines.slice(0, 9).join('\n')}\n`);
  expect(findDisagreements(await readFigures(project, latestRun(project)))).toEqual([]);
  const { stderr } = await project.run(['run', '--resume'], { env });
  const figures = await readFigures(project, latestRun(project));
  expect(findDisagreements(figures)).toEqual([]);
  expect(stderr).toMatch(/\b\d+ kept from before/);
});

test('merged shards have the same numbers everywhere', { tags: ['slow'] }, async () => {
  const { project, env } = await openProject();
  const records: string[] = [];
  for (const shard of ['1/2', '2/2']) {
    await project.run(['run', '--shard', shard], { env });
    expect(findDisagreements(await readFigures(project, latestRun(project)))).toEqual([]);
    records.push(project.files('.llmcheck/runs').at(-1) ?? '');
  }
  await project.run(['merge', ...records]);
  const merged = project.files('.llmcheck/runs').find((file) => !records.includes(file)) ?? '';
  expect(findDisagreements(await readFigures(project, idOf(merged)))).toEqual([]);
});

test('a run against its baseline has the same numbers everywhere', { tags: 'slow' }, async () => {
  const { project, env } = await openProject();
  await project.run(['run'], { env });
  await project.run(['baseline', 'accept', '--force'], { env });
  project.write(suiteFile, project.read(suiteFile).replace('Say: {{', 'Now. Say: {{'));
  await project.run(['run', '--rerun-baseline', '--cache', 'off'], { env });
  expect(findDisagreements(await readFigures(project, latestRun(project)))).toEqual([]);
});

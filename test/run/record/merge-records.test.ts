import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { UserError } from '../../../src/model/problem.ts';
import type {
  AcceptedPromptState,
  CellRow,
  EndRow,
  RecordedShard,
  RecordedSuite,
  RunHeader,
  RunSettings,
} from '../../../src/model/run/record.ts';
import { visitRows } from '../../../src/record/read-run-record.ts';
import { createRunRecord } from '../../../src/record/write-run-record.ts';
import { mergeRecords } from '../../../src/run/record/merge-records.ts';
import { buildHeader, buildRecordedSuite, buildVariant } from '../../support/build-summary.ts';
import { openTempProject } from '../../support/temp-project.ts';

interface Shard {
  readonly shard?: Partial<RecordedShard> | 'none';
  readonly settings?: Partial<RunSettings>;
  readonly header?: Partial<RunHeader>;
  readonly flags?: JsonObject;
  readonly suites?: readonly RecordedSuite[];
  readonly cases?: readonly (string | Partial<CellRow>)[];
  /** Null where the run did not end. */
  readonly end?: Partial<EndRow> | null;
}

function cellRow(row: string | Partial<CellRow>): CellRow {
  return {
    type: 'cell',
    suite: 'triage',
    prompt: 'v1',
    provider: 'p',
    caseId: typeof row === 'string' ? row : 'refund',
    trial: 0,
    cellHash: 'cell',
    caseHash: 'case',
    status: 'passed',
    at: { file: 'evals/triage.eval.yaml', line: 3, column: 5 },
    checks: [],
    cached: false,
    attempts: 1,
    calls: [],
    ...(typeof row === 'string' ? {} : row),
  };
}

/** Merges the records of these shards, `a`, `b` and so on; of two if not said otherwise. */
function merge(...shards: readonly Shard[]) {
  const project = openTempProject();
  const names = shards.map((shard, index) => {
    const id = `20261124-15301${index}-a1b2c3`;
    const own = { index: index + 1, count: shards.length };
    const base = buildHeader(shard.suites ?? [buildRecordedSuite([buildVariant(1)])]);
    const settings = {
      ...base.settings,
      ...(shard.shard === 'none' ? {} : { shard: { ...own, ...shard.shard } }),
      ...shard.settings,
    };
    const invocation = shard.flags === undefined ? {} : { invocation: { paths: ['evals'], flags: shard.flags } };
    const writer = createRunRecord(project.path('shards'), { ...base, id, settings, ...invocation, ...shard.header });
    for (const row of shard.cases ?? [`case-${index}`]) writer.append(cellRow(row));
    if (shard.end !== null) writer.append({ type: 'end', durationMs: 1000, notes: [], ...shard.end });
    writer.close();
    const name = `${'abcdef'[index]}.jsonl`;
    project.write(name, project.read(`shards/${id}.jsonl`));
    return name;
  });
  const now = () => new Date('2026-11-25T08:00:00.000Z');
  const merged = (given: readonly string[] = names) =>
    mergeRecords({ shards: given, root: project.root, cwd: project.root, now, random: () => 0.5 });
  return { project, names, merged };
}

function readMerged(...shards: readonly Shard[]) {
  const { merged } = merge(...shards);
  const path = merged();
  const rows: CellRow[] = [];
  const { header, end } = visitRows(path, (row) => rows.push(row));
  return { path, header, end, rows };
}

/** The problems, and the files that were written all the same. */
function refuse(shards: readonly Shard[]) {
  const { project, merged } = merge(...shards);
  try {
    merged();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { problems: error.problems, files: project.files('.llmcheck') };
  }
  return { problems: [], files: [] };
}

describe('shards of one run become its record', () => {
  test('with the earliest start, the longest duration, every note once, and no shard', () => {
    const { path, header, end, rows } = readMerged(
      {
        header: { startedAt: '2026-11-24T15:40:00.000Z' },
        flags: { shard: '1/3', tag: ['urgent'] },
        cases: ['b', { caseId: 'a', trial: 1 }, { caseId: 'a', trial: 1, status: 'failed' }],
        end: { durationMs: 900, notes: ['slow', 'first'] },
      },
      {
        header: { startedAt: '2026-11-24T15:30:00.000Z' },
        flags: { shard: '2/3', tag: ['urgent'] },
        cases: [],
        end: { durationMs: 1500, notes: ['slow'], stopReason: 'budget' },
      },
      { header: { startedAt: '2026-11-24T15:50:00.000Z' }, flags: { shard: '3/3', tag: ['urgent'] }, cases: ['c'] },
    );
    expect(path).toMatch(/\.llmcheck\/runs\/20261125-080000-808080\.jsonl$/);
    const { settings } = buildHeader([]);
    expect(header).toEqual({
      ...buildHeader([]),
      id: '20261125-080000-808080',
      startedAt: '2026-11-24T15:30:00.000Z',
      settings: { ...settings, mergedShards: 3 },
      invocation: { paths: ['evals'], flags: { tag: ['urgent'] } },
      suites: [buildRecordedSuite([buildVariant(3)])],
    });
    expect(end).toEqual({ type: 'end', durationMs: 1500, stopReason: 'budget', notes: ['slow', 'first'] });
    // The last row of a cell that ran again, at the place of the first.
    expect(rows.map(({ caseId, trial, status }) => [caseId, trial, status])).toEqual([
      ['b', 0, 'passed'],
      ['a', 1, 'failed'],
      ['c', 0, 'passed'],
    ]);
  });

  test('a whole end has no stop reason, and a run without flags none', () => {
    const { header, end } = readMerged({}, {});
    expect(Object.keys(end ?? {}).sort()).toEqual(['durationMs', 'notes', 'type']);
    expect('invocation' in header).toBe(false);
    expect(readMerged({ header: { invocation: { paths: [] } } }, {}).header.invocation).toEqual({
      paths: [],
      flags: {},
    });
  });

  test('a single shard is a run of its own', () => {
    expect(readMerged({}).header.settings.mergedShards).toBe(1);
  });

  test('an id that is taken is drawn again', () => {
    const { project, names } = merge({}, {});
    let draws = 0;
    const random = () => {
      draws += 1;
      return draws <= 6 ? 0 : 0.5;
    };
    const now = () => new Date('2026-11-25T08:00:00.000Z');
    const options = { shards: names, root: project.root, cwd: project.root, now, random };
    mergeRecords(options);
    mergeRecords(options);
    expect(readdirSync(project.path('.llmcheck/runs')).sort()).toEqual([
      '20261125-080000-000000.jsonl',
      '20261125-080000-808080.jsonl',
    ]);
    expect(draws).toBe(9);
  });
});

describe('suites and variants of shards', () => {
  const suitesOf = (...shards: readonly (readonly RecordedSuite[])[]) =>
    readMerged(...shards.map((suites) => ({ suites }))).header.suites;
  const last = { suite: '0', path: 'evals/c.yaml' };
  const [one, other] = [
    { suite: 'a', path: 'evals/a.yaml' },
    { suite: 'b', path: 'evals/b.yaml' },
  ] as const;

  test('are summed by prompt and provider, and sorted by path', () => {
    const [v1, v2, q] = [{}, { prompt: 'v2' }, { provider: 'q' }];
    const found = suitesOf(
      [
        buildRecordedSuite([buildVariant(8)], {}, last),
        buildRecordedSuite([buildVariant(2, { ...v1, observed: 1 }), buildVariant(1, v2)], {}, other),
        buildRecordedSuite([buildVariant(5)], {}, one),
      ],
      [buildRecordedSuite([buildVariant(3, q), buildVariant(4, { ...v1, observed: 2 })], {}, other)],
    );
    expect(found).toEqual([
      buildRecordedSuite([buildVariant(5)], {}, one),
      buildRecordedSuite(
        [buildVariant(6, { observed: 3 }), buildVariant(1, { prompt: 'v2' }), buildVariant(3, { provider: 'q' })],
        {},
        other,
      ),
      buildRecordedSuite([buildVariant(8)], {}, last),
    ]);
  });

  test('a suite without a case is left out, unless no suite has one', () => {
    const watched = buildRecordedSuite([buildVariant(0, { observed: 1 })], {}, other);
    const empty = buildRecordedSuite([buildVariant(0)], {}, one);
    expect(suitesOf([empty, watched], [empty]).map(({ suite }) => suite)).toEqual(['b']);
    expect(suitesOf([empty], [empty]).map(({ suite }) => suite)).toEqual(['a']);
  });

  test.each([
    ['more than the shard left cases out', true, true],
    ['only the shard did', false, false],
  ])('a suite is filtered where %s', (_, filtered, said) => {
    const suites = [buildRecordedSuite([buildVariant(1)], {}, { filtered: true })];
    const shard = { suites, shard: { filtered } };
    expect(readMerged(shard, shard).header.suites[0]?.filtered).toBe(said);
  });

  const askable: AcceptedPromptState = { is: 'askable', of: 'x' };
  const unchanged: AcceptedPromptState = { is: 'unchanged', of: 'x' };
  const gone: AcceptedPromptState = { is: 'unavailable', why: 'its code has changed', of: 'x' };
  const differing = { is: 'unavailable', why: 'parts of the run were compared with other baselines' } as const;
  test.each([
    [undefined, undefined, undefined],
    [unchanged, unchanged, unchanged],
    [unchanged, askable, askable],
    [askable, unchanged, askable],
    [askable, gone, gone],
    [gone, unchanged, gone],
    [askable, undefined, { ...differing, of: 'x' }],
    [undefined, unchanged, { ...differing, of: 'x' }],
    [askable, { is: 'askable', of: 'y' }, { ...differing, of: 'x' }],
  ] as const)('the accepted prompt of shards: %j and %j', (a, b, said) => {
    const suiteOf = (state: AcceptedPromptState | undefined) => [
      buildRecordedSuite([buildVariant(1, state === undefined ? {} : { acceptedPrompt: state })]),
    ];
    expect(suitesOf(suiteOf(a), suiteOf(b))[0]?.variants[0]?.acceptedPrompt).toEqual(said);
  });
});

describe('records that are no shards of one run are refused', () => {
  test.each([
    [
      'one given twice',
      [{}, { shard: { index: 1 } }],
      ['shard 1/2 is there 2 times: a.jsonl, b.jsonl', 'shard 2/2 is missing'],
    ],
    ['no shard', [{ shard: 'none' }], ['a.jsonl is not a shard: it was not run with --shard']],
    [
      'no shard and one that did not end',
      [{ shard: 'none', end: null }],
      [
        'a.jsonl is not a shard: it was not run with --shard',
        'a.jsonl did not end: finish it with `llmcheck run --resume 20261124-153010-a1b2c3`',
      ],
    ],
    ['the last one missing', [{ shard: { count: 2 } }], ['shard 2/2 is missing']],
    ['the first one missing', [{ shard: { index: 2, count: 2 } }], ['shard 1/2 is missing']],
    [
      'one given thrice',
      [{}, { shard: { index: 1, count: 4 } }, { shard: { index: 1, count: 4 } }, { shard: { index: 2 } }],
      ['shard 1/4 is there 3 times: a.jsonl, b.jsonl, c.jsonl', 'shard 3/4 is missing', 'shard 4/4 is missing'],
    ],
    ['another number', [{}, { shard: { count: 3 } }], [ofOther('number of shards')]],
    [
      'another version',
      [{}, { header: { tool: { name: 'llmcheck', version: '9' } } }],
      [ofOther('version of llmcheck')],
    ],
    [
      'another selection',
      [{ shard: { selection: 'x' } }, { shard: { selection: 'y' } }],
      [ofOther('selection, or another state, of the cases')],
    ],
    [
      'another plan',
      [{ shard: { plan: 'x' } }, { shard: { plan: 'y' } }],
      [ofOther('plan: its trials or variants differ')],
    ],
    ['another setting', [{}, { settings: { requireConclusive: true } }], [ofOther('set of settings')]],
    ['another limit of cost', [{ settings: { maxCostUsd: 1 } }, { settings: { maxCostUsd: 2 } }], []],
    [
      'another value of a flag',
      [{ flags: { shard: '1/2', lastFailed: true } }, { flags: { shard: '2/2', lastFailed: false } }],
      [ofOther('value of --last-failed, false instead of true')],
    ],
    ['a further flag', [{}, { flags: { trials: 3 } }], [ofOther('value of --trials, 3 instead of none')]],
    ['a flag less', [{ flags: { trials: 3 } }, {}], [ofOther('value of --trials, none instead of 3')]],
    ['flags that are none', [{ header: { invocation: { flags: 'all' } } }, { flags: {} }], []],
    [
      'another state of a variant',
      [{}, { suites: [buildRecordedSuite([buildVariant(1, { model: 'gpt-5' })])] }],
      [ofOther('state of triage · v1 × p')],
    ],
    [
      'another gate',
      [{}, { suites: [buildRecordedSuite([buildVariant(1)], { alpha: 0.01 })] }],
      [ofOther('state of triage · v1 × p')],
    ],
    [
      'other counts of cases and another variant',
      [{}, { suites: [buildRecordedSuite([buildVariant(7, { observed: 2 }), buildVariant(1, { prompt: 'v2' })])] }],
      [],
    ],
    [
      'the same cell twice',
      [{ cases: ['x'] }, { cases: ['x', 'y'] }],
      ['a.jsonl and b.jsonl both hold trial 1 of triage/x (v1 × p)'],
    ],
    [
      'the same cells, of which three are named',
      [{ cases: ['w', 'x', 'y', 'z'] }, { cases: ['w', 'x', 'y', 'z'] }],
      ['w', 'x', 'y'].map((id) => `a.jsonl and b.jsonl both hold trial 1 of triage/${id} (v1 × p)`),
    ],
  ] as const)('%s', (_, shards: readonly Shard[], said) => {
    const hint = 'name the record of each shard of one run once';
    const problems = said.map((message) => ({ code: 'record', severity: 'error', message, hint }));
    expect(refuse(shards)).toEqual({ problems, files: [] });
  });

  test('no record at all', () => {
    expect(() => merge().merged()).toThrow('there is nothing to merge');
  });

  test('an unreadable row leaves no record behind', () => {
    const { project, names, merged } = merge({ cases: ['x', 'y'] }, {});
    const [first = ''] = names;
    project.write(first, project.read(first).replace('}\n{"type":"end"', '?\n{"type":"end"'));
    expect(() => merged()).toThrow(/^Line 3 of the run record /);
    expect(project.files('.llmcheck/runs')).toEqual([]);
  });
});

function ofOther(what: string): string {
  return `b.jsonl is not a shard of the run of a.jsonl: another ${what}`;
}

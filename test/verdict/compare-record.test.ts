import { describe, expect, test } from 'vitest';
import { judgeAccepted } from '../../src/assessing/judge-stored.ts';
import type { BaselineCase, SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import { type CompareRecordOptions, compareRecord } from '../../src/verdict/compare-record.ts';
import { baselineOf, fileOf, type Ran, recordBaseline, recordOf } from '../assessing/compared-run.ts';

const keyOf = ({ prompt, provider }: { readonly prompt: string; readonly provider: string }) => `${prompt} ${provider}`;

async function compare(ran: Ran, found?: SuiteBaseline, options: Partial<CompareRecordOptions> = {}) {
  const sides = { record: recordOf(ran), findBaseline: () => found, costOf: () => undefined };
  const judged = await judgeAccepted({ ...sides, cellOf: () => undefined, ports: {} });
  const gated = compareRecord({ ...sides, judged, ...options });
  return new Map(gated.map((one) => [keyOf(one.variant.recorded), one]));
}

/** What each variant is compared with. */
async function sources(ran: Ran, found?: SuiteBaseline, options: Partial<CompareRecordOptions> = {}) {
  const gated = await compare(ran, found, options);
  return Array.from(gated, ([key, { compared }]) => {
    const { source, recorded } = compared.baseline;
    return `${key}: ${source}, ${keyOf(recorded)}`;
  });
}

const replacing = [{}, { prompt: 'v2', replaces: 'v1' }];
const rerun = [{ prompt: 'v1@baseline', baselineOf: 'v1' }, {}];
const within = 'v2 p: this run, v1 p';

describe('a variant is compared', () => {
  test.each<[string, Ran, SuiteBaseline | undefined, readonly string[]]>([
    ['with nothing where nothing was accepted', {}, undefined, []],
    ['with what was accepted of it', {}, fileOf(), ['v1 p: file, v1 p']],
    ['with its rows in another run', {}, recordBaseline({}), ['v1 p: run, v1 p']],
    ['not where it was left out', { variants: [{ planned: 0 }] }, fileOf(), []],
    ['with the version that it replaces', { variants: replacing }, undefined, [within]],
    ['also where that comes after it', { variants: replacing.toReversed() }, undefined, [within]],
    [
      'not with a version that was left out',
      { variants: [{ planned: 0 }, { prompt: 'v2', replaces: 'v1' }] },
      undefined,
      [],
    ],
    [
      'with the stored rows of what it replaces, rather than with those of the run',
      { variants: replacing },
      fileOf(),
      ['v2 p: file, v1 p'],
    ],
    [
      'with its own stored rows first',
      { variants: replacing },
      fileOf({ variants: [{}, { prompt: 'v2' }], cases: [{}, { prompt: 'v2' }] }),
      ['v2 p: file, v2 p'],
    ],
    [
      'with the first version that the user named, rather than with what is stored',
      { variants: replacing, settings: { compare: ['v1', 'v2'] } },
      fileOf(),
      [within],
    ],
    [
      'with what is stored where the user named others',
      { variants: replacing, settings: { compare: ['v3', 'v2'] } },
      fileOf(),
      ['v2 p: file, v1 p'],
    ],
    [
      'with the accepted prompt run again',
      { variants: rerun },
      fileOf(),
      ['v1 p: the baseline, run again, v1@baseline p'],
    ],
    [
      'not with the accepted prompt of another provider',
      { variants: [{ prompt: 'v1@baseline', baselineOf: 'v1', provider: 'q' }, {}] },
      fileOf(),
      ['v1 p: file, v1 p'],
    ],
    [
      'not with the accepted prompt that ran again for the version that it replaces',
      { variants: [{ baselineOf: 'other' }, { prompt: 'v2', replaces: 'v1' }] },
      undefined,
      [],
    ],
    [
      'with the provider that its own replaces',
      { variants: [{}, { provider: 'q', replacesProvider: 'p' }] },
      undefined,
      ['v1 q: this run, v1 p'],
    ],
  ])('%s', async (_name, ran, found, expected) => {
    expect(await sources(ran, found)).toEqual(expected);
  });

  test('with nothing where a pair is wanted, so that its cases are added', async () => {
    const gated = await compare({}, undefined, { isPairWanted: true });
    const { compared } = gated.get('v1 p') ?? {};
    expect(compared?.baseline.source).toBe('nothing: the other side has no such variant');
    expect(Array.from(compared?.cases.values() ?? [], ({ change }) => change)).toEqual(['added', 'added']);
    expect(await sources({ variants: replacing }, undefined, { isPairWanted: true })).toEqual([within]);
  });

  test('with the cases that were accepted alone, where the accepted prompt ran again', async () => {
    const gated = await compare({ variants: rerun }, fileOf({ cases: [{ caseId: 'case-1' }] }));
    const { compared } = gated.get('v1 p') ?? {};
    expect(Array.from(compared?.cases.values() ?? [], ({ caseId, change }) => [caseId, change])).toEqual([
      ['case-0', 'added'],
      ['case-1', 'stillPassing'],
    ]);
    expect([...(compared?.baseline.accepted?.keys() ?? [])]).toEqual(['case-1']);
  });
});

describe('every case must pass', () => {
  const must = async (ran: Ran, found?: SuiteBaseline) => {
    const gated = await compare(ran, found);
    return Array.from(gated.values(), ({ mustPassWhole }) => mustPassWhole);
  };

  test('in a version that is compared within the run, where nothing was accepted of either', async () => {
    expect(await must({ variants: replacing })).toEqual([true]);
    expect(await must({ variants: replacing }, recordBaseline({ variants: [{ prompt: 'other' }] }))).toEqual([true]);
  });

  test('in no version whose user named what it is compared with', async () => {
    expect(await must({ variants: replacing, settings: { compare: ['v1', 'v2'] } })).toEqual([false]);
    const swap = [{ provider: 'p', candidates: ['q'] }];
    const variants = [{}, { provider: 'q', replacesProvider: 'p' }];
    expect(await must({ variants, settings: { swap } })).toEqual([false]);
    expect(await must({ variants })).toEqual([true]);
  });

  test('in no version that is compared with what was accepted', async () => {
    expect(await must({}, fileOf())).toEqual([false]);
    expect(await must({ variants: rerun }, fileOf())).toEqual([false]);
  });
});

describe('a comparison', () => {
  test('says what its sides are', async () => {
    const flags = async (found: SuiteBaseline, options: Partial<CompareRecordOptions> = {}, ran: Ran = {}) => {
      const [one] = (await compare(ran, found, options)).values();
      return {
        isOfRecords: one?.isOfRecords,
        isFirst: one?.isFirst,
        otherCases: one?.otherCases,
        own: one?.own?.baseline.source,
      };
    };
    const none = { isOfRecords: undefined, isFirst: undefined, otherCases: 0, own: undefined };
    expect(await flags(fileOf())).toEqual(none);
    expect(await flags(fileOf(), { isOfRecords: true })).toEqual({ ...none, isOfRecords: true });
    expect(await flags(fileOf(), { isOfRecords: false })).toEqual(none);
    expect(await flags(fileOf({}, { isFirst: true }))).toEqual({ ...none, isFirst: true });
    expect(await flags(fileOf({}, { own: baselineOf() }))).toEqual({ ...none, own: 'file' });
    const shard = {
      index: 1,
      count: 2,
      selection: 's',
      plan: 'p',
      filtered: false,
      otherCases: { triage: 3, other: 4 },
    };
    expect(await flags(fileOf(), {}, { settings: { shard } })).toEqual({ ...none, otherCases: 3 });
    const elsewhere = { ...shard, otherCases: { other: 4 } };
    expect(await flags(fileOf(), {}, { settings: { shard: elsewhere } })).toEqual(none);
  });

  test.each<[string | undefined, object | undefined]>([
    [undefined, undefined],
    ['2026-11-24T15:30:12.000Z', { ageDays: 0 }],
    ['2026-11-23T15:30:13.000Z', { ageDays: 0 }],
    ['2026-11-23T15:30:12.000Z', { ageDays: 1 }],
    ['2026-11-14T15:30:11.000Z', { ageDays: 10 }],
    ['2026-11-25T15:30:12.000Z', { ageDays: 0 }],
  ])('with a baseline of %s says how old it was', async (acceptedAt, age) => {
    const more = acceptedAt === undefined ? {} : { acceptedAt };
    for (const found of [fileOf({}, more), recordBaseline({}, more)]) {
      const [one] = (await compare({}, found)).values();
      expect(one?.compared.baseline.accepting).toEqual(age && { acceptedAt, ...age });
    }
  });

  test('within the run compares latencies, unless an answer of either side is from the cache', async () => {
    const comparable = async (row: (one: RowSummary) => Partial<RowSummary>) =>
      (await compare({ variants: replacing, row })).get('v2 p')?.compared.latencyComparable;
    expect(await comparable(() => ({}))).toBe(true);
    for (const prompt of ['v1', 'v2']) {
      expect(await comparable((row) => ({ cached: row.prompt === prompt && row.caseId === 'case-1' }))).toBe(false);
    }
    const [stored] = (await compare({}, fileOf())).values();
    expect(stored?.compared.latencyComparable).toBe(false);
  });

  test.each<[string, Ran, boolean]>([
    ['that ended', {}, true],
    ['that was decided early', { stopReason: 'decided' }, true],
    ['that was stopped', { stopReason: 'budget' }, false],
    ['that was filtered', { suite: { filtered: true } }, false],
  ])('of a run %s calls missing cases removed: %s', async (_name, ran, isWhole) => {
    const cases = [{ caseId: 'case-0' }, { caseId: 'gone' }];
    const [one] = (await compare({ outcomes: { 'v1 p': 'p' }, ...ran }, fileOf({ cases }))).values();
    expect(one?.compared.cases.get('gone')?.change === 'removed').toBe(isWhole);
  });

  test('within the run calls them removed even where the run was filtered, since both sides were', async () => {
    const gone = async (ran: Ran) => {
      const gated = await compare({ variants: replacing, outcomes: { 'v2 p': 'p' }, ...ran });
      return gated.get('v2 p')?.compared.cases.get('case-1')?.change;
    };
    expect([await gone({}), await gone({ suite: { filtered: true } })]).toEqual(['removed', 'removed']);
    expect(await gone({ stopReason: 'budget' })).not.toBe('removed');
  });
});

describe('the classes of stored answers', () => {
  const found = { kind: 'text' } as const;
  const limits = { recall: {}, precision: {}, f1: {} };
  const classes = { truth: '{{ queue }}', found, names: ['billing', 'sales'], ...limits } as unknown as ClassPolicy;
  const row = () => ({ classified: { truth: 'billing', found: 'billing', by: selectionId(found) } });
  const trial = { status: 'passed' as const, score: 1, checks: [], answerHash: 'h' };
  const trials = [
    { ...trial, trial: 0, output: 'sales' },
    { ...trial, trial: 1, output: 'billing' },
  ];
  const of = async (ran: Ran, cases: readonly Partial<BaselineCase>[]) => {
    const [one] = (await compare({ suite: { classes }, row, ...ran }, fileOf({ cases }))).values();
    return Array.from(one?.compared.baseline.cases.values() ?? [], (stored) =>
      stored.trials.map(({ classified }) => classified?.found),
    );
  };

  test('are read trial by trial', async () => {
    expect(await of({}, [{ caseId: 'case-0', trials }])).toEqual([['sales', 'billing']]);
  });

  test('are read again where cases are judged by a new output contract', async () => {
    const contract = { output: { type: 'object' } };
    const ran = { variants: [{ contract }], outcomes: { 'v1 p': 'f p' }, failedCheck: 'contract' };
    const failing = trials.map((one) => ({ ...one, status: 'failed' as const, score: 0 }));
    expect(await of(ran, [{ caseId: 'case-0', trials: failing }])).toEqual([['sales', 'billing']]);
  });
});

describe('cases that were accepted under other checks', () => {
  const changes = async (ran: Ran, found: SuiteBaseline | undefined) => {
    const [one] = (await compare(ran, found)).values();
    return Array.from(one?.compared.cases.values() ?? [], ({ change }) => change);
  };
  const failing = { trials: [{ trial: 0, status: 'failed' as const, score: 0, checks: [], answerHash: 'h' }] };
  const broken = fileOf({ cases: [{ caseId: 'case-0', ...failing }, { caseId: 'case-1' }] });
  const other = { contract: { output: { type: 'object' } } };

  test('are redefined, beside those of a run too', async () => {
    const cases = [{ caseId: 'case-0', caseHash: 'other' }, { caseId: 'case-1' }];
    expect(await changes({}, fileOf({ cases }))).toEqual(['redefined', 'stillPassing']);
    const row = ({ caseId }: RowSummary) => (caseId === 'case-0' ? { caseHash: 'other' } : {});
    expect(await changes({}, recordBaseline({ row }))).toEqual(['redefined', 'stillPassing']);
  });

  test('are no known failures where the accepted prompt runs again under the new ones', async () => {
    const cases = [{ caseId: 'case-0', caseHash: 'other' }, { caseId: 'case-1' }];
    const outcomes = { 'v1@baseline p': 'f p', 'v1 p': 'f p' };
    expect(await changes({ variants: rerun, outcomes }, fileOf({ cases }))).toEqual(['redefined', 'stillPassing']);
    expect(await changes({ variants: rerun, outcomes }, fileOf())).toEqual(['stillFailing', 'stillPassing']);
  });

  test('by another output contract are redefined where they break the new one, also if they passed before', async () => {
    const outcomes = { 'v1 p': 'f p' };
    const run = { variants: [other], outcomes, failedCheck: 'contract' };
    expect(await changes(run, broken)).toEqual(['redefined', 'stillPassing']);
    expect(await changes({ ...run, failedCheck: 'equals' }, broken)).toEqual(['stillFailing', 'stillPassing']);
    expect(await changes({ ...run, variants: [{}] }, broken)).toEqual(['stillFailing', 'stillPassing']);
    expect(await changes(run, fileOf())).toEqual(['redefined', 'stillPassing']);
    expect(await changes({ ...run, outcomes: { 'v1 p': 'p p' } }, broken)).not.toContain('redefined');
    expect(await changes(run, recordBaseline({ outcomes }))).toEqual(['redefined', 'stillPassing']);
  });
});

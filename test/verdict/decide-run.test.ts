import { describe, expect, test } from 'vitest';
import { exitCodeFor } from '../../src/model/comparison/exit-code.ts';
import type { Decision } from '../../src/model/comparison/gate.ts';
import type { StopReason } from '../../src/model/run/cell.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { RowSummary, RunSummary } from '../../src/model/run/summary.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { decide } from '../../src/verdict/gate/decide-run.ts';
import { judgeRun } from '../../src/verdict/gate/judge-comparisons.ts';
import {
  buildHeader,
  buildRecordedSuite,
  buildRowSummary,
  buildVariant,
  end,
  rowsOf,
  type SummaryOptions,
  settings,
  summarize,
} from '../support/build-summary.ts';
import fc from '../support/property.ts';

interface RunOptions extends SummaryOptions {
  readonly settings?: Partial<RunSettings>;
  readonly stop?: StopReason;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** Recordings answer by default, so that a failure is what it is: nothing can be asked again. */
function judge(rows: string | readonly RowSummary[], options: RunOptions = {}): Decision {
  const { stop, interrupted, suite = { replayed: true } } = options;
  const summary = summarize(typeof rows === 'string' ? rowsOf(rows) : rows, {
    ...options,
    suite,
    end: stop === undefined ? end : { ...end, stopReason: stop },
  });
  const ofRun = { ...settings, ...options.settings };
  return decideAlone(summary, ofRun, interrupted);
}

/** Decides on a run of which nothing was accepted. */
function decideAlone(summary: RunSummary, ofRun: RunSettings, interrupted?: 'SIGINT' | 'SIGTERM'): Decision {
  const judged = judgeRun([], { summary, settings: ofRun, isFinal: true });
  return decide({ summary, settings: ofRun, judged, ...(interrupted === undefined ? {} : { interrupted }) });
}

const codes = ({ breaches }: Decision) => breaches.map(({ code }) => code);
const passRate = (min: number) => ({ passRate: { min } });

describe('the exit code', () => {
  test.each<[string, string, RunOptions, number]>([
    ['all passed', 'p p', {}, 0],
    ['a case failed', 'p f', {}, 1],
    ['a cell is errored', 'p e', {}, 3],
    ['the run was stopped', 'p s', { stop: 'budget' }, 4],
    ['nothing was selected', '', {}, 4],
    ['failed and errored', 'f e', {}, 1],
    ['failed and stopped', 'f s', { stop: 'deadline' }, 1],
    ['errored and stopped', 'e s', { stop: 'deadline' }, 3],
    ['failed, errored and stopped', 'f e s', { stop: 'budget' }, 1],
    ['interrupted by SIGINT', 'f e s', { stop: 'interrupted', interrupted: 'SIGINT' }, 130],
    ['interrupted by SIGTERM', 'p', { stop: 'interrupted', interrupted: 'SIGTERM' }, 143],
    ['errored within the tolerance', 'p e', { settings: { maxErrors: { count: 1 } } }, 0],
    ['errored within the tolerance, and stopped', 'p e s', { settings: { maxErrors: { count: 1 } }, stop: 'bail' }, 4],
    ['errored within the tolerance, and failed', 'f e', { settings: { maxErrors: { count: 1 } } }, 1],
  ])('where %s', (_name, rows, options, code) => {
    expect(exitCodeFor(judge(rows, options))).toBe(code);
  });

  test('is 4 for an inconclusive decision, and 3 for drift', () => {
    const inconclusive: Decision = {
      outcome: 'inconclusive',
      kind: 'unsettled',
      evidence: [],
      breaches: [],
      warnings: [],
    };
    expect(exitCodeFor(inconclusive)).toBe(4);
    expect(exitCodeFor({ ...inconclusive, outcome: 'incomplete', incompleteBecause: 'inconclusive' })).toBe(4);
    expect(exitCodeFor({ ...inconclusive, outcome: 'incomplete', incompleteBecause: 'drift' })).toBe(3);
    expect(exitCodeFor({ ...inconclusive, outcome: 'incomplete', incompleteBecause: 'record' })).toBe(4);
  });

  test('is never 0 while a case failed in all its trials, or a cell errored or was not reached', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('p', 'f', 'e', 's', 'pf', 'ps', 'fe', 'cp', 'c')),
        fc.nat(3),
        (words, missing) => {
          const rows = rowsOf(words.join(' '));
          const decision = judge(rows, { planned: rows.length + missing });
          // A case that passes at times is flaky: nothing was accepted that it could fall short of.
          const passes = new Set(rows.filter(({ status }) => status === 'passed').map(({ caseId }) => caseId));
          const isClean =
            missing === 0 &&
            rows.every(({ status, skipReason, caseId }) =>
              status === 'failed' ? passes.has(caseId) : status === 'passed' || skipReason === 'case',
            );
          const hasVerdict = rows.some(({ status }) => status === 'passed');
          expect(exitCodeFor(decision) === 0).toBe(isClean && hasVerdict);
          expect(decision.breaches.length === 0).toBe(decision.outcome === 'passed');
        },
      ),
    );
  });
});

describe('the pass rate', () => {
  test('must be whole where the suite names none', () => {
    expect(judge('p p p f')).toMatchObject({
      outcome: 'failed',
      breaches: [
        { code: 'pass-rate-min', suite: 'triage', prompt: 'v1', provider: 'p', metric: 'passRate', candidate: 0.75 },
      ],
    });
  });

  test('that is met exactly passes, however it is computed', () => {
    expect(judge('ppf ppf ppf', { gate: passRate(2 / 3) }).outcome).toBe('passed');
    expect(judge('p p p p p p p f f f', { gate: passRate(0.7) }).outcome).toBe('passed');
    expect(judge('p p p p p p p f f f', { gate: passRate(0.71) }).outcome).toBe('failed');
    expect(judge('f f', { gate: passRate(0) }).outcome).toBe('passed');
    // Ten times 0.1 is a little less than 1 in floating point.
    expect(judge('pfffffffff '.repeat(10), { gate: passRate(0.1) }).outcome).toBe('passed');
  });

  test('weighs cases alike', () => {
    expect(judge('ffff p', { gate: passRate(0.5) }).outcome).toBe('passed');
    expect(judge('ffff p', { gate: passRate(0.51) }).outcome).toBe('failed');
  });

  test('below a limit never reads like the limit', () => {
    const rows = rowsOf(`${'p '.repeat(2499)}f`);
    expect(judge(rows).breaches[0]?.message).toBe('pass rate 99.9 % is below 100 %');
  });

  test('is judged on each variant that is not replaced', () => {
    const variants = [
      buildVariant(1),
      buildVariant(1, { prompt: 'v2', replaces: 'v1' }),
      buildVariant(1, { provider: 'q' }),
    ];
    const suite = buildRecordedSuite(variants, {}, { replayed: true });
    const rows = (v1: string, v2: string, q: string) => [
      ...rowsOf(v1),
      ...rowsOf(v2, { prompt: 'v2' }),
      ...rowsOf(q, { provider: 'q' }),
    ];
    const judgeAll = (all: readonly RowSummary[]) =>
      decideAlone(summarizeRun(buildHeader([suite]), all, end), settings);
    expect(judgeAll(rows('f', 'p', 'p')).outcome).toBe('passed');
    expect(judgeAll(rows('p', 'f', 'f')).breaches).toMatchObject([{ prompt: 'v2' }, { prompt: 'v1', provider: 'q' }]);
  });
});

describe('a stopped run', () => {
  test.each<[string, number, 'failed' | 'incomplete']>([
    // One of ten failed, five were not reached.
    ['p p p p f s s s s s', 1, 'failed'],
    ['p p p p f s s s s s', 0.95, 'failed'],
    ['p p p p f s s s s s', 0.9, 'incomplete'],
    ['p p p p f s s s s s', 0.1, 'incomplete'],
    // A trial that was not reached may still lift its own case.
    ['p p p p p p p p p fs', 0.92, 'incomplete'],
    ['p p p p p p p p p fs', 0.96, 'failed'],
    ['fss', 0.6, 'incomplete'],
    ['fss', 0.7, 'failed'],
    ['s s', 1, 'incomplete'],
  ])('is decided with cells %j and a minimum of %d: %s', (rows, min, outcome) => {
    expect(judge(rows, { gate: passRate(min), stop: 'bail' }).outcome).toBe(outcome);
  });

  test('says why it stopped, how much is missing and what is still open', () => {
    const { breaches, incompleteBecause } = judge('p s s', { stop: 'budget' });
    expect(incompleteBecause).toBe('stopped');
    expect(breaches).toEqual([
      {
        code: 'stopped',
        message:
          'the run stopped before its end: the budget is used up (--max-cost); 2 planned cells were not judged; ' +
          'undecided: pass rate of triage · v1 × p',
      },
    ]);
  });

  test.each(['budget', 'deadline', 'bail', 'storage', 'queue', 'interrupted'] as const)(
    'by %s is incomplete',
    (stop) => {
      expect(judge('p s', { stop })).toMatchObject({ outcome: 'incomplete', incompleteBecause: 'stopped' });
    },
  );

  test('whose record has no end is incomplete even if every cell has its row', () => {
    const header = buildHeader([buildRecordedSuite([buildVariant(1)])]);
    const summary = summarizeRun(header, rowsOf('p'), undefined);
    expect(decideAlone(summary, settings)).toMatchObject({ outcome: 'incomplete', incompleteBecause: 'stopped' });
  });

  test('that reached nothing is stopped, not empty, also with --allow-empty', () => {
    expect(codes(judge('s s', { stop: 'deadline' }))).toEqual(['stopped']);
    expect(codes(judge('s s', { stop: 'deadline', settings: { allowEmpty: true } }))).toEqual(['stopped']);
  });

  test('is incomplete when a planned cell has no result, even if it was not stopped', () => {
    expect(judge('p', { planned: 2 })).toMatchObject({ outcome: 'incomplete', incompleteBecause: 'stopped' });
  });

  test('judges cells without a row as if they could belong to any case', () => {
    const options = { planned: 12, stop: 'interrupted' } as const;
    expect(judge('p p p p p f f f f f', { ...options, gate: passRate(0.69) }).outcome).toBe('incomplete');
    expect(judge('p p p p p f f f f f', { ...options, gate: passRate(0.71) }).outcome).toBe('failed');
  });

  test('never calls failed what the unreached cells could still turn into a pass', () => {
    const word = fc.stringMatching(/^[pfsc]{1,4}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (words, min) => {
          const text = words.join(' ');
          const now = judge(text, { gate: passRate(min), stop: 'bail' });
          const best = judge(text.replaceAll('s', 'p'), { gate: passRate(min), settings: { allowEmpty: true } });
          expect(now.outcome === 'failed').toBe(best.outcome === 'failed');
        },
      ),
    );
  });
});

describe('errors', () => {
  test.each<[string, RunSettings['maxErrors'], 'passed' | 'incomplete']>([
    ['p e', { count: 0 }, 'incomplete'],
    ['p e', { count: 1 }, 'passed'],
    ['p e e', { count: 1 }, 'incomplete'],
    ['p p p p p p p p p e', { fraction: 0.1 }, 'passed'],
    ['p p p p p p p p e e', { fraction: 0.1 }, 'incomplete'],
    ['p e c c c c c c c c', { fraction: 0.1 }, 'passed'],
    ['p p e', { fraction: 1 / 3 }, 'passed'],
    // 0.29 × 100 is a little less than 29 in floating point.
    ['e '.repeat(29) + 'p '.repeat(71), { fraction: 0.29 }, 'passed'],
  ])('in %j with a tolerance of %j', (rows, maxErrors, outcome) => {
    expect(judge(rows, { settings: { maxErrors } }).outcome).toBe(outcome);
  });

  test('beyond the tolerance are counted over all variants and named', () => {
    expect(judge('p e e', { settings: { maxErrors: { fraction: 0.25 } } })).toMatchObject({
      incompleteBecause: 'errors',
      breaches: [{ code: 'errors-exceeded', message: '2 of 3 cells could not be judged (--max-errors 25 %)' }],
    });
  });

  test('that are all there is are no verdict, however much is tolerated', () => {
    expect(judge('e e', { settings: { maxErrors: { fraction: 1 } } })).toMatchObject({
      outcome: 'incomplete',
      incompleteBecause: 'nothing-evaluated',
    });
    expect(codes(judge('e e'))).toEqual(['errors-exceeded']);
  });

  test('do not count as failed trials', () => {
    expect(judge('pe', { settings: { maxErrors: { count: 1 } } }).outcome).toBe('passed');
  });
});

describe('an empty run', () => {
  const decideOn = (suites: Parameters<typeof buildHeader>[0], overrides: Partial<RunSettings> = {}) =>
    decideAlone(summarizeRun(buildHeader(suites), [], end), { ...settings, ...overrides });
  const nothing = buildRecordedSuite([buildVariant(0)]);

  test.each([
    ['no suite', [], 'no suite was found'],
    ['no case', [nothing], 'no case was selected'],
    ['only observed cases', [buildRecordedSuite([buildVariant(0, { observed: 3 })])], 'all 3 cells are under observe'],
  ])('with %s is incomplete', (_name, suites, message) => {
    const decision = decideOn(suites);
    expect(decision).toMatchObject({ outcome: 'incomplete', incompleteBecause: 'nothing-evaluated' });
    expect(decision.breaches[0]?.message).toContain(message);
    expect(decideOn(suites, { allowEmpty: true })).toMatchObject({ outcome: 'passed', breaches: [] });
  });

  test('whose cells its suite skips is incomplete', () => {
    expect(judge('c c')).toMatchObject({ outcome: 'incomplete', incompleteBecause: 'nothing-evaluated' });
    expect(judge('c c', { settings: { allowEmpty: true } }).outcome).toBe('passed');
    expect(judge('c p').outcome).toBe('passed');
  });

  test('that is one of several shards passes', () => {
    expect(decideOn([nothing], { shard: { index: 3, count: 4 } }).outcome).toBe('passed');
    expect(decideOn([nothing], { shard: { index: 1, count: 1 } }).outcome).toBe('incomplete');
    expect(decideOn([], { shard: { index: 3, count: 4 } }).outcome).toBe('incomplete');
    expect(judge('c c', { settings: { shard: { index: 1, count: 2 } } }).outcome).toBe('incomplete');
  });

  test('observed cells that failed break nothing', () => {
    const watched = buildRowSummary({ caseId: 'watched', status: 'failed', observe: true, mustPass: true });
    expect(judge([...rowsOf('p'), watched]).outcome).toBe('passed');
  });
});

describe('a selection that found nothing', () => {
  const named = { message: 'no case has the tag legal', isNamed: true };
  const found = { message: 'evals/old.jsonl holds no case', isNamed: false };

  test('makes a run incomplete where its name was written, and warns where a pattern found it', () => {
    const decision = judge('p', { settings: { emptySelections: [named, found] } });
    expect(decision.warnings).toEqual([named.message, found.message]);
    expect(decision).toMatchObject({
      incompleteBecause: 'nothing-evaluated',
      breaches: [{ code: 'nothing-evaluated', message: `${named.message} (--allow-empty accepts that)` }],
    });
    expect(judge('p', { settings: { emptySelections: [found] } })).toMatchObject({ outcome: 'passed', breaches: [] });
    expect(judge('p', { settings: { emptySelections: [named], allowEmpty: true } }).outcome).toBe('passed');
  });

  test('of a slice without a verdict is left to the other shards', () => {
    const german = { gate: { slices: { german: { passRate: { min: 0.5 } } } } };
    const rows = [...rowsOf('p'), buildRowSummary({ caseId: 'z', status: 'errored', slices: ['german'] })];
    const ofRun = { maxErrors: { count: 1 } };
    expect(judge(rows, { ...german, settings: ofRun })).toMatchObject({ incompleteBecause: 'nothing-evaluated' });
    const shard = { index: 1, count: 2 };
    expect(judge(rows, { ...german, settings: { ...ofRun, shard } })).toMatchObject({ outcome: 'passed' });
  });
});

describe('a suite whose judge is not validated', () => {
  const message = 'judge gpt-4o has no labels';
  const unvalidated = { replayed: true as const, unvalidated: [message] };
  const failing = { ...unvalidated, suite: 'replies' };

  test('is incomplete, with its failures as warnings', () => {
    expect(judge('f', { suite: unvalidated })).toMatchObject({
      outcome: 'incomplete',
      incompleteBecause: 'unvalidated',
      breaches: [{ code: 'judge-unvalidated', suite: 'triage', message }],
      warnings: ['triage: pass rate 0 % is below 100 % (not decided: its judge is not validated)'],
    });
  });

  test('does not keep another suite from failing', () => {
    const suites = [
      buildRecordedSuite([buildVariant(1)], {}, { replayed: true }),
      buildRecordedSuite([buildVariant(1)], {}, failing),
    ];
    const summary = summarizeRun(buildHeader(suites), [...rowsOf('f'), ...rowsOf('f', { suite: 'replies' })], end);
    expect(decideAlone(summary, settings)).toMatchObject({
      outcome: 'failed',
      breaches: [
        { code: 'pass-rate-min', suite: 'triage' },
        { code: 'judge-unvalidated', suite: 'replies' },
      ],
    });
  });

  test('fails all the same by its contract, which no judge decides', () => {
    const summary = summarize(rowsOf('p'), { suite: unvalidated });
    const judged = judgeRun([], { summary, settings, isFinal: true });
    const failures = [{ code: 'contract-broken', suite: 'triage', message: 'a member was removed' }] as const;
    const decision = decide({ summary, settings, judged, further: { failures, warnings: [] } });
    expect([decision.outcome, codes(decision)]).toEqual(['failed', ['contract-broken', 'judge-unvalidated']]);
  });

  test('says nothing where none of its cases was selected', () => {
    const suites = [
      buildRecordedSuite([buildVariant(1)], {}, { replayed: true }),
      buildRecordedSuite([buildVariant(0)], {}, failing),
    ];
    expect(decideAlone(summarizeRun(buildHeader(suites), rowsOf('p'), end), settings)).toMatchObject({
      outcome: 'passed',
      breaches: [],
    });
  });
});

describe('a must-pass case', () => {
  const lax = { gate: passRate(0) };
  const must = (outcomes: string, fresh = '') => [
    ...rowsOf(outcomes, { mustPass: true }),
    ...rowsOf(fresh, { mustPass: true, confirmation: true }).map((row) => ({
      ...row,
      trial: row.trial + outcomes.length,
    })),
  ];

  const asked = { ...lax, suite: {} };

  test.each<[string, string, Decision['outcome']]>([
    ['ppp', '', 'passed'],
    // Two of three confirm it.
    ['fff', 'ff', 'failed'],
    ['ppf', 'ff', 'failed'],
    ['ppf', 'pff', 'failed'],
    ['ppf', 'fpf', 'failed'],
    ['ppf', 'pp', 'passed'],
    ['ppf', 'fpp', 'passed'],
    ['ppf', 'epp', 'passed'],
    ['ppf', 'eff', 'failed'],
    ['ppf', 'ee', 'incomplete'],
    ['ppf', 'epe', 'incomplete'],
    // Nothing has confirmed it.
    ['ppf', '', 'inconclusive'],
    ['ppf', 'f', 'inconclusive'],
    ['ppf', 'ef', 'inconclusive'],
    ['ppf', 'p', 'inconclusive'],
    ['ppf', 'pf', 'inconclusive'],
  ])('with trials %j and fresh trials %j is %s', (trials, fresh, outcome) => {
    expect(judge(must(trials, fresh), asked).outcome).toBe(outcome);
  });

  test('whose failure can’t be confirmed for a recording is broken', () => {
    expect(judge(must('ppf'), lax).outcome).toBe('failed');
  });

  test('that failed is named with its counts, whatever the pass rate allows', () => {
    expect(judge(must('pff', 'pff'), asked).breaches).toEqual([
      {
        code: 'must-pass',
        suite: 'triage',
        prompt: 'v1',
        provider: 'p',
        caseId: 'case-0',
        message: 'must-pass case case-0 failed 2 of 3 trials, and 2 of 3 fresh ones',
      },
    ]);
  });

  test('is never left open, whatever gate.unsettled says', () => {
    const lenient = { ...asked, gate: { ...lax.gate, unsettled: 'warn' as const } };
    expect(judge(must('ppf'), lenient).outcome).toBe('inconclusive');
    expect(judge(rowsOf('f p'), { suite: {}, gate: { unsettled: 'warn' } }).outcome).toBe('passed');
    expect(judge(rowsOf('f p'), { suite: {} }).outcome).toBe('inconclusive');
  });

  test('that failed once fails the gate even if another trial is errored', () => {
    expect(judge(must('fe'), { ...lax, settings: { maxErrors: { count: 5 } } })).toMatchObject({
      outcome: 'failed',
      breaches: [{ code: 'must-pass' }],
    });
  });

  test('that passes its fresh trials is a visible warning', () => {
    expect(judge(must('pf', 'pp'), asked).warnings).toEqual([
      'triage: must-pass case case-0 failed 1 time and then passed 2 fresh trials: it is flaky',
    ]);
  });
});

describe('a first run', () => {
  const first = (outcomes: string, fresh: string, options: RunOptions = {}) => {
    const all = [
      ...rowsOf(outcomes),
      ...rowsOf(fresh, { confirmation: true }).map((row) => ({ ...row, trial: row.trial + 100 })),
    ];
    return judge(all, { suite: {}, ...options });
  };

  test.each<[string, string, Decision['outcome']]>([
    ['p p p', '', 'passed'],
    // One that passes clears the case, and it counts as passed.
    ['f p p', 'p', 'passed'],
    ['f p p', 'ffp', 'passed'],
    ['f f p', 'p p', 'passed'],
    // It passes at times, so it is not asked again.
    ['pf p p', '', 'passed'],
    // Each failure counts two to one, against twice as much where two cases are flagged.
    ['f p p', 'ffffff', 'failed'],
    ['f f p', 'p fffffff', 'failed'],
    ['f f p', 'p ffffff', 'inconclusive'],
    ['f p p', 'fffff', 'inconclusive'],
    ['f p p', '', 'inconclusive'],
    ['f p p', 'ee', 'incomplete'],
  ])('with trials %j and fresh trials %j is %s', (trials, fresh, outcome) => {
    expect(first(trials, fresh).outcome).toBe(outcome);
  });

  test('says that a case flaked, and fails by its pass rate', () => {
    expect(first('f p p', 'p').warnings).toEqual(['triage: case case-0 failed 1 time and then passed a fresh trial']);
    expect(first('f p p p', 'ffffff')).toMatchObject({
      breaches: [{ code: 'pass-rate-min', message: 'pass rate 75 % is below 100 %' }],
    });
  });

  test('is held to the pass rate that the suite sets, whatever fresh trials say', () => {
    expect(first('f p p', 'p', { gate: passRate(1) }).outcome).toBe('failed');
    expect(first('f p p', 'ffffff', { gate: passRate(0.6) }).outcome).toBe('passed');
  });

  test('that flaked is incomplete while cells were not reached', () => {
    expect(first('f s p', 'p', { stop: 'budget' }).outcome).toBe('incomplete');
  });

  test('of several variants names how many are compared with nothing where certainty is asked for', () => {
    const suite = buildRecordedSuite([buildVariant(1), buildVariant(1, { provider: 'q' })], { certify: true });
    const rows = [...rowsOf('p'), ...rowsOf('p', { provider: 'q' })];
    expect(decideAlone(summarizeRun(buildHeader([suite]), rows, end), settings).breaches).toMatchObject([
      { message: '2 variants are compared with nothing, and gate.certify asks for all of them' },
    ]);
  });

  test('counts a failure whose fresh trials errored as one more error', () => {
    expect(first('f p p', 'ee').breaches).toMatchObject([
      {
        code: 'errors-exceeded',
        message:
          '0 of 3 cells could not be judged; 1 that failed could not be confirmed, since their fresh trials errored (--max-errors 0)',
      },
      { code: 'unsettled', caseId: 'case-0' },
    ]);
  });
});

describe('the other limits', () => {
  const scored = (...scores: readonly number[]) =>
    scores.map((score, index) => buildRowSummary({ caseId: `c${index}`, score }));
  const slow = (...all: readonly number[]) =>
    all.map((latencyMs, index) => buildRowSummary({ caseId: `c${index}`, latencyMs }));
  const costing = (...all: readonly (number | null)[]) =>
    all.map((costUsd, index) => buildRowSummary({ caseId: `c${index}`, costUsd }));
  const unreached = buildRowSummary({ caseId: 'z', status: 'skipped', skipReason: 'bail' });

  test('the mean score has a minimum', () => {
    const gate = { score: { min: 0.7 } };
    expect(judge(scored(0.6, 0.8), { gate }).outcome).toBe('passed');
    expect(judge(scored(0.5, 0.75), { gate }).breaches).toMatchObject([
      { code: 'score-min', metric: 'score', candidate: 0.625 },
    ]);
    expect(judge([...scored(0.6, 0.79), unreached], { gate, stop: 'bail' }).outcome).toBe('incomplete');
    expect(judge([...scored(0.1, 0.1), unreached], { gate, stop: 'bail' }).outcome).toBe('failed');
  });

  test('the cost has a maximum', () => {
    const gate = { cost: { max: 0.3 } };
    expect(judge(costing(0.1, 0.2), { gate }).outcome).toBe('passed');
    expect(judge(costing(0.1, 0.21), { gate }).breaches).toMatchObject([{ code: 'cost-max', metric: 'cost' }]);
    expect(judge([...costing(0.4), unreached], { gate, stop: 'bail' }).outcome).toBe('failed');
    expect(judge([...costing(0.1), unreached], { gate, stop: 'bail' }).outcome).toBe('incomplete');
  });

  test('a cost that is not known can’t be judged, which is an error and no failure', () => {
    const decision = judge(costing(0.1, null), { gate: { cost: { max: 0.3 } } });
    expect(decision).toMatchObject({
      outcome: 'incomplete',
      incompleteBecause: 'errors',
      breaches: [{ code: 'unpriced' }],
    });
    expect(exitCodeFor(decision)).toBe(3);
    expect(judge(costing(0.1, null)).outcome).toBe('passed');
  });

  test('the p95 latency has a maximum', () => {
    const gate = { latency: { p95MaxMs: 1000 } };
    expect(judge(slow(900, 1000), { gate }).outcome).toBe('passed');
    expect(judge(slow(900, 1100), { gate }).breaches).toMatchObject([{ code: 'latency-p95-max', metric: 'latency' }]);
    const fast = Array.from({ length: 30 }, (_, index) => ({ ...unreached, caseId: `u${index}` }));
    expect(judge([...slow(1100), ...fast], { gate, stop: 'bail' }).outcome).toBe('incomplete');
    expect(judge([...slow(2000, 2000), unreached], { gate, stop: 'bail' }).outcome).toBe('failed');
  });

  test('count observed cells as nothing, also where other cells were not reached', () => {
    const watched = (row: Partial<RowSummary>) => buildRowSummary({ caseId: 'watched', observe: true, ...row });
    const stopped = { gate: passRate(0.7), stop: 'bail' } as const;
    expect(judge([...rowsOf('p s'), watched({ status: 'failed' })], stopped).outcome).toBe('incomplete');
    const latency = { gate: { latency: { p95MaxMs: 1000 } } };
    expect(judge([...slow(900), watched({ latencyMs: 9000 })], latency).outcome).toBe('passed');
  });

  test('an answer without a measured latency is an error only where it could miss the limit', () => {
    const gate = { latency: { p95MaxMs: 1000 } };
    const untimed = buildRowSummary({ caseId: 'untimed', latencyMs: undefined });
    expect(judge([...slow(900), untimed], { gate })).toMatchObject({
      incompleteBecause: 'errors',
      breaches: [{ code: 'untimed', message: expect.stringContaining('the latency of 1 of 2 answers is not known') }],
    });
    expect(judge([...slow(2000, 2000), untimed], { gate }).breaches).toMatchObject([{ code: 'latency-p95-max' }]);
    const fast = Array.from({ length: 30 }, () => 900);
    expect(judge([...slow(...fast), untimed], { gate }).outcome).toBe('passed');
  });

  test('several missed limits are all named', () => {
    const gate = { passRate: { min: 1 }, score: { min: 1 }, cost: { max: 0 }, latency: { p95MaxMs: 1 } };
    expect(codes(judge('f', { gate }))).toEqual(['pass-rate-min', 'score-min', 'cost-max', 'latency-p95-max']);
  });
});

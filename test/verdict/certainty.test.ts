import { describe, expect, test } from 'vitest';
import type { ComparedVariant } from '../../src/model/comparison/comparison.ts';
import type { Certainty } from '../../src/model/comparison/gate.ts';
import type { AcceptedPromptState, RecordedVariant } from '../../src/model/run/record.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { combineCertainty } from '../../src/verdict/gate/certainty.ts';
import { decide } from '../../src/verdict/gate/decide-run.ts';
import { buildGated, type GatedOptions, judgeGated, unchanged } from '../support/build-gated.ts';
import { buildCaseSummary, buildSide, compareSides, repeatCase } from '../support/build-side.ts';
import { rowsOf, settings, summarize } from '../support/build-summary.ts';

function certaintyOf(compared: ComparedVariant, options: GatedOptions = {}) {
  return judgeGated([buildGated(compared, options)]).comparisons[0]?.certainty;
}

const noAdvice = { cases: null, repeats: null };

const clean = (count: number) => compareSides(buildSide(repeatCase(count, 'p')), buildSide(repeatCase(count, 'p')));

describe('a comparison', () => {
  test('is certain where a drop beyond the margin is excluded', () => {
    expect(certaintyOf(clean(100))).toEqual({ kind: 'certain', cases: 100 });
    const lax = { passRate: { maxDrop: 0.2 } };
    expect(certaintyOf(clean(20), { gate: lax })).toEqual({ kind: 'certain', cases: 20 });
  });

  test('is otherwise unseen, with the drop that could go unnoticed', () => {
    const certainty = certaintyOf(clean(20));
    expect(certainty).toMatchObject({ kind: 'unseen', cases: 20 });
    expect(certainty?.drop).toBeCloseTo(0.161, 3);
    // Of a pass rate that rose, the bound may lie above zero.
    const risen = compareSides(buildSide(repeatCase(20, 'f')), buildSide(repeatCase(20, 'p')));
    expect(certaintyOf(risen)).toEqual({ kind: 'certain', cases: 20 });
  });

  test('is unchanged where nothing that is sent has changed and every case has its verdict', () => {
    expect(certaintyOf(clean(20), { acceptedPrompt: unchanged })).toEqual({ kind: 'unchanged', cases: 20 });
    const known = buildSide({ ...repeatCase(20, 'p'), ...repeatCase(3, 'f') });
    expect(certaintyOf(compareSides(known, known), { acceptedPrompt: unchanged })?.kind).toBe('unchanged');
    for (const after of [
      { ...repeatCase(20, 'p'), 'case-000': 'f' },
      { ...repeatCase(20, 'p'), 'case-000': 'e' },
      { ...repeatCase(20, 'p'), another: 'p' },
      repeatCase(19, 'p'),
    ]) {
      const compared = compareSides(buildSide(repeatCase(20, 'p')), buildSide(after));
      expect(certaintyOf(compared, { acceptedPrompt: unchanged })?.kind).toBe('unseen');
    }
  });

  test('is unchanged where every answer is the one that was accepted', () => {
    const same = { cached: true, answerHash: 'x', answerId: 'x' };
    const side = buildSide({ a: buildCaseSummary('a', 'p', { row: same }) });
    const compared = compareSides(side, side);
    expect(certaintyOf({ ...compared, sameAnswers: 1, answers: 1 })).toEqual({ kind: 'unchanged', cases: 1 });
    expect(certaintyOf({ ...compared, sameAnswers: 1, answers: 2 })?.kind).toBe('unseen');
    expect(certaintyOf({ ...compared, sameAnswers: 0, answers: 0 })?.kind).toBe('unseen');
  });

  test('is not unchanged where a pass rate moved within the trials of a case', () => {
    const compared = compareSides(buildSide({ a: 'ppp', b: 'p' }), buildSide({ a: 'ppf', b: 'p' }));
    expect(certaintyOf(compared, { acceptedPrompt: unchanged })?.kind).toBe('unseen');
  });

  test('is neither where something looks worse and is not settled', { tags: ['slow'] }, () => {
    const suspect = buildSide({ ...repeatCase(400, 'p'), 'case-000': 'f' });
    const compared = compareSides(buildSide(repeatCase(400, 'p')), suspect);
    expect(certaintyOf(compared)?.kind).toBe('unseen');
    const cleared = buildSide({ ...repeatCase(400, 'p'), 'case-000': 'f+p' });
    expect(certaintyOf(compareSides(buildSide(repeatCase(400, 'p')), cleared))?.kind).toBe('certain');
  });

  test('is as sure as what the change’s own baseline says of it', () => {
    const candidate = buildSide({ ...repeatCase(20, 'p'), z: 'f' });
    const compared = compareSides(buildSide({ ...repeatCase(20, 'p'), z: 'p' }), candidate);
    const own = compareSides(candidate, candidate);
    expect(certaintyOf(compared, { own })).toEqual({ kind: 'unchanged', cases: 21 });
  });

  test('is not sure by the change’s own baseline where that shares nothing with what was accepted, or has no case', () => {
    const candidate = buildSide(repeatCase(20, 'p', 'new'));
    const other = compareSides(buildSide(repeatCase(20, 'p', 'old')), candidate);
    expect(certaintyOf(other, { own: compareSides(candidate, candidate) })?.kind).toBe('unseen');
    expect(certaintyOf(clean(20), { own: compareSides(buildSide({}), buildSide({})) })?.kind).toBe('unseen');
  });

  test('is as sure as the change’s own baseline only where that was asked the same, or holds the same answers', () => {
    const side = (recorded: Partial<RecordedVariant>) => buildSide(repeatCase(20, 'p'), recorded);
    const kindBeside = (before: Partial<RecordedVariant>, after: Partial<RecordedVariant>, same = 0) => {
      const own = { ...compareSides(side(before), side(after)), sameAnswers: same, answers: 20 };
      return certaintyOf(clean(20), { own })?.kind;
    };
    expect(kindBeside({}, {})).toBe('unchanged');
    // What a program imports may have changed.
    expect(kindBeside({ adapter: 'exec' }, { adapter: 'exec', isContentUnknown: true })).toBe('unseen');
    expect(kindBeside({ adapter: 'exec' }, { adapter: 'exec' })).toBe('unchanged');
    const asked = { messages: [{ role: 'user', content: 'Sort: {{ email }}' }] } as const;
    expect([kindBeside({}, asked), kindBeside({}, asked, 20)]).toEqual(['unseen', 'unchanged']);
  });

  test('is not unchanged by equal answers that other headers may have asked for, or that one of several prompts gave', () => {
    const same = (compared: ComparedVariant) => ({ ...compared, sameAnswers: 20, answers: 20 });
    expect(certaintyOf(same(clean(20)))?.kind).toBe('unchanged');
    const moved = buildSide(repeatCase(20, 'p'), { baseUrl: 'https://other.example/v1' });
    expect(certaintyOf(same(compareSides(buildSide(repeatCase(20, 'p')), moved)))?.kind).toBe('unseen');
    const ofSeveral: AcceptedPromptState = { is: 'unavailable', why: 'two prompts were accepted', isOfSeveral: true };
    expect(certaintyOf(same(clean(20)), { acceptedPrompt: ofSeveral })?.kind).toBe('unseen');
  });

  test('is not unchanged where checks were edited, although every verdict is equal', () => {
    const side = buildSide(repeatCase(20, 'p'));
    const edited = compareSides(side, side, { redefined: new Set(['case-000']) });
    expect(certaintyOf(edited, { acceptedPrompt: unchanged })?.kind).toBe('unseen');
    expect(certaintyOf({ ...edited, sameAnswers: 20, answers: 20 })?.kind).toBe('unseen');
    const many = buildSide(repeatCase(100, 'p'));
    const certain = compareSides(many, many, { redefined: new Set(['case-000']) });
    expect(certaintyOf(certain, { acceptedPrompt: unchanged })?.kind).toBe('certain');
  });

  test('is not unchanged where the content of a program is not known, although its requests are equal', () => {
    const own = buildSide(repeatCase(20, 'p'), { isContentUnknown: true });
    const compared = compareSides(buildSide(repeatCase(20, 'p')), own);
    expect(certaintyOf(compared, { acceptedPrompt: unchanged })?.kind).toBe('unseen');
  });

  test('is never that where cases drifted', () => {
    const compared = compareSides(
      buildSide(repeatCase(400, 'p')),
      buildSide({ ...repeatCase(400, 'p'), 'case-000': 'f+f|f' }),
    );
    for (const acceptedPrompt of [unchanged, undefined]) {
      expect(certaintyOf(compared, acceptedPrompt === undefined ? {} : { acceptedPrompt })?.kind).toBe('unseen');
    }
  });

  test('counts an errored trial as one that may have failed', () => {
    const errored = buildSide({ ...repeatCase(40, 'p'), 'case-000': 'e' });
    const certainty = certaintyOf(compareSides(buildSide(repeatCase(40, 'p')), errored));
    expect(certainty?.drop).toBeGreaterThan(certaintyOf(clean(40))?.drop ?? 1);
  });

  test.each(['changed', 'relabelled', 'unclassified'] as const)(
    'is not unchanged where a class is %s, and names the class of which most can be lost',
    (count) => {
      const { passRate } = clean(20);
      const classes = {
        cases: 20,
        f1: { evidence: passRate, maxDrop: 0.05 },
        recall: new Map([['legal', { evidence: passRate, maxDrop: 0.05, isLimited: true, planning: noAdvice }]]),
        cells: [],
        changed: 0,
        relabelled: 0,
        unclassified: 0,
        vanished: [],
      };
      const kindOf = (found: typeof classes) =>
        certaintyOf({ ...clean(20), classes: found }, { acceptedPrompt: unchanged });
      expect(kindOf(classes)?.kind).toBe('unchanged');
      expect(kindOf({ ...classes, [count]: 1 })).toMatchObject({
        kind: 'unseen',
        slice: { name: 'legal', isClass: true, cases: 20 },
      });
    },
  );

  test('must exclude a rise of a cost too, where the gate limits it', () => {
    const gate = { cost: { maxIncrease: 0.1 } };
    expect(certaintyOf(clean(100), { gate })?.kind).toBe('certain');
    const priced = (costUsd: number | null) =>
      Object.fromEntries(
        Object.keys(repeatCase(100, 'p')).map((id) => [id, buildCaseSummary(id, 'p', { row: { costUsd } })]),
      );
    const unknown = compareSides(buildSide(priced(1)), buildSide(priced(null)));
    expect([certaintyOf(unknown, { gate })?.kind, certaintyOf(unknown)?.kind]).toEqual(['unseen', 'certain']);
  });
});

describe('a run', () => {
  test.each<[string, readonly Certainty[], Certainty | undefined]>([
    ['without a comparison', [], undefined],
    [
      'all unchanged',
      [
        { kind: 'unchanged', cases: 3 },
        { kind: 'unchanged', cases: 4 },
      ],
      { kind: 'unchanged', cases: 7 },
    ],
    [
      'one certain',
      [
        { kind: 'unchanged', cases: 3 },
        { kind: 'certain', cases: 4 },
      ],
      { kind: 'certain', cases: 7 },
    ],
    [
      'one unseen',
      [
        { kind: 'certain', cases: 3 },
        { kind: 'unseen', cases: 4, drop: 0.2 },
      ],
      { kind: 'unseen', cases: 7, drop: 0.2 },
    ],
    [
      'two unseen',
      [
        { kind: 'unseen', cases: 3, drop: 0.1 },
        { kind: 'unseen', cases: 4, drop: 0.3 },
      ],
      { kind: 'unseen', cases: 7, drop: 0.3 },
    ],
    [
      'one of which nothing is known',
      [
        { kind: 'unseen', cases: 3, drop: 0.1 },
        { kind: 'unseen', cases: 0, drop: null },
      ],
      { kind: 'unseen', cases: 3, drop: null },
    ],
  ])('is as certain as its least certain comparison: %s', (_name, parts, certainty) => {
    expect(combineCertainty(parts)).toEqual(certainty);
  });

  test('is unseen where one of its variants is compared with nothing', () => {
    const certain: Certainty = { kind: 'certain', cases: 7 };
    expect(combineCertainty([certain], 1)).toEqual({ kind: 'unseen', cases: 7, drop: 0, uncompared: 1 });
    const unseen: Certainty = { kind: 'unseen', cases: 7, drop: 0.2 };
    expect(combineCertainty([unseen], 2)).toEqual({ ...unseen, uncompared: 2 });
    expect(combineCertainty([], 1)).toBeUndefined();
  });

  function decideOn(compared: ComparedVariant, options: GatedOptions = {}, requireConclusive = false) {
    const gated = buildGated(compared, options);
    const judged = judgeGated([gated]);
    const summary = { ...summarize(rowsOf('p')), suites: [gated.suite] };
    const ofRun = { ...settings, requireConclusive };
    return decide({ summary, settings: ofRun, judged });
  }

  const certify: Partial<GatePolicy> = { certify: true };

  test.each([
    ['certain', clean(100), {}, 'passed', 'passed', undefined],
    ['unchanged', clean(2), { acceptedPrompt: unchanged }, 'passed', 'passed', undefined],
    ['unseen', clean(2), {}, 'passed', 'incomplete', '1 verdict is open, and --require-conclusive asks for it'],
  ] as const)(
    'that is %s passes, and is enough where certainty is asked for: %#',
    (_name, compared, options, plain, strict, message) => {
      expect(decideOn(compared, options).outcome).toBe(plain);
      const required = decideOn(compared, options, true);
      expect([required.outcome, required.breaches[0]?.message]).toEqual([strict, message]);
      const certified = decideOn(compared, { ...options, gate: certify });
      expect([certified.outcome, certified.breaches[0]?.message]).toEqual([
        strict,
        message?.replace('--require-conclusive', 'gate.certify'),
      ]);
    },
  );

  test('says its certainty beside the outcome', () => {
    expect(decideOn(clean(100)).certainty).toEqual({ kind: 'certain', cases: 100 });
    expect(decideOn(clean(2)).certainty).toMatchObject({ kind: 'unseen', cases: 2 });
  });
});

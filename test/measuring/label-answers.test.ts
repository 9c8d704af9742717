import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLabelSession } from '../../src/measuring/label-answers.ts';
import type { Criterion, LabelledAnswer, Suite } from '../../src/model/suite/suite.ts';
import { compareText } from '../../src/text/compare-text.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import { buildHeader, buildRow, catchUserError, endRow, makeFolder } from '../record/build-rows.ts';
import { buildCase, buildCheck, buildProvider } from '../support/build-case.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

const at = { file: 'evals/s.eval.yaml', line: 4, column: 2 };
const rubric = buildCheck({ assertion: 'rubric', params: { value: 'Is it kind?' }, asks: 'strict' });

/** What the judge said of an answer: its verdict, and the share of votes for it. */
interface Said {
  readonly answer: string;
  readonly pass: boolean;
  readonly agreement?: number;
  readonly caseId?: string;
  readonly judge?: string;
  readonly error?: string;
  /** Of the check. */
  readonly name?: string;
}

function open(
  said: readonly Said[],
  options: {
    size?: number;
    seed?: number;
    check?: string;
    labels?: string;
    criteria?: readonly Partial<Criterion>[];
    turns?: boolean;
    labelled?: readonly string[];
    labelledByOthers?: readonly string[];
  } = {},
) {
  const root = makeFolder();
  const {
    size = 10,
    seed = 1,
    check,
    labels = 'labels.jsonl',
    criteria = [{}],
    labelled = [],
    labelledByOthers = [],
  } = options;
  const judge = {
    ...buildProvider({ id: 'strict' }),
    at,
    judging: labels === '' ? {} : { labels: join(root, labels) },
  } as Criterion['judge'];
  const built = criteria.map((more) => ({ judge, assertion: 'rubric', criterionHash: 'h', at, ...more }));
  const cases = ['a', 'b'].map((id) =>
    buildCase({
      id,
      vars: { q: id },
      checks: [buildCheck(), rubric, buildCheck({ ...rubric, name: 'tone' })],
      turns: options.turns === true ? ([{ checks: [] }] as never) : [],
    }),
  );
  const suite = {
    id: 's',
    path: 'evals/s.eval.yaml',
    criteria: built,
    labels: [
      ...labelled.map((id) => ({ id, criterion: built[0] }) as LabelledAnswer),
      ...labelledByOthers.map((id) => ({ id, criterion: { judge: { id: 'mild' } } }) as LabelledAnswer),
    ],
    *cases() {
      yield* cases;
    },
  } as unknown as Suite;
  const rows = said.map(({ answer, pass, agreement = 1, caseId = 'a', judge: by = 'strict', error, name }, trial) =>
    buildRow(caseId, {
      suite: 's',
      provider: 'p',
      trial,
      output: answer,
      checks: [
        { assertion: 'contains', pass: true, score: 1, reason: '' },
        {
          assertion: 'rubric',
          pass,
          score: pass ? 1 : 0,
          reason: '',
          judgement: { judge: by, votes: 3, agreement, check: 'c' },
          ...(error !== undefined && { error }),
          ...(name !== undefined && { name }),
        },
      ],
    }),
  );
  const recorded = buildRecordedSuite([buildVariant(rows.length)], {}, { suite: 's' });
  if (said.length > 0) writeStoredRun(root, buildHeader({ suites: [recorded] }), rows, endRow);
  const file = join(root, labels);
  return {
    file,
    start: () => openLabelSession(suite, { root, cwd: root, size, seed, ...(check !== undefined && { check }) }),
  };
}

const many = (count: number, pass: boolean, agreement = 1): Said[] =>
  Array.from({ length: count }, (_, index) => ({ answer: `${pass}-${agreement}-${index}`, pass, agreement }));

describe('the draw', () => {
  const strataOf = (said: readonly Said[], size: number, seed = 1) => {
    const { open: drawn } = open(said, { size, seed }).start();
    const counts: Record<string, number> = {};
    for (const { drawn: from } of drawn) {
      const group = `${from.stratum} of ${from.of}`;
      counts[group] = (counts[group] ?? 0) + 1;
    }
    return counts;
  };

  test.each<[string, readonly Said[], number, object]>([
    ['half and half', [...many(9, true), ...many(9, false)], 6, { '2 of 9': 3, '4 of 9': 3 }],
    ['the odd one from passes', [...many(9, true), ...many(9, false)], 7, { '2 of 9': 4, '4 of 9': 3 }],
    ['more passes where failures are few', [...many(9, true), ...many(2, false)], 6, { '2 of 9': 4, '4 of 2': 2 }],
    ['more failures where passes are few', [...many(1, true), ...many(9, false)], 6, { '2 of 1': 1, '4 of 9': 5 }],
    ['all there are', [...many(2, true), ...many(1, false)], 9, { '2 of 2': 2, '4 of 1': 1 }],
    [
      'half of each side from split votes',
      [...many(5, true), ...many(5, true, 0.66), ...many(5, false), ...many(5, false, 0.66)],
      8,
      { '1 of 5': 2, '2 of 5': 2, '3 of 5': 2, '4 of 5': 2 },
    ],
    [
      'an answer that was judged both ways as a split one',
      [
        { answer: 'x', pass: true },
        { answer: 'x', pass: false },
      ],
      3,
      { '1 of 1': 1 },
    ],
    [
      'an answer that was judged alike once',
      [
        { answer: 'x', pass: false },
        { answer: 'x', pass: false },
      ],
      3,
      { '4 of 1': 1 },
    ],
    [
      'an answer that was split once stays so',
      [
        { answer: 'x', pass: true, agreement: 0.66 },
        { answer: 'x', pass: true },
      ],
      3,
      { '1 of 1': 1 },
    ],
    [
      'the same answer of two cases twice',
      [
        { answer: 'x', pass: true },
        { answer: 'x', pass: true, caseId: 'b' },
      ],
      3,
      { '2 of 2': 2 },
    ],
    [
      'only what this judge said',
      [
        { answer: 'x', pass: true },
        { answer: 'y', pass: true, judge: 'mild' },
        { answer: 'z', pass: true, error: 'no reply' },
        { answer: '', pass: true },
        { answer: 'w', pass: true, caseId: 'gone' },
      ],
      9,
      { '2 of 1': 1 },
    ],
  ])('takes %s', (_, said, size, counts) => {
    expect(strataOf(said, size)).toEqual(counts);
  });

  test('begins with split votes, in the order of the seed', () => {
    const said = [...many(5, true), ...many(2, true, 0.66), ...many(5, false), ...many(1, false, 0.66)];
    const idsOf = (size: number, seed: number) =>
      open(said, { size, seed })
        .start()
        .open.map(({ id }) => id);
    const drawn = open(said, { size: 13 }).start().open;
    expect(drawn.map(({ drawn: { stratum } }) => stratum % 2)).toEqual([
      1,
      1,
      1,
      ...Array.from({ length: 10 }, () => 0),
    ]);
    expect(new Set(idsOf(13, 1))).toEqual(new Set(idsOf(13, 2)));
    expect(idsOf(13, 1)).not.toEqual(idsOf(13, 2));
    expect(idsOf(13, 1)).toEqual(idsOf(13, 1));
    // A larger draw holds the smaller one.
    expect(idsOf(9, 1)).toEqual(expect.arrayContaining(idsOf(5, 1)));
    // Passes and failures are mixed.
    const strata = drawn.slice(3).map(({ drawn: { stratum } }) => stratum);
    expect(strata).not.toEqual(strata.toSorted((a, b) => a - b));
  });

  test('leaves out what this judge has a label for already', () => {
    const said = many(3, true);
    const [first] = open(said).start().open;
    const session = open(said, { labelled: [first?.id ?? ''] }).start();
    expect([session.open.length, session.drawn, session.source]).toEqual([2, 3, 'run 20261124-153012-a1b2']);
    expect(session.open.map(({ id }) => id)).not.toContain(first?.id);
  });

  test('names an answer by its case and a hash of its text', () => {
    const [drawn] = open([{ answer: 'x', pass: true }]).start().open;
    expect(drawn).toMatchObject({ answer: 'x', check: rubric, testCase: { id: 'a' }, drawn: { stratum: 2, of: 1 } });
    expect(drawn?.id).toBe(`a-${sha256Hex('rubric x').slice(0, 8)}`);
    const [ofNamed] = open([{ answer: 'x', pass: true, name: 'tone' }], { criteria: [{ name: 'tone' }] }).start().open;
    expect(ofNamed?.id).toBe(`a-${sha256Hex('tone x').slice(0, 8)}`);
  });

  test('takes from a group those that the seed puts first', () => {
    const order = (seed: number) =>
      many(9, true)
        .map(({ answer }) => ({ answer, rank: sha256Hex(`${seed} a-${sha256Hex(`rubric ${answer}`).slice(0, 8)}`) }))
        .toSorted((a, b) => compareText(a.rank, b.rank))
        .map(({ answer }) => answer);
    for (const seed of [1, 2, 3]) {
      const { open: drawn } = open(many(9, true), { size: 4, seed }).start();
      expect(drawn.map(({ answer }) => answer)).toEqual(order(seed).slice(0, 4));
    }
  });

  test('tells checks of one kind apart by their names, and labels by their judges', () => {
    const said = [
      { answer: 'x', pass: true },
      { answer: 'y', pass: true, name: 'tone' },
    ];
    const of = (more: Partial<Criterion>, check: string) =>
      open(said, { criteria: [more], check })
        .start()
        .open.map(({ answer }) => answer);
    expect([of({}, 'rubric'), of({ name: 'tone' }, 'tone')]).toEqual([['x'], ['y']]);
    const id = `a-${sha256Hex('rubric x').slice(0, 8)}`;
    expect(open(said, { labelledByOthers: [id] }).start().open).toHaveLength(1);
    expect(open(said, { labelled: [id] }).start().open).toHaveLength(0);
  });
});

describe('a label', () => {
  test('is added as one row, and only the first of an answer', () => {
    const { file, start } = open(many(2, true));
    const session = start();
    expect([session.file, existsSync(file)]).toEqual(['labels.jsonl', false]);
    const [first, second] = session.open;
    if (first === undefined || second === undefined) throw new Error('nothing was drawn');
    session.save(first, 'pass');
    session.save(first, 'fail');
    const row = (drawn: typeof first, label: string) => ({
      id: drawn.id,
      check: 'rubric',
      vars: { q: 'a' },
      answer: drawn.answer,
      label,
      drawn: { stratum: 2, of: 2 },
    });
    const rows = () =>
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
    expect(rows()).toEqual([row(first, 'pass')]);
    writeFileSync(file, readFileSync(file, 'utf8').trimEnd());
    session.save(second, 'fail');
    expect(rows()).toEqual([row(first, 'pass'), row(second, 'fail')]);
    expect(readFileSync(file, 'utf8')).toMatch(/[^\n]\n[^\n]+\n$/);
  });
});

describe('nothing can be labelled', () => {
  const said = many(2, true);
  const named = (name: string): Partial<Criterion> => ({ name });
  test.each<[string, readonly Said[], Parameters<typeof open>[1], string, string]>([
    [
      'without a run',
      [],
      {},
      'there is no stored answer of evals/s.eval.yaml',
      'run it first: llmcheck run evals/s.eval.yaml',
    ],
    [
      'without a verdict',
      [{ answer: 'x', pass: true, judge: 'mild' }],
      {},
      'run 20261124-153012-a1b2 holds no verdict of judge "strict" by rubric',
      'run it first: llmcheck run evals/s.eval.yaml',
    ],
    [
      'of conversations',
      said,
      { turns: true },
      'run 20261124-153012-a1b2 holds no verdict of judge "strict" by rubric',
      'run it first: llmcheck run evals/s.eval.yaml',
    ],
    [
      'without a judged check',
      said,
      { criteria: [] },
      'evals/s.eval.yaml has no check that asks a judge',
      'add one, such as rubric: …',
    ],
    [
      'of two checks',
      said,
      { criteria: [{}, { assertion: 'factual' }] },
      'evals/s.eval.yaml asks judges by 2 checks',
      'name one: --check rubric, --check factual',
    ],
    [
      'of two checks of one name',
      said,
      { criteria: [named('tone'), named('tone')], check: 'tone' },
      '2 checks of evals/s.eval.yaml are called tone',
      'give each check a name: of its own',
    ],
    [
      'of two checks without a name',
      said,
      { criteria: [{}, {}] },
      'evals/s.eval.yaml asks judges by 1 checks',
      'give each check a name: of its own',
    ],
    [
      'of a check that is not there',
      said,
      { criteria: [named('tone'), {}], check: 'kind' },
      'evals/s.eval.yaml has no judged check called kind',
      'name one: --check tone, --check rubric',
    ],
    [
      'by a name where the check has another',
      said,
      { criteria: [named('tone'), named('other')], check: 'rubric' },
      'evals/s.eval.yaml has no judged check called rubric',
      'name one: --check tone, --check other',
    ],
    [
      'of comparisons',
      said,
      { criteria: [{ assertion: 'pairwise' }] },
      'pairwise compares two answers, and a stored run holds one of them',
      'write its labels by hand, see https://github.com/llmcheck/llmcheck/blob/main/docs/judges.md',
    ],
    [
      'without a file',
      said,
      { labels: '' },
      'judge "strict" names no file for its labels',
      'add labels: FILE.jsonl to the judge',
    ],
    [
      'in a file of another form',
      said,
      { labels: 'labels.csv' },
      "labels.csv can't be added to row by row",
      'name a .jsonl file in labels:',
    ],
  ])('%s', (_, found, options, message, hint) => {
    expect(catchUserError(open(found, options).start).problems).toMatchObject([{ code: 'usage', message, hint }]);
  });

  test.each(['labels.jsonl', 'labels.NDJSON'])('not so in %s', (labels) => {
    expect(open(said, { labels }).start().file).toBe(labels);
  });
});

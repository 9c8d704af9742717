import { describe, expect, test } from 'vitest';
import { caseLabel, type Suite } from '../../src/model/suite/suite.ts';
import { buildCasePredicate, emptySelection, isNarrowed, type Selection } from '../../src/plan/select-cases.ts';
import { buildCase, buildSuite } from '../support/build-case.ts';
import fc from '../support/property.ts';

function suiteOf(id: string, ...caseIds: readonly string[]): Suite {
  return buildSuite(
    caseIds.map((caseId) => buildCase({ id: caseId })),
    { id, path: `evals/${id}.eval.yaml` },
  );
}

/** Labels of the cases that a selection keeps. */
function select(suites: readonly Suite[], selection: Partial<Selection>): string[] {
  const isSelected = buildCasePredicate(suites, { ...emptySelection, ...selection });
  return suites.flatMap((suite) =>
    [...suite.cases()].filter((testCase) => isSelected(suite, testCase)).map(({ id }) => caseLabel(suite.id, id)),
  );
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `case-${index}`);

describe('a filter', () => {
  const suites = [suiteOf('triage', 'refund', 'refund-late', 'greeting'), suiteOf('reply', 'refund', 'a.b', 'x/y')];

  test.each<[string, readonly string[]]>([
    ['refund', ['triage/refund', 'triage/refund-late', 'reply/refund']],
    ['late', ['triage/refund-late']],
    ['tria', ['triage/refund', 'triage/refund-late', 'triage/greeting']],
    ['triage/refund', ['triage/refund', 'triage/refund-late']],
    ['reply/refund', ['reply/refund']],
    ['refund*', ['triage/refund', 'triage/refund-late', 'reply/refund']],
    ['*late', ['triage/refund-late']],
    ['re*', ['triage/refund', 'triage/refund-late', 'reply/refund', 'reply/a.b', 'reply/x/y']],
    ['ref*d', ['triage/refund', 'reply/refund']],
    ['refun?', ['triage/refund', 'reply/refund']],
    ['{greeting,a.b}', ['triage/greeting', 'reply/a.b']],
    ['[gx]*', ['triage/greeting', 'reply/x/y']],
    ['triage/*', ['triage/refund', 'triage/refund-late', 'triage/greeting']],
    ['*/refund', ['triage/refund', 'reply/refund']],
    ['reply/x*', ['reply/x/y']],
    ['**', ['triage/refund', 'triage/refund-late', 'triage/greeting', 'reply/refund', 'reply/a.b', 'reply/x/y']],
    ['Refund', []],
    ['nothing', []],
    ['nothing*', []],
  ])('%s selects %j', (filter, expected) => {
    expect(select(suites, { filters: [filter] })).toEqual(expected);
  });

  test('is one of several: any may match', () => {
    expect(select(suites, { filters: ['late', 'reply/a*'] })).toEqual(['triage/refund-late', 'reply/a.b']);
  });

  test.each<[string, string]>([
    ['refund (angry)', 'refund (angry)'],
    ['(angry)', 'refund (angry)'],
    ['refund (*)', 'refund (angry)'],
    ['!important', '!important'],
    ['!imp*', '!important'],
    ['list[0]', 'list[0]'],
    ['what?', 'what?'],
    ['a\nb*', 'a\nb\nc'],
    ['.hid*', '.hidden'],
    ['a+b', 'a+b'],
    ['50%*', '50% off $1'],
  ])('%j finds the odd id %j', (filter, id) => {
    expect(select([suiteOf('s', id, 'other')], { filters: [filter] })).toEqual([`s/${id}`]);
  });

  test('that is any text is no crash, and the exact label of a case always selects it', () => {
    const id = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(id, id, fc.string(), (caseId, otherId, filter) => {
        const suite = suiteOf('s', caseId, `${otherId}2`);
        if (filter !== '') select([suite], { filters: [filter] });
        expect(select([suite], { filters: [caseId] })).toContain(`s/${caseId}`);
        expect(select([suite], { filters: [`s/${caseId}`] })).toContain(`s/${caseId}`);
      }),
    );
  });
});

describe('other selections', () => {
  test('tags keep the cases that have one of them', () => {
    const cases = [
      buildCase({ id: 'a', tags: ['billing'] }),
      buildCase({ id: 'b', tags: ['sales', 'slow'] }),
      buildCase({ id: 'c' }),
    ];
    expect(select([buildSuite(cases)], { tags: ['slow', 'billing'] })).toEqual(['triage/a', 'triage/b']);
    expect(select([buildSuite(cases)], { tags: ['bill'] })).toEqual([]);
  });

  test('given labels keep those cases alone, and every selection narrows the others', () => {
    const suites = [suiteOf('s', 'a', 'ab', 'b')];
    const onlyCases = new Set(['s/a', 's/b', 'gone/x']);
    expect(select(suites, { onlyCases })).toEqual(['s/a', 's/b']);
    expect(select(suites, { onlyCases, filters: ['a'] })).toEqual(['s/a']);
    expect(select(suites, { onlyCases: new Set() })).toEqual([]);
  });

  test('an empty selection keeps everything and narrows nothing', () => {
    expect(select([suiteOf('s', 'a', 'b')], {})).toEqual(['s/a', 's/b']);
    expect(isNarrowed(emptySelection)).toBe(false);
    expect(isNarrowed({ ...emptySelection, shard: { index: 1, count: 1 } })).toBe(false);
  });

  test.each<[string, Partial<Selection>]>([
    ['a filter', { filters: ['a'] }],
    ['a tag', { tags: ['a'] }],
    ['a prompt', { prompts: ['v1'] }],
    ['a provider', { providers: ['p'] }],
    ['a sample', { sample: { size: 1, seed: 0 } }],
    ['a shard', { shard: { index: 1, count: 2 } }],
    ['another number of trials', { trials: 1 }],
    ['given labels', { onlyCases: new Set() }],
  ])('%s narrows', (_name, selection) => {
    expect(isNarrowed({ ...emptySelection, ...selection })).toBe(true);
  });
});

describe('a sample', () => {
  const suites = [suiteOf('one', ...numbered(50)), suiteOf('two', ...numbered(3))];

  test('draws that many cases of each suite, the same for the same seed', () => {
    const drawn = select(suites, { sample: { size: 5, seed: 7 } });
    expect(drawn.filter((label) => label.startsWith('one/'))).toHaveLength(5);
    expect(drawn.filter((label) => label.startsWith('two/'))).toHaveLength(3);
    expect(select(suites, { sample: { size: 5, seed: 7 } })).toEqual(drawn);
    expect(select(suites, { sample: { size: 5, seed: 8 } })).not.toEqual(drawn);
  });

  test('does not depend on the order of the cases', () => {
    const turned = [suiteOf('one', ...numbered(50).toReversed())];
    const drawn = select(suites.slice(0, 1), { sample: { size: 5, seed: 1 } });
    expect(select(turned, { sample: { size: 5, seed: 1 } }).toSorted()).toEqual(drawn.toSorted());
  });

  test('draws from what the filter kept', () => {
    const drawn = select(suites, { filters: ['case-4*'], sample: { size: 4, seed: 0 } });
    expect(drawn).toHaveLength(4);
    for (const label of drawn) expect(label).toMatch(/^one\/case-4/);
  });

  test('draws every case about equally often over the seeds', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 400; seed += 1) {
      for (const label of select([suiteOf('s', ...numbered(10))], { sample: { size: 3, seed } })) {
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
    }
    // 120 expected, standard deviation 9.2.
    for (const count of counts.values()) expect(Math.abs(count - 120)).toBeLessThan(46);
    expect(counts.size).toBe(10);
  });
});

describe('shards', () => {
  test('partition the cases exactly, in sizes that differ by one at most', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 25 });
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 4 }), fc.integer({ min: 1, max: 9 }), (caseIds, count) => {
        const suites = caseIds.map((own, index) => suiteOf(`s${index}`, ...own));
        const shards = Array.from({ length: count }, (_, index) =>
          select(suites, { shard: { index: index + 1, count } }),
        );
        expect(shards.flat().toSorted()).toEqual(select(suites, {}).toSorted());
        const sizes = shards.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('keep apart two cases whose labels read alike', () => {
    const suites = [suiteOf('a', 'b/c', 'x'), suiteOf('a/b', 'c', 'y')];
    const shards = [1, 2, 3, 4].flatMap((index) => select(suites, { shard: { index, count: 4 } }));
    expect(shards.toSorted()).toEqual(['a/b/c', 'a/b/c', 'a/b/y', 'a/x']);
  });

  test('partition a sample too', () => {
    const suites = [suiteOf('s', ...numbered(40))];
    const sample = { size: 10, seed: 3 };
    const shards = [1, 2, 3].flatMap((index) => select(suites, { sample, shard: { index, count: 3 } }));
    expect(shards.toSorted()).toEqual(select(suites, { sample }).toSorted());
  });

  test('one more case moves few others', () => {
    const shardOf = (suites: readonly Suite[]) =>
      new Map([1, 2, 3, 4].flatMap((index) => select(suites, { shard: { index, count: 4 } }).map((id) => [id, index])));
    const before = shardOf([suiteOf('s', ...numbered(40))]);
    const after = shardOf([suiteOf('s', 'new', ...numbered(40))]);
    expect([...before].filter(([id, shard]) => after.get(id) !== shard).length).toBeLessThanOrEqual(4);
  });
});

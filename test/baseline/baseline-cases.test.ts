import { describe, expect, test } from 'vitest';
import { type MergeOptions, mergeBaseline } from '../../src/baseline/baseline-cases.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase, BaselineVariant } from '../../src/model/comparison/baseline.ts';
import { type BaselineRows, contentOf, parseRows, rowsOf } from '../support/baseline-rows.ts';
import fc from '../support/property.ts';

describe('accepting a filtered run', () => {
  test('replaces the rows that it has and leaves every other alone', () => {
    const old = build([buildCase('refund'), buildCase('parcel'), buildCase('refund', 'v2')]);
    const merged = merge(old, build([buildCase('refund', 'v1', 'new')]), { isFull: false });
    expect(caseHashes(merged)).toEqual(['parcel v1 old', 'refund v1 new', 'refund v2 old']);
    expect(merged.variants.map(({ prompt }) => prompt)).toEqual(['v1', 'v2']);
  });

  test('adds rows and variants that were not there', () => {
    const merged = merge(build([buildCase('refund')]), build([buildCase('refund', 'v2', 'new')]), {
      isFull: false,
    });
    expect(caseHashes(merged)).toEqual(['refund v1 old', 'refund v2 new']);
    expect(merged.variants.map(({ prompt }) => prompt)).toEqual(['v1', 'v2']);
  });

  test('takes the variant as it ran, with the model snapshots of the rows that stay', () => {
    const old = build([buildCase('refund'), buildCase('parcel')], {
      model: 'old',
      models: ['snapshot-1', 'snapshot-3'],
    });
    const fresh = build([buildCase('refund')], { model: 'new', models: ['snapshot-2', 'snapshot-3'] });
    expect(merge(old, fresh, { isFull: false }).variants).toMatchObject([
      { model: 'new', models: ['snapshot-1', 'snapshot-2', 'snapshot-3'] },
    ]);
  });

  test('forgets the snapshots of a variant whose every row it replaces', () => {
    const old = build([buildCase('refund')], { models: ['snapshot-1'] });
    const fresh = build([buildCase('refund')], { models: ['snapshot-2'] });
    expect(merge(old, fresh, { isFull: false }).variants).toMatchObject([{ models: ['snapshot-2'] }]);
  });

  test('keeps ids apart that could run into each other', () => {
    const old = build([buildCase('a","b', 'c')]);
    const merged = merge(old, build([buildCase('a', 'b","c', 'new')]), { isFull: false });
    expect(merged.cases).toHaveLength(2);
    expect(merged.variants).toHaveLength(2);
  });
});

describe('accepting a full run', () => {
  test('deletes rows and variants that it does not have', () => {
    const old = build([buildCase('refund'), buildCase('gone'), buildCase('refund', 'v0')]);
    const fresh = build([buildCase('refund', 'v1', 'new')]);
    expect(merge(old, fresh, { isFull: true })).toEqual(fresh);
  });
});

test('the first baseline is what ran, filtered or not', () => {
  const fresh = build([buildCase('refund')]);
  expect(merge(undefined, fresh, { isFull: false })).toEqual(fresh);
  expect(merge(undefined, fresh, { isFull: true })).toEqual(fresh);
});

test('accepting the same run again changes no byte, and what comes out can be read again', () => {
  fc.assert(
    fc.property(runs, runs, fc.boolean(), (old, fresh, isFull) => {
      const once = merge(old, fresh, { isFull });
      const text = [...renderBaseline(contentOf(once))].join('');
      expect([...renderBaseline(contentOf(merge(once, fresh, { isFull })))].join('')).toBe(text);
      expect(parseRows(text, 'file').cases).toHaveLength(once.cases.length);
    }),
  );
});

function merge(old: BaselineRows | undefined, fresh: BaselineRows, options: MergeOptions): BaselineRows {
  return rowsOf(mergeBaseline(old === undefined ? undefined : contentOf(old), contentOf(fresh), options));
}

const runs = fc
  .uniqueArray(fc.record({ caseId: fc.constantFrom('a', 'b', 'c'), prompt: fc.constantFrom('v1', 'v2') }), {
    selector: ({ caseId, prompt }) => caseId + prompt,
  })
  .chain((keys) =>
    fc.record({ caseHash: fc.constantFrom('x', 'y'), models: fc.subarray(['m1', 'm2']) }).map(({ caseHash, models }) =>
      build(
        keys.map(({ caseId, prompt }) => buildCase(caseId, prompt, caseHash)),
        { models },
      ),
    ),
  );

function build(cases: readonly BaselineCase[], changes: Partial<BaselineVariant> = {}): BaselineRows {
  const prompts = [...new Set(cases.map(({ prompt }) => prompt))];
  return { suite: 'triage', variants: prompts.map((prompt) => buildVariant(prompt, changes)), cases };
}

function buildVariant(prompt: string, changes: Partial<BaselineVariant>): BaselineVariant {
  return {
    type: 'variant',
    prompt,
    provider: 'openai:small',
    adapter: 'openai',
    model: 'small',
    params: {},
    messages: [],
    contract: {},
    models: ['snapshot-1'],
    ...changes,
  };
}

function buildCase(caseId: string, prompt = 'v1', caseHash = 'old'): BaselineCase {
  return {
    type: 'case',
    prompt,
    provider: 'openai:small',
    caseId,
    caseHash,
    trials: [{ trial: 0, status: 'passed', checks: [] }],
  };
}

function caseHashes({ cases }: BaselineRows): string[] {
  return cases.map(({ caseId, prompt, caseHash }) => `${caseId} ${prompt} ${caseHash}`).sort();
}

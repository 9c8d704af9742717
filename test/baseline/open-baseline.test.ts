import { expect, test } from 'vitest';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase, BaselineTrial } from '../../src/model/comparison/baseline.ts';
import { caseStatusOf } from '../../src/record/case-summaries.ts';
import { contentOf, rowsOf } from '../support/baseline-rows.ts';
import fc from '../support/property.ts';

const variant = {
  type: 'variant',
  adapter: 'a',
  model: 'm',
  params: {},
  messages: [],
  contract: {},
  models: [],
} as const;
const variants = [
  { ...variant, prompt: 'v1', provider: 'p' },
  { ...variant, prompt: 'v2', provider: 'p' },
];

const count = fc.oneof(fc.nat(), fc.constant(2 ** 32 - 1), fc.maxSafeNat());
const usage = fc.record(
  {
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count,
    reasoningTokens: count,
    outputAudioTokens: count,
  },
  { requiredKeys: ['inputTokens', 'outputTokens'] },
);
const trialBody = fc.record(
  {
    status: fc.constantFrom('passed', 'failed', 'errored', 'skipped'),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    latencyMs: fc.nat(),
    usage,
    output: fc.string(),
    answerHash: fc.oneof(fc.string(), fc.constant('0123456789abcdef')),
  },
  { requiredKeys: ['status'] },
);
const cases = fc.uniqueArray(
  fc.record({
    caseId: fc.string({ minLength: 1, maxLength: 3 }),
    prompt: fc.constantFrom('v1', 'v2'),
    caseHash: fc.constantFrom('x.1', 'x.2'),
    mustPass: fc.boolean(),
    trials: fc.array(trialBody, { minLength: 1, maxLength: 3 }),
    confirmations: fc.array(trialBody, { maxLength: 2 }),
  }),
  { selector: ({ caseId, prompt }) => JSON.stringify([caseId, prompt]), maxLength: 12 },
);

test('has of every case what the file has, in columns and whole, in whatever order its lines come', {
  tags: 'slow',
}, () => {
  fc.assert(
    fc.property(cases, fc.boolean(), (bodies, isShuffled) => {
      const rows = bodies.map(({ trials, confirmations, mustPass, ...row }): BaselineCase => {
        const number = (body: Omit<BaselineTrial, 'trial' | 'checks'>, trial: number) => ({
          checks: [],
          ...body,
          trial,
        });
        return {
          type: 'case',
          provider: 'p',
          ...row,
          ...(mustPass ? { mustPass } : {}),
          trials: trials.map((body, index) => number(body as BaselineTrial, index)),
          confirmations: confirmations.map((body, index) => number(body as BaselineTrial, trials.length + index)),
        };
      });
      const lines = [...renderBaseline(contentOf({ suite: 's', variants, cases: rows }))];
      const text = isShuffled ? [...lines.slice(0, 3), ...lines.slice(3).reverse()].join('') : lines.join('');
      const baseline = openBaselineText(text, 'file');
      expect(baseline.cases.flatMap((found) => [...found.caseIds()])).toHaveLength(rows.length);
      for (const row of rows) {
        const whole = baseline.readCase(row, row.caseId);
        expect(whole).toEqual(JSON.parse(JSON.stringify(row)));
        const found = baseline.casesOf(row).get(row.caseId);
        expect(found).toMatchObject({
          caseId: row.caseId,
          caseHash: row.caseHash,
          mustPass: row.mustPass === true,
          status: caseStatusOf(row.trials),
          observe: false,
        });
        const tell = (trials: readonly BaselineTrial[] = []) =>
          trials.map(({ trial, status, score, latencyMs, usage: used, answerHash }) => [
            trial,
            status,
            score,
            latencyMs,
            used,
            answerHash,
          ]);
        const seen = [found?.trials, found?.confirmations].map((views) =>
          views?.map((view) => [view.trial, view.status, view.score, view.latencyMs, view.usage, view.answerHash]),
        );
        expect(seen).toEqual([tell(row.trials), tell(row.confirmations)]);
      }
      expect(rowsOf(baseline).cases).toEqual(lines.slice(3).map((line): unknown => JSON.parse(line)));
    }),
  );
});

test('has no case that it does not have', () => {
  const baseline = openBaselineText(
    [...renderBaseline(contentOf({ suite: 's', variants, cases: [] }))].join(''),
    'file',
  );
  expect(baseline.readCase({ prompt: 'v1', provider: 'p' }, 'a')).toBeUndefined();
  expect(baseline.casesOf({ prompt: 'v9', provider: 'p' }).size).toBe(0);
  expect(() => baseline.cases[0]?.read('a')).toThrow(RangeError);
});

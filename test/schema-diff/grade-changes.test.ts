import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../../src/schema-diff/compare-schemas.ts';
import { applyApprovals, isContractBroken } from '../../src/schema-diff/grade-changes.ts';

const text = { type: 'string' };
const old: JsonValue = {
  type: 'object',
  properties: {
    queue: { enum: ['billing', 'legal'] },
    reason: { type: 'string', maxLength: 80 },
    score: { type: 'integer' },
  },
  required: ['queue', 'reason'],
  additionalProperties: false,
};
const replacement: JsonValue = {
  type: 'object',
  properties: { queue: { enum: ['billing'] }, reason: { type: 'string', maxLength: 200 }, score: { type: 'number' } },
  required: ['queue'],
};

function grade(options: Partial<SchemaComparisonOptions>): Readonly<Record<string, string>> {
  const findings = compareSchemas(old, replacement, { direction: 'output', ...options });
  return Object.fromEntries(findings.map(({ ruleId, severity }) => [ruleId, severity]));
}

const practical = {
  'enum-value-removed': 'info',
  'max-length-raised': 'error',
  'property-became-optional': 'error',
  'type-generalized': 'error',
  'object-opened': 'warn',
};

test('the practical policy is the default', () => {
  expect(grade({})).toEqual(practical);
  expect(grade({ policy: 'practical' })).toEqual(practical);
});

test('the formal policy fails whatever is no subset and nothing else', () => {
  expect(grade({ policy: 'formal' })).toEqual({ ...practical, 'object-opened': 'error' });
  expect(grade({ policy: 'formal', direction: 'input' })).toEqual({
    'enum-value-removed': 'error',
    'max-length-raised': 'info',
    'property-became-optional': 'info',
    'type-generalized': 'info',
    'object-opened': 'info',
  });
});

test('the lenient policy fails only removing, renaming and retyping', () => {
  expect(grade({ policy: 'lenient' })).toEqual({
    ...practical,
    'max-length-raised': 'warn',
    'property-became-optional': 'warn',
  });
});

test('strict consumers break when a closed object opens', () => {
  expect(grade({ strictConsumers: true })).toEqual({ ...practical, 'object-opened': 'error' });
  expect(grade({ strictConsumers: true, direction: 'input' })['object-opened']).toBe('info');
});

test('the last override that fits wins, by rule, by place or by both', () => {
  const overrides = [
    { rule: 'type-generalized', severity: 'warn' },
    { path: '/properties/reason', severity: 'info' },
    { path: '/properties/*', rule: 'max-length-raised', severity: 'off' },
  ] as const;
  expect(grade({ overrides })).toEqual({
    'enum-value-removed': 'info',
    'property-became-optional': 'info',
    'type-generalized': 'warn',
    'object-opened': 'warn',
  });
});

test('an ignored place hides what is below it', () => {
  expect(Object.keys(grade({ ignore: ['/properties'] }))).toEqual(['object-opened']);
  expect(grade({ ignore: ['/properties/rea'] })).toEqual(practical);
  expect(grade({ ignore: ['properties'] })).toEqual(practical);
});

test('a tombstone lowers a removal by one step', () => {
  const removal = { type: 'object', properties: { b: text } };
  const before = { type: 'object', properties: { a: { type: 'number' }, b: text }, required: ['a'] };
  const severities = (schema: JsonValue, removed: readonly string[] = []): readonly string[] =>
    compareSchemas(before, schema, { direction: 'output', removed }).map(({ severity }) => severity);
  expect(severities(removal)).toEqual(['error']);
  expect(severities({ ...removal, removed: ['a'] })).toEqual(['warn']);
  expect(severities(removal, ['a'])).toEqual(['warn']);
  expect(severities(removal, ['/properties/a'])).toEqual(['warn']);
  expect(severities(removal, ['/properties/b'])).toEqual(['error']);
  // It announces no other change of what is still there.
  const retyped = { ...before, properties: { a: text, b: text } };
  expect([severities(retyped), severities(retyped, ['a'])]).toEqual([['error'], ['error']]);
});

test('a tombstone may name a value of an enumeration', () => {
  const options = { direction: 'input', removed: ['/properties/queue/legal'] } as const;
  const finding = compareSchemas(old, replacement, options).find(({ ruleId }) => ruleId === 'enum-value-removed');
  expect(finding?.severity).toBe('warn');
});

test('a finding says what changed from what to what', () => {
  const [finding] = compareSchemas({ enum: ['a'] }, { enum: ['a', 'b'] }, { direction: 'output', promptId: 'triage' });
  expect(finding).toEqual({
    ruleId: 'enum-value-added',
    direction: 'output',
    severity: 'error',
    path: '',
    old: null,
    new: 'b',
    message: 'The value "b" is allowed as well.',
    fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
  });
});

test('a fingerprint stays the same whatever else changes, and differs by prompt and direction', () => {
  const print = (
    before: JsonValue,
    after: JsonValue,
    options: Partial<SchemaComparisonOptions> = {},
  ): string | undefined =>
    compareSchemas(before, after, { direction: 'output', ...options }).find(({ new: value }) => value === 'c')
      ?.fingerprint;
  const schema = (values: readonly string[], more: Record<string, JsonValue> = {}): JsonValue => ({
    type: 'object',
    properties: { ...more, queue: { enum: values } },
  });
  const known = print(schema(['a']), schema(['a', 'c']));
  expect(known).toBeDefined();
  expect(print(schema(['a', 'z']), schema(['b', 'c', 'd'], { extra: text }))).toBe(known);
  expect(print(schema(['a']), schema(['a', 'c']), { policy: 'lenient', overrides: [{ severity: 'info' }] })).toBe(
    known,
  );
  expect(print(schema(['a']), schema(['a', 'c']), { promptId: 'v2' })).not.toBe(known);
  expect(print(schema(['a']), schema(['a', 'c']), { direction: 'input' })).not.toBe(known);
});

test('an approved finding is kept, marked, and breaks nothing', () => {
  const findings = compareSchemas({ enum: ['a'] }, { enum: ['a', 'b', 'c'] }, { direction: 'output' });
  const [first, second] = findings.map(({ fingerprint }) => fingerprint);
  const some = applyApprovals(findings, [` ${first?.toUpperCase() ?? ''}`]);
  expect(some.map(({ approved }) => approved)).toEqual([true, undefined]);
  expect(isContractBroken(some)).toBe(true);
  expect(isContractBroken(applyApprovals(findings, [first ?? '', second ?? '']))).toBe(false);
  expect(isContractBroken(applyApprovals(findings, ['000000000000']))).toBe(true);
});

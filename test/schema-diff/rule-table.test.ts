import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import type { Direction } from '../../src/model/comparison/finding.ts';
import type { ContractPolicy } from '../../src/model/suite/recorded-settings.ts';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';
import { type RuleRow, ruleRows as rows } from './support/rule-rows.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

function accepts(schema: JsonValue, value: JsonValue): boolean {
  return ajv.validate(typeof schema === 'boolean' ? schema : { ...(schema as object) }, value);
}

function severitiesOf(row: RuleRow, direction: Direction, policy: ContractPolicy = 'practical'): readonly string[] {
  return compareSchemas(row.old, row.new, { direction, policy }).map(({ ruleId, severity }) => `${ruleId} ${severity}`);
}

const title = (row: RuleRow): string => (row.context === undefined ? row.rule : `${row.rule}, ${row.context}`);

describe.each(rows.map((row) => [title(row), row] as const))('%s', (_, row) => {
  test('is the one finding under input', () => {
    expect(severitiesOf(row, 'input')).toEqual(row.input === 'none' ? [] : [`${row.rule} ${row.input}`]);
  });

  test('is the one finding under output', () => {
    expect(severitiesOf(row, 'output')).toEqual(row.output === 'none' ? [] : [`${row.rule} ${row.output}`]);
  });
});

const lost = rows.flatMap((row) => (row.lost === undefined ? [] : [[title(row), row, row.lost] as const]));
const gained = rows.flatMap((row) => (row.gained === undefined ? [] : [[title(row), row, row.gained] as const]));

test.each(lost)('%s: a validator refuses a value that it took, which formally breaks an input', (_, row, value) => {
  expect([accepts(row.old, value), accepts(row.new, value)]).toEqual([true, false]);
  expect(severitiesOf(row, 'input', 'formal')).toEqual([`${row.rule} error`]);
});

test.each(gained)('%s: a validator takes a value that it refused, which formally breaks an output', (_, row, value) => {
  expect([accepts(row.old, value), accepts(row.new, value)]).toEqual([false, true]);
  expect(severitiesOf(row, 'output', 'formal')).toEqual([`${row.rule} error`]);
});

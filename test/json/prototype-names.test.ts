import { describe, expect, test } from 'vitest';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import { JsonSchemaError } from '../../src/json/schema-errors.ts';

/** What every object of JavaScript has without having been given it. */
const inherited = Object.getOwnPropertyNames(Object.prototype);

/** Schemas and values with a name in them, as JSON: an object literal could not hold `__proto__`. */
const rows: readonly (readonly [what: string, schema: string, value: string])[] = [
  ['required, absent', '{"required":["N"]}', '{}'],
  ['required, there', '{"required":["N"]}', '{"N":1}'],
  ['required deeper', '{"properties":{"a":{"required":["N"]}}}', '{"a":{}}'],
  ['required among many', `{"required":["N",${Array.from({ length: 250 }, (_, i) => `"k${i}"`).join()}]}`, '{"k0":1}'],
  ['a property, absent', '{"properties":{"N":false}}', '{}'],
  ['a property of another type', '{"properties":{"N":{"type":"string"}}}', '{"N":1}'],
  ['an additional property', '{"properties":{"a":true},"additionalProperties":false}', '{"N":1}'],
  ['an additional property of another type', '{"additionalProperties":{"type":"string"}}', '{"N":1}'],
  ['a property that is not additional', '{"properties":{"N":true},"additionalProperties":false}', '{"N":1}'],
  ['an unevaluated property', '{"anyOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}', '{"N":1}'],
  [
    'an unevaluated property beside others',
    '{"anyOf":[{"properties":{"a":true}},{"patternProperties":{"^b":true}}],"unevaluatedProperties":false}',
    '{"a":1,"N":1}',
  ],
  ['a property that is evaluated', '{"anyOf":[{"properties":{"N":true}}],"unevaluatedProperties":false}', '{"N":1}'],
  ['what depends, absent', '{"dependentRequired":{"N":["z"]}}', '{}'],
  ['what depends, there', '{"dependentRequired":{"N":["z"]}}', '{"N":1}'],
  ['what is depended on', '{"dependentRequired":{"a":["N"]}}', '{"a":1}'],
  ['a schema that depends, absent', '{"dependentSchemas":{"N":false}}', '{}'],
  ['a schema that depends, there', '{"dependentSchemas":{"N":false}}', '{"N":1}'],
  [
    'dependencies of draft-07',
    '{"$schema":"http://json-schema.org/draft-07/schema#","dependencies":{"b":["N"]}}',
    '{"b":1}',
  ],
  ['a pattern, absent', '{"patternProperties":{"N":false}}', '{}'],
  ['a pattern, there', '{"patternProperties":{"N":false}}', '{"N":1}'],
  ['a constant', '{"const":{"N":1}}', '{"N":1}'],
  ['a constant, absent', '{"const":{"N":1}}', '{}'],
  ['a constant of another name', '{"const":{"N":1}}', '{"a":1}'],
  ['a constant without it', '{"const":{}}', '{"N":1}'],
  ['a constant of another value', '{"const":{"N":{}}}', '{"N":{"a":2}}'],
  ['a value of a list', '{"enum":[{"N":1},2]}', '{"N":1}'],
  ['a value of a list, absent', '{"enum":[{"N":1},2]}', '{}'],
  ['another value than those of a list', '{"enum":[{"N":1},2]}', '{"N":2}'],
  ['items that are equal', '{"uniqueItems":true}', '[{"N":1},{"N":1}]'],
  ['items that differ', '{"uniqueItems":true}', '[{"N":1},{"N":2},{}]'],
  ['texts that are equal', '{"items":{"type":"string"},"uniqueItems":true}', '["N","N"]'],
  ['texts that differ', '{"items":{"type":"string"},"uniqueItems":true}', '["N","b"]'],
  ['a number of properties', '{"minProperties":1}', '{"N":1}'],
  ['a format', '{"format":"N"}', '"x"'],
  ['a format of texts', '{"type":"string","format":"N"}', '"x"'],
  ['an unknown keyword', '{"N":1,"type":"string"}', '1'],
  ['a definition', '{"$ref":"#/$defs/N","$defs":{"N":{"type":"string"}}}', '1'],
  ['a definition that is missing', '{"$ref":"#/$defs/N","$defs":{}}', '1'],
  ['a place of the schema that is missing', '{"$ref":"#/N"}', '1'],
  ['an anchor that is missing', '{"$ref":"#N"}', '1'],
  ['a schema that is missing', '{"$ref":"N"}', '1'],
  ['a name of a schema', '{"$id":"N","type":"string"}', '1'],
];

/** The violations, or why there is none; the name is replaced, so that names can be compared. */
function describeResult(schema: string, value: string, name: string): string {
  const withName = (json: string) => json.replaceAll('N', name);
  try {
    const compiled = compileJsonSchema(parseExactJson(withName(schema)));
    const parsed = parseExactJson(withName(value));
    const result = [compiled.findViolation(parsed), compiled.findViolations(parsed)];
    return JSON.stringify(result).replaceAll(name, 'N');
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    return error.message.replaceAll(name, 'N');
  }
}

describe('a schema says of a name that every object inherits what it says of any other', () => {
  test.each(rows)('%s', (_, schema, value) => {
    const usual = describeResult(schema, value, 'plain');
    const results = Object.fromEntries(inherited.map((name) => [name, describeResult(schema, value, name)]));
    // Ajv passes over this name: where it would have to look at it, the schema is refused.
    const { ['__proto__']: proto = '', ...others } = results;
    expect(new Set(Object.values(others))).toEqual(new Set([usual]));
    expect([usual, expect.stringMatching(/^the name "N" under \w+ can't be checked$/)]).toContainEqual(proto);
  });
});

test.each(['properties', 'patternProperties', 'dependencies'])(
  '__proto__ under %s is refused with a way out',
  (key) => {
    const schema = parseExactJson(`{"items":{"${key}":{"__proto__":{"type":"string"}}}}`);
    expect(() => compileJsonSchema(schema)).toThrow(
      expect.objectContaining({ hint: 'write "^__proto__$" under patternProperties' }),
    );
    const wayOut = compileJsonSchema(parseExactJson('{"patternProperties":{"^__proto__$":{"type":"string"}}}'));
    expect(wayOut.findViolation(parseExactJson('{"__proto__":1}'))?.message).toBe('must be string');
    expect(wayOut.findViolation(parseExactJson('{"__proto__":"a"}'))).toBeUndefined();
  },
);

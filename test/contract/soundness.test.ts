import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareSchemas } from '../../src/contract/compare-schemas.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { arbitraryPair, arbitraryValue } from './support/arbitrary-schema.ts';

const numRuns = Number(process.env['CONTRACT_RUNS'] ?? 1_500);

type Validate = (value: JsonValue) => boolean;

function compile(schema: JsonValue): Validate | undefined {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, logger: false });
  try {
    const validate = ajv.compile(schema as object | boolean);
    return (value) => validate(value);
  } catch {
    return undefined;
  }
}

test('under the formal policy no value breaks a pair of schemas that has no error', () => {
  fc.assert(
    fc.property(
      arbitraryPair,
      fc.array(arbitraryValue, { minLength: 30, maxLength: 60 }),
      ([old, replacement], values) => {
        const [before, after] = [compile(old), compile(replacement)];
        fc.pre(before !== undefined && after !== undefined);
        const lost = values.find((value) => before(value) && !after(value));
        const gained = values.find((value) => !before(value) && after(value));
        const input = compareSchemas(old, replacement, { direction: 'input', policy: 'formal' });
        const output = compareSchemas(old, replacement, { direction: 'output', policy: 'formal' });
        if (lost !== undefined)
          expect(
            input.filter(({ severity }) => severity === 'error'),
            `lost ${JSON.stringify(lost)}`,
          ).not.toEqual([]);
        if (gained !== undefined)
          expect(
            output.filter(({ severity }) => severity === 'error'),
            `gained ${JSON.stringify(gained)}`,
          ).not.toEqual([]);
      },
    ),
    { numRuns },
  );
});

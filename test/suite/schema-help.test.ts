import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/json/json.ts';

interface Property {
  readonly path: string;
  /** JSON Pointer. */
  readonly pointer: string;
  readonly schema: JsonObject;
}

/** Every key of a schema, however deep, with the way to it. */
function* propertiesOf(value: JsonValue, path: string, pointer: string): Iterable<Property> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* propertiesOf(item, path, `${pointer}/${index}`);
  }
  if (!isJsonObject(value)) return;
  for (const [keyword, part] of Object.entries(value)) {
    if (['examples', 'default', 'enum', 'const'].includes(keyword)) continue;
    if (keyword !== 'properties' || !isJsonObject(part)) {
      yield* propertiesOf(part, path, `${pointer}/${keyword}`);
      continue;
    }
    for (const [name, schema] of Object.entries(part)) {
      const own = { path: `${path}.${name}`, pointer: `${pointer}/properties/${name}` };
      if (isJsonObject(schema)) yield { ...own, schema };
      yield* propertiesOf(schema, own.path, own.pointer);
    }
  }
}

describe.each(['suite', 'config'])('the schema of a %s', (format) => {
  const root = JSON.parse(
    readFileSync(join(import.meta.dirname, `../../schema/${format}.schema.json`), 'utf8'),
  ) as JsonObject;
  const properties = [...propertiesOf(root, '', '')];

  test('describes every key where an editor looks for it', () => {
    expect(properties.length).toBeGreaterThan(300);
    expect(properties.filter(({ schema }) => (schema['description'] ?? '') === '').map(({ path }) => path)).toEqual([]);
  });

  test('has an example for every key, and each is valid', { tags: ['slow'] }, () => {
    // Each part is compiled once, for all that refer to it.
    const ajv = new Ajv2020({ strict: false, inlineRefs: false, code: { optimize: false } });
    addFormats.default(ajv);
    ajv.addSchema(root, 'root');
    const faults: string[] = [];
    for (const { path, pointer, schema } of properties) {
      const { examples } = schema;
      if (!Array.isArray(examples) || examples.length === 0) {
        faults.push(`${path}: no example`);
        continue;
      }
      const validate = ajv.compile({ $ref: `root#${pointer}` });
      for (const example of examples) {
        if (!validate(example)) faults.push(`${path}: ${JSON.stringify(example)} ${ajv.errorsText(validate.errors)}`);
      }
    }
    expect(faults).toEqual([]);
  });
});

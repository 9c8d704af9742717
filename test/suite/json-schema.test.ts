import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assertions } from '../../src/assertions/index.ts';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { adapters } from '../../src/providers/index.ts';
import { buildConfigJsonSchema, buildSuiteJsonSchema } from '../../src/suite/schema/json-schema.ts';
import { plainNumbers } from '../../src/text/yaml/exact-numbers.ts';
import { parseYaml } from '../../src/text/yaml/yaml-text.ts';
import { fixtureFolder } from './load-fixture.ts';

const suiteSchema = compileJsonSchema(buildSuiteJsonSchema({ assertions, adapters }));
const configSchema = compileJsonSchema(buildConfigJsonSchema({ assertions, adapters }));

function readYaml(path: string): unknown {
  return plainNumbers(parseYaml(readFileSync(join(fixtureFolder, path), 'utf8')).value);
}

function suiteWith(assertion: unknown): unknown {
  return { prompts: [{ id: 'v1', text: 'a' }], cases: [{ id: 'one', assert: [assertion] }] };
}

describe('the JSON Schema for editors', () => {
  test('a valid suite and a valid config keep it', () => {
    expect(suiteSchema.findViolation(readYaml('support-triage/evals/support-triage.eval.yaml'))).toBeUndefined();
    expect(configSchema.findViolation(readYaml('support-triage/llmcheck.config.yaml'))).toBeUndefined();
  });

  test.each([
    'unknown-suite-key',
    'unknown-case-key',
    'unknown-provider-key',
    'unknown-gate-key',
    'unknown-assertion',
    'unknown-parameter',
    'two-assertion-names',
    'bad-trials',
    'bad-percentage',
    'skip-without-reason',
    'missing-prompt-id',
  ])('the mistake %s breaks it', (name) => {
    expect(suiteSchema.findViolation(readYaml(`mistakes/${name}.eval.yaml`))).toBeDefined();
  });

  test.each(Object.entries(assertions))('the example of %s keeps it', (_, { example }) => {
    expect(suiteSchema.findViolation(suiteWith(plainNumbers(parseYaml(example).value)))).toBeUndefined();
  });

  test('a template may stand for a parameter of any type', () => {
    expect(suiteSchema.findViolation(suiteWith({ length: { max: '{{ limit }}', unit: 'words' } }))).toBeUndefined();
    expect(suiteSchema.findViolation(suiteWith({ length: { max: 'ten', unit: 'words' } }))).toBeDefined();
  });

  test('every key of a suite, a case and a provider is described', () => {
    const schema = JSON.stringify(buildSuiteJsonSchema({ assertions, adapters }));
    for (const key of ['recordings', 'mustPass', 'threshold', 'apiKeyEnv', 'maxIncrease', 'replaces']) {
      expect(schema).toMatch(
        new RegExp(`"${key}":\\{[^{}]*(?:\\{[^{}]*\\}[^{}]*)*"description"|"${key}":\\{"description"`),
      );
    }
  });
});

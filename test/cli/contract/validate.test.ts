import { describe, expect, test } from 'vitest';
import { inputFile, openContractProject, promptFile, suiteFile } from './contract-project.ts';

const suite = (assertion: string, more = ''): string => `prompts:
  - id: v1
    file: prompts/triage.md
${more}providers: [openai:test-model]
contract:
  output: schemas/output.json
cases:
  - id: a
    vars: { email: "1" }
    assert:
      - ${assertion}
`;

async function validate(assertion: string, more = '') {
  const project = await openContractProject();
  project.write(suiteFile, suite(assertion, more));
  return project.llmcheck('validate');
}

describe('a JSON path that the output schema does not have', () => {
  test.each([
    ['in a selection', '{ equals: billing, select: { jsonPath: $.quue } }', '11:48'],
    ['in jsonPath', '{ jsonPath: { path: $.quue, value: billing } }', '11:29'],
    ['in the short form', 'jsonPath: $.quue', '11:19'],
    ['beside a template', '{ jsonPath: { path: $.quue, value: "{{email}}" } }', '11:29'],
    ['within anyOf', '{ anyOf: [{ contains: a }, { jsonPath: $.quue }] }', '11:48'],
    ['in a selection within not', '{ not: { contains: a, select: { jsonPath: $.quue } } }', '11:51'],
    ['in a selection of a combinator', '{ allOf: [{ contains: a }], select: { jsonPath: $.quue } }', '11:57'],
  ])('is an error at its place, %s', async (_, assertion, place) => {
    const { code, stderr } = await validate(assertion);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `${suiteFile}:${place} error invalid-json-path: $.quue is not in the output schema; did you mean $.queue?`,
    );
    expect(stderr).toContain('1 error\n');
  });

  test('is an error for run too, before its first call', async () => {
    const project = await openContractProject();
    project.write(suiteFile, suite('jsonPath: $.quue'));
    expect((await project.llmcheck('run')).code).toBe(2);
    expect(project.server.requests).toHaveLength(0);
  });

  test.each([
    ['what is there', 'jsonPath: $.queue'],
    ['what must not be there', '{ jsonPath: { path: $.quue, exists: false } }'],
    ['what must not be there, counted', '{ jsonPath: { path: $.quue, count: 0 } }'],
    ['what must not be there, by not', '{ not: { jsonPath: $.quue } }'],
    ['the JSON of something else', '{ jsonPath: $.quue, select: { codeBlock: json } }'],
    ['a path with a wildcard', 'jsonPath: "$..quue"'],
    ['a path that is a template', `jsonPath: "$['{{email}}']"`],
  ])('is none for %s', async (_, assertion) => {
    expect((await validate(assertion)).code).toBe(0);
  });

  test('is none where another version of the prompt has it', async () => {
    const other = '  - { id: v2, file: prompts/triage.md, contract: { output: { properties: { quue: {} } } } }\n';
    expect((await validate('jsonPath: $.quue', other)).code).toBe(0);
    const project = await openContractProject();
    project.write(suiteFile, suite('jsonPath: $.quue', other).replace('  - id: a', '  - id: a\n    prompts: [v1]'));
    expect((await project.llmcheck('validate')).code).toBe(2);
  });

  test('is none where a version promises no output', async () => {
    const project = await openContractProject();
    const own = suite('jsonPath: $.quue').replace('contract:\n  output: schemas/output.json\n', '');
    const promising = own.replace('md\n', 'md\n    contract: { output: schemas/output.json }\n');
    project.write(suiteFile, promising.replace('providers', '  - { id: v2, file: prompts/triage.md }\nproviders'));
    expect((await project.llmcheck('validate')).code).toBe(0);
    project.write(suiteFile, promising);
    expect((await project.llmcheck('validate')).code).toBe(2);
  });

  test('is reported once for all cases when it is in the defaults', async () => {
    const project = await openContractProject();
    project.edit(suiteFile, 'cases:', 'defaults: { assert: [{ jsonPath: $.reason.text }] }\ncases:');
    const { code, stderr } = await project.llmcheck('validate');
    expect([code, stderr.match(/invalid-json-path/g)?.length]).toEqual([2, 1]);
  });
});

describe('a variable that the input schema does not describe', () => {
  test('is a warning where callers may send what they like', async () => {
    const project = await openContractProject();
    project.edit(promptFile, '{{ email }}', '{{ emial }}');
    project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","emial":"$1"');
    const { code, stderr } = await project.llmcheck('validate');
    expect(code).toBe(0);
    expect(stderr).toContain(
      `${promptFile}:1:9 warning contract-input: prompt "v1" reads "emial": the input schema does not describe "emial"`,
    );
    expect(stderr).toContain('did you mean "email"?');
  });

  test('is an error where callers may send nothing else', async () => {
    const project = await openContractProject();
    project.edit(promptFile, '{{ email }}', '{{ email }} {{ order.id }}');
    project.edit(inputFile, 'required', 'additionalProperties: false\nrequired');
    const { code, stderr } = await project.llmcheck('validate');
    expect(code).toBe(2);
    expect(stderr).toContain(`${promptFile}:1:21 error contract-input: prompt "v1" reads "order.id"`);
  });

  test('is searched for as deep as the template goes, and no deeper than is known', async () => {
    const project = await openContractProject();
    project.edit(
      inputFile,
      'properties:',
      'properties:\n  order: { type: object, properties: { id: { type: string } } }',
    );
    project.edit(
      promptFile,
      '{{ email }}',
      '{{ order.idd }} {{ order.id.size }}{% for x in order.id %}{{ x }}{% endfor %}',
    );
    project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","order":{"id":"a","idd":"b"}');
    const { code, stderr } = await project.llmcheck('validate');
    expect(code).toBe(0);
    expect(stderr.match(/contract-input: .*/g)).toEqual([
      'contract-input: prompt "v1" reads "order.idd": the input schema does not describe "order.idd"',
    ]);
    expect(stderr).toContain('did you mean "id"?');
  });
});

test.each([
  ['of one property', '{ type: string }', '{ type: strnig }', '4:12'],
  ['that only the meta-schema refuses', 'properties:', 'readOnly: 1\nproperties:', '3:1'],
])('a malformed schema %s is named at its own line', async (_, written, malformed, place) => {
  const project = await openContractProject();
  project.edit(inputFile, written, malformed);
  const { code, stderr } = await project.llmcheck('validate');
  expect(code).toBe(2);
  expect(stderr).toContain(`${inputFile}:${place} error invalid-schema`);
});

test.each([
  ['one type', '{ type: strnig }', 'string'],
  ['one of several', '{ type: [string, nul] }', 'null'],
])('a misspelt type of a contract comes with the one that was meant, %s', async (_, written, meant) => {
  const project = await openContractProject();
  project.edit(inputFile, '{ type: string }', written);
  const { code, stderr } = await project.llmcheck('validate');
  expect(code).toBe(2);
  expect(stderr).toContain(`did you mean "${meant}"?`);
});

describe('a keyword that no validator knows', () => {
  test('is a warning where it looks like one, in a contract, a tool and a check', async () => {
    const tool = '{ type: function, function: { name: f, parameters: { type: object, propertis: {} } } }';
    const { code, stderr } = await validate(
      '{ anyOf: [{ jsonSchema: { type: object, properties: { a: { minLenght: 1 } } } }] }',
      `    params: { tools: [${tool}] }\n`,
    );
    expect(stderr.match(/\S+ warning unknown-key: "\w+"/g)).toEqual([
      `${suiteFile}:4:90 warning unknown-key: "propertis"`,
      `${suiteFile}:12:68 warning unknown-key: "minLenght"`,
    ]);
    expect(stderr).toContain('did you mean "properties"?');
    expect(stderr).toContain('did you mean "minLength"?');
    expect(code).toBe(0);
  });

  test('is found in a file that holds the contract', async () => {
    const project = await openContractProject();
    project.edit(inputFile, '{ type: string }', '{ type: string, patern: "^a" }');
    const { stderr } = await project.llmcheck('validate');
    expect(stderr).toMatch(new RegExp(`${inputFile}:4:\\d+ warning unknown-key: "patern"`));
  });

  test.each(['{ name: ticket, strict: true, schema: { type: object } }', '{ schema: { type: object } }'])(
    'is one that wraps the schema: %s',
    async (schema) => {
      const { stderr } = await validate(`{ jsonSchema: ${schema} }`);
      expect(stderr).toMatch(
        /warning unknown-key: "schema" is not a keyword.*\n(.*\n)*.*hint: write the schema itself/,
      );
      expect((await validate('{ jsonSchema: { properties: { schema: { type: object } } } }')).stderr).toBe('');
    },
  );

  test('is one that holds the schema in the definition of a tool, unless the schema is beside it', async () => {
    const tool = 'name: f, description: F, annotations: {}, input_schema: { type: object }';
    expect((await validate(`{ jsonSchema: { ${tool} } }`)).stderr).toMatch(
      /warning unknown-key: "input_schema" is not a keyword.*\n(.*\n)*.*hint: write the schema itself/,
    );
    expect((await validate(`{ jsonSchema: { type: object, ${tool} } }`)).stderr).toBe('');
  });

  test.each(['x-requird: [a]', 'example: a', 'nullable: true', 'somethingElse: 1'])(
    'is let alone where it is another dialect’s or like none: %s',
    async (entry) => {
      const { code, stderr } = await validate(`{ jsonSchema: { type: object, ${entry} } }`);
      expect(stderr).not.toContain('unknown-key');
      expect(code).toBe(0);
    },
  );
});

test('a path is not looked for where what it is looked for in could not be read', async () => {
  const { code, stderr } = await validate('{ jsonPath: $.quue, select: { regex: "[" } }');
  expect(code).toBe(2);
  expect(stderr).toContain('invalid-regex');
  expect(stderr).not.toContain('invalid-json-path');
});

test('an empty map lacks its parameter', async () => {
  const { code, stderr } = await validate('cost: {}');
  expect(code).toBe(2);
  expect(stderr).toContain('cost needs "max"');
});

import { describe, expect, onTestFinished, test } from 'vitest';
import { ruleRows } from '../../schema-diff/support/rule-rows.ts';
import { findMarkdownFault } from '../../support/find-markdown-fault.ts';
import { startServer } from '../../support/http-server.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';
import type { JsonContracts } from './contract-project.ts';

const enumOf = (...values: readonly string[]) => ({ type: 'object', properties: { queue: { enum: values } } });

async function diff(old: unknown, replacement: unknown, ...flags: string[]): Promise<CliResult & JsonContracts> {
  const project = openTempProject();
  project.write('old.json', JSON.stringify(old));
  project.write('new.json', JSON.stringify(replacement));
  const result = await project.run(['contract', 'diff', 'old.json', 'new.json', ...flags, '-r', 'json']);
  if (result.stderr !== '') throw new Error(result.stderr);
  return { ...result, ...(JSON.parse(result.stdout) as JsonContracts) };
}

describe('every row of the rule table', () => {
  const title = ({ rule, context = '' }: (typeof ruleRows)[number]): string => `${rule} ${context}`;

  test.each(ruleRows.map((row) => [title(row), row] as const))('%s', async (_, row) => {
    const project = openTempProject();
    project.write('old.json', JSON.stringify(row.old));
    project.write('new.json', JSON.stringify(row.new));
    for (const direction of ['input', 'output'] as const) {
      const argv = ['contract', 'diff', 'old.json', 'new.json', '--direction', direction, '-r', 'json'];
      const { code, stdout } = await runCli(argv, { cwd: project.root });
      const { findings } = JSON.parse(stdout) as JsonContracts;
      const severity = row[direction];
      expect(findings.map((finding) => `${finding.ruleId} ${finding.severity}`)).toEqual(
        severity === 'none' ? [] : [`${row.rule} ${severity}`],
      );
      expect(code).toBe(severity === 'error' ? 1 : 0);
    }
  });
});

test.each([
  ['a removed value breaks callers', ['a'], 'input', 1],
  ['a removed value breaks no consumer', ['a'], 'output', 0],
  ['an added value breaks no caller', ['a', 'b', 'c'], 'input', 0],
  ['an added value breaks consumers', ['a', 'b', 'c'], 'output', 1],
] as const)('%s', async (_, values, direction, code) => {
  expect((await diff(enumOf('a', 'b'), enumOf(...values), '--direction', direction)).code).toBe(code);
});

test.each(['input', 'output'] as const)(
  'what zod 3 and zod 4 write for one type is no break of an %s',
  async (direction) => {
    const tags = ['a', 'b'].map((kind) => ({
      type: 'object',
      properties: { kind: { type: 'string', const: kind } },
      required: ['kind'],
      additionalProperties: false,
    }));
    const zod3 = {
      type: 'object',
      properties: {
        count: { type: 'integer' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        source: { anyOf: [{ anyOf: tags }, { type: 'null' }] },
        pair: { type: 'array', minItems: 2, maxItems: 2, items: [{ type: 'string' }, { type: 'number' }] },
      },
      required: ['count', 'labels', 'source', 'pair'],
      additionalProperties: false,
      $schema: 'http://json-schema.org/draft-07/schema#',
    };
    const zod4 = {
      ...zod3,
      properties: {
        count: { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 },
        labels: { ...zod3.properties.labels, propertyNames: { type: 'string' } },
        source: { anyOf: [{ oneOf: tags }, { type: 'null' }] },
        pair: {
          type: 'array',
          prefixItems: [{ type: 'string' }, { type: 'number' }],
          items: false,
          minItems: 2,
          maxItems: 2,
        },
      },
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    };
    for (const policy of ['practical', 'formal', 'lenient']) {
      const { code, findings } = await diff(zod3, zod4, '--direction', direction, '--policy', policy);
      expect([code, findings]).toEqual([0, []]);
    }
  },
);

test.each(['practical', 'formal', 'lenient'])(
  'a type dropped beside properties breaks consumers, %s',
  async (policy) => {
    const properties = { queue: { type: 'string' } };
    const result = await diff(
      { type: 'object', properties },
      { properties },
      '--direction',
      'output',
      '--policy',
      policy,
    );
    expect(result.code).toBe(1);
    expect(result.findings.map(({ ruleId, path }) => [ruleId, path])).toEqual([['type-union-widened', '']]);
  },
);

test('an output field that is no longer required is an error, with all that a finding has', async () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  const result = await diff({ ...schema, required: ['a'] }, schema, '--direction', 'output');
  expect([result.code, result.format, result.findings]).toEqual([
    1,
    1,
    [
      {
        ruleId: 'property-became-optional',
        direction: 'output',
        severity: 'error',
        path: '/properties/a',
        old: expect.anything(),
        new: expect.anything(),
        message: expect.stringContaining('"a"'),
        fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
        at: { file: 'new.json', line: 1, column: expect.any(Number) },
      },
    ],
  ]);
});

test('an approved fingerprint lets its finding through, and no other', async () => {
  const [old, replacement] = [enumOf('a'), { ...enumOf('a', 'b', 'c'), minProperties: 0 }];
  const { findings } = await diff(old, replacement, '--direction', 'output');
  expect(findings).toHaveLength(2);
  const [first, second] = findings.map(({ fingerprint }) => fingerprint);
  const one = await diff(old, replacement, '--direction', 'output', '--approve', first ?? '');
  expect([one.code, one.findings.map(({ approved }) => approved)]).toEqual([1, [undefined, true]]);
  const both = await diff(old, replacement, '--direction', 'output', '--approve', `${first},${second}`);
  expect(both.code).toBe(0);
});

test('the policy, ignored places and strict consumers decide what breaks', async () => {
  const closed = { ...enumOf('a'), additionalProperties: false };
  const opened = { ...enumOf('a'), additionalProperties: true };
  const output = ['--direction', 'output'];
  expect((await diff(closed, opened, ...output)).code).toBe(0);
  expect((await diff(closed, opened, ...output, '--strict-consumers')).code).toBe(1);
  expect((await diff(closed, opened, ...output, '--policy', 'formal')).code).toBe(1);
  expect((await diff(enumOf('a'), enumOf('a', 'b'), ...output, '--policy', 'lenient')).code).toBe(0);
  expect((await diff(enumOf('a'), enumOf('a', 'b'), ...output, '--ignore', '/properties/queue')).code).toBe(0);
});

describe('a schema that can not be compared', () => {
  const pretty = (schema: unknown): string => JSON.stringify(schema, undefined, 2);
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['malformed', 'new.json', pretty({ type: 'object', properties: { a: { type: 'strnig' } } }), 'new.json:5:'],
    ['with a reference that leads nowhere', 'new.json', pretty({ $ref: '#/$defs/nothing' }), 'new.json:2:'],
    [
      'with a reference to another server',
      'new.json',
      pretty({ properties: { a: { $ref: 'http://127.0.0.1:9/a.json' } } }),
      'new.json:4:',
    ],
    ['with a reference to another file', 'new.json', pretty({ $ref: './other.json' }), 'new.json:2:'],
    ['that is not JSON', 'new.json', '{\n  "type": \n}', 'new.json:3:1'],
    ['that is not YAML', 'new.yaml', 'type: [object', 'new.yaml:1:'],
    ['that is a number', 'new.json', '7', 'new.json:1:1'],
    ['in YAML', 'new.yaml', 'type: object\nproperties:\n  a:\n    minLength: -1\n', 'new.yaml:4:'],
  ];

  test.each(cases)('%s is named with its place', async (_, name, text, place) => {
    const project = openTempProject();
    project.write('old.json', '{}');
    project.write(name, text);
    const { code, stdout, stderr } = await project.run(['contract', 'diff', 'old.json', name, '--direction', 'input']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(place);
  });

  test.each([
    ['of MCP', { name: 'f', description: 'F.', annotations: {}, inputSchema: { type: 'object' } }, 'inputSchema'],
    ['of Anthropic', { name: 'f', input_schema: { type: 'object' } }, 'input_schema'],
    ['of Bedrock', { toolSpec: { name: 'f', inputSchema: { json: {} } } }, 'toolSpec'],
    ['of Gemini', { functionDeclarations: [{ name: 'f' }] }, 'functionDeclarations'],
    ['of a whole server', { tools: [{ name: 'f' }] }, 'tools'],
    ['of OpenAI, without its type', { name: 'f', strict: true, parameters: {} }, 'parameters'],
  ])('a tool %s is no schema, so that none of its changes would count', async (_, tool, key) => {
    const stderr = await refusalOf(tool);
    expect(stderr).toContain(`this is no JSON Schema: "${key}" is none of`);
  });

  test.each([
    ['OpenAPI with components alone', { openapi: '3.1.0', components: { schemas: {} } }, '"components" is none of'],
    ['OpenAPI with webhooks alone', { openapi: '3.1.0', webhooks: {} }, '"webhooks" is none of'],
    ['definitions that nothing refers to', { $defs: { a: { type: 'string' } } }, 'refers to none of its "$defs"'],
    ['the same of an older draft', { definitions: { a: {} } }, 'refers to none of its "definitions"'],
  ])('%s is no schema either', async (_, document, message) => {
    expect(await refusalOf(document)).toContain(message);
  });

  async function refusalOf(document: object): Promise<string> {
    const project = openTempProject();
    project.write('old.json', '{}');
    project.write('new.json', pretty(document));
    const { code, stderr } = await project.run(['contract', 'diff', 'old.json', 'new.json', '--direction', 'output']);
    expect(code).toBe(2);
    return stderr;
  }

  test('is named where it is the old one', async () => {
    const project = openTempProject();
    project.write('old.yaml', 'type: object\nrequired: yes\n');
    project.write('new.json', '{}');
    const { code, stderr } = await project.run(['contract', 'diff', 'old.yaml', 'new.json', '--direction', 'input']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^old\.yaml:2:\d+ error invalid-schema/);
  });

  test('and one that is not there is', async () => {
    const project = openTempProject();
    project.write('old.json', '{}');
    const { code, stderr } = await project.run(['contract', 'diff', 'old.json', 'none.json', '--direction', 'input']);
    expect(code).toBe(2);
    expect(stderr).toContain('none.json does not exist');
  });

  test('nor can any without a direction', async () => {
    const project = openTempProject();
    const { code, stderr } = await project.run(['contract', 'diff', 'old.json', 'new.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('--direction');
  });
});

test('JSON and YAML are compared with each other', async () => {
  const project = openTempProject();
  project.write('old.json', JSON.stringify(enumOf('a')));
  project.write('new.yaml', 'type: object\nproperties:\n  queue:\n    enum: [a, b]\n');
  const argv = ['contract', 'diff', 'old.json', 'new.yaml', '--direction', 'output', '-r', 'json'];
  const { code, stdout } = await project.run(argv);
  const { findings } = JSON.parse(stdout) as JsonContracts;
  expect([code, findings[0]?.at]).toEqual([1, { file: 'new.yaml', line: 3, column: 3 }]);
});

test('a place behind a reference is named where it is written', async () => {
  const project = openTempProject();
  const schema = (values: string) =>
    `properties:\n  queue: { $ref: "#/$defs/queue" }\n$defs:\n  queue:\n    properties:\n      name: { enum: [${values}] }\n`;
  project.write('old.yaml', schema('a'));
  project.write('new.yaml', schema('a, b'));
  const argv = ['contract', 'diff', 'old.yaml', 'new.yaml', '--direction', 'output', '-r', 'json'];
  const { findings } = JSON.parse((await project.run(argv)).stdout) as JsonContracts;
  expect(findings.map(({ path, at }) => `${path} ${at?.line}`)).toEqual(['/$defs/queue/properties/name 6']);
});

test('a place that only the new schema puts behind a reference is found there', async () => {
  const project = openTempProject();
  project.write('old.yaml', 'properties:\n  queue:\n    properties:\n      name: { enum: [a] }\n');
  project.write(
    'new.yaml',
    '$defs:\n  queue:\n    properties:\n      name: { enum: [a, b] }\nproperties:\n  queue: { $ref: "#/$defs/queue" }\n',
  );
  const argv = ['contract', 'diff', 'old.yaml', 'new.yaml', '--direction', 'output', '-r', 'json'];
  const { findings } = JSON.parse((await project.run(argv)).stdout) as JsonContracts;
  expect(findings.map(({ path, at }) => `${path} ${at?.line}`)).toEqual(['/properties/queue/properties/name 4']);
});

test('nothing is fetched, not even from where a schema says that its parts are', async () => {
  const server = await startServer(() => ({ body: {} }));
  onTestFinished(() => server.close());
  const project = openTempProject();
  project.write('old.json', '{}');
  project.write('new.json', JSON.stringify({ $ref: `${server.url}/schema.json` }));
  const { code } = await project.run(['contract', 'diff', 'old.json', 'new.json', '--direction', 'input']);
  expect([code, server.requests.length]).toEqual([2, 0]);
});

describe('large schemas', () => {
  const nest = (depth: number, leaf: object): object =>
    depth === 0 ? leaf : { type: 'object', properties: { a: nest(depth - 1, leaf) }, required: ['a'] };
  const wide = (value: string) => ({
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`p${index}`, { enum: ['a', value] }])),
  });
  const tree = (value: string) => ({
    $ref: '#/$defs/node',
    $defs: { node: { properties: { kind: { enum: ['a', value] }, children: { items: { $ref: '#/$defs/node' } } } } },
  });

  test.each([
    ['of a thousand properties', wide('b'), wide('c'), 2000],
    ['of two hundred levels', nest(200, { enum: ['a'] }), nest(200, { enum: ['a', 'b'] }), 1],
    ['that refer to themselves', tree('b'), tree('c'), 2],
  ])('%s are compared in full', async (_, old, replacement, count) => {
    const { findings } = await diff(old, replacement, '--direction', 'output');
    expect(findings).toHaveLength(count);
  });
});

describe('reports', () => {
  const open = (): TempProject => {
    const project = openTempProject();
    project.write('old.json', JSON.stringify(enumOf('a'), undefined, 2));
    project.write('new.json', JSON.stringify(enumOf('a', 'x|y\u001b[31m::error::\n<b>@all</b>'), undefined, 2));
    return project;
  };
  const render = async (reporter: string): Promise<string> => {
    const argv = ['contract', 'diff', 'old.json', 'new.json', '--direction', 'output', '-r', reporter];
    const { code, stdout } = await open().run(argv);
    expect(code).toBe(1);
    return stdout;
  };

  test('on the terminal the verdict comes last, and nothing in a schema acts on it', async () => {
    const text = await render('terminal');
    expect(text).toMatch(/BROKEN: the contract breaks \(exit code 1\)\n$/);
    expect(text).toContain('error enum-value-added output /properties/queue new.json:4:5');
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/^\s*::/m);
  });

  test('for GitHub a break is an annotation at its line', async () => {
    const text = await render('github');
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toMatch(/^::error file=new\.json,line=4,col=5,title=output contract · enum-value-added::\/properties/);
  });

  test('in Markdown the verdict comes first, and nothing in a schema is markup', async () => {
    const text = await render('markdown');
    expect(text).toMatch(/^\*\*The contract breaks: 1 unapproved\.\*\*\n/);
    expect(findMarkdownFault(text)).toBeUndefined();
    const row = text.split('\n').find((line) => line.startsWith('| error')) ?? '';
    expect(row.replaceAll('\\|', '').split('|')).toHaveLength(9);
  });

  test('in JUnit a break is a failure', async () => {
    const text = await render('junit');
    expect(text).toContain('tests="1" failures="1"');
    expect(text).toContain('at new.json:4:5');
    expect(text).not.toContain('<b>');
  });

  test('several are written in one go, and an unknown one is a problem', async () => {
    const project = open();
    const argv = ['contract', 'diff', 'old.json', 'new.json', '--direction', 'output'];
    await project.run([...argv, '-r', 'junit=out/contract.xml', '-r', 'markdown=out/contract.md']);
    expect(project.files('out')).toEqual(['out/contract.md', 'out/contract.xml']);
    const { code, stderr } = await project.run([...argv, '-r', 'jnit']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean "junit"?');
  });
});

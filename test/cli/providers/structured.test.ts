import { describe, expect, it, onTestFinished } from 'vitest';
import { answerOfEveryApi, startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const schema = {
  type: 'object',
  properties: { queue: { enum: ['billing', 'other'] } },
  required: ['queue'],
  additionalProperties: false,
};
const text = '{"queue":"billing"}';
const answer = answerOfEveryApi(text);

function openProject(suite: object): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  const base = {
    suite: 'triage',
    prompts: [{ id: 'v1', text: '{{ email }}', structured: true }],
    contract: { output: schema },
    cases: [{ id: 'refund', vars: { email: 'Money back' }, assert: [{ contains: 'billing' }] }],
  };
  project.write('triage.eval.yaml', JSON.stringify({ ...base, ...suite }));
  return project;
}

async function send(provider: object, suite: object = {}): Promise<Readonly<Record<string, unknown>>> {
  const server = await startServer({ body: answer });
  onTestFinished(() => server.close());
  const project = openProject({ providers: [{ id: 'p', baseURL: server.url, ...provider }], ...suite });
  const { code, stderr } = await project.run(['run', '-q', '--no-baseline']);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(server.requests[0]?.body ?? '{}') as Readonly<Record<string, unknown>>;
}

describe('a structured prompt sends the contract of its output', () => {
  const wrapped = { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } } };

  it.each([
    ['openai', wrapped],
    ['mistral', wrapped],
    ['deepseek', { response_format: { type: 'json_object' } }],
    ['anthropic', { output_config: { format: { type: 'json_schema', schema } } }],
    ['gemini', { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } }],
    [
      'bedrock',
      {
        outputConfig: {
          textFormat: {
            type: 'json_schema',
            structure: { jsonSchema: { name: 'answer', schema: JSON.stringify(schema) } },
          },
        },
      },
    ],
    ['cohere', { response_format: { type: 'json_object', json_schema: schema } }],
  ])('to %s in its own words', async (adapter, expected) => {
    const sent = await send({ use: `${adapter}:some-model` });
    // Canonical JSON may have another order of keys.
    expect(parseStrings(sent)).toMatchObject(parseStrings(expected));
  });

  it('not strictly where the schema is open', async () => {
    const open = { ...schema, additionalProperties: true };
    const sent = await send({ use: 'openai:some-model' }, { contract: { output: open } });
    expect(sent).toMatchObject({ response_format: { json_schema: { schema: open, strict: false } } });
  });

  it('unless the parameters have a format of their own', async () => {
    const params = { response_format: { type: 'json_object' } };
    expect(await send({ use: 'openai:some-model', params })).toMatchObject(params);
  });

  it('where the provider says so, unless the prompt says no', async () => {
    const provider = { use: 'openai:some-model', structured: true };
    const prompt = { id: 'v1', text: '{{ email }}' };
    expect(await send(provider, { prompts: [prompt] })).toMatchObject(wrapped);
    expect(await send(provider, { prompts: [{ ...prompt, structured: false }] })).not.toHaveProperty('response_format');
    expect(await send({ use: 'openai:some-model' }, { prompts: [prompt] })).not.toHaveProperty('response_format');
  });

  it('and is a mistake of the user without such a contract', async () => {
    const project = openProject({ contract: {}, providers: ['openai:some-model'] });
    const { code, stderr } = await project.run(['validate']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/triage\.eval\.yaml:1:\d+/);
    expect(stderr).toContain('the prompt "v1" is structured, but no contract has a schema of its output');
  });

  it('and that is no finding of its own when the contract is compared', async () => {
    const server = await startServer({ body: answer });
    onTestFinished(() => server.close());
    const providers = [{ id: 'p', use: 'openai:some-model', baseURL: server.url }];
    const project = openProject({ providers });
    await project.run(['run', '-q']);
    await project.run(['baseline', 'accept']);
    const wider = { ...schema, properties: { queue: { enum: ['billing', 'other', 'sales'] } } };
    const base = JSON.parse(project.read('triage.eval.yaml')) as object;
    project.write('triage.eval.yaml', JSON.stringify({ ...base, contract: { output: wider } }));
    const { stdout } = await project.run(['contract', 'check', '-r', 'json']);
    expect(stdout).toContain('enum-value-added');
    expect(stdout).not.toContain('response_format');
  });
});

describe('a schema that the API is known to refuse', () => {
  /** The schema of each tool or contract begins in a line of its own, so that a place tells where it points. */
  const suite = (use: string, rest: string) => `suite: triage
prompts: [{ id: v1, text: "{{ email }}", structured: true }]
providers:
  - id: p
    use: ${use}
${rest}cases: [{ id: refund, vars: { email: Money back }, assert: [{ contains: billing }] }]
`;
  const contract = (queue: string, more = '') => `contract:
  output:
    type: object
    additionalProperties: false
    required: [queue]${more}
    properties:
      queue: { type: string, ${queue} }
`;

  function validate(use: string, rest: string) {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
    project.write('triage.eval.yaml', suite(use, rest));
    return project.run(['validate']);
  }

  it('is named at its keyword, and the contract is sent without it', async () => {
    const rest = contract('maxLength: 9');
    const { code, stderr } = await validate('anthropic:claude-haiku-4-5', rest);
    expect(code).toBe(0);
    expect(stderr).toContain(
      'triage.eval.yaml:12:30 warning refused-schema: provider p: Anthropic\'s structured output refuses "maxLength", so the contract is sent without it',
    );
    expect(stderr).toContain('as known on 2026-');
    const long = { ...schema, properties: { queue: { enum: ['billing', 'other'], maxLength: 9 } } };
    const sent = await send({ use: 'anthropic:claude-haiku-4-5' }, { contract: { output: long } });
    expect(sent).toMatchObject({ output_config: { format: { schema } } });
    expect(JSON.stringify(sent)).not.toContain('maxLength');
  });

  it('is sent without strict mode where there is a flag for that', async () => {
    const { code, stderr } = await validate('openai:gpt-5-mini', contract('not: { const: x }'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/triage\.eval\.yaml:12:30 warning refused-schema: .*refuses "not".*without strict mode/);
    const negated = { ...schema, not: { required: ['x'] } };
    const sent = await send({ use: 'openai:gpt-5-mini' }, { contract: { output: negated } });
    expect(sent).toMatchObject({ response_format: { json_schema: { schema: negated, strict: false } } });
  });

  it('is an error before any call where it can be sent in no form', async () => {
    const server = await startServer({ body: answer });
    onTestFinished(() => server.close());
    const recursive = { ...schema, properties: { queue: { type: 'string' }, next: { $ref: '#' } } };
    const providers = [{ id: 'p', use: 'anthropic:claude-haiku-4-5', baseURL: server.url }];
    const project = openProject({ providers, contract: { output: recursive } });
    for (const command of [['validate'], ['run', '-q', '--no-baseline']]) {
      const { code, stderr } = await project.run(command);
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/refer to themselves/) as string,
      });
      expect(stderr).toMatch(/triage\.eval\.yaml:1:\d+/);
    }
    expect(server.requests).toEqual([]);
  });

  it('is sent as it is where the user wrote it for the API, and is named', async () => {
    const tool = (strict: string) => `    params:
      tools:
        - name: find_order
          strict: ${strict}
          parameters:
            type: object
            additionalProperties: false
            required: [id]
            properties:
              id: { type: integer, minimum: 1 }
${contract('enum: [billing]')}`;
    const { code, stderr } = await validate('anthropic:claude-haiku-4-5', tool('true'));
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /triage\.eval\.yaml:15:36 warning refused-schema: .* refuses "minimum", so calls with the tool "find_order" fail/,
    );
    expect((await validate('anthropic:claude-haiku-4-5', tool('false'))).stderr).not.toContain('refused-schema');
    expect((await validate('openai:gpt-5-mini', tool('true'))).stderr).not.toContain('refused-schema');
    expect((await validate('azure:my-deployment\n    baseURL: http://127.0.0.1:1/', tool('true'))).stderr).toContain(
      'refuses "minimum"',
    );
  });

  it('is named by a run, too', async () => {
    const server = await startServer({ body: answer });
    onTestFinished(() => server.close());
    const long = { ...schema, properties: { queue: { enum: ['billing', 'other'], maxLength: 9 } } };
    const providers = [{ id: 'p', use: 'anthropic:claude-haiku-4-5', baseURL: server.url }];
    const project = openProject({ providers, contract: { output: long } });
    const { code, stdout, stderr } = await project.run(['run', '--no-baseline']);
    expect(code).toBe(0);
    expect(stdout + stderr).toContain('refuses "maxLength"');
    // What was sent is no change of the contract.
    await project.run(['baseline', 'accept']);
    const wider = { ...long, properties: { queue: { enum: ['billing', 'other', 'sales'], maxLength: 9 } } };
    const base = JSON.parse(project.read('triage.eval.yaml')) as object;
    project.write('triage.eval.yaml', JSON.stringify({ ...base, contract: { output: wider } }));
    const checked = await project.run(['contract', 'check', '-r', 'json']);
    expect(checked.stdout).toContain('enum-value-added');
    expect(checked.stdout).not.toContain('response_format');
  });
});

function parseStrings(value: object): object {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' && part.startsWith('{') ? (JSON.parse(part) as unknown) : part,
  ) as object;
}

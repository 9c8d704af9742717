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

  it('which is no finding of its own when the contract is compared', async () => {
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

function parseStrings(value: object): object {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' && part.startsWith('{') ? (JSON.parse(part) as unknown) : part,
  ) as object;
}

import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** A suite of one case, with lines put where the name of the place says. */
function suiteWith({ top = '', prompt = '', provider = '', defaults = '', given = '', file = '' }): string {
  return [
    `prompts: [{ id: v1, text: "Say: {{ word }}"${prompt} }]`,
    `providers: [{ id: mini, use: "openai:gpt-4o-mini"${provider} }]`,
    ...(top === '' ? [] : [top]),
    `defaults: { trials: 1${defaults} }`,
    'cases:',
    `  - { id: red, vars: { word: red }, assert: [{ contains: red }]${given} }`,
    `  - { file: more.jsonl${file} }`,
    '',
  ].join('\n');
}

const row = { id: 'green', vars: { word: 'green' }, assert: [{ contains: 'green' }] };

function openProject(suite: string, config = ''): ReturnType<typeof openTempProject> {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('evals/a.eval.yaml', suite);
  project.write('evals/more.jsonl', `${JSON.stringify(row)}\n`);
  return project;
}

interface Outcome {
  readonly codes: readonly number[];
  readonly sent: number;
  /** What `validate` says, and `run` too. */
  readonly said: string;
}

async function checkSuite(suite: string, config?: string): Promise<Outcome> {
  const project = openProject(suite, config);
  const server = await startEchoServer();
  const validated = await project.run(['validate'], { env: server.env });
  const ran = await project.run(['run'], { env: server.env });
  expect(ran.stderr).toBe(validated.stderr);
  return { codes: [validated.code, ran.code], sent: server.requests.length, said: ran.stderr };
}

/** Both commands end with a usage error at a place, and nothing is sent. */
function refused(place: string, words: string): Outcome {
  const said: unknown = expect.stringMatching(
    new RegExp([place, words].map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')),
  );
  return { codes: [2, 2], sent: 0, said: said as string };
}

test('the suite that these tests change is right', async () => {
  const { env } = await startEchoServer();
  expect((await openProject(suiteWith({})).run(['run'], { env })).code).toBe(0);
});

describe('an empty list that would switch something off is a usage error at its place', () => {
  test.each([
    [{ given: ', prompts: []' }, 'evals/a.eval.yaml:5:', 'needs at least one prompt version'],
    [{ given: ', providers: []' }, 'evals/a.eval.yaml:5:', 'needs at least one provider'],
    [{ given: ', turns: []' }, 'evals/a.eval.yaml:5:', 'needs at least one turn'],
    [{ given: ', turns: [{ user: Hi, assert: [] }]' }, 'evals/a.eval.yaml:5:', 'needs at least one assertion'],
    [{ file: ', prompts: []' }, 'evals/a.eval.yaml:6:', 'needs at least one prompt version'],
    [{ file: ', providers: []' }, 'evals/a.eval.yaml:6:', 'needs at least one provider'],
    [{ file: ', assert: []' }, 'evals/a.eval.yaml:6:', 'needs at least one assertion'],
    [{ defaults: ', assert: []' }, 'evals/a.eval.yaml:3:', 'needs at least one assertion'],
    [{ defaults: ', assert: [{ anyOf: [] }]' }, 'evals/a.eval.yaml:3:', 'anyOf takes a list of assertions'],
    [{ defaults: ', assert: [{ allOf: [] }]' }, 'evals/a.eval.yaml:3:', 'allOf takes a list of assertions'],
    [{ defaults: ', assert: [{ containsAll: [] }]' }, 'evals/a.eval.yaml:3:', 'needs at least one text'],
    [{ defaults: ', assert: [{ containsAny: [] }]' }, 'evals/a.eval.yaml:3:', 'needs at least one text'],
    [{ defaults: ', assert: [{ oneOf: [] }]' }, 'evals/a.eval.yaml:3:', 'needs at least one value'],
    [{ defaults: ', assert: [{ toolCalls: [] }]' }, 'evals/a.eval.yaml:3:', 'toolCalls'],
    [{ defaults: ', assert: [{ toolCalls: { names: [] } }]' }, 'evals/a.eval.yaml:3:', 'toolCalls'],
    [{ defaults: ', assert: [{ html: { contains: [] } }]' }, 'evals/a.eval.yaml:3:', 'needs at least one element'],
    [{ defaults: ', assert: [{ markdown: { sections: [] } }]' }, 'evals/a.eval.yaml:3:', 'markdown'],
    [{ defaults: ', assert: [{ language: [] }]' }, 'evals/a.eval.yaml:3:', 'language'],
    [{ defaults: ', assert: [{ finishReason: [] }]' }, 'evals/a.eval.yaml:3:', 'finishReason'],
    [{ defaults: ', assert: [{ exec: { value: [] } }]' }, 'evals/a.eval.yaml:3:', 'exec'],
    [{ top: 'judges: []' }, 'evals/a.eval.yaml:3:', 'needs at least one judge'],
  ])('%j', async (parts, place, words) => {
    expect(await checkSuite(suiteWith(parts))).toEqual(refused(place, words));
  });

  test('in a row of a file of cases', async () => {
    const project = openProject(suiteWith({}));
    project.write('evals/more.jsonl', `${JSON.stringify(row)}\n${JSON.stringify({ ...row, id: 'b', assert: [] })}\n`);
    const { code, stderr } = await project.run(['validate']);
    expect(stderr).toContain('evals/more.jsonl:2:');
    expect(stderr).toContain('needs at least one assertion');
    expect(code).toBe(2);
  });

  test.each([
    ['suites: []', 'needs at least one glob'],
    ['providers: []', 'needs at least one provider'],
    ['judges: []', 'needs at least one judge'],
    ['plugins: []', 'needs at least one plug-in'],
    ['defaults: { assert: [] }', 'needs at least one assertion'],
    ['run: { filter: [] }', 'run.filter of the config file: it is empty'],
    ['run: { tag: [] }', 'run.tag of the config file: it is empty'],
    ['run: { prompt: [] }', 'run.prompt of the config file: it is empty'],
    ['run: { provider: [] }', 'run.provider of the config file: it is empty'],
    ['run: { reporter: [] }', 'run.reporter of the config file: it is empty'],
    ['run: { filter: [red, ""] }', 'run.filter of the config file: it is empty'],
  ])('in the config: %s', async (config, words) => {
    expect(await checkSuite(suiteWith({}), `${config}\n`)).toEqual(refused('llmcheck.config.yaml:1:', words));
  });

  test('an empty flag beside another one is not passed over', async () => {
    const { code, stderr } = await openProject(suiteWith({})).run(['run', '-t', '', '-t', 'red']);
    expect(stderr).toContain('--filter: it is empty');
    expect(code).toBe(2);
  });
});

describe('settings that contradict each other are usage errors at their place', () => {
  test.each([
    [{ given: ', threshold: 0' }, 'evals/a.eval.yaml:5:', 'threshold of the case must be more than 0'],
    [{ given: ', threshold: "0%"' }, 'evals/a.eval.yaml:5:', 'threshold of the case must be more than 0'],
    [{ file: ', threshold: 0.0' }, 'evals/a.eval.yaml:6:', 'must be more than 0'],
    [{ given: ', mustPass: true, observe: true' }, 'evals/a.eval.yaml:5:', 'has mustPass and observe'],
    [{ given: ', mustPass: true, skip: later' }, 'evals/a.eval.yaml:5:', 'has mustPass and skip'],
    [{ file: ', mustPass: true, observe: true' }, 'evals/more.jsonl:1:1', 'has mustPass and observe'],
    [{ file: ', mustPass: true, skip: later' }, 'evals/more.jsonl:1:1', 'has mustPass and skip'],
    [{ given: ', skip: false' }, 'hint: leave skip out', 'the case runs then'],
    [{ given: ', trials: 0' }, 'evals/a.eval.yaml:5:', 'must be 1 or more'],
    [{ defaults: ', assert: [{ contains: e, weight: -1 }]' }, 'evals/a.eval.yaml:3:', 'weight must be a number'],
    [
      { defaults: ', assert: [{ anyOf: [{ contains: e, required: true }] }]' },
      'evals/a.eval.yaml:3:',
      'required has no effect on an assertion inside anyOf',
    ],
    [
      { defaults: ', assert: [{ not: { contains: x, weight: 0 } }]' },
      'evals/a.eval.yaml:3:',
      'weight has no effect on an assertion inside not',
    ],
    [{ defaults: ', assert: [{ length: { min: 9, max: 2 } }]' }, 'evals/a.eval.yaml:3:', 'min is greater than max'],
    [{ defaults: ', assert: [{ number: { min: 9, max: 2 } }]' }, 'evals/a.eval.yaml:3:', 'min is greater than max'],
    [{ defaults: ', assert: [{ tokens: { min: 9, max: 2 } }]' }, 'evals/a.eval.yaml:3:', 'min is greater than max'],
    [
      { defaults: ', assert: [{ toolCalls: { count: { min: 9, max: 2 } } }]' },
      'evals/a.eval.yaml:3:',
      'min is greater than max',
    ],
    [{ defaults: ', assert: [{ length: { min: 0 } }]' }, 'evals/a.eval.yaml:3:', 'min: 0 can never fail'],
    [{ defaults: ', assert: [{ tokens: { min: 0 } }]' }, 'evals/a.eval.yaml:3:', 'min: 0 can never fail'],
    [{ defaults: ', assert: [{ not: { length: { min: 0 } } }]' }, 'evals/a.eval.yaml:3:', 'min: 0 can never fail'],
    [{ defaults: ', assert: [{ markdown: { lists: { min: 0 } } }]' }, 'evals/a.eval.yaml:3:', 'min: 0 can never fail'],
  ])('%j', async (parts, place, words) => {
    expect(await checkSuite(suiteWith(parts))).toEqual(refused(place, words));
  });

  test('a case that must pass, and that only replaced prompts or providers are asked, is a warning', async () => {
    const validate = (suite: string) => openProject(suite).run(['validate'], { env: { OPENAI_API_KEY: 'key' } });
    const prompt = ' }, { id: v2, text: "Do say: {{ word }}", replaces: v1';
    const replaced = suiteWith({ prompt, given: ', mustPass: true, prompts: [v1]' });
    const { code, stderr } = await validate(replaced);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^evals\/a\.eval\.yaml:5:\d+ warning/)]);
    expect(stderr).toContain('case "red" has mustPass, and its prompts are replaced (v1)');
    for (const right of [replaced.replace('[v1]', '[v1, v2]'), replaced.replace('mustPass: true, ', '')]) {
      expect((await validate(right)).stderr).toBe('');
    }
    const provider = ' }, { id: other, use: "openai:gpt-4o", replaces: mini';
    const others = await validate(suiteWith({ provider, given: ', mustPass: true, providers: [mini]' }));
    expect(others.stderr).toContain('hint: add other to its providers, or leave providers out');
  });

  test('a row may take the contract of its file back', async () => {
    const { env } = await startEchoServer();
    const project = openProject(suiteWith({ file: ', mustPass: true' }));
    project.write('evals/more.jsonl', `${JSON.stringify({ ...row, mustPass: false, skip: 'later' })}\n`);
    expect((await project.run(['run'], { env })).code).toBe(0);
  });
});

describe('a param that llmcheck writes itself is a usage error at its place', () => {
  test.each([
    ['openai:gpt-4o-mini', 'model'],
    ['openai:gpt-4o-mini', 'messages'],
    ['groq:llama', 'messages'],
    ['openai:gpt-4o-mini', 'input'],
    ['anthropic:claude-sonnet-4-5', 'model'],
    ['anthropic:claude-sonnet-4-5', 'messages'],
    ['gemini:gemini-2.5-flash', 'contents'],
    ['vertex:gemini-2.5-flash', 'contents'],
    ['bedrock:us.amazon.nova-lite-v1:0', 'modelId'],
    ['bedrock:us.amazon.nova-lite-v1:0', 'messages'],
    ['cohere:command-a-03-2025', 'model'],
  ])('in a provider and in a prompt: %s, %s', async (use, member) => {
    const words = `params: ${member} is written by llmcheck`;
    const params = `, params: { ${member}: x }`;
    const suite = (parts: Parameters<typeof suiteWith>[0]) => suiteWith(parts).replace('openai:gpt-4o-mini', use);
    expect(await checkSuite(suite({ provider: params }))).toEqual(refused('evals/a.eval.yaml:2:', words));
    expect(await checkSuite(suite({ prompt: params }))).toEqual(refused('evals/a.eval.yaml:1:', words));
  });

  test('in a provider of the config, in a judge and in a prompt file', async () => {
    const words = 'params: model is written by llmcheck';
    const provider = '[{ id: other, use: "openai:x", params: { model: y } }]';
    expect(await checkSuite(suiteWith({}), `providers: ${provider}\n`)).toEqual(
      refused('llmcheck.config.yaml:1:', words),
    );
    expect(await checkSuite(suiteWith({ top: `judges: ${provider}` }))).toEqual(refused('evals/a.eval.yaml:3:', words));
    const project = openProject(suiteWith({}).replace('text: "Say: {{ word }}"', 'file: say.prompt'));
    project.write('evals/say.prompt', '---\nconfig: { model: y }\n---\nSay: {{word}}\n');
    const { code, stderr } = await project.run(['validate']);
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });

  test.each([
    ['anthropic:claude-sonnet-4-5', 'system'],
    ['bedrock:us.amazon.nova-lite-v1:0', 'system'],
    ['gemini:gemini-2.5-flash', 'systemInstruction'],
  ])('a system message beside one in the params: %s', async (use, member) => {
    const system = suiteWith({ provider: `, params: { ${member}: Be kind. }` })
      .replace('openai:gpt-4o-mini', use)
      .replace(
        'text: "Say: {{ word }}"',
        'messages: [{ role: system, content: Be brief. }, { role: user, content: "{{ word }}" }]',
      );
    const words = `params: ${member} and the system message of the prompt "v1"`;
    expect(await checkSuite(system)).toEqual(refused('evals/a.eval.yaml:2:', words));
  });

  test('programs are handed params as they are, so theirs may be named so', async () => {
    const project = openProject(
      suiteWith({ provider: ', params: { model: x, messages: y }' }).replace('openai:gpt-4o-mini', 'exec:cat'),
    );
    expect((await project.run(['validate'])).code).toBe(0);
  });
});

describe('a required check', () => {
  const required = '{ contains: blue, weight: 0, required: true }';

  test.each(['', ', threshold: 0.5'])('of weight 0 fails the cell%s', async (threshold) => {
    const { env } = await startEchoServer();
    const given = { defaults: `, assert: [${required}]`, given: threshold, file: threshold };
    const { code, report } = await openProject(suiteWith(given)).report(['run'], { env });
    expect(report.totals).toMatchObject({ planned: 2, failed: 2 });
    expect(code).toBe(1);
  });

  test('of weight 0 is a check that counts, and one that can not be made errors the cell', async () => {
    const { env } = await startEchoServer();
    const only = suiteWith({}).replaceAll('{ contains: red }', '{ latency: 1h, weight: 0, required: true }');
    expect((await openProject(only).run(['run'], { env })).code).toBe(0);
    const unmakeable = only.replaceAll('{ latency: 1h,', '{ cost: { max: 1 },').replace('gpt-4o-mini', 'no-price');
    expect((await openProject(unmakeable).run(['run'], { env })).code).toBe(3);
  });
});

test.each([
  ['snapshot', '{ snapshot: exact }', ''],
  ['snapshot', '{ anyOf: [{ contains: a }, { not: { snapshot: normalised } }] }', ''],
  [
    'pairwise',
    '{ pairwise: { value: Which is better?, judge: strict } }',
    'judges: [{ id: strict, use: "openai:judge" }]',
  ],
])('refuses %s on the answer to a turn, which no baseline keeps: %s', async (name, written, top) => {
  const given = `, turns: [{ user: more, assert: [${written}] }]`;
  const { codes, sent, said } = await checkSuite(suiteWith({ top, given }));
  expect(codes).toEqual([2, 2]);
  expect(sent).toBe(0);
  expect(said).toContain(`${name} can't check the answer to a turn`);
  expect(said).toContain('1 error');
});

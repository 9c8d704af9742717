import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTempProject, type TempProject, trialsOf } from '../../support/temp-project.ts';

// Neighbours that one double stands for: 2^53 and 2^53 + 1.
const even = '9007199254740992';
const odd = '9007199254740993';

interface Answer {
  /** The checks of the only case, in YAML flow style. */
  readonly check: string;
  readonly answer?: string;
  /** The completion as JSON, where it is more than a text. */
  readonly completion?: string;
  readonly expected?: string;
  readonly suite?: string;
}

/** One case with a recorded answer; its check is judged without any call. */
function openCase({ check, answer = '', completion, expected, suite = '' }: Answer): TempProject {
  const project = openTempProject();
  project.write(
    'evals/ids.eval.yaml',
    `suite: ids
prompts: [{ id: v1, text: "Say it" }]
providers: [openai:test-model]
recordings: ids.jsonl
${suite}
cases:
  - id: c
${expected === undefined ? '' : `    expected: ${expected}\n`}    assert: [${check}]
`,
  );
  const line = `{"prompt":"v1","provider":"openai:test-model","caseId":"c","completion":`;
  project.write('evals/ids.jsonl', `${line}${completion ?? JSON.stringify({ text: answer })}}\n`);
  return project;
}

async function codeOf(answer: Answer): Promise<number> {
  const project = openCase(answer);
  const imported = await project.run(['cache', 'import', 'evals/ids.jsonl']);
  if (imported.code !== 0) return imported.code;
  return (await project.run(['run', '-q'])).code;
}

const call = (id: string) => `{"text":"","toolCalls":[{"name":"find","arguments":{"id":${id}}}]}`;
const rawCall = (id: string) => `{"text":"","toolCalls":[{"name":"find","rawArguments":"{\\"id\\": ${id}}"}]}`;

describe('an integer that no double holds is another one than its neighbour', () => {
  test.each<[string, (wanted: string, found: string) => Answer]>([
    [
      'equals',
      (wanted, found) => ({
        check: `{ equals: { value: { id: ${wanted} } }, select: json }`,
        answer: `{"id":${found}}`,
      }),
    ],
    [
      'equals of expected',
      (wanted, found) => ({
        check: '{ equals: "{{expected}}", select: json }',
        expected: `{ id: [${wanted}] }`,
        answer: `{"id":[${found}]}`,
      }),
    ],
    ['equals on a text', (wanted, found) => ({ check: `{ equals: ${wanted} }`, answer: found })],
    [
      'jsonPath',
      (wanted, found) => ({ check: `{ jsonPath: { path: $.id, value: ${wanted} } }`, answer: `{"id":${found}}` }),
    ],
    [
      'a selection by jsonPath',
      (wanted, found) => ({ check: `{ equals: ${wanted}, select: { jsonPath: $.id } }`, answer: `{"id":${found}}` }),
    ],
    [
      'oneOf',
      (wanted, found) => ({
        check: `{ oneOf: [${wanted}, 1], select: { jsonPath: $.id } }`,
        answer: `{"id":${found}}`,
      }),
    ],
    ['list', (wanted, found) => ({ check: `{ list: [${wanted}] }`, answer: `[${found}]` })],
    [
      'list in order',
      (wanted, found) => ({ check: `{ list: { value: [1, ${wanted}], ordered: true } }`, answer: `[1, ${found}]` }),
    ],
    ['number', (wanted, found) => ({ check: `{ number: ${wanted} }`, answer: found })],
    ['number of a text', (wanted, found) => ({ check: `{ number: "${wanted}" }`, answer: `$${found}` })],
    [
      'number with a tolerance',
      (wanted, found) => ({ check: `{ number: { value: ${wanted}, tolerance: 0.5 } }`, answer: found }),
    ],
    [
      'number of expected',
      (wanted, found) => ({ check: '{ number: "{{expected}}" }', expected: wanted, answer: found }),
    ],
    [
      'toolCalls',
      (wanted, found) => ({
        check: `{ toolCalls: { value: { name: find, args: { id: ${wanted} } } } }`,
        completion: call(found),
      }),
    ],
    [
      'toolCalls by text',
      (wanted, found) => ({
        check: `{ toolCalls: { value: { name: find, args: { id: ${wanted} } } } }`,
        completion: rawCall(found),
      }),
    ],
    [
      'selected tool calls',
      (wanted, found) => ({
        check: `{ jsonPath: { path: "$[0].arguments.id", value: ${wanted} }, select: toolCalls }`,
        completion: call(found),
      }),
    ],
  ])('in %s', async (_, build) => {
    expect([
      await codeOf(build(odd, odd)),
      await codeOf(build(odd, even)),
      await codeOf(build(even, odd)),
      await codeOf(build(even, even)),
    ]).toEqual([0, 1, 1, 0]);
  });

  test.each([
    ['max', `{ number: { max: ${even} } }`, odd, 1],
    ['max, kept', `{ number: { max: ${even} } }`, even, 0],
    ['min', `{ number: { min: 9007199254740994 } }`, odd, 1],
    ['a long max', `{ number: { max: ${odd} } }`, '9007199254740994', 2],
  ])('in the bounds of number: %s', async (_, check, answer, code) => {
    expect(await codeOf({ check, answer })).toBe(code);
  });

  test.each([
    ['a type', '{ type: object, properties: { id: { type: integer, minimum: 1 } } }', `{"id":${odd}}`, 0],
    ['a type that it has not', '{ properties: { id: { type: string } } }', `{"id":${odd}}`, 1],
    ['const', `{ properties: { id: { const: ${even} } } }`, `{"id":${odd}}`, 1],
    ['const, the same', `{ properties: { id: { const: ${even} } } }`, `{"id":${even}}`, 0],
    ['enum', `{ properties: { id: { enum: [${even}, 9007199254740994] } } }`, `{"id":${odd}}`, 1],
    ['maximum', '{ properties: { id: { maximum: 9007199254740991 } } }', `{"id":${odd}}`, 1],
  ])('in jsonSchema: %s', async (_, schema, answer, code) => {
    expect(await codeOf({ check: `{ jsonSchema: ${schema} }`, answer })).toBe(code);
  });

  test.each([
    ['uniqueItems', '{ uniqueItems: true }', `[${odd}, 9007199254740993.5]`],
    ['multipleOf', '{ items: { multipleOf: 2 } }', `[${odd}]`],
  ])('and where a schema can not tell, the check is an error: %s', async (_, schema, answer) => {
    expect(await codeOf({ check: `{ jsonSchema: ${schema} }`, answer })).toBe(3);
  });

  test('in a filter of a JSONPath', async () => {
    const check = (path: string) => `{ jsonPath: { path: "${path}", exists: true } }`;
    expect(await codeOf({ check: check(`$[?@.id == ${even}]`), answer: `[{"id":${odd}}]` })).toBe(1);
    expect(await codeOf({ check: check(`$[?@.id > ${even}]`), answer: `[{"id":${odd}}]` })).toBe(0);
    const project = openCase({ check: check(`$[?@.id == ${odd}]`), answer: '[]' });
    const { code, stderr } = await project.run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evals\/ids\.eval\.yaml:8:\d+ error invalid-json-path/)]);
    expect(stderr).toContain(odd);
  });
});

describe('other numbers that a double changes', () => {
  test.each([
    ['more digits', '0.1', '0.1000000000000000000001', 1],
    ['the same value', '0.1', '0.100', 0],
    ['beyond the range', '1e308', '1e400', 1],
    ['too small', '0', '1e-400', 1],
    ['a negative zero, which is zero', '0', '-0', 0],
    ['an exponent', '100', '1e2', 0],
  ])('%s', async (_, wanted, found, code) => {
    expect(await codeOf({ check: `{ jsonPath: { path: $.n, value: ${wanted} } }`, answer: `{"n":${found}}` })).toBe(
      code,
    );
  });

  test('beyond the range in a file are refused at their place', async () => {
    const { code, stderr } = await openCase({ check: '{ equals: 1e400 }' }).run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evals\/ids\.eval\.yaml:8:\d+ error/)]);
  });

  test('a text that looks like the mark of a number stays a text', async () => {
    const answer = `{"a":"\\u0023${odd}","b":"#${odd}","n":${odd}}`;
    expect(
      await codeOf({
        check: `{ jsonPath: { path: $.a, value: "#${odd}" } }, { jsonPath: { path: $.n, value: ${odd} } }`,
        answer,
      }),
    ).toBe(0);
    expect(await codeOf({ check: `{ jsonPath: { path: $.a, value: ${odd} } }`, answer })).toBe(1);
  });
});

describe('where no exact number can be kept, it is refused at its place', () => {
  test.each([
    ['a seed', `defaults: { vars: {} }\nproviders: [{ use: openai:test-model, id: p, params: { seed: ${odd} } }]`],
    [
      'parameters of a tool',
      `providers: [{ use: openai:test-model, id: p, params: { tools: [{ type: function, function: { name: f, parameters: { maximum: ${odd} } } }] } }]`,
    ],
    ['a contract', `contract: { output: { maximum: ${odd} } }`],
    ['an input contract', `contract: { input: { properties: { id: { const: ${odd} } } } }`],
  ])('%s', async (_, suite) => {
    const project = openCase({ check: '{ equals: a }' });
    const text = project.read('evals/ids.eval.yaml');
    const rest = suite.includes('providers:') ? text.replace('providers: [openai:test-model]\n', '') : text;
    project.write('evals/ids.eval.yaml', rest.replace('cases:', `${suite}\ncases:`));
    const { code, stderr } = await project.run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evals\/ids\.eval\.yaml:\d+:\d+ error invalid-value/)]);
    expect(stderr).toContain(odd);
    expect(stderr).toContain(even);
  });

  test.each([
    ['a schema of a check', `{ jsonSchema: { const: ${odd} } }`],
    ['a schema of arguments', `{ toolCalls: { value: { name: f, schema: { const: ${odd} } } } }`],
    ['a bound of length', `{ length: { max: ${odd} } }`],
  ])('%s', async (_, check) => {
    const { code, stderr } = await openCase({ check, answer: 'a' }).run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evals\/ids\.eval\.yaml:8:\d+ error/)]);
    expect(stderr).toContain(odd);
  });

  test('a schema file, a prompt file', async () => {
    const project = openCase({ check: '{ jsonSchema: schema.json }', answer: '{}' });
    project.write('evals/schema.json', `{\n  "maximum": ${odd}\n}\n`);
    const schema = await project.run(['validate']);
    expect([schema.code, schema.stderr]).toEqual([2, expect.stringMatching(/^evals\/schema\.json:2:14 error/)]);
    project.write('evals/p.prompt', `---\nmodel: openai/gpt-4o-mini\nconfig:\n  seed: ${odd}\n---\nHello\n`);
    project.write(
      'evals/ids.eval.yaml',
      'prompts: [{ id: p, file: p.prompt }]\nproviders: [openai:test-model]\ncases: [{ id: a, observe: true }]\n',
    );
    const prompt = await project.run(['validate']);
    expect([prompt.code, prompt.stderr]).toEqual([2, expect.stringMatching(/^evals\/p\.prompt:4:\d+ error/)]);
  });
});

/** Answers with what it is asked, as it came. */
async function startRawEcho(reply: (body: string) => string) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      response.setHeader('content-type', 'application/json');
      response.end(reply(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { bodies, env: { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: 'sk-test-0123456789' } };
}

const chat = (message: string) =>
  `{"choices":[{"index":0,"finish_reason":"stop","message":${message}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`;

describe('what is sent', () => {
  test.each([
    ['YAML', `vars: { order: { id: ${odd} } }`, undefined],
    ['JSON lines', undefined, `{"id":"c","vars":{"order":{"id":${odd}}},"assert":[{"contains":"${odd}"}]}\n`],
  ])('is the very number: %s', async (_, yaml, jsonl) => {
    for (const text of ['{{ order | json }}', '{{ order.id }}', '{{ order | json: 2 }}']) {
      const server = await startRawEcho((body) => {
        const content = (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content ?? '';
        return chat(JSON.stringify({ role: 'assistant', content }));
      });
      const project = openTempProject();
      const cases =
        jsonl === undefined ? `[{ id: c, ${yaml}, assert: [{ contains: "${odd}" }] }]` : '[{ file: cases.jsonl }]';
      project.write(
        'evals/s.eval.yaml',
        `prompts: [{ id: v1, text: "${text}" }]\nproviders: [openai:gpt-4o-mini]\ncases: ${cases}\n`,
      );
      if (jsonl !== undefined) project.write('evals/cases.jsonl', jsonl);
      expect((await project.run(['run', '-q'], { env: server.env })).code).toBe(0);
      expect(server.bodies[0]).toContain(odd);
    }
  });

  test('by two cases whose numbers are neighbours are two requests and two cases', async () => {
    const server = await startRawEcho(() => chat('{"role":"assistant","content":"a"}'));
    const project = openTempProject();
    project.write(
      'evals/s.eval.yaml',
      'prompts: [{ id: v1, text: "{{ order | json }}" }]\nproviders: [openai:gpt-4o-mini]\ncases: [{ file: cases.jsonl, assert: [{ equals: a }] }]\n',
    );
    project.write('evals/cases.jsonl', [even, odd].map((id) => `{"vars":{"order":{"id":${id}}}}\n`).join(''));
    const { code, report } = await project.report(['run'], { env: server.env });
    expect([code, report.totals['passed'], server.bodies.length]).toEqual([0, 2, 2]);
  });
});

test('an input contract that can not tell a variable from another is a problem, not a pass', async () => {
  const project = openTempProject();
  const suite = (schema: string) =>
    `prompts: [{ id: v1, text: "{{ id }}" }]\nproviders: [openai:gpt-4o-mini]\ncontract: { input: { properties: { id: ${schema} } } }\ncases: [{ id: c, vars: { id: ${odd} }, assert: [{ equals: a }] }]\n`;
  const codes: number[] = [];
  for (const schema of ['{ type: integer, minimum: 1 }', '{ multipleOf: 2 }', `{ const: ${even} }`]) {
    project.write('evals/s.eval.yaml', suite(schema));
    codes.push((await project.run(['validate'])).code);
  }
  expect(codes).toEqual([0, 2, 2]);
});

test('a template compares and never calculates with a number that no double keeps', async () => {
  const sent = async (text: string) => {
    const server = await startRawEcho(() => chat('{"role":"assistant","content":"a"}'));
    const project = openTempProject();
    project.write(
      'evals/s.eval.yaml',
      `prompts: [{ id: v1, text: "${text}" }]\nproviders: [openai:gpt-4o-mini]\ncases: [{ id: c, vars: { id: ${odd}, same: ${odd}, near: ${even} }, assert: [{ equals: a }] }]\n`,
    );
    const { code } = await project.run(['run', '-q'], { env: server.env });
    const body = server.bodies[0] === undefined ? undefined : JSON.parse(server.bodies[0]);
    return [code, body?.messages[0].content];
  };
  const pick = (test: string) => sent(`{% if ${test} %}yes{% else %}no{% endif %} {{ id }}{{ same }}{{ near }}`);
  expect(await pick('id == near')).toEqual([0, `no ${odd}${odd}${even}`]);
  expect(await pick('id == same')).toEqual([0, `yes ${odd}${odd}${even}`]);
  expect(await pick('id > near')).toEqual([0, `yes ${odd}${odd}${even}`]);
  expect((await sent('{{ id | plus: 1 }}{{ same }}{{ near }}'))[0]).toBe(2);
});

test('a program that calls tools is understood to the last digit', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  project.write(
    'evals/model.mjs',
    `console.log('{"text":"","toolCalls":[{"name":"find","arguments":{"id":${odd}}}]}');\n`,
  );
  const suite = (id: string) =>
    `prompts: [{ id: v1, text: "Say it" }]\nproviders: [{ id: p, use: "exec:node model.mjs" }]\ncases: [{ id: c, assert: [{ toolCalls: { value: { name: find, args: { id: ${id} } } } }] }]\n`;
  project.write('evals/s.eval.yaml', suite(odd));
  const right = await project.run(['run', '-q']);
  project.write('evals/s.eval.yaml', suite(even));
  const wrong = await project.run(['run', '-q']);
  expect([right.code, wrong.code]).toEqual([0, 1]);
});

describe('what came back', () => {
  const message = (id: string) =>
    `{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"find","arguments":"{\\"id\\": ${id}}"}}]}`;
  const suite = (id: string) =>
    `prompts: [{ id: v1, text: "Say it" }]\nproviders: [openai:gpt-4o-mini]\ncases: [{ id: c, assert: [{ toolCalls: { value: { name: find, args: { id: ${id} } } } }] }]\n`;

  test('is the same number in the cache, the record, the baseline and the report', async () => {
    const server = await startRawEcho(() => chat(message(odd)));
    const project = openTempProject();
    project.write('evals/s.eval.yaml', suite(odd));
    const live = await project.run(['run', '-r', 'json', '--no-baseline'], { env: server.env });
    const again = await project.run(['run', '-r', 'json', '--no-baseline'], { env: server.env });
    expect([live.code, again.code, server.bodies.length]).toEqual([0, 0, 1]);
    for (const { stdout } of [live, again]) expect(stdout).toContain(`"arguments":{"id":${odd}}`);
    expect((await project.run(['baseline', 'accept'], { env: server.env })).code).toBe(0);
    expect(project.read('evals/s.baseline.jsonl')).toContain(odd);
    expect(project.read('evals/s.baseline.jsonl')).not.toContain(even);
    project.write('evals/s.eval.yaml', suite(even));
    expect((await project.run(['run', '-q', '--no-baseline'], { env: server.env })).code).not.toBe(0);
  });

  test('differs from a snapshot of its neighbour', async () => {
    let id = odd;
    const server = await startRawEcho(() => chat(JSON.stringify({ role: 'assistant', content: `{"id":${id}}` })));
    const project = openTempProject();
    project.write(
      'evals/s.eval.yaml',
      'prompts: [{ id: v1, text: "Say it" }]\nproviders: [openai:gpt-4o-mini]\ncases: [{ id: c, assert: [{ contains: "id" }] }]\n',
    );
    await project.run(['run', '-q'], { env: server.env });
    expect((await project.run(['baseline', 'accept'], { env: server.env })).code).toBe(0);
    project.write(
      'evals/s.eval.yaml',
      project.read('evals/s.eval.yaml').replace('{ contains: "id" }', '{ snapshot: exact, select: json }'),
    );
    const same = await project.report(['run', '--cache', 'off'], { env: server.env });
    id = even;
    const other = await project.report(['run', '--cache', 'off'], { env: server.env });
    expect([same, other].map(({ report }) => trialsOf(report)[0]?.status)).toEqual(['passed', 'failed']);
  });

  test('goes to a program as the number, and to a module as a text', { tags: ['slow'] }, async () => {
    const program = `exec: { value: [node, check.mjs], args: { id: ${odd} } }`;
    const own = `module: { value: own.mjs, args: { id: ${odd} } }`;
    const project = openCase({
      check: `{ ${program}, select: json }, { ${own}, select: json }`,
      answer: `{"id":${odd}}`,
    });
    project.write(
      'evals/check.mjs',
      `import { readFileSync } from 'node:fs';
const text = readFileSync(0, 'utf8');
console.log(JSON.stringify({ pass: text.includes('"target":{"id":${odd}}') && text.includes('"args":{"id":${odd}}'), reason: text.slice(0, 300) }));
`,
    );
    project.write(
      'evals/own.mjs',
      `export default ({ target, args }) => ({ pass: target.id === '${odd}' && args.id === '${odd}', reason: JSON.stringify(target) });\n`,
    );
    await project.run(['cache', 'import', 'evals/ids.jsonl']);
    const { report } = await project.report(['run']);
    expect(trialsOf(report)[0]?.checks.map(({ pass, reason }) => [pass, reason])).toEqual([
      [true, expect.any(String)],
      [true, expect.any(String)],
    ]);
  });
});

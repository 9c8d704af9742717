import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inputFile, linesOf, openContractProject, outputFile, promptFile, suiteFile } from './contract-project.ts';

test('a break is named at the line of the new schema, against the commit before', { tags: 'slow' }, async () => {
  const project = await openContractProject();
  project.edit(outputFile, '"legal",', '"legal",\n        "fraud",');
  project.commit('a queue more');
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD~1');
  expect(code).toBe(1);
  expect(findings).toMatchObject([
    {
      suite: 'triage',
      prompt: 'v1',
      ruleId: 'enum-value-added',
      direction: 'output',
      severity: 'error',
      path: '/outputSchema/properties/queue',
      at: { file: outputFile, line: 8 },
    },
  ]);
  expect(project.read(outputFile).split('\n')[7]).toContain('"queue"');
  const { code: again, stdout } = await project.llmcheck('contract', 'check', '--against', 'git:HEAD~1');
  expect(again).toBe(1);
  expect(stdout).toContain(`${outputFile}:8:`);
});

test('an approval lets exactly its finding through, and still does many commits later', {
  tags: ['slow'],
}, async () => {
  const project = await openContractProject();
  project.git('tag', 'released');
  project.edit(outputFile, '"legal",', '"legal",\n        "fraud",');
  project.edit(outputFile, '"type": "string"', '"type": ["string", "null"]');
  project.commit('two breaks');
  const first = await project.contract('check', '--against', 'git:released');
  expect(linesOf(first.findings)).toEqual([
    'enum-value-added error /outputSchema/properties/queue',
    'became-nullable error /outputSchema/properties/reason',
  ]);
  const [added] = first.findings;
  project.edit(suiteFile, '  output:', `  approved: [${added?.fingerprint ?? ''}]\n  output:`);
  project.commit('approve one');
  const second = await project.contract('check', '--against', 'git:released');
  expect([second.code, second.findings.map(({ ruleId, approved }) => [ruleId, approved])]).toEqual([
    1,
    [
      ['became-nullable', undefined],
      ['enum-value-added', true],
    ],
  ]);
  project.edit(outputFile, '["string", "null"]', '"string"');
  project.edit(outputFile, '"properties"', '"description": "Where a mail goes.",\n  "properties"');
  project.write(promptFile, 'Answer in JSON. Say: {{ email }}\n');
  project.commit('unrelated work');
  const third = await project.contract('check', '--against', 'git:released');
  expect(third.code).toBe(0);
  expect(third.findings.filter(({ approved }) => approved === true)).toHaveLength(1);
  // Another change of the same place is another finding.
  project.edit(outputFile, '"fraud"', '"abuse"');
  const fourth = await project.contract('check', '--against', 'git:released');
  expect([fourth.code, fourth.findings.some(({ approved }) => approved === true)]).toEqual([1, false]);
});

test('nothing is left behind, nothing is asked of a provider, and no key is needed', async () => {
  const project = await openContractProject();
  project.edit(outputFile, '"legal",', '');
  const before = project.git('status', '--porcelain');
  const { code } = await project.run(['contract', 'check', '--against', 'git:HEAD'], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
  expect(code).toBe(0);
  expect(project.git('status', '--porcelain')).toBe(before);
  expect(existsSync(project.path('.llmcheck'))).toBe(false);
  expect(project.server.requests).toHaveLength(0);
});

test('a removed or renamed prompt breaks those that refer to it, unless that is approved', {
  tags: 'slow',
}, async () => {
  const project = await openContractProject();
  project.edit(suiteFile, 'id: v1', 'id: v2');
  const renamed = await project.contract('check', '--against', 'git:HEAD');
  expect([renamed.code, renamed.findings]).toMatchObject([1, [{ ruleId: 'prompt-renamed', prompt: 'v1' }]]);
  expect(renamed.findings[0]?.at).toEqual({ file: suiteFile, line: 2, column: 3 });
  project.edit(outputFile, '"legal",', '');
  const removed = await project.contract('check', '--against', 'git:HEAD');
  expect([removed.code, removed.findings]).toMatchObject([1, [{ ruleId: 'prompt-removed', prompt: 'v1' }]]);
  const approve = (fingerprint = '') => project.edit(suiteFile, '  output:', `  approved: [${fingerprint}]\n  output:`);
  approve(removed.findings[0]?.fingerprint);
  expect((await project.contract('check', '--against', 'git:HEAD')).code).toBe(0);
});

test('a version that replaces another is compared with it while both are there', { tags: ['slow'] }, async () => {
  const project = await openContractProject();
  project.edit(
    suiteFile,
    'providers:',
    '  - { id: v2, replaces: v1, text: "Say: {{ email }}", contract: { output: { type: object } } }\nproviders:',
  );
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect(code).toBe(1);
  expect(new Set(findings.map(({ prompt }) => prompt))).toEqual(new Set(['v2']));
});

test('variables, tools, params and roles are compared, each at its own line', async () => {
  const project = await openContractProject();
  const withTools = (params: string) => `prompts:
  - id: v1
    messages:
      - { role: system, content: "Be brief." }
      - role: user
        content: "Say: {{ email }}"
    params:
${params}providers: [openai:test-model]
cases: [{ file: cases.jsonl }]
`;
  const tool = (parameters: string) => `      tools:
        - type: function
          function:
            name: route
            parameters:
              type: object
              required: [queue]
              properties:
                queue: ${parameters}
`;
  project.write(suiteFile, withTools(`      max_tokens: 200\n${tool('{ enum: [billing, legal] }')}`));
  project.commit('with tools');
  project.write(
    suiteFile,
    withTools(`      max_tokens: 100\n${tool('{ enum: [billing, legal, sales] }')}`)
      .replace('      - { role: system, content: "Be brief." }\n', '')
      .replace('{{ email }}', '{{ email }} in {{ language }}'),
  );
  project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","language":"en"');
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect(code).toBe(1);
  expect(findings.map(({ ruleId, severity, at }) => `${ruleId} ${severity} ${at?.line}`).toSorted()).toEqual([
    'input-variable-added error 5',
    'max-output-tokens-lowered warn 7',
    'role-structure-changed info 2',
    'tool-parameter-enum-value-added error 16',
  ]);
});

test('a tool in the flat form is judged by output polarity too', { tags: ['slow'] }, async () => {
  const project = await openContractProject();
  const suite = (values: string) =>
    `prompts: [{ id: v1, text: "Say: {{ email }}", params: { tools: [{ type: function, name: route, parameters: { type: object, properties: { queue: { enum: [${values}] } } } }] } }]
providers: [openai:test-model]
cases: [{ file: cases.jsonl }]
`;
  project.write(suiteFile, suite('a, b'));
  project.commit();
  project.write(suiteFile, suite('a'));
  expect((await project.contract('check', '--against', 'git:HEAD')).code).toBe(0);
  project.write(suiteFile, suite('a, b, c'));
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect([code, linesOf(findings)]).toEqual([
    1,
    ['tool-parameter-enum-value-added error /tools/route/parameters/properties/queue'],
  ]);
});

test.each([
  [
    'gemini',
    'tools: [{ functionDeclarations: [{ name: route, parameters: { type: OBJECT, properties: { queue: TYPE } } }] }]',
  ],
  [
    'gemini',
    'tools: [{ function_declarations: [{ name: route, parametersJsonSchema: { type: object, properties: { queue: TYPE } } }] }]',
  ],
  ['anthropic', 'tools: [{ name: route, input_schema: { type: object, properties: { queue: TYPE } } }]'],
  [
    'bedrock',
    'toolConfig: { tools: [{ toolSpec: { name: route, inputSchema: { json: { type: object, properties: { queue: TYPE } } } } }] }',
  ],
  ['openai', 'functions: [{ name: route, parameters: { type: object, properties: { queue: TYPE } } }]'],
])('a tool in the form of %s is compared: %s', async (adapter, params) => {
  const project = await openContractProject();
  const suite = (type: string) =>
    `prompts: [{ id: v1, text: "Say: {{ email }}", params: { ${params.replace('TYPE', `{ type: ${type} }`)} } }]
providers: [${adapter}:test-model]
cases: [{ file: cases.jsonl }]
`;
  const [string, number] = params.includes('OBJECT') ? ['STRING', 'NUMBER'] : ['string', 'number'];
  project.write(suiteFile, suite(string));
  project.commit();
  project.write(suiteFile, suite(number));
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect([code, linesOf(findings.filter(({ severity }) => severity === 'error'))]).toEqual([
    1,
    ['tool-parameter-type-changed error /tools/route/parameters/properties/queue'],
  ]);
});

test.each([
  ['{ type: custom, custom: { name: route } }', ['tool-removed error /tools/route']],
  ['{ type: web_search }', ['param-changed info /params/tools']],
])('the tool %s is missed', async (tool, found) => {
  const project = await openContractProject();
  const suite = (tools: string) =>
    `prompts: [{ id: v1, text: "Say: {{ email }}", params: { tools: [${tools}] } }]
providers: [openai:test-model]
cases: [{ file: cases.jsonl }]
`;
  project.write(suiteFile, suite(tool));
  project.commit();
  project.write(suiteFile, suite(''));
  expect(linesOf((await project.contract('check', '--against', 'git:HEAD')).findings)).toEqual(found);
});

test.each([
  ['cohere', 'response_format: { type: json_object, json_schema: SCHEMA }'],
  ['openai', 'response_format: { type: json_object, schema: SCHEMA }'],
  ['openai', 'text: { format: { type: json_schema, name: answer, schema: SCHEMA } }'],
  ['anthropic', 'output_config: { format: { type: json_schema, schema: SCHEMA } }'],
  ['gemini', 'responseJsonSchema: SCHEMA'],
  ['gemini', 'generationConfig: { responseMimeType: application/json, responseSchema: SCHEMA }'],
])('the schema of an answer in the form of %s is compared: %s', async (adapter, params) => {
  const project = await openContractProject();
  const suite = (required: string) => {
    const schema = `{ type: object, required: [${required}], properties: { queue: { type: string } } }`;
    return `prompts: [{ id: v1, text: "Say: {{ email }}", params: { ${params.replace('SCHEMA', schema)} } }]
providers: [${adapter}:test-model]
cases: [{ file: cases.jsonl }]
`;
  };
  project.write(suiteFile, suite('queue'));
  project.commit();
  project.write(suiteFile, suite(''));
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect([code, linesOf(findings.filter(({ severity }) => severity === 'error'))]).toEqual([
    1,
    ['property-became-optional error /outputSchema/properties/queue'],
  ]);
});

test('a variable with a default asks nothing new of callers', async () => {
  const project = await openContractProject();
  project.edit(promptFile, '{{ email }}', '{{ email }} {{ tone | default: "kind" }}');
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect([code, linesOf(findings)]).toEqual([0, ['input-variable-added info /variables/tone']]);
});

test('a variable that has a default in one place and none in another is asked of callers', async () => {
  const project = await openContractProject();
  project.edit(promptFile, '{{ email }}', '{{ email }} {{ tone | default: "kind" }} {{ tone }}');
  project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","tone":"dry"');
  const { code, findings } = await project.contract('check', '--against', 'git:HEAD');
  expect([code, linesOf(findings)]).toEqual([1, ['input-variable-added error /variables/tone']]);
});

test('a variable is asked of callers beside another that the template tests for', async () => {
  const project = await openContractProject();
  project.edit(promptFile, '{{ email }}', '{% if tone %}Be {{ tone }}. {% endif %}{{ email }} {{ order }}');
  project.edit('evals/cases.jsonl', /"email":"(\d+)"/g, '"email":"$1","order":"7"');
  const { findings } = await project.contract('check', '--against', 'git:HEAD');
  expect(linesOf(findings).toSorted()).toEqual([
    'input-variable-added error /variables/order',
    'input-variable-added info /variables/tone',
  ]);
});

test('mistakes in the cases of an old commit are ignored, but not those in its schemas', async () => {
  const project = await openContractProject();
  project.edit('evals/cases.jsonl', '"contains"', '"contians"');
  project.commit('a broken case');
  project.edit('evals/cases.jsonl', '"contians"', '"contains"');
  expect((await project.contract('check', '--against', 'git:HEAD')).code).toBe(0);
  project.edit(outputFile, '"string"', '"strnig"');
  project.commit('a broken schema');
  project.edit(outputFile, '"strnig"', '"string"');
  const { code, stderr } = await project.llmcheck('contract', 'check', '--against', 'git:HEAD');
  expect(code).toBe(2);
  expect(stderr).toContain(`git:HEAD:${outputFile}:16:`);
  expect(stderr).toContain('invalid-schema');
});

test('a suite that is new since the commit is a remark', async () => {
  const project = await openContractProject();
  project.write('evals/other.eval.yaml', project.read(suiteFile).replace('id: v1', 'id: o1'));
  const added = await project.contract('check', '--against', 'git:HEAD');
  expect([added.code, added.notes]).toEqual([
    0,
    [expect.stringContaining('other: there is no such suite at git:HEAD')],
  ]);
});

test('a suite removed since the commit breaks those that refer to its prompts, unless that is approved', {
  tags: ['slow'],
}, async () => {
  const project = await openContractProject();
  project.write('evals/other.eval.yaml', project.read(suiteFile));
  project.commit();
  project.git('rm', '-q', suiteFile);
  const check = () => project.contract('check', '--against', 'git:HEAD');
  const gone = await check();
  expect([gone.code, gone.findings]).toMatchObject([1, [{ ruleId: 'prompt-removed', suite: 'triage', prompt: 'v1' }]]);
  expect(gone.notes).toEqual(['triage (evals/triage.eval.yaml) is gone, and with it the contracts of v1']);
  project.edit('evals/other.eval.yaml', 'id: v1', 'id: o1');
  const other = (await check()).findings.find(({ suite }) => suite === 'other');
  expect(other?.fingerprint).not.toBe(gone.findings[0]?.fingerprint);
  project.edit('evals/other.eval.yaml', 'id: o1', 'id: v1');
  project.edit('evals/other.eval.yaml', '  output:', `  approved: [${gone.findings[0]?.fingerprint}]\n  output:`);
  expect((await check()).code).toBe(0);
});

test('a suite that was renamed and moved is not compared until it has its old id', { tags: ['slow'] }, async () => {
  const project = await openContractProject();
  project.edit(outputFile, '"legal",', '"legal",\n        "fraud",');
  project.git('mv', suiteFile, 'evals/moved.eval.yaml');
  const lost = await project.contract('check', '--against', 'git:HEAD');
  expect([lost.code, linesOf(lost.findings)]).toEqual([1, ['prompt-removed error /suites/triage/v1']]);
  expect(lost.notes[1]).toMatch(/; if it is evals\/moved\.eval\.yaml now, write "suite: triage" there$/);
  project.edit('evals/moved.eval.yaml', 'prompts:', 'suite: triage\nprompts:');
  const found = await project.contract('check', '--against', 'git:HEAD');
  expect(linesOf(found.findings)).toEqual(['enum-value-added error /outputSchema/properties/queue']);
});

test('a suite that moved is found by its id', { tags: ['slow'] }, async () => {
  const project = await openContractProject();
  project.edit(outputFile, '"legal",', '"legal",\n        "fraud",');
  project.git('mv', suiteFile, 'evals/moved.eval.yaml');
  project.edit('evals/moved.eval.yaml', 'prompts:', 'suite: triage\nprompts:');
  const { code, findings } = await project.contract('check', 'evals/moved.eval.yaml', '--against', 'git:HEAD');
  expect([code, linesOf(findings)]).toEqual([1, ['enum-value-added error /outputSchema/properties/queue']]);
});

test('a ref that does not exist is a problem with a next step', async () => {
  const project = await openContractProject();
  const { code, stderr } = await project.llmcheck('contract', 'check', '--against', 'git:mian');
  expect(code).toBe(2);
  expect(stderr).toContain('did you mean "main"?');
});

test('the policy, overrides, ignored places and strict consumers of the suite hold', { tags: 'slow' }, async () => {
  const project = await openContractProject();
  project.edit(outputFile, '"legal",', '"legal",\n        "fraud",');
  const codeWith = async (settings: string) => {
    const before = project.read(suiteFile);
    project.edit(suiteFile, '  output:', `  ${settings}\n  output:`);
    const { code } = await project.llmcheck('contract', 'check', '--against', 'git:HEAD');
    project.write(suiteFile, before);
    return code;
  };
  expect(await codeWith('strictConsumers: false')).toBe(1);
  expect(await codeWith('policy: lenient')).toBe(0);
  expect(await codeWith('overrides: { enum-value-added: warn }')).toBe(0);
  expect(await codeWith('overrides: { enum-value-addd: warn }')).toBe(2);
  expect(await codeWith('ignore: [/outputSchema/properties/queue]')).toBe(0);
  expect(await codeWith('ignore: [/outputSchema/properties/reason]')).toBe(1);
  expect(await codeWith('policy: lax')).toBe(2);
});

test('a prompt whose requests no longer begin alike is a warning, against a commit and a baseline', {
  tags: ['slow'],
}, async () => {
  const project = await openContractProject();
  const rules = Array.from({ length: 200 }, (_, index) => `${index + 1}. Topic ${index + 1} goes to its own queue.`);
  project.write(promptFile, `${rules.join('\n')}\nSay: {{ email }}\n`);
  project.commit('a long prompt');
  await project.accept();
  project.write(promptFile, `Say: {{ email }}\n${rules.join('\n')}\n`);
  for (const against of [['--against', 'git:HEAD'], []]) {
    const { code, findings } = await project.contract('check', ...against);
    expect(code).toBe(0);
    expect(linesOf(findings)).toEqual(['cacheable-prefix-shortened warn /messages']);
    expect(findings[0]).toMatchObject({ direction: 'output', at: { file: suiteFile, line: 2 } });
    expect(findings[0]?.message).toMatch(
      /went from about 2\d{3} tokens to \d, below the 1024 tokens from which OpenAI/,
    );
  }
  project.edit(suiteFile, 'contract:\n', 'contract:\n  overrides: { cacheable-prefix-shortened: error }\n');
  expect(await project.contract('check', '--against', 'git:HEAD')).toMatchObject({ code: 1 });
  // The old side is measured with the variables that it had.
  project.edit(suiteFile, /  overrides: .*\n/, '');
  project.write(promptFile, `${rules.join('\n')}\nSay: {{ mail }}\n`);
  project.write('evals/cases.jsonl', project.read('evals/cases.jsonl').replaceAll('"email":', '"mail":'));
  project.write(inputFile, project.read(inputFile).replaceAll('email', 'mail'));
  const renamed = await project.contract('check', '--against', 'git:HEAD');
  expect(linesOf(renamed.findings)).not.toContain('cacheable-prefix-shortened warn /messages');
});

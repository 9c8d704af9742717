import { describe, expect, test } from 'vitest';
import { assertions } from '../../../src/assertions/index.ts';
import { startChatServer, startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';
import { problemsIn, suiteOf, testMistakes } from './follow-hints.ts';

const suite = 'evals/a.eval.yaml';

const known = Object.keys(assertions).join(', ');

/** A suite whose one case has one assertion. */
const asserting = (assertion: string, more = '') =>
  suiteOf({ cases: `\n  - id: red\n    vars: { word: red }\n    assert:\n      - ${assertion}\n`, more });

const unknownType = (line = 7) => `${suite}:${line}:11 error unknown-assertion: unknown assertion "type"`;

describe('assertions in the style of other tools', () => {
  testMistakes({
    'a type with a value': {
      files: { [suite]: asserting('type: contains\n        value: red') },
      says: [
        `${suite}:7:9 error unknown-assertion: unknown assertion "type"\nhint: here the name is the key: write contains: "red"`,
      ],
      follow: ({ change }) => change(suite, 'type: contains\n        value: red', 'contains: "red"'),
    },
    'a type with other words': {
      files: { [suite]: asserting('{ type: contains-any, value: [red, blue] }') },
      says: [`${unknownType()}\nhint: here the name is the key: write containsAny: ["red","blue"]`],
      follow: ({ change }) => change(suite, 'type: contains-any, value: [red, blue]', 'containsAny: ["red","blue"]'),
    },
    'a type that is negated': {
      files: { [suite]: asserting('{ type: not-icontains, value: blue }') },
      says: [
        `${unknownType()}\nhint: here the name is the key: write not: { contains: { value: "blue", ignoreCase: true } }`,
      ],
      follow: ({ change }) =>
        change(suite, 'type: not-icontains, value: blue', 'not: { contains: { value: "blue", ignoreCase: true } }'),
    },
    'a type without a value': {
      files: { [suite]: asserting('not: { type: is-json }') },
      says: [
        `${suite}:7:16 error unknown-assertion: unknown assertion "type"\nhint: here the name is the key: write json: true`,
      ],
      follow: ({ change }) => change(suite, 'type: is-json', 'json: true'),
    },
    'a name with a value': {
      files: { [suite]: asserting('{ name: contains, value: red }') },
      says: [
        `${suite}:7:27 error unknown-assertion: unknown assertion "value"\nhint: here the name is the key: write contains: "red"`,
      ],
      follow: ({ change }) => change(suite, 'name: contains, value: red', 'contains: "red"'),
    },
    'a type that is not known': {
      files: { [suite]: asserting('{ type: nonsense, value: red }') },
      says: [`${unknownType()}\nhint: known: ${known}`],
      follow: ({ edit }) => edit(suite, 'type: nonsense, value: red', 'contains: red'),
    },
    'an assertion in quotes': {
      files: { [suite]: asserting('"contains: red"') },
      says: [
        `${suite}:7:9 error invalid-value: an assertion is a map with one assertion name, not "contains: red"\nhint: write it without quotes: contains: red`,
      ],
      follow: ({ change }) => change(suite, '"contains: red"', 'contains: red'),
    },
    'true for a snapshot': {
      files: { [suite]: asserting('not: { snapshot: true }\n        weight: 0\n      - contains: red') },
      says: [`${suite}:7:26 error invalid-value: snapshot must be exact or normalised, not true\nhint: write exact`],
      follow: ({ edit }) => edit(suite, 'not: { snapshot: true }\n        weight: 0\n      - contains', 'contains'),
    },
  });

  test.each([
    ['icontains', 'value: red'],
    ['icontains-all', 'value: [red]'],
    ['icontains-any', 'value: [red]'],
    ['is-json'],
    ['contains-json'],
    ['is-xml'],
    ['is-html'],
    ['is-sql'],
    ['is-refusal'],
    ['rouge-n', 'value: red'],
    ['levenshtein', 'value: red'],
    ['similar', 'value: red'],
    ['starts-with', 'value: red'],
    ['regex', 'value: red'],
    ['equals', 'value: red'],
    ['llm-rubric', 'value: is red'],
    ['g-eval', 'value: is red'],
    ['factuality', 'value: is red'],
    ['select-best', 'value: is red'],
  ])('what is to be written for %s is valid', async (type, value = '') => {
    const project = openTempProject();
    const judged = 'judges: [openai:gpt-4o]\n';
    project.write(suite, asserting(`{ type: ${type}, ${value} }`, judged));
    const refused = await project.run(['validate'], { env: { OPENAI_API_KEY: 'x' } });
    const written = /hint: here the name is the key: write (.*)/.exec(refused.stderr)?.[1] ?? '';
    project.write(suite, asserting(`{ ${written} }`, judged));
    const { code, stderr } = await project.run(['validate'], { env: { OPENAI_API_KEY: 'x' } });
    expect([written === '', stderr, code]).toEqual([false, '', 0]);
  });
});

const inProvider = (key: string) => `error unknown-key: unknown key "${key}" in a provider`;

const providers = (lines: readonly string[]) => suiteOf({ providers: `\n  - ${lines.join('\n    ')}` });

describe('assertions for every case', () => {
  const unjudged = '[{ id: red, vars: { word: red } }, { id: rot, vars: { word: red } }]';
  testMistakes({
    'under a misspelt key': {
      files: { [suite]: suiteOf({ cases: unjudged, more: 'default: { assert: [{ contains: red }] }\n' }) },
      says: [`${suite}:4:1 error unknown-key: unknown key "default" in the suite\nhint: did you mean "defaults"?`],
      follow: ({ change }) => change(suite, 'default', 'defaults'),
    },
    'under a misspelt key of the defaults': {
      files: { [suite]: suiteOf({ cases: unjudged, more: 'defaults: { asserts: [{ contains: red }] }\n' }) },
      says: [`${suite}:4:13 error unknown-key: unknown key "asserts" in defaults\nhint: did you mean "assert"?`],
      follow: ({ change }) => change(suite, 'asserts', 'assert'),
    },
    'beside the cases': {
      files: { [suite]: suiteOf({ cases: unjudged, more: 'assert: [{ contains: red }]\n' }) },
      says: [
        `${suite}:4:1 error unknown-key: unknown key "assert" in the suite\nhint: for every case it is written under defaults: { assert: … }`,
      ],
      follow: ({ edit }) => edit(suite, 'assert: [{ contains: red }]', 'defaults: { assert: [{ contains: red }] }'),
    },
    'as a map': {
      files: { [suite]: suiteOf({ cases: unjudged, more: 'defaults: { assert: { contains: red } }\n' }) },
      says: [
        `${suite}:4:21 error invalid-value: defaults.assert must be a list, not a map\nhint: begin each item of the list with "- ", as in "- contains: …", or write [{ contains: … }]`,
      ],
      follow: ({ edit }) => edit(suite, '{ contains: red }', '[{ contains: red }]'),
    },
  });

  test('a mistake elsewhere in the defaults hides no case without an assertion', async () => {
    const project = openTempProject();
    project.write(suite, suiteOf({ cases: unjudged, more: 'defaults: { trials: x }\n' }));
    const { stderr } = await project.run(['validate']);
    expect(stderr).toContain('case "red" has no assertion');
  });
});

describe('providers in the style of other tools', () => {
  testMistakes({
    'a model beside the adapter': {
      files: { [suite]: providers(['id: mini', 'use: openai', 'model: gpt-4o-mini']) },
      says: [`${suite}:5:5 ${inProvider('model')}\nhint: write use: openai:gpt-4o-mini in place of use and model`],
      follow: ({ change }) => change(suite, 'use: openai\n    model: gpt-4o-mini', 'use: openai:gpt-4o-mini'),
    },
    'a provider and a model, with a parameter': {
      files: {
        [suite]: providers(['id: mini', 'provider: openai', 'model: gpt-4o-mini', 'temperature: 0', 'max_tokens: 9']),
      },
      says: [
        `${suite}:5:5 ${inProvider('model')}\nhint: write use: openai:gpt-4o-mini in place of model and provider`,
        `${suite}:6:5 ${inProvider('temperature')}\nhint: parameters of the model are written under params: { temperature: 0, max_tokens: 9 }`,
        `${suite}:7:5 ${inProvider('max_tokens')}\nhint: parameters of the model are written under params: { temperature: 0, max_tokens: 9 }`,
      ],
      follow({ change }) {
        change(suite, 'provider: openai\n    model: gpt-4o-mini', 'use: openai:gpt-4o-mini');
        change(suite, 'temperature: 0\n    max_tokens: 9', 'params: { temperature: 0, max_tokens: 9 }');
      },
    },
    'the model as the id, with a config': {
      files: { [suite]: providers(['id: openai:gpt-4o-mini', 'config:', '  temperature: 0']) },
      says: [
        `${suite}:3:5 error invalid-value: provider needs "use"\nhint: write use: openai:gpt-4o-mini`,
        `${suite}:4:5 ${inProvider('config')}\nhint: write params in place of config`,
      ],
      follow({ change, edit }) {
        edit(suite, 'id: openai:gpt-4o-mini', 'id: openai:gpt-4o-mini\n    use: openai:gpt-4o-mini');
        change(suite, 'config', 'params');
      },
    },
    'a config with an address': {
      files: {
        [suite]: providers([
          'id: mini',
          'use: openai:gpt-4o-mini',
          'config: { temperature: 0, apiKeyEnvar: OPENAI_API_KEY }',
        ]),
      },
      says: [
        `${suite}:5:5 ${inProvider('config')}\nhint: write params in place of config, and its apiKeyEnvar as apiKeyEnv beside it`,
      ],
      follow: ({ edit }) =>
        edit(
          suite,
          'config: { temperature: 0, apiKeyEnvar: OPENAI_API_KEY }',
          'params: { temperature: 0 }\n    apiKeyEnv: OPENAI_API_KEY',
        ),
    },
    'a parameter beside params': {
      files: { [suite]: providers(['id: mini', 'use: openai:gpt-4o-mini', 'temperature: 0', 'params: { seed: 1 }']) },
      says: [
        `${suite}:5:5 ${inProvider('temperature')}\nhint: move it into params: parameters of the model are written there`,
      ],
      follow({ edit }) {
        edit(suite, 'temperature: 0\n    params: { seed: 1 }', 'params: { seed: 1, temperature: 0 }');
      },
    },
    'a model alone': {
      files: { [suite]: providers(['id: mini', 'model: gpt-4o-mini']) },
      says: [
        `${suite}:4:5 ${inProvider('model')}\nhint: write it under use, after its adapter and a colon, such as use: openai:gpt-4o-mini`,
      ],
      follow: ({ change }) => change(suite, 'model: gpt-4o-mini', 'use: openai:gpt-4o-mini'),
    },
    'the model as a key': {
      files: { [suite]: providers(['openai:gpt-4o-mini:', '  temperature: 0']) },
      says: [
        `${suite}:3:5 ${inProvider('openai:gpt-4o-mini')}\nhint: write id: gpt-4o-mini and use: openai:gpt-4o-mini, with its parameters under params`,
      ],
      follow: ({ edit }) =>
        edit(
          suite,
          'openai:gpt-4o-mini:\n      temperature: 0',
          'id: gpt-4o-mini\n    use: openai:gpt-4o-mini\n    params:\n      temperature: 0',
        ),
    },
    'the same in the config, whose provider a suite names': {
      files: {
        [suite]: suiteOf({ providers: '[mini]' }),
        'llmcheck.config.yaml': 'providers: [{ id: mini, provider: openai, model: gpt-4o-mini }]\n',
      },
      says: [
        `llmcheck.config.yaml:1:43 ${inProvider('model')}\nhint: write use: openai:gpt-4o-mini in place of model and provider`,
      ],
      follow: ({ change }) =>
        change('llmcheck.config.yaml', 'provider: openai, model: gpt-4o-mini', 'use: openai:gpt-4o-mini'),
    },
    'a parameter of a prompt': {
      files: { [suite]: suiteOf({ prompts: '[{ id: v1, text: "Say: {{ word }}", temperature: 0 }]' }) },
      says: [
        `${suite}:1:46 error unknown-key: unknown key "temperature" in the prompt\nhint: parameters of the model are written under params: { temperature: 0 }`,
      ],
      follow: ({ edit }) => edit(suite, 'temperature: 0', 'params: { temperature: 0 }'),
    },
  });

  test('a key that is withheld from its own service is a warning before any call', async () => {
    const project = openTempProject();
    const own = 'baseURL: "https://api.openai.com/v1"';
    project.write(suite, suiteOf({ providers: `[{ id: own, use: openai:gpt-4o-mini, ${own} }]` }));
    const env = { OPENAI_API_KEY: 'sk-test-0123456789' };
    const { code, stderr } = await project.run(['validate'], { env });
    expect([code, problemsIn(stderr)]).toEqual([
      0,
      [
        `${suite}:2:13 warning missing-key: provider own sends no key to api.openai.com: it has baseURL and no apiKeyEnv\nhint: add apiKeyEnv: OPENAI_API_KEY, or leave baseURL out`,
      ],
    ]);
    project.write(suite, project.read(suite).replace(own, `${own}, apiKeyEnv: OPENAI_API_KEY`));
    expect(await project.run(['validate'], { env })).toMatchObject({ code: 0, stderr: '' });
  });

  test('a refusal says that the key was withheld from an address of its own', async () => {
    const server = await startChatServer(({ received }) =>
      received.headers['authorization'] === 'Bearer sk-own-0123456789'
        ? 'red'
        : { status: 401, body: { error: { message: 'no key' } } },
    );
    const project = openTempProject();
    const own = `baseURL: "${server.url}/v1"`;
    project.write(suite, suiteOf({ providers: `[{ id: own, use: openai:gpt-4o-mini, ${own} }]` }));
    const env = { OPENAI_API_KEY: 'sk-test-0123456789', OWN_KEY: 'sk-own-0123456789' };
    const { report, code } = await project.report(['run'], { env });
    const message = report.suites[0]?.cases[0]?.trials[0]?.error?.message;
    expect([code, message]).toEqual([
      3,
      expect.stringContaining(
        'OPENAI_API_KEY was not sent, because the provider has baseURL and no apiKeyEnv: name the variable that holds the key of that address with apiKeyEnv',
      ),
    ]);
    project.write(suite, project.read(suite).replace(own, `${own}, apiKeyEnv: OWN_KEY`));
    expect(await project.run(['run'], { env })).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('warning'),
    });
  });
});

test('a snapshot without a baseline says which command makes one', async () => {
  const project = openTempProject();
  project.write(suite, suiteOf({ cases: '[{ id: red, vars: { word: red }, assert: [{ snapshot: exact }] }]' }));
  const { env } = await startEchoServer();
  const { report, code } = await project.report(['run'], { env });
  expect([code, report.suites[0]?.cases[0]?.trials[0]?.error?.message]).toEqual([
    3,
    expect.stringContaining('accept a baseline with "llmcheck baseline accept"'),
  ]);
  expect((await project.run(['baseline', 'accept'])).code).toBe(0);
  expect((await project.run(['run'], { env })).code).toBe(0);
});

const turning = (turns: readonly string[]) =>
  suiteOf({
    cases: `\n  - id: red\n    vars: { word: red }\n    turns:\n${turns.map((turn) => `      - ${turn}\n`).join('')}    assert: [{ contains: red }]\n`,
  });

describe('turns', () => {
  testMistakes({
    'a message in place of a turn': {
      files: { [suite]: turning(['{ role: user, content: "Say: red" }']) },
      says: [
        `${suite}:7:11 error unknown-key: unknown key "role" in turns[0] of the case\nhint: leave it out: a turn is what the user says`,
        `${suite}:7:23 error unknown-key: unknown key "content" in turns[0] of the case\nhint: did you mean "user"?`,
      ],
      follow: ({ edit }) => edit(suite, 'role: user, content', 'user'),
    },
  });
});

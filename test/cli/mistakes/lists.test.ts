import { describe } from 'vitest';
import { suiteShape } from '../../../src/suite/schema/suite-schema.ts';
import { type Mistake, suiteOf, testMistakes } from './follow-hints.ts';

const suite = 'evals/a.eval.yaml';
const row = '{"id": "red", "vars": {"word": "red"}, "assert": [{"contains": "red"}]}\n';
const red = '{ id: red, vars: { word: red }, assert: [{ contains: red }] }';

const notAList = (key: string, found: string) => `error invalid-value: ${key} must be a list, not ${found}`;

const notAMap = (key: string, found: string) => `error invalid-value: ${key} must be a map, not ${found}`;

const asList = (key: string) => `begin each item of the list with "- ", as in "- ${key}: …", or write [{ ${key}: … }]`;

describe('a list that is written as something else', () => {
  testMistakes({
    'a file of cases alone': {
      files: { [suite]: suiteOf({ cases: 'x.jsonl' }), 'evals/x.jsonl': row },
      says: [`${suite}:3:8 ${notAList('cases', '"x.jsonl"')}\nhint: write [{ file: x.jsonl }]`],
      follow: ({ change }) => change(suite, 'x.jsonl', '[{ file: x.jsonl }]'),
    },
    'a file of cases as an item': {
      files: { [suite]: suiteOf({ cases: '[x.jsonl]' }), 'evals/x.jsonl': row },
      says: [`${suite}:3:9 error invalid-value: the case must be a map, not "x.jsonl"\nhint: write { file: x.jsonl }`],
      follow: ({ change }) => change(suite, 'x.jsonl', '{ file: x.jsonl }'),
    },
    'a file of cases as a map': {
      files: { [suite]: suiteOf({ cases: '{ file: x.jsonl }' }), 'evals/x.jsonl': row },
      says: [`${suite}:3:8 ${notAList('cases', 'a map')}\nhint: ${asList('file')}`],
      follow: ({ edit }) => edit(suite, '{ file: x.jsonl }', '[{ file: x.jsonl }]'),
    },
    'a prompt file alone': {
      files: { [suite]: suiteOf({ prompts: 'prompts/say.md' }), 'evals/prompts/say.md': 'Say: {{ word }}' },
      says: [
        `${suite}:1:10 ${notAList('prompts', '"prompts/say.md"')}\nhint: write [{ id: say, file: prompts/say.md }]`,
      ],
      follow: ({ change }) => change(suite, 'prompts/say.md', '[{ id: say, file: prompts/say.md }]'),
    },
    'prompts as texts and files': {
      files: {
        [suite]: suiteOf({ prompts: '["Say: {{ word }}", "Word: {{ word }}", v3.md]' }),
        'evals/v3.md': '{{ word }}',
      },
      says: [
        `${suite}:1:11 error invalid-value: the prompt must be a map, not "Say: {{ word }}"\nhint: write { id: v1, text: "Say: {{ word }}" }`,
        `${suite}:1:30 error invalid-value: the prompt must be a map, not "Word: {{ word }}"\nhint: write { id: v2, text: "Word: {{ word }}" }`,
        `${suite}:1:50 error invalid-value: the prompt must be a map, not "v3.md"\nhint: write { id: v3, file: v3.md }`,
      ],
      follow({ change }) {
        change(suite, '"Say: {{ word }}"', '{ id: v1, text: "Say: {{ word }}" }');
        change(suite, '"Word: {{ word }}"', '{ id: v2, text: "Word: {{ word }}" }');
        change(suite, ' v3.md', ' { id: v3, file: v3.md }');
      },
    },
    'one prompt': {
      files: { [suite]: suiteOf({ prompts: '\n  id: v1\n  text: "{{ word }}"' }) },
      says: [`${suite}:2:3 ${notAList('prompts', 'a map')}\nhint: ${asList('id')}`],
      follow({ edit }) {
        edit(suite, '  id: v1\n  text', '  - id: v1\n    text');
      },
    },
    'prompts as a map of ids': {
      files: { [suite]: suiteOf({ prompts: '{ v1: { text: "{{ word }}" } }' }) },
      says: [
        `${suite}:1:10 ${notAList('prompts', 'a map')}\nhint: begin each item of the list with its id, as in "- id: v1", or write [{ id: v1, … }]`,
      ],
      follow: ({ edit }) => edit(suite, '{ v1: { text: "{{ word }}" } }', '[{ id: v1, text: "{{ word }}" }]'),
    },
    'a provider with a slash': {
      files: { [suite]: suiteOf({ providers: '[openai/gpt-4o-mini]' }) },
      says: [
        `${suite}:2:13 error unknown-id: "openai/gpt-4o-mini" is neither adapter:model nor a provider of the config\nhint: write openai:gpt-4o-mini`,
      ],
      follow: ({ change }) => change(suite, 'openai/gpt-4o-mini', 'openai:gpt-4o-mini'),
    },
    'one provider': {
      files: { [suite]: suiteOf({ providers: 'openai:gpt-4o-mini' }) },
      says: [`${suite}:2:12 ${notAList('providers', '"openai:gpt-4o-mini"')}\nhint: write ["openai:gpt-4o-mini"]`],
      follow: ({ change }) => change(suite, 'openai:gpt-4o-mini', '["openai:gpt-4o-mini"]'),
    },
    'one assertion, one tag, one prompt of a case': {
      files: {
        [suite]: suiteOf({
          cases: '[{ id: red, vars: { word: red }, tags: a, prompts: v1, assert: { contains: red } }]',
        }),
      },
      says: [
        `${suite}:3:47 ${notAList('tags of the case', '"a"')}\nhint: write ["a"]`,
        `${suite}:3:59 ${notAList('prompts of the case', '"v1"')}\nhint: write ["v1"]`,
        `${suite}:3:71 ${notAList('assert of the case', 'a map')}\nhint: ${asList('contains')}`,
      ],
      follow({ edit }) {
        edit(suite, 'tags: a', 'tags: ["a"]');
        edit(suite, 'prompts: v1', 'prompts: ["v1"]');
        edit(suite, '{ contains: red } }]', '[{ contains: red }] }]');
      },
    },
    'tags with commas between them, a switch for the reason to skip': {
      files: {
        [suite]: suiteOf({ cases: `[${red}, { id: blue, vars: { word: x }, skip: true, observe: true }]` }).replace(
          'id: red,',
          'id: red, tags: "a, b",',
        ),
      },
      says: [
        `${suite}:3:26 ${notAList('tags of the case', '"a, b"')}\nhint: write ["a", "b"]`,
        `${suite}:3:123 error invalid-value: skip of the case must be a text: the reason, not true\nhint: write why, such as skip: the queue is being split`,
      ],
      follow({ change }) {
        change(suite, '"a, b"', '["a", "b"]');
        change(suite, 'skip: true', 'skip: the queue is being split');
      },
    },
    'a limit and a price that are one value, variables that are a list': {
      files: {
        [suite]: suiteOf({
          providers: '[{ id: mini, use: openai:gpt-4o-mini, price: 0.15 }]',
          cases: '[{ id: red, vars: [red], assert: [{ contains: red }] }]',
          more: 'gate: { passRate: 90 }\n',
        }),
      },
      says: [
        `${suite}:2:57 ${notAMap('provider.price', '0.15')}\nhint: write price: { input: 0.15, output: 0.60 }, for example`,
        `${suite}:3:26 ${notAMap('vars of the case', 'a list')}\nhint: write vars: { email: … }, for example`,
        `${suite}:4:19 ${notAMap('gate.passRate', '90')}\nhint: write passRate: { min: 90% }, for example`,
      ],
      follow({ change, edit }) {
        change(suite, 'price: 0.15', 'price: { input: 0.15, output: 0.60 }');
        edit(suite, '[red]', '{ word: red }');
        change(suite, 'passRate: 90', 'passRate: { min: 90% }');
      },
    },
    'a number that is not written as JavaScript writes it': {
      files: {
        [suite]: suiteOf({
          providers: '[1.0]',
          cases: '[1e3, { id: red, vars: { word: red }, assert: [1.0] }, { id: blue, vars: { word: x }, assert: 2.0 }]',
          more: 'tools: 3.0\n',
        }),
      },
      says: [
        `${suite}:2:13 error invalid-value: a provider is adapter:model, an id of the config or a map, not 1.0`,
        `${suite}:3:9 ${notAMap('the case', '1000')}`,
        `${suite}:3:55 error invalid-value: an assertion is a map with one assertion name, not 1.0\nhint: write {contains: refund}, for example`,
        `${suite}:3:102 ${notAList('assert of the case', '2.0')}\nhint: write [2.0]`,
        `${suite}:4:8 error invalid-value: tools must be a map of tools, the path of a file that holds one, or a list of these, not 3.0\nhint: write tools: { find_order: [{ when: { id: "7" }, returns: { state: shipped } }] }`,
      ],
      follow({ edit }) {
        edit(suite, '[1.0]', '[openai:gpt-4o-mini]');
        edit(suite, '1e3, ', '');
        edit(suite, '[1.0]', '[contains: red]');
        edit(suite, '2.0', '[contains: x]');
        edit(suite, 'tools: 3.0\n', '');
      },
    },
    'messages and turns as texts': {
      files: {
        [suite]: suiteOf({
          prompts: '[{ id: v1, messages: ["Say: {{ word }}"] }]',
          cases: '[{ id: red, vars: { word: red }, turns: ["Say: red"], assert: [{ contains: red }] }]',
        }),
      },
      says: [
        `${suite}:1:32 error invalid-value: messages[0] of the prompt must be a map, not "Say: {{ word }}"\nhint: write { role: user, content: "Say: {{ word }}" }`,
        `${suite}:3:49 error invalid-value: turns[0] of the case must be {user: …, assert?: […]}, {toolResult: {name, content}} or, as the first, {assert: […]}, not "Say: red"\nhint: write { user: "Say: red" }`,
      ],
      follow({ change }) {
        change(suite, '"Say: {{ word }}"', '{ role: user, content: "Say: {{ word }}" }');
        change(suite, '"Say: red"', '{ user: "Say: red" }');
      },
    },
    'a turn as a number': {
      files: {
        [suite]: suiteOf({
          cases: '[{ id: red, vars: { word: red }, turns: [1.0], assert: [{ contains: red }] }]',
        }),
      },
      says: [
        `${suite}:3:49 error invalid-value: turns[0] of the case must be {user: …, assert?: […]}, {toolResult: {name, content}} or, as the first, {assert: […]}, not 1.0`,
      ],
      follow: ({ edit }) => edit(suite, ', turns: [1.0]', ''),
    },
    'a prompt file of one message': {
      files: {
        [suite]: suiteOf({ prompts: '[{ id: v1, file: v1.yaml }]' }),
        'evals/v1.yaml': 'role: user\ncontent: "Say: {{ word }}"\n',
      },
      says: [
        'evals/v1.yaml:1:1 error invalid-value: a prompt file holds a list of messages, not one\nhint: begin it with "- ": a prompt file is a list of messages',
      ],
      follow: ({ edit }) => edit('evals/v1.yaml', 'role: user\ncontent', '- role: user\n  content'),
    },
    'one plug-in': {
      files: {
        [suite]: suiteOf({ cases: '[{ id: red, vars: { word: red }, assert: [{ says: red }] }]' }),
        'llmcheck.config.yaml': 'plugins: ./plug.mjs\n',
        'plug.mjs':
          "export const says = { kind: 'assertion', name: 'says', summary: 'says it', example: 'says: red', main: 'value', params: { type: 'object', properties: { value: { type: 'string' } } }, check: () => ({ pass: true, score: 1, reason: 'said' }) };\n",
      },
      says: [`llmcheck.config.yaml:1:10 ${notAList('plugins', '"./plug.mjs"')}\nhint: write ["./plug.mjs"]`],
      follow: ({ change }) => change('llmcheck.config.yaml', './plug.mjs', '["./plug.mjs"]'),
    },
  });
});

describe('a file of cases', () => {
  const fileOf = (name: string) => suiteOf({ cases: `[{ file: ${name}, assert: [{ contains: red }] }]` });
  const commas = 'hint: save the file with commas between the columns';
  testMistakes({
    'semicolons between the columns': {
      files: { [suite]: fileOf('x.csv'), 'evals/x.csv': 'id;word;expected\nred;red, or so;red\n' },
      says: [`evals/x.csv:1:1 error syntax: the columns are separated by ";", not by commas\n${commas}`],
      follow: ({ project }) => project.write('evals/x.csv', 'id,word,expected\nred,"red, or so",red\n'),
    },
    'semicolons between quoted columns': {
      files: { [suite]: fileOf('x.csv'), 'evals/x.csv': '"id";"word"\n"red";"red"\n' },
      says: [`evals/x.csv:1:1 error syntax: the columns are separated by ";", not by commas\n${commas}`],
      follow: ({ project }) => project.write('evals/x.csv', '"id","word"\n"red","red"\n'),
    },
    'tabs between the columns': {
      files: { [suite]: fileOf('x.csv'), 'evals/x.csv': 'id\tword\nred\tred\n' },
      says: [`evals/x.csv:1:1 error syntax: the columns are separated by tabs, not by commas\n${commas}`],
      follow: ({ project }) => project.write('evals/x.csv', 'id,word\nred,red\n'),
    },
    'rows without vars': {
      files: {
        [suite]: fileOf('x.jsonl'),
        'evals/x.jsonl': '{"id": "red", "word": "red", "term": "dark"}\n{"word": "dark red", "term": "red"}\n',
      },
      says: [
        'evals/x.jsonl:1:15 error unknown-key: unknown key "word" in the case\nhint: a variable of the prompt is written under vars: "vars": {"word": …, "term": …}',
        'evals/x.jsonl:1:30 error unknown-key: unknown key "term" in the case\nhint: a variable of the prompt is written under vars: "vars": {"word": …, "term": …}',
        'evals/x.jsonl:2:2 error unknown-key: unknown key "word" in the case\nhint: a variable of the prompt is written under vars: "vars": {"word": …, "term": …}',
        'evals/x.jsonl:2:22 error unknown-key: unknown key "term" in the case\nhint: a variable of the prompt is written under vars: "vars": {"word": …, "term": …}',
      ],
      follow({ edit, project }) {
        edit('evals/x.jsonl', '"word": "red", "term": "dark"', '"vars": {"word": "red", "term": "dark"}');
        edit('evals/x.jsonl', '"word": "dark red", "term": "red"', '"vars": {"word": "dark red", "term": "red"}');
        project.write(suite, project.read(suite).replace('{{ word }}', '{{ word }} {{ term }}'));
      },
    },
    'a case of the suite without vars': {
      files: { [suite]: suiteOf({ cases: '[{ id: red, word: red, assert: [{ contains: red }] }]' }) },
      says: [
        `${suite}:3:20 error unknown-key: unknown key "word" in the case\nhint: a variable of the prompt is written under vars: vars: { word: … }`,
      ],
      follow: ({ edit }) => edit(suite, 'word: red', 'vars: { word: red }'),
    },
    'the golden answer under another name': {
      files: { [suite]: fileOf('x.json'), 'evals/x.json': '[{"vars": {"word": "red"}, "ideal": "red"}]' },
      says: ['evals/x.json:1:28 error unknown-key: unknown key "ideal" in the case\nhint: did you mean "expected"?'],
      follow: ({ change }) => change('evals/x.json', 'ideal', 'expected'),
    },
    'a list in a file of lines': {
      files: { [suite]: fileOf('x.jsonl'), 'evals/x.jsonl': '[\n  {"vars": {"word": "red"}}\n]\n' },
      says: [
        'evals/x.jsonl:1:2 error syntax: the text ends in the middle of a value\nhint: every line is one JSON object; a file that is one list ends in .json',
      ],
      follow({ project, edit }) {
        project.write('evals/x.json', project.read('evals/x.jsonl'));
        edit(suite, 'x.jsonl', 'x.json');
      },
    },
    'lines in a file of one list': {
      files: {
        [suite]: fileOf('x.json'),
        'evals/x.json': '{"vars": {"word": "red"}}\n{"vars": {"word": "reddish"}}\n',
      },
      says: [
        'evals/x.json:2:1 error syntax: unexpected "{"\nhint: a file with one JSON object on each line ends in .jsonl',
      ],
      follow({ project, edit }) {
        project.write('evals/x.jsonl', project.read('evals/x.json'));
        edit(suite, 'x.json', 'x.jsonl');
      },
    },
    'a map around the list': {
      files: { [suite]: fileOf('x.yaml'), 'evals/x.yaml': 'cases:\n- vars: { word: red }\n' },
      says: [
        'evals/x.yaml:1:1 error invalid-value: evals/x.yaml must hold a list of cases\nhint: write the list alone, without "cases" around it',
      ],
      follow: ({ edit }) => edit('evals/x.yaml', 'cases:\n', ''),
    },
    'keys that other tools have': {
      files: { [suite]: suiteOf().replace('cases: ', 'tests: ') },
      says: [`${suite}:3:1 error unknown-key: unknown key "tests" in the suite\nhint: did you mean "cases"?`],
      follow: ({ change }) => change(suite, 'tests', 'cases'),
    },
    'a key for anchors': {
      files: {
        [suite]: `checks: &checks\n  - contains: red\n${suiteOf({ cases: `[${red.replace('[{ contains: red }]', '*checks')}]` })}`,
      },
      says: [
        `${suite}:1:1 error unknown-key: unknown key "checks" in the suite\nhint: known here: ${Object.keys(suiteShape).join(', ')}; a key that only holds anchors begins with "x-"`,
      ],
      follow: ({ edit }) => edit(suite, 'checks: &checks', 'x-checks: &checks'),
    },
  });
});

describe('a file that is named where it is not', () => {
  const says = (shown: string, found: string) => [
    `${suite}:1:27 error file-unreadable: ${shown} does not exist\nhint: there is ${found}; paths start from the folder of the file that names them`,
  ];
  testMistakes({
    'since the path starts from the project': {
      files: {
        [suite]: suiteOf({ prompts: '[{ id: v1, file: evals/prompts/say.md }]' }),
        'evals/prompts/say.md': 'Say: {{ word }}',
      },
      says: says('evals/evals/prompts/say.md', 'evals/prompts/say.md'),
      follow: ({ edit }) => edit(suite, 'evals/prompts/say.md', 'prompts/say.md'),
    },
    'since it was moved up': {
      files: {
        [suite]: suiteOf({ prompts: '[{ id: v1, file: prompts/say.md }]' }),
        'prompts/say.md': 'Say: {{ word }}',
      },
      says: says('evals/prompts/say.md', 'prompts/say.md'),
      follow: ({ edit }) => edit(suite, 'prompts/say.md', '../prompts/say.md'),
    },
    ...Object.fromEntries(
      [
        [String.raw`prompts\say.md`, String.raw`prompts\say.md`],
        [String.raw`"prompts\tell.md"`, 'prompts␉ell.md'],
      ].map(([written = '', shown = '']) => [
        `since ${written} is a path of Windows`,
        {
          files: {
            [suite]: suiteOf({ prompts: `[{ id: v1, file: ${written} }]` }),
            'evals/prompts/say.md': 'Say: {{ word }}',
          },
          says: [
            `${suite}:1:27 error file-unreadable: evals/${shown} does not exist\nhint: write / between folders, not \\`,
          ],
          follow: ({ edit }) => edit(suite, written, 'prompts/say.md'),
        } satisfies Mistake,
      ]),
    ),
  });
});

import { modeNames } from '../modes.ts';
import { integer, type Project, queueOf } from '../project.ts';
import { type Answer, type Asked } from '../server.ts';
import type { Way } from '../way.ts';

/** A model that is right as long as the request holds one text before another, as it was sent. */
const rightWhileInOrder =
  (first: string, second: string): Answer =>
  ({ raw, text }: Asked) => {
    const places = [raw.indexOf(first), raw.indexOf(second)] as const;
    return places[0] <= places[1] ? queueOf(text) : 'nonsense';
  };

function setParams(project: Project, params: object): void {
  Object.assign(project.suite.providers[0] ?? {}, { params: { max_tokens: 20, ...params } });
}

const schemaParam = (...names: readonly string[]) => ({
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'answer',
      schema: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
    },
  },
});

const toolParam = (...names: readonly string[]) => ({
  tools: [
    {
      type: 'function',
      function: {
        name: 'route',
        parameters: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
      },
    },
  ],
});

/** Requests that differ in what looks the same: each has an answer of its own. */
export const requestWays: readonly Way[] = [
  {
    name: 'the members of a schema in another order',
    why: 'the cache takes both requests for one',
    modes: modeNames,
    project(project) {
      setParams(project, schemaParam('reasoning', 'queue'));
      project.answer = rightWhileInOrder('"reasoning"', '"queue"');
    },
    plant: (project) => setParams(project, schemaParam('queue', 'reasoning')),
  },
  {
    name: 'the parameters of a tool in another order',
    why: 'the cache takes both requests for one',
    modes: modeNames,
    project(project) {
      setParams(project, toolParam('reasoning', 'queue'));
      project.answer = rightWhileInOrder('"reasoning"', '"queue"');
    },
    plant: (project) => setParams(project, toolParam('queue', 'reasoning')),
  },
  {
    name: 'the members of an output contract in another order',
    why: 'the cache takes both requests for one',
    project(project) {
      useContract(project, 'reasoning', 'queue');
      const isRight = rightWhileInOrder('\\"reasoning\\"'.replaceAll('\\', ''), '"queue"');
      project.answer = (asked) => JSON.stringify({ reasoning: 'so', queue: isRight(asked) });
    },
    plant: (project) => useContract(project, 'queue', 'reasoning'),
  },
  {
    name: 'a seed beyond 2^53',
    why: 'two seeds become the same double',
    project(project) {
      setParams(project, { seed: 7 });
      project.answer = ({ raw, text }) =>
        raw.includes('"seed":7') || raw.includes('9007199254740993') ? queueOf(text) : 'nonsense';
    },
    plant: (project) => setParams(project, { seed: integer('9007199254740993') }),
  },
  {
    name: 'an order number beyond 2^53 in the prompt',
    why: 'another number is sent than the suite holds',
    modes: modeNames,
    project(project) {
      project.write('evals/prompts/ticket.md', '{{ email }} {{ order | json }}');
      project.suite.defaults = {
        assert: [{ equals: '{{ expected }}' }],
        vars: { order: { id: '@9007199254740991@' } },
      };
      project.answer = ({ text }) => (/900719925474099[13]/.test(text) ? queueOf(text) : 'nonsense');
    },
    plant(project) {
      project.suite.defaults = {
        assert: [{ equals: '{{ expected }}' }],
        vars: { order: { id: '@9007199254740993@' } },
      };
      project.answer = ({ text }) => (text.includes('9007199254740991') ? queueOf(text) : 'nonsense');
    },
  },
  {
    name: 'another temperature',
    why: 'a parameter is left out of the key',
    modes: modeNames,
    project(project) {
      setParams(project, { temperature: 0 });
      project.answer = ({ body, text }) => (body['temperature'] === 0 ? queueOf(text) : 'nonsense');
    },
    plant: (project) => setParams(project, { temperature: 1 }),
  },
  {
    name: 'another base URL',
    why: 'the address is left out of the key',
    modes: modeNames,
    plant(project) {
      Object.assign(project.suite.providers[0] ?? {}, {
        baseURL: `${project.serverUrl}/other/v1`,
        apiKeyEnv: 'OTHER_KEY',
      });
      project.env['OTHER_KEY'] = 'sk-other-0123456789abcdef';
      project.answer = () => 'nonsense';
    },
  },
  {
    name: 'another mode in the environment of a program',
    why: 'the value of a variable is left out of the key',
    modes: ['plain', 'cache', 'baseline', 'baseline+cache', 'shards'],
    project(project) {
      project.write(
        'evals/answer.sh',
        'request=$(cat)\n[ "$MODE" = good ] || { echo nonsense; exit; }\ncase "$request" in *refund*|*charged*) echo billing;; *parcel*|*delivery*) echo shipping;; *) echo account;; esac\n',
      );
      project.suite.providers = [{ id: 'mini', use: 'exec:sh answer.sh', env: ['MODE'] }];
      project.env['MODE'] = 'good';
    },
    plant: (project) => void (project.env['MODE'] = 'bad'),
  },
  {
    name: 'an edited program that answers',
    why: 'its command line is the same',
    modes: ['plain', 'cache', 'baseline', 'baseline+cache', 'shards'],
    project(project) {
      project.write(
        'evals/answer.sh',
        'request=$(cat)\ncase "$request" in *refund*|*charged*) echo billing;; *parcel*|*delivery*) echo shipping;; *) echo account;; esac\n',
      );
      project.suite.providers = [{ id: 'mini', use: 'exec:sh answer.sh' }];
    },
    plant: (project) => project.edit('evals/answer.sh', 'echo shipping', 'echo nonsense'),
  },
];

function useContract(project: Project, ...names: readonly string[]): void {
  project.suite['contract'] = {
    output: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
  };
  project.suite.defaults = { assert: [{ equals: '{{ expected }}', select: { jsonPath: '$.queue' } }] };
  Object.assign(project.suite.providers[0] ?? {}, { structured: true });
}

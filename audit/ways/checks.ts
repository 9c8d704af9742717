import { modeNames } from '../modes.ts';
import { integer, type Project, promptPath, queueOf } from '../project.ts';
import { greenIn, unasked, type Way } from '../way.ts';

/** Answers with JSON, so that a part of it can be selected. */
function answerJson(project: Project): void {
  project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text) });
  project.suite.defaults = { assert: [{ equals: '{{ expected }}', select: { jsonPath: '$.queue' } }] };
}

/** A check beside the usual one, which every answer passes before and none may pass after. */
const check = (name: string, why: string, added: object, more: Partial<Way> = {}): Way => ({
  name,
  why,
  plant(project) {
    project.suite.defaults = { assert: [added] };
  },
  ...more,
});

const late = (name: string, why: string, members: object): Way => ({
  name,
  why,
  plant: (project) => void Object.assign(project.caseOf('charged'), members),
});

/** A case that must be refused before anything is sent. */
const refused = (name: string, why: string, members: object): Way => ({
  ...late(name, why, members),
});

/** Checks that were edited, or that can't say no. */
export const checkWays: readonly Way[] = [
  check('the checks of all cases are edited', 'stored answers fail the new checks too, so every failure looks known', {
    contains: 'zebra',
  }),
  check(
    'the checks of cases that must pass are edited',
    'a failure on both sides looks known',
    { contains: 'zebra' },
    {
      project(project) {
        for (const entry of project.suite.cases) entry['mustPass'] = true;
      },
    },
  ),
  late('the golden answer of one case is edited', 'the case becomes another one, without a baseline', {
    expected: 'legal',
  }),
  late('a check is added to one case', 'the case becomes another one, without a baseline', {
    assert: [{ contains: 'zebra' }],
  }),
  {
    name: 'the golden answer of a row in a file is edited',
    why: 'the suite file is the same',
    modes: modeNames,
    plant: (project) => project.edit('evals/cases/more.jsonl', '"expected":"shipping"', '"expected":"legal"'),
  },
  {
    name: 'the output contract is made stricter',
    why: 'the checks are the same',
    modes: modeNames,
    project: answerJson,
    plant(project) {
      project.suite['contract'] = { output: { type: 'object', required: ['queue', 'reason'] } };
    },
  },
  {
    name: 'the output contract is made stricter, and no case must pass',
    why: 'the accepted prompt breaks it too, so that the model looks changed',
    modes: modeNames,
    project(project) {
      answerJson(project);
      delete project.caseOf('parcel')['mustPass'];
    },
    plant(project) {
      project.suite['contract'] = { output: { type: 'object', required: ['queue', 'reason'] } };
    },
  },
  {
    name: 'a schema file is edited',
    why: 'the suite file is the same',
    modes: modeNames,
    project(project) {
      answerJson(project);
      project.write('evals/schemas/ticket.json', '{"type":"object","required":["queue"]}');
      project.suite.defaults = { assert: [{ jsonSchema: 'schemas/ticket.json' }] };
    },
    plant: (project) => project.write('evals/schemas/ticket.json', '{"type":"object","required":["team"]}'),
  },
  {
    name: 'a schema refers to a definition that is not there',
    why: 'a reference that leads nowhere allows everything',
    project: answerJson,
    plant(project) {
      project.suite.defaults = { assert: [{ jsonSchema: { properties: { queue: { $ref: '#/$defs/queue' } } } }] };
    },
  },
  {
    name: 'a schema refers to a file that is not there',
    why: 'a reference that leads nowhere allows everything',
    project: answerJson,
    plant(project) {
      project.suite.defaults = { assert: [{ jsonSchema: { properties: { queue: { $ref: 'queue.json' } } } }] };
    },
  },
  check(
    'a regex matches every text',
    'no answer fails the check',
    { regex: '(zebra)*' },
    { green: greenIn(modeNames, 'a user may write it, and a warning names it', /\(zebra\)\*/) },
  ),
  {
    name: 'a keyword of a schema is misspelt',
    why: 'unknown keywords of a schema are allowed',
    green: greenIn(modeNames, 'JSON Schema allows it, and a warning names it', /requried/),
    project: answerJson,
    plant(project) {
      project.suite.defaults = { assert: [{ jsonSchema: { type: 'object', requried: ['team'] } }] };
    },
  },
  {
    name: 'an empty list beside a full one, where each must contain something',
    why: 'a validator that keeps what the list before it said says yes',
    project(project) {
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text), lists: [['a'], ['b']] });
      const lists = { items: { contains: { type: 'string' } } };
      project.suite.defaults = { assert: [{ jsonSchema: { properties: { lists } } }] };
    },
    plant(project) {
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text), lists: [['a'], []] });
    },
    green: unasked,
  },
  {
    name: 'a schema whose evaluated items depend on contains',
    why: 'a validator that counts them by another rule says yes',
    project: answerJson,
    plant(project) {
      const output = { properties: { queue: true }, contains: { const: 1 }, unevaluatedItems: false };
      project.suite.defaults = { assert: [{ jsonSchema: output }] };
    },
  },
  {
    name: 'a keyword beside $ref in draft-07',
    why: 'draft-07 ignores it',
    project: answerJson,
    plant(project) {
      const queue = { not: { $ref: '#/definitions/text', enum: ['zebra'] } };
      const schema = {
        $schema: 'http://json-schema.org/draft-07/schema#',
        properties: { queue },
        definitions: { text: true },
      };
      project.suite.defaults = { assert: [{ jsonSchema: schema }] };
    },
  },
  {
    name: 'a target that is not there, under not',
    why: 'what is missing contains nothing bad',
    project: answerJson,
    plant(project) {
      project.suite.defaults = { assert: [{ not: { contains: 'legal' }, select: { jsonPath: '$.team' } }] };
    },
  },
  {
    name: 'an optional group that took no part, under not',
    why: 'an empty group contains nothing bad',
    plant(project) {
      project.suite.defaults = { assert: [{ not: { contains: 'legal' }, select: { regex: '(zebra)?', group: 1 } }] };
    },
  },
  {
    name: 'a path that selects no item of an empty list',
    why: 'nothing in the list is wrong',
    project(project) {
      answerJson(project);
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text), items: [] });
    },
    plant(project) {
      project.suite.defaults = { assert: [{ jsonPath: { path: '$.items[*].queue', value: 'billing' } }] };
    },
  },
  {
    name: 'a filter of a template changes nothing that is there, and fills in what is not',
    why: 'a default takes the place of a missing golden answer',
    project(project) {
      project.suite.defaults = { assert: [{ contains: '{{ expected | default: "" }}' }] };
    },
    plant: (project) => void delete project.caseOf('charged')['expected'],
  },
  refused('a check for the empty text', 'every answer contains it', { assert: [{ contains: '' }] }),
  refused('a check for the empty text at the start', 'every answer starts with it', { assert: [{ startsWith: '' }] }),
  refused('a regular expression that is empty', 'it matches everywhere', { assert: [{ regex: '' }] }),
  refused('an empty text among those of which one must be there', 'every answer contains it', {
    assert: [{ containsAny: ['zebra', ''] }],
  }),
  refused('no bounds of a length', 'any length is within no bounds', { assert: [{ length: {} }] }),
  refused('no bounds of a cost', 'any cost is within no bounds', { assert: [{ cost: {} }] }),
  refused('no bounds of a number', 'any number is within no bounds', { assert: [{ number: {} }] }),
  refused('an empty list of texts that must all be there', 'all of none are there', { assert: [{ containsAll: [] }] }),
  refused('an empty list of texts of which one must be there', 'nothing is looked for', {
    assert: [{ containsAny: [] }],
  }),
  refused('an empty list of values', 'nothing is looked for', { assert: [{ not: { oneOf: [] } }] }),
  refused('an empty list under allOf', 'all of none pass', { assert: [{ allOf: [] }] }),
  refused('an empty list under anyOf', 'no child fails', { assert: [{ anyOf: [] }] }),
  refused('an empty list of turns', 'the checks of the turns are none', { turns: [] }),
  refused('an empty list of prompts of a case', 'the case belongs to no variant', { prompts: [] }),
  refused('an empty list of providers of a case', 'the case belongs to no variant', { providers: [] }),
  refused('a required check without a weight', 'what has no weight decides nothing', {
    assert: [{ contains: 'zebra', weight: 0, required: true }],
  }),
  refused('a threshold of 0', 'every score reaches it', { threshold: 0, assert: [{ contains: 'zebra' }] }),
  refused('a threshold that is a percentage too high', '90 is over every score, or none', { threshold: 90 }),
  refused('a case that is observed and must pass', 'what is observed is not judged', {
    observe: true,
    mustPass: true,
    assert: [{ contains: 'zebra' }],
  }),
  refused('mustPass as a text', 'a text is no boolean', { mustPass: 'true' }),
  refused('no trials', 'none of none fail', { trials: 0 }),
  refused('a weight below 0', 'a failure makes the score better', {
    threshold: 0.5,
    assert: [{ contains: 'zebra', weight: -1 }],
  }),
  {
    name: 'every check without a weight',
    why: 'nothing that decides fails',
    modes: modeNames,
    plant(project) {
      project.suite.defaults = { assert: [{ contains: 'zebra', weight: 0 }] };
    },
  },
  {
    name: 'an unknown assertion',
    why: 'what is not known is not checked',
    plant(project) {
      project.suite.defaults = { assert: [{ equal: '{{ expected }}' }] };
    },
  },
  {
    name: 'a check in the wrong place',
    why: 'a key beside the cases is not read',
    plant(project) {
      project.suite.defaults = {};
      project.suite['assert'] = [{ contains: 'zebra' }];
    },
  },
  {
    name: 'no check at all',
    why: 'nothing fails',
    modes: modeNames,
    plant(project) {
      project.suite.defaults = {};
    },
  },
  {
    name: 'tags beside the defaults',
    why: 'a key that the defaults do not have is dropped',
    plant(project) {
      project.suite.defaults = { ...project.suite.defaults, tags: ['smoke'] };
    },
  },
  {
    name: 'two versions, the new one wrong, the old one right',
    why: 'the old version makes the average good',
    modes: modeNames,
    project: (project) => addSecondVersion(project),
    plant(project) {
      project.answer = ({ text }) => (text.includes('Second') ? 'nonsense' : queueOf(text));
      project.write('evals/prompts/second.md', 'Second edition, edited: {{ email }}');
    },
  },
  {
    name: 'two versions, both wrong',
    why: 'the new version is no worse than the old one',
    modes: modeNames,
    project: (project) => addSecondVersion(project),
    plant(project) {
      project.answer = () => 'nonsense';
      project.write('evals/prompts/second.md', 'Second edition, edited: {{ email }}');
      project.write(promptPath, 'First edition, edited: {{ email }}');
    },
  },
  {
    name: 'an integer beyond 2^53 in const',
    why: 'the right one and the wrong one become the same double',
    project(project) {
      project.answer = () => '{"order":9007199254740991}';
      project.suite.defaults = { assert: [checkOfOrder('const', '9007199254740991')] };
    },
    plant(project) {
      project.answer = () => '{"order":9007199254740992}';
      project.suite.defaults = { assert: [checkOfOrder('const', '9007199254740993')] };
    },
  },
  ...(['equals', 'oneOf', 'jsonPath', 'number', 'list'] as const).map(
    (assertion): Way => ({
      name: `an integer beyond 2^53 in ${assertion}`,
      why: 'the right one and the wrong one become the same double',
      project(project) {
        project.answer = () => '{"order":9007199254740993,"orders":[9007199254740993]}';
        project.suite.defaults = { assert: [checkOfOrder(assertion, '9007199254740993')] };
      },
      plant(project) {
        project.suite.defaults = { assert: [checkOfOrder(assertion, '9007199254740992')] };
      },
    }),
  ),
];

function addSecondVersion(project: Project): void {
  project.write('evals/prompts/second.md', 'Second edition: {{ email }}');
  project.suite.prompts.push({ id: 'v2', file: 'prompts/second.md', replaces: 'v1' });
}

function checkOfOrder(
  assertion: 'equals' | 'oneOf' | 'jsonPath' | 'number' | 'const' | 'list',
  digits: string,
): object {
  const order = integer(digits);
  const select = { jsonPath: '$.order' };
  return {
    equals: { equals: order, select },
    oneOf: { oneOf: [1, order], select },
    jsonPath: { jsonPath: { path: '$.order', value: order } },
    number: { number: order, select },
    const: { jsonSchema: { properties: { order: { const: order } } } },
    list: { list: [order], select: { jsonPath: '$.orders' } },
  }[assertion];
}

import type { ModeName } from '../modes.ts';
import { baselinePath, type Project, promptPath, queueOf, suitePath } from '../project.ts';
import { greenIn, type Way } from '../way.ts';

const modes: readonly ModeName[] = ['baseline', 'baseline+cache', 'baseline+resume', 'baseline+shards'];

/** All answers become wrong; the prompt is another, so that no cache holds the answers. */
function breakAll(project: Project): void {
  project.write(promptPath, 'Edited: {{ email }}');
  project.answer = ({ text }) => (text.includes('Edited') ? 'nonsense' : queueOf(text));
}

const damaged = (name: string, why: string, damage: (text: string) => string, more: Partial<Way> = {}): Way => ({
  name,
  why,
  modes,
  plant(project) {
    project.write(baselinePath, damage(project.read(baselinePath)));
    breakAll(project);
  },
  ...more,
});

/** The tools of a server, from a file. */
function useSnapshot(project: Project, required: readonly string[]): void {
  const properties = { order_id: { type: 'string' }, shop: { type: 'string' } };
  const tools = [{ name: 'find_order', inputSchema: { type: 'object', properties, required } }];
  const snapshot = { format: 1, source: 'exec:node server.js', server: { name: 'orders' }, tools };
  project.write('evals/orders.mcp.json', JSON.stringify(snapshot));
  const params = { max_tokens: 20, tools: [{ mcp: 'orders.mcp.json' }] };
  project.suite.providers = [{ id: 'mini', use: 'openai:gpt-4o-mini', params }];
}

/** A baseline that is damaged, of something else, or gone. */
export const baselineWays: readonly Way[] = [
  damaged('the baseline is emptied', 'an empty file is no baseline, and nothing got worse', () => ''),
  damaged('the baseline is its header alone', 'nothing got worse', (text) => text.slice(0, text.indexOf('\n') + 1)),
  damaged('the baseline is cut off', 'cases that are not in it are new', (text) =>
    text.slice(0, Math.round(text.length * 0.7)),
  ),
  damaged(
    'the baseline holds marks of a merge conflict',
    'lines that are no JSON are left out',
    (text) => `<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> other\n`,
  ),
  damaged('the baseline holds a case twice with other answers', 'the last one wins', (text) => {
    const lines = text.trimEnd().split('\n');
    const last = lines.at(-1) ?? '';
    return `${[...lines, last.replace('"passed"', '"failed"').replaceAll('account', 'nonsense')].join('\n')}\n`;
  }),
  damaged('the baseline has another format', 'what is not understood is left out', (text) =>
    text.replace(/"format":\d+/, '"format":99'),
  ),
  damaged('the baseline is that of another suite', 'nothing in it is compared', (text) =>
    text.replaceAll('"tickets"', '"mail"'),
  ),
  {
    name: 'the baseline is gone, and answers are wrong',
    why: 'no baseline is a piece of news',
    modes,
    plant(project) {
      project.remove(baselinePath);
      breakAll(project);
    },
  },
  {
    name: 'the baseline is gone, and checks are edited',
    why: 'no baseline is a piece of news',
    modes,
    plant(project) {
      project.remove(baselinePath);
      project.suite.defaults = { assert: [{ contains: 'zebra' }] };
    },
  },
  {
    name: 'the suite moves away from its baseline, and answers are wrong',
    why: 'no baseline is a piece of news',
    modes,
    plant(project) {
      breakAll(project);
      project.write('evals/moved.eval.yaml', project.read(suitePath));
      project.remove(suitePath);
    },
  },
  {
    name: 'a suite is gone, and its baseline is left',
    why: 'the other suite passes',
    modes,
    plant(project) {
      project.write('evals/other.eval.yaml', project.read(suitePath).replace('"suite": "tickets"', '"suite": "mail"'));
      project.remove(suitePath);
    },
    green: greenIn(
      modes,
      'the other suite is whole; a warning names the baseline that is left',
      /tickets\.baseline\.jsonl/,
    ),
  },
  {
    name: 'one case breaks, and all else is as it was',
    why: 'one of six is within chance',
    modes,
    plant(project) {
      project.write(promptPath, 'Edited: {{ email }}');
      project.answer = ({ text }) =>
        (text.includes('Edited') && text.includes('login')) ||
        (text.includes('Edited') && text.includes('cannot log in'))
          ? 'nonsense'
          : queueOf(text);
    },
  },
  {
    name: 'the output contract breaks its consumers',
    why: 'every answer is valid',
    modes,
    project(project) {
      project.suite['contract'] = {
        output: { type: 'object', required: ['queue'], properties: { queue: { type: 'string' } } },
      };
      project.suite.defaults = { assert: [{ json: true }] };
      project.answer = ({ text }) => JSON.stringify({ queue: queueOf(text) });
    },
    plant(project) {
      project.suite['contract'] = { output: { type: 'object', properties: { queue: { type: ['string', 'null'] } } } };
    },
  },
  {
    name: 'a tool of an MCP server has another required argument',
    why: 'the suite file and the answers are the same',
    modes,
    project: (project) => useSnapshot(project, ['order_id']),
    plant: (project) => useSnapshot(project, ['order_id', 'shop']),
  },
  {
    name: 'the tools of an MCP server are gone',
    why: 'the model is given no tools, and its answers are right',
    project: (project) => useSnapshot(project, ['order_id']),
    plant: (project) => project.remove('evals/orders.mcp.json'),
  },
  {
    name: 'the input contract breaks its callers',
    why: 'every case is valid',
    modes,
    project(project) {
      project.suite['contract'] = {
        input: { type: 'object', required: ['email'], properties: { email: { type: 'string' } } },
      };
    },
    plant(project) {
      project.suite['contract'] = {
        input: { type: 'object', required: ['email'], properties: { email: { type: 'string', maxLength: 20 } } },
      };
    },
  },
  {
    name: 'the accepted snapshot is another answer',
    why: 'an answer has no golden one',
    modes,
    project(project) {
      project.suite.defaults = { assert: [{ regex: '.' }] };
    },
    plant(project) {
      project.suite.defaults = { assert: [{ regex: '.' }, { snapshot: 'exact' }] };
      project.write(promptPath, 'Edited: {{ email }}');
      project.answer = ({ text }) => (text.includes('Edited') ? 'another' : queueOf(text));
    },
  },
];

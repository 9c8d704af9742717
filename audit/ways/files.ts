import { symlinkSync } from 'node:fs';
import { type ModeName, modeNames } from '../modes.ts';
import { type Project, promptPath, queueOf, suitePath } from '../project.ts';
import { greenIn, type Way } from '../way.ts';

/** Ways that start a program for each run take as long as ten others, and drift and merges read the same answers. */
const modesOfModules: readonly ModeName[] = ['plain', 'cache', 'baseline', 'baseline+cache', 'resume', 'shards'];

/** A second suite, whose only case fails. */
const failingSuite = JSON.stringify({
  suite: 'failing',
  prompts: [{ id: 'v1', text: 'Which queue? {{ email }}' }],
  providers: [{ id: 'mini', use: 'openai:gpt-4o-mini', params: { max_tokens: 20 } }],
  cases: [{ id: 'refund', vars: { email: 'refund please' }, assert: [{ contains: 'zebra' }] }],
});

/** A prompt that a function makes with a text of another file. The model follows it while it asks for a queue. */
function useCodePrompt(project: Project): void {
  project.write('evals/prompts/rules.mjs', "export const rule = 'Which queue is this ticket for?';\n");
  project.write(
    'evals/prompts/ticket.mjs',
    "import { rule } from './rules.mjs';\nexport default ({ email }) => `${rule} ${email}`;\n",
  );
  project.suite.prompts = [{ id: 'v1', module: 'prompts/ticket.mjs' }];
  project.answer = ({ text }) => (text.includes('queue') ? queueOf(text) : 'I would say billing');
}

/** A check in a module that reads a constant of another file. */
function useModule(project: Project): void {
  project.write('evals/checks/words.mjs', "export const forbidden = 'zebra';\n");
  project.write(
    'evals/checks/check.mjs',
    "import { forbidden } from './words.mjs';\nexport default ({ text }) => ({ pass: !text.includes(forbidden) });\n",
  );
  project.suite.defaults = { assert: [{ module: 'checks/check.mjs' }] };
}

/** Files that are edited, missing, damaged or not found. */
export const fileWays: readonly Way[] = [
  {
    name: 'the prompt is edited, and the answers to it are wrong',
    why: 'the suite file is the same',
    modes: modeNames,
    plant(project) {
      project.write(promptPath, 'Edited: {{ email }}');
      project.answer = ({ text }) => (text.includes('Edited') ? 'nonsense' : queueOf(text));
    },
  },
  {
    name: 'the prompt file is gone',
    why: 'nothing is sent, so nothing fails',
    modes: modeNames,
    plant: (project) => project.remove(promptPath),
  },
  {
    name: 'the prompt file is emptied',
    why: 'the models answers an empty question',
    plant: (project) => project.write(promptPath, ''),
  },
  {
    name: 'the prompt gets another id, and its answers are wrong',
    why: 'the baseline knows no such prompt',
    modes: modeNames,
    plant(project) {
      project.suite.prompts = [{ id: 'v2', text: 'Second: {{ email }}' }];
      project.answer = ({ text }) => (text.includes('Second') ? 'nonsense' : queueOf(text));
    },
  },
  {
    name: 'the provider gets another id and model, and its answers are wrong',
    why: 'the baseline knows no such provider',
    modes: modeNames,
    plant(project) {
      project.suite.providers = [{ id: 'maxi', use: 'openai:gpt-4.1', params: { max_tokens: 20 } }];
      project.answer = ({ text, model }) => (model === 'gpt-4.1' ? 'nonsense' : queueOf(text));
    },
  },
  {
    name: 'the suite gets another id, and its answers are wrong',
    why: 'the baseline knows no such suite',
    modes: modeNames,
    plant(project) {
      project.suite['suite'] = 'mail';
      project.write(promptPath, 'Edited: {{ email }}');
      project.answer = ({ text }) => (text.includes('Edited') ? 'nonsense' : queueOf(text));
    },
  },
  {
    name: 'the suite file is gone',
    why: 'no suite is found',
    modes: modeNames,
    plant: (project) => project.remove(suitePath),
  },
  {
    name: 'the suite file is emptied',
    why: 'an empty document has no case that fails',
    modes: modeNames,
    plant: (project) => project.write(suitePath, ''),
  },
  {
    name: 'the suite file holds two documents',
    why: 'the second document is not read',
    plant: (project) => project.write(suitePath, `${project.read(suitePath)}---\n${failingSuite}\n`),
  },
  {
    name: 'a key of the suite occurs twice',
    why: 'the last one wins',
    plant: (project) =>
      project.edit(
        suitePath,
        '"suite": "tickets",',
        '"suite": "tickets", "defaults": { "assert": [{ "contains": "zebra" }] },',
      ),
  },
  {
    name: 'a second suite fails',
    why: 'the first one passes',
    modes: modeNames,
    plant: (project) => project.write('evals/failing.eval.yaml', failingSuite),
  },
  {
    name: 'a second suite of the same id',
    why: 'one takes the place of the other',
    plant: (project) =>
      project.write('evals/failing.eval.yaml', failingSuite.replace('"suite":"failing"', '"suite":"tickets"')),
  },
  {
    name: 'a failing suite behind a link to a file',
    why: 'a glob does not follow links',
    modes: modeNames,
    plant(project) {
      project.write('shared/failing.yaml', failingSuite);
      symlinkSync('../shared/failing.yaml', project.path('evals/failing.eval.yaml'));
    },
  },
  {
    name: 'a failing suite behind a link to a folder',
    why: 'a glob does not follow links',
    plant(project) {
      project.write('shared/failing.eval.yaml', failingSuite);
      symlinkSync('../shared', project.path('evals/linked'));
    },
  },
  {
    name: 'a link that leads nowhere',
    why: 'a glob does not follow links',
    plant: (project) => symlinkSync('../shared/failing.yaml', project.path('evals/failing.eval.yaml')),
  },
  {
    name: 'failing cases behind a link',
    why: 'a glob does not follow links',
    modes: modeNames,
    plant(project) {
      project.write('shared/failing.jsonl', '{"id":"linked","vars":{"email":"refund please"},"expected":"legal"}\n');
      symlinkSync('../../shared/failing.jsonl', project.path('evals/cases/linked.jsonl'));
      project.suite.cases = project.suite.cases.map((entry) => ('file' in entry ? { file: 'cases/*.jsonl' } : entry));
    },
  },
  {
    name: 'an entry of `suites` matches nothing',
    why: 'the other entry finds a suite',
    modes: modeNames,
    plant: (project) =>
      project.write('llmcheck.config.yaml', 'suites: ["evals/*.eval.yaml", "packages/*/evals/*.eval.yaml"]\n'),
    green: greenIn(modeNames, 'a glob may match nothing; every report warns', /packages\/\*\/evals/),
  },
  {
    name: 'no entry of `suites`',
    why: 'no suite is found',
    plant: (project) => project.write('llmcheck.config.yaml', 'suites: []\n'),
  },
  {
    name: 'the schema of the contract is gone',
    why: 'nothing is held against it',
    project(project) {
      project.write('evals/schemas/ticket.json', '{"type":"string"}');
      project.suite['contract'] = { input: 'schemas/email.json' };
      project.write('evals/schemas/email.json', '{"type":"object"}');
    },
    plant: (project) => project.remove('evals/schemas/email.json'),
  },
  ...(
    [
      ['depends on the clock', 'the answers to one of its messages are taken for those to all', '${Date.now()}'],
      ['depends on chance', 'the answers to one of its messages are taken for those to all', '${Math.random()}'],
      ['reads a variable that no case has', 'it says "undefined", and the model answers all the same', '${vars.tone}'],
    ] as const
  ).map(
    ([what, why, added]): Way => ({
      name: `a prompt in code ${what}`,
      why,
      modes: ['plain', 'baseline+cache'],
      project: useCodePrompt,
      plant(project) {
        project.edit('evals/prompts/ticket.mjs', '({ email })', '(vars)');
        project.edit('evals/prompts/ticket.mjs', '${email}', `\${vars.email} ${added}`);
      },
    }),
  ),
  {
    name: 'a file that a prompt in code imports is edited',
    why: 'neither the suite nor the module is another',
    modes: ['plain', 'baseline', 'baseline+cache'],
    project: useCodePrompt,
    plant: (project) => project.edit('evals/prompts/rules.mjs', 'queue', 'team'),
  },
  {
    name: 'a module of checks is edited',
    why: 'the suite file is the same',
    modes: modesOfModules,
    project: useModule,
    plant: (project) => project.edit('evals/checks/check.mjs', '!text', 'text'),
  },
  {
    name: 'a file that a module of checks imports is edited',
    why: 'neither the suite nor the module is another',
    modes: modesOfModules,
    project: useModule,
    plant: (project) => project.edit('evals/checks/words.mjs', 'zebra', 'ing'),
    // "account" is all that passes.
  },
  {
    name: 'a module of checks is gone',
    why: 'a check that can not be made is left out',
    project: useModule,
    plant: (project) => project.remove('evals/checks/check.mjs'),
  },
  ...(
    [
      ['nothing', '() => undefined'],
      ['a text', "() => 'yes'"],
      ['true', '() => true'],
      ['a text as pass', "() => ({ pass: 'false' })"],
      ['no pass', '() => ({ score: 1 })'],
      ['a score over 1', '() => ({ pass: true, score: 7 })'],
      ['an exception', "() => { throw new Error('broken'); }"],
      ['an end of the process', '() => process.exit(0)'],
    ] as const
  ).map(
    ([what, code]): Way => ({
      name: `a module of checks gives ${what}`,
      why: 'what is not false counts as a pass',
      modes: ['plain', 'baseline'],
      project: useModule,
      plant: (project) => project.write('evals/checks/check.mjs', `export default ${code};\n`),
    }),
  ),
  ...(
    [
      ['prints nothing', 'cat > /dev/null'],
      ['prints no JSON', 'cat > /dev/null; echo ok'],
      ['says no', `cat > /dev/null; echo '{"pass": false}'`],
      ['says yes and ends with 1', `cat > /dev/null; echo '{"pass": true}'; exit 1`],
    ] as const
  ).map(
    ([what, command]): Way => ({
      name: `a program of checks ${what}`,
      why: 'what is not false counts as a pass',
      modes: ['plain', 'baseline'],
      project(project) {
        project.suite.defaults = { assert: [{ exec: `sh checks/check.sh` }] };
        project.write('evals/checks/check.sh', `cat > /dev/null; echo '{"pass": true}'\n`);
      },
      plant: (project) => project.write('evals/checks/check.sh', `${command}\n`),
    }),
  ),
  {
    name: 'a plug-in is gone',
    why: 'what it adds is not checked',
    project(project) {
      project.write('plugin.mjs', 'export default { assertions: [] };\n');
    },
    plant: (project) => project.write('llmcheck.config.yaml', 'plugins: [./plugins.mjs]\n'),
  },
];

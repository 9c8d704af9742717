import { modeNames } from '../modes.ts';
import { type Project, promptPath, queueOf } from '../project.ts';
import { greenIn, type Way } from '../way.ts';

/** Two of six answers become wrong; the prompt is another, so that no cache holds the answers. */
function break2(project: Project): void {
  project.write(promptPath, 'Edited: {{ email }}');
  project.answer = ({ text }) => (text.includes('Edited') && /refund|charged/.test(text) ? 'shipping' : queueOf(text));
}

/** Nothing answers any more; the prompt is another, so that no cache holds the answers. */
function breakServer(project: Project): void {
  project.write(promptPath, 'Edited: {{ email }}');
  project.answer = ({ text }) =>
    text.includes('Edited') ? { status: 400, body: { error: { message: 'no' } } } : queueOf(text);
}

const configured = (name: string, why: string, config: string, plant = break2, more: Partial<Way> = {}): Way => ({
  name,
  why,
  plant(project) {
    project.write('llmcheck.config.yaml', `${config}\n`);
    plant(project);
  },
  ...more,
});

const gate = (name: string, why: string, policy: object, more: Partial<Way> = {}): Way => ({
  name,
  why,
  plant(project) {
    project.suite['gate'] = policy;
    break2(project);
  },
  ...more,
});

/** The first case is in a slice that must pass whole, under a gate that lets everything else through. */
const slice = (name: string, why: string, written: string, settings: object, answer?: 'wrong'): Way => ({
  name,
  why,
  modes: modeNames,
  plant(project) {
    const slices = { [written]: { passRate: { min: 1, maxDrop: 0.05 } } };
    project.suite['gate'] = { cases: { broken: 'warn' }, passRate: { min: 0.1, maxDrop: 1 }, slices };
    Object.assign(project.suite.cases[0] ?? {}, { tags: ['german'], ...settings });
    if (answer === 'wrong') break2(project);
  },
});

/** Settings that make a verdict loose, in the suite, the config, the environment or a flag. */
export const settingWays: readonly Way[] = [
  gate('a least pass rate of 90', '90 is 90 %, or a rate that nobody reaches, never 0.9 %', { passRate: { min: 90 } }),
  gate('a least pass rate of 90%', 'a text is no number', { passRate: { min: '90%' } }),
  gate('a least pass rate of 0.9', 'the comparison decides', { passRate: { min: 0.9 } }),
  gate('a least pass rate below 0', 'every rate is over it', { passRate: { min: -1 } }),
  gate('a largest drop of 5', '5 is 5 %, not 500 %', { passRate: { maxDrop: 5 } }),
  gate('an unknown key of the gate', 'what is not known is not held to', { passRate: { minimum: 1 } }),
  gate('an empty gate', 'nothing is asked for', {}),
  gate('broken cases only warn, and the least pass rate holds', 'the cases are forgiven', {
    cases: { broken: 'warn', added: 'warn' },
    passRate: { min: 0.9 },
  }),
  slice('the only case of a slice fails', 'the whole passes', 'german', {}, 'wrong'),
  slice('the tag of a slice is misspelt', 'no case is in it', 'germn', {}),
  slice('the only case of a slice is skipped', 'a suite may skip its own cases', 'german', { skip: 'later' }),
  slice('the only case of a slice is observed', 'what is observed is not judged', 'german', { observe: true }),
  gate('a least score', 'the pass rate alone is looked at', { score: { min: 0.9 } }),
  {
    name: 'a limit of cost that is exceeded',
    why: 'every check passes',
    modes: modeNames,
    plant(project) {
      project.suite['gate'] = { cost: { max: 0.00001 } };
    },
  },
  {
    name: 'a limit of cost where no price is known',
    why: 'an unknown cost counts as 0',
    plant(project) {
      project.suite['gate'] = { cost: { max: 1 } };
      project.suite.providers = [{ id: 'mini', use: 'openai:our-own', baseURL: `${project.serverUrl}/v1` }];
    },
  },
  {
    name: 'a cost check where no price is known',
    why: 'an unknown cost counts as 0',
    plant(project) {
      project.suite.defaults = { assert: [{ equals: '{{ expected }}' }, { cost: { max: 1 } }] };
      project.suite.providers = [{ id: 'mini', use: 'openai:our-own', baseURL: `${project.serverUrl}/v1` }];
    },
  },
  {
    name: 'the model among the params',
    why: 'another model answers than the report names',
    plant(project) {
      Object.assign(project.suite.providers[0] ?? {}, { params: { model: 'gpt-4.1', max_tokens: 20 } });
    },
  },
  {
    name: 'the messages among the params',
    why: 'another prompt is sent than the report names',
    plant(project) {
      Object.assign(project.suite.providers[0] ?? {}, {
        params: { messages: [{ role: 'user', content: 'refund please' }] },
      });
    },
  },
  {
    name: 'messages of a prompt among its params',
    why: 'another prompt is sent than the report names',
    plant(project) {
      Object.assign(project.suite.prompts[0] ?? {}, {
        params: { messages: [{ role: 'user', content: 'refund please' }] },
      });
    },
  },
  configured(
    'errors are tolerated without a limit, and all cells err',
    'every failure is within the tolerance',
    'run: { maxErrors: "100%" }',
    breakServer,
  ),
  configured('every cell errs', 'errors leave the pass rate', '', breakServer),
  configured(
    'a wrong answer, and errors are tolerated',
    'a failure is taken for an error',
    'run: { maxErrors: "100%" }',
  ),
  configured(
    'an empty selection is allowed, and answers are wrong',
    'the flag allows more than it says',
    'run: { allowEmpty: true }',
  ),
  configured('an unknown key of the config', 'it is dropped', 'run: { maxError: 3 }'),
  configured('a negative tolerance', 'it wraps around', 'run: { maxErrors: -1 }', () => {}),
  configured(
    'an unknown assertion among the defaults of the config',
    'it is dropped',
    'defaults: { assert: [{ equal: x }] }',
    (project) => {
      project.suite.defaults = {};
    },
  ),
  configured('a judge of the config that is none', 'nobody asks it', 'judges: [{ id: strict }]', () => {}),
  configured('a provider of the config that is none', 'nobody asks it', 'providers: [{ id: strict }]', () => {}),
  configured(
    'an empty selection is allowed, and a filter has a typo',
    'nothing is evaluated',
    'run: { allowEmpty: true, filter: [refnd] }',
    () => {},
    {
      // A resumed run of which nothing is selected any more is refused.
      modes: ['plain', 'baseline', 'cache', 'baseline+cache'],
      green: greenIn(
        modeNames,
        'the config says that an empty run is right; it must say that nothing ran',
        /planned 0|nothing|no case/i,
      ),
    },
  ),
  configured('the config asks for a dry run', 'a forecast looks like a run', 'run: { dryRun: true }', break2, {
    modes: ['plain', 'baseline', 'cache'],
    green: greenIn(modeNames, 'it was asked for by name, and it says that nothing was sent', /nothing was sent/),
  }),
  configured(
    'the config asks for a run against nothing',
    'no baseline: the suite must pass whole',
    'run: { noBaseline: true }',
  ),
  configured(
    'the config asks for another baseline that is not there',
    'no baseline is a piece of news',
    'run: { baseline: evals/other.baseline.jsonl }',
    () => {},
  ),
  configured(
    'the config asks for a git ref that is not there',
    'no baseline is a piece of news',
    'run: { baseline: "git:gone" }',
    () => {},
  ),
  configured(
    'the run is cut short by its budget',
    'the cells that ran passed',
    'run: { maxCost: 0.00003 }',
    (project) => project.write(promptPath, 'Edited: {{ email }}'),
  ),
  configured('the first failure stops the run', 'what did not run did not fail', 'run: { bail: 1 }'),
  configured(
    'a baseline is written by a run that fails',
    'the run accepts what it brings',
    'run: { updateBaseline: true }',
  ),
  configured(
    'the cache replays, and holds nothing',
    'what is missing is left out',
    'run: { cache: replay }',
    (project) => project.write(promptPath, 'Edited: {{ email }}'),
    { modes: ['cache', 'baseline+cache'] },
  ),
  {
    name: 'an unknown variable of llmcheck tolerates errors',
    why: 'a typo is dropped, and the right name is not set',
    plant(project) {
      project.env['LLMCHECK_MAX_ERORS'] = '0';
      breakServer(project);
    },
  },
  {
    name: 'the variable of a dry run is set',
    why: 'a forecast looks like a run',
    modes: ['plain', 'baseline', 'cache'],
    green: greenIn(modeNames, 'it was asked for by name, and it says that nothing was sent', /nothing was sent/),
    plant(project) {
      project.env['LLMCHECK_DRY_RUN'] = '1';
      break2(project);
    },
  },
  {
    name: 'a variable with a bad value',
    why: 'what can not be read is dropped',
    plant(project) {
      project.env['LLMCHECK_TRIALS'] = 'many';
    },
  },
  {
    name: 'no trials by a variable',
    why: 'none of none fail',
    plant(project) {
      project.env['LLMCHECK_TRIALS'] = '0';
    },
  },
  {
    name: 'no key',
    why: 'what is not sent does not fail',
    modes: modeNames,
    plant(project) {
      delete project.env['OPENAI_API_KEY'];
      project.write(promptPath, 'Edited: {{ email }}');
    },
  },
  {
    name: 'an env file that is not there',
    why: 'its variables are not set',
    plant(project) {
      project.env['LLMCHECK_ENV_FILE'] = '.env.gone';
    },
  },
  {
    name: 'a config that is not there',
    why: 'without a config the defaults hold',
    plant(project) {
      project.env['LLMCHECK_CONFIG'] = 'gone.config.yaml';
    },
  },
  {
    name: 'a reporter that does not exist',
    why: 'the report is not written',
    plant(project) {
      project.env['LLMCHECK_REPORTER'] = 'junitt=report.xml';
    },
  },
  {
    name: 'a key is sent to an address that is not its own',
    why: 'a suite moves the address',
    plant(project) {
      Object.assign(project.suite.providers[0] ?? {}, {
        baseURL: `${project.serverUrl}/v1`,
        apiKeyEnv: 'OPENAI_API_KEY',
      });
    },
    green: greenIn(modeNames, 'a user may do so, and every run warns by name', /OPENAI_API_KEY/),
  },
];

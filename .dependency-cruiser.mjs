// The four floors of src. An arrow goes down, or to another file of the same folder.

/** Knows nothing of suites and runs, but for model/, the vocabulary that everything shares. */
const ground = ['model', 'schema-diff', 'stats', 'json', 'templates', 'text', 'terminal', 'secrets', 'files', 'http'];

/** One subject each. Parts do not know each other; what two of them share is ground. */
const parts = [
  'suite',
  'prompts',
  'assertions',
  'providers',
  'cache',
  'record',
  'reports',
  'queue',
  'programs',
  'prices',
  'tools',
  'mcp',
  'telemetry',
  'github',
  'gitlab',
  'promptfoo',
];

/** What people do around runs, from the highest down: each may use those that follow, with the reason beside it. */
const features = [
  ['publishing', 'shows in CI what a run decided'],
  ['viewing', 'lists stored runs and compares any two'],
  ['importing', 'writes suites and answers, and checks them as a run would'],
  ['review', 'accepts or rejects changed answers one by one'],
  ['sizing', 'says from stored trials what a suite can see'],
  ['measuring', 'measures judges and assertions, over the plan and the calls of a run'],
  ['changes', 'finds the suites that a change touches'],
  ['listing', 'shows and validates what a project holds'],
  ['probing', 'asks cases with made prompts, by the cells and calls of a run'],
  ['run', 'makes calls, confirms, and hands its record to the verdict'],
  ['verdict', 'decides over a record: comparison, contracts, report'],
  ['history', 'lines stored runs up'],
  ['snapshots', 'reads the tool lists of servers, and finds what has changed since'],
  ['contracts', 'compares the contracts of prompts with those of a baseline'],
  ['baseline', 'reads, accepts and looks after baselines'],
  ['judges', 'judges an answer, and asks the models that judge'],
  ['calls', 'the chain from a request to its answer: cache, budget, retries, limits, provider'],
  ['plan', 'says which cells run, and what each sends'],
  ['compare', 'pairs two sides, tests them, and gates'],
  ['project', 'finds and loads the project, at a commit too'],
];
const featureNames = features.map(([name]) => name);

const among = (names) => `^src/(${names.join('|')})/`;
const down = (name, allowed) => ({
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: [`^src/${name}/`, ...(allowed.length === 0 ? [] : [among(allowed)])] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one file, or share a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'A file that nothing reaches is dead.',
      from: { orphan: true, pathNot: ['^test/', '[.]d[.]m?ts$'] },
      to: {},
    },
    ...ground.map((name) => ({
      name: `${name}-is-ground`,
      severity: 'error',
      comment: 'Ground uses ground alone.',
      ...down(name, ground),
    })),
    ...parts.map((name) => ({
      name: `${name}-is-a-part`,
      severity: 'error',
      comment: 'A part uses ground. What it needs of another part is handed to it; providers may start programs.',
      ...down(name, name === 'providers' ? [...ground, 'programs'] : ground),
    })),
    ...features.map(([name, reason], index) => ({
      name: `${name}-looks-down`,
      severity: 'error',
      comment: `${name}/ ${reason}. It uses the features below it, parts and ground.`,
      ...down(name, [...featureNames.slice(index + 1), ...parts, ...ground]),
    })),
    {
      name: 'api-is-an-entrance',
      severity: 'error',
      comment: 'Nothing below knows of the API.',
      from: { path: '^src/', pathNot: '^src/(api/|(index|vitest)[.]ts$)' },
      to: { path: '^src/api/' },
    },
    {
      name: 'cli-is-an-entrance',
      severity: 'error',
      comment: 'Flags and streams end here. The API resolves its settings by the same code.',
      from: { path: '^src/', pathNot: '^src/(cli|api)/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'entrances-call-features',
      severity: 'error',
      comment: 'An entrance calls a feature; of assertions, providers and reports it sees the registry alone.',
      from: { path: '^src/(cli|api)/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(cli|api)/',
          among([...featureNames, ...ground]),
          '^src/(assertions|providers|reports)/index[.]ts$',
        ],
      },
    },
    {
      name: 'page-knows-model-and-text-only',
      severity: 'error',
      comment: 'The page runs in a browser and is given data.',
      from: { path: '^src/page/' },
      to: { path: '^src/', pathNot: '^src/(page|model|text|json|terminal)/' },
    },
    {
      name: 'page-is-built-not-imported',
      severity: 'error',
      comment: 'The build makes one script of src/page (virtual:page); importing a part of it would need a browser.',
      from: { path: '^src/', pathNot: '^src/page/' },
      to: { path: '^src/page/' },
    },
    {
      name: 'page-libraries-stay-in-the-page',
      severity: 'error',
      comment: 'Components are for the page.',
      from: { path: '^src/', pathNot: '^src/page/' },
      to: { path: 'node_modules/preact' },
    },
    {
      name: 'bin-to-cli-only',
      severity: 'error',
      comment: 'bin starts the cli and sets the exit code.',
      from: { path: '^bin/' },
      to: { pathNot: ['^dist/cli/main[.]js$', '^(node:)?(module|process)$'] },
    },
    {
      name: 'effects-have-a-home',
      severity: 'error',
      comment:
        'Disk, network and processes are reached from these folders alone; others take what they need as an argument. src/promptfoo runs in the child of a module, and starts programs and agents and asks servers as promptfoo does.',
      from: {
        path: '^src/',
        pathNot: '^src/(api|baseline|cache|cli|files|http|programs|project|promptfoo|providers|queue|record|suite)/',
      },
      to: { path: '^(node:)?(fs|fs/promises|child_process|net|http|https|os|worker_threads)$' },
    },
    {
      name: 'sdk-stays-in-its-provider',
      severity: 'error',
      comment: 'An SDK is imported by its provider alone, on connect.',
      from: { path: '^src/', pathNot: '^src/providers/' },
      to: { path: 'node_modules/openai' },
    },
    {
      name: 'undici-stays-in-http',
      severity: 'error',
      comment: 'One client sends every request.',
      from: { path: '^src/', pathNot: '^src/http/' },
      to: { path: 'node_modules/undici' },
    },
    {
      name: 'terminal-libraries-stay-above',
      severity: 'error',
      comment: 'Colour and tables are the last step.',
      from: { path: '^src/', pathNot: '^src/(reports|cli|terminal)/' },
      to: { path: 'node_modules/(picocolors|cli-table3|commander)' },
    },
    {
      name: 'no-src-to-test',
      severity: 'error',
      comment: 'The program does not know its tests.',
      from: { path: '^(src|bin)/' },
      to: { path: '^(test|fixtures|evals)/' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs'],
    },
  },
};

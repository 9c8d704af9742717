// The four floors of src: entrances, features, parts, ground. An import points down, or to another file of the same
// folder. docs/architecture.md says what each folder is about.

/** Knows nothing of suites and runs, but for model/, the vocabulary that everything shares. */
export const ground = [
  'model',
  'schema-diff',
  'stats',
  'json',
  'templates',
  'text',
  'terminal',
  'secrets',
  'files',
  'http',
];

/** One subject each. Parts do not know each other; what two of them share is ground. */
export const parts = [
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

/**
 * What people do around runs, from the highest down, and the features that each may import. A new arrow is added here,
 * with its reason where it is not obvious; it points down.
 */
export const features = {
  // Which branch and commit a comment is about, and what a stored or repeated run shows.
  publishing: ['assessing', 'project'],
  viewing: ['assessing', 'project'],
  // Answers that are brought along are judged as those of a run are: by its cells, with its tools, against its baseline.
  importing: ['run', 'baseline', 'judges', 'plan', 'project'],
  // A case that was edited is planned and judged at once, to show what it says of the stored answer.
  review: ['baseline', 'judges', 'plan', 'project'],
  // Stored trials are asked again and gated as those of a run are, within the same budget.
  sizing: ['run', 'baseline', 'plan', 'verdict', 'project'],
  // Judges are asked over the calls of a run. A known answer of an agent is played back through its conversation.
  measuring: ['run', 'baseline', 'judges', 'calls', 'plan', 'project'],
  // What a suite attaches is a file that a change may touch.
  changes: ['plan', 'project'],
  // `validate` finds what a run would refuse: baselines, recordings, a plan that can't work.
  listing: ['baseline', 'calls', 'plan', 'project'],
  // Made prompts are asked by the cells, tools, batches and limits of a run; the accepted prompt is one of them.
  probing: ['run', 'snapshots', 'baseline', 'judges', 'calls', 'plan', 'verdict', 'project'],
  // The record is handed to `assessing`. `verdict` says what to ask again and when the rest can't change the decision.
  run: ['assessing', 'snapshots', 'baseline', 'judges', 'calls', 'plan', 'verdict', 'project'],
  // Erosion is a trend, stored answers are judged again where checks changed, and a bound is priced by the plan.
  assessing: ['history', 'contracts', 'baseline', 'judges', 'plan', 'verdict', 'project'],
  history: ['project'],
  // The tools of a server are a contract.
  snapshots: ['contracts'],
  // The variables of a prompt are those that its cells render.
  contracts: ['baseline', 'plan', 'project'],
  // A record is accepted where its cells are those of the plan, and without answers that look worse.
  baseline: ['judges', 'plan', 'verdict', 'project'],
  judges: ['project'],
  // Limits and the budget follow from the plan and its prices.
  calls: ['plan'],
  plan: ['project'],
  verdict: [],
  project: [],
};
const featureNames = Object.keys(features);

/**
 * What entrances see of parts: reports, the job of a CI that a command runs in, the defaults of `run`, how a flag writes
 * what a suite can, what loading read.
 */
const seenByEntrances = [
  'reports/',
  'github/github-run[.]ts$',
  'gitlab/gitlab[.]ts$',
  'suite/load-run-defaults[.]ts$',
  'suite/schema/fields[.]ts$',
  'suite/files/read-log[.]ts$',
];

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
    ...Object.entries(features).map(([name, allowed]) => ({
      name: `${name}-imports-features-listed`,
      severity: 'error',
      comment: 'A feature uses parts, ground and the features that `features` in .dependency-cruiser.mjs lists for it.',
      ...down(name, [...allowed, ...parts, ...ground]),
    })),
    {
      name: 'deciding-reads-records-alone',
      severity: 'error',
      comment:
        'A decision is a function of records: it knows no suite, plan, provider, run, project, file, clock or network. Of a record it knows the types and what counts its rows.',
      from: { path: '^src/verdict/' },
      to: {
        path: [
          '^src/',
          '^(node:)?(fs|fs/promises|child_process|net|http|https|os|worker_threads|timers|perf_hooks|process)',
        ],
        pathNot: [
          among(['verdict', 'model', 'stats', 'json', 'text']),
          '^src/record/(case-summaries|count-classes)[.]ts$',
          '^src/templates/rendered-table[.]ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'comparing-knows-no-gate',
      severity: 'error',
      comment: 'The gate judges what was compared and confirmed.',
      from: {
        path: '^src/verdict/',
        pathNot: '^src/verdict/(gate/|(decide-record|compare-record|edited-checks|judge-erosion)[.]ts$)',
      },
      to: { path: '^src/verdict/gate/' },
    },
    {
      name: 'comparing-knows-no-confirmation',
      severity: 'error',
      comment: 'What was compared is confirmed afterwards.',
      from: { path: '^src/verdict/[^/]+$' },
      to: { path: '^src/verdict/confirm/' },
    },
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
      comment: 'An entrance calls a feature. Of parts it sees what `seenByEntrances` lists.',
      from: { path: '^src/(cli|api)/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(cli|api)/',
          among([...featureNames, ...ground]),
          ...seenByEntrances.map((file) => `^src/${file}`),
        ],
      },
    },
    {
      name: 'page-imports-model-text-json-terminal-only',
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
        pathNot:
          '^src/(api|baseline|cache|cli|files|http|programs|project|promptfoo|providers|publishing|queue|record|suite)/',
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

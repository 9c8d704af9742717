const STAGE =
  '(suite|prompt|imports|contract|plan|prices|providers|cache|execute|assertions|record|stores|compare|gate|reporters|publish|telemetry|queue|stats|programs)';
const PURE = [
  '^src/(page|model|lib|plan|execute|assertions|record|stats|compare|gate|reporters|publish|prompt|imports|contract)/',
  '^src/suite/(parse|schema|locate)[.]ts$',
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'The program is a line; nothing in it goes back.',
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
    {
      name: 'lib-knows-nothing',
      severity: 'error',
      comment: 'lib has never heard of llmcheck.',
      from: { path: '^src/lib/' },
      to: { path: '^src/', pathNot: '^src/lib/' },
    },
    {
      name: 'http-knows-lib-only',
      severity: 'error',
      comment: 'http is ground like lib: a client that has never heard of llmcheck.',
      from: { path: '^src/http/' },
      to: { path: '^src/', pathNot: '^src/(http|lib)/' },
    },
    {
      name: 'model-knows-lib-only',
      severity: 'error',
      comment: 'The model is the vocabulary: it may use lib and zod.',
      from: { path: '^src/model/' },
      to: { path: '^src/', pathNot: '^src/(model|lib)/' },
    },
    {
      name: 'stages-do-not-know-each-other',
      severity: 'error',
      comment: 'A stage takes and returns model data; only src/pipeline joins stages.',
      from: { path: `^src/${STAGE}/` },
      to: { path: '^src/', pathNot: ['^src/(model|lib|http|stats|programs)/', '^src/errors[.]ts$', '^src/$1/'] },
    },
    {
      name: 'programs-for-providers-and-pipeline',
      severity: 'error',
      comment: 'What starts children is lent to other stages by the pipeline; only a provider may start its own.',
      from: { path: '^src/', pathNot: '^src/(programs|providers|pipeline)/' },
      to: { path: '^src/programs/' },
    },
    {
      name: 'pipeline-below-cli',
      severity: 'error',
      comment: 'The pipeline knows no flags and no streams.',
      from: { path: '^src/pipeline/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'cli-through-pipeline-or-registry',
      severity: 'error',
      comment: 'A command calls the pipeline; of a plugin stage it may see the registry, never a member.',
      from: { path: '^src/cli/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(cli|pipeline|model|lib)/',
          '^src/errors[.]ts$',
          '^src/(assertions|providers|reporters|stores)/index[.]ts$',
        ],
      },
    },
    {
      name: 'api-through-pipeline',
      severity: 'error',
      comment:
        'The API calls the pipeline with settings that the command line resolves too; it knows no stage but registries.',
      from: { path: '^src/api/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(api|pipeline|model|lib)/',
          '^src/errors[.]ts$',
          '^src/cli/(prepare-run|io)[.]ts$',
          '^src/(assertions|providers|reporters|stores)/index[.]ts$',
        ],
      },
    },
    {
      name: 'api-is-an-entrance',
      severity: 'error',
      comment: 'Nothing below knows of the API.',
      from: { path: '^src/', pathNot: '^src/(api/|(index|vitest)[.]ts$)' },
      to: { path: '^src/api/' },
    },
    {
      name: 'page-knows-model-and-lib-only',
      severity: 'error',
      comment: 'The page runs in a browser and is given data; what the program is made of it never sees.',
      from: { path: '^src/page/' },
      to: { path: '^src/', pathNot: '^src/(page|model|lib)/' },
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
      to: { pathNot: ['^dist/cli/main[.]js$', '^(node:)?module$', '^(node:)?process$'] },
    },
    {
      name: 'pure-stays-pure',
      severity: 'error',
      comment: 'No files, network, processes or environment here: take what you need as an argument.',
      from: { path: PURE, pathNot: '^src/lib/make-folder[.]ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|vm|path|url|buffer|string_decoder|events)$' },
    },
    {
      name: 'effects-have-a-home',
      severity: 'error',
      comment: 'Disk, network and processes live in suite/load, http, providers, programs, cache, stores and cli.',
      from: {
        path: '^src/',
        pathNot: [
          '^src/suite/(load|files|find-files)[.]ts$',
          '^src/lib/make-folder[.]ts$',
          '^src/(http|providers|programs|cache|stores|cli)/',
        ],
      },
      to: { path: '^(node:)?(fs|fs/promises|child_process|net|http|https|os)$' },
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
      comment: 'One client for all that speaks HTTP.',
      from: { path: '^src/', pathNot: '^src/http/' },
      to: { path: 'node_modules/undici' },
    },
    {
      name: 'terminal-stays-in-reporters-and-cli',
      severity: 'error',
      comment: 'Colour and tables are the last step.',
      from: { path: '^src/', pathNot: '^src/(reporters|cli)/' },
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

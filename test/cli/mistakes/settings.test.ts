import { renameSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../support/run-cli.ts';
import { openTempProject } from '../../support/temp-project.ts';
import { problemsIn, suiteOf, testMistakes } from './follow-hints.ts';

const suite = 'evals/a.eval.yaml';
const files = { [suite]: suiteOf() };

describe('variables', () => {
  const unknown = (name: string) => `error environment: ${name} is not a setting of llmcheck`;
  const meant = (name: string) => `\nhint: did you mean "${name}"?`;
  testMistakes({
    ...Object.fromEntries(
      ['LLMCHECK_MAX_COTS', 'LLMCHECK_MAXCOST', 'LLMCHECK_BUDGET', 'llmcheck_max_cost', 'LLM_CHECK_MAX_COST'].map(
        (name) => [
          `a budget called ${name}`,
          {
            files,
            argv: ['run', '--dry-run'],
            env: { [name]: '1' },
            says: [`${unknown(name)}${meant('LLMCHECK_MAX_COST')}`],
            follow(fix) {
              fix.env = { LLMCHECK_MAX_ERRORS: '1' };
            },
          },
        ],
      ),
    ),
    'a misspelt deadline': {
      files,
      env: { LLMCHECK_DEADLIEN: '1m' },
      says: [`${unknown('LLMCHECK_DEADLIEN')}${meant('LLMCHECK_DEADLINE')}`],
      follow(fix) {
        fix.env = { LLMCHECK_DEADLINE: '1m' };
      },
    },
  });

  test('another unknown name is a warning, and no variable of other programs is looked at', async () => {
    const project = openTempProject();
    project.write(suite, suiteOf());
    const env = { OPENAI_API_KEY: 'x', LLMCHECK_TRAILS: '3', LLMCHECK_FOO: 'x', LLM_BUDGET: '1', MAX_COST: '1' };
    const { code, stderr } = await project.run(['validate'], { env });
    expect([code, problemsIn(stderr)]).toEqual([
      0,
      [
        'warning environment: LLMCHECK_FOO is not a setting of llmcheck and was ignored',
        'warning environment: LLMCHECK_TRAILS is not a setting of llmcheck and was ignored\nhint: did you mean "LLMCHECK_TRIALS"?',
      ],
    ]);
  });
});

describe('commands and flags', () => {
  testMistakes({
    ...Object.fromEntries(
      ['rnu', 'ru', 'test', 'eval'].map((name) => [
        name,
        {
          files,
          argv: [name],
          says: [`error: unknown command "${name}"\nhint: did you mean "run"?`],
          follow(fix) {
            fix.argv = ['run'];
          },
        },
      ]),
    ),
    'a misspelt command that is to be explained': {
      files,
      argv: ['help', 'rnu'],
      says: ['error: unknown command "rnu"\nhint: did you mean "run"?'],
      follow(fix) {
        fix.argv = ['help', 'run'];
      },
    },
    ...Object.fromEntries(
      [
        { given: 'eval', hint: 'did you mean "evals"?', argv: ['evals'] },
        { given: 'evals/b.eval.yaml', hint: 'did you mean "a.eval.yaml"?', argv: ['evals/a.eval.yaml'] },
        {
          given: 'red',
          hint: 'name a suite file, a folder or a glob; for a case write: llmcheck run -t red',
          argv: ['-t', 'red'],
        },
        { given: 'suites/red', hint: 'name a suite file, a folder or a glob', argv: ['evals'] },
      ].map(({ given, hint, argv }) => [
        `${given} in place of a path`,
        {
          files,
          argv: ['run', given],
          says: [`error usage: ${given} does not exist\nhint: ${hint}`],
          follow(fix) {
            fix.argv = ['run', ...argv];
          },
        },
      ]),
    ),
    'a config of promptfoo in place of a suite': {
      files: { 'promptfooconfig.yaml': 'prompts: ["Say: {{word}}"]\n' },
      argv: ['run', 'promptfooconfig.yaml'],
      says: [
        'error usage: promptfooconfig.yaml is a config of promptfoo, and no suite\nhint: `llmcheck import promptfoo promptfooconfig.yaml` writes a suite of it',
      ],
      follow(fix) {
        fix.project.write(
          'promptfooconfig.yaml',
          'prompts: ["Say: {{word}}"]\nproviders: [echo]\ntests: [{ vars: { word: red }, assert: [{ type: contains, value: red }] }]\n',
        );
        fix.argv = ['import', 'promptfoo', 'promptfooconfig.yaml'];
      },
    },
    'a file of answers that is not there': {
      files: { ...files, 'answers.jsonl': '' },
      argv: ['cache', 'import', 'answer.jsonl'],
      says: ['error file-unreadable: answer.jsonl does not exist'],
      follow(fix) {
        fix.argv = ['cache', 'import', 'answers.jsonl'];
      },
    },
    'an amount with a comma': {
      files,
      argv: ['run', '--dry-run', '--max-cost', '0,5'],
      says: ['error usage: --max-cost: "0,5" is not an amount in USD, such as 0.50'],
      follow(fix) {
        fix.argv = ['run', '--dry-run', '--max-cost', '0.50'];
      },
    },
    'a suite in place of its baseline': {
      files,
      argv: ['run', '--baseline', suite],
      says: [
        `${suite}:1:1 error record: ${suite} is no baseline: it begins with "prompts: [{ id: v1, text: \\"Say: {{ word }}\\" }]".\nhint: name a file that \`llmcheck baseline accept\` wrote, such as evals/triage.baseline.jsonl, or a stored run`,
      ],
      follow(fix) {
        fix.argv = ['run', '--no-baseline'];
      },
    },
    'a suite in place of a command': {
      files,
      argv: [suite],
      says: [`error: unknown command "${suite}"\nhint: to run it, write llmcheck run ${suite}`],
      follow(fix) {
        fix.argv = ['run', suite];
      },
    },
    'a flag in place of a command': {
      files,
      argv: ['--max-errors', '1'],
      says: ['error: unknown option "--max-errors"\nhint: write the command first: llmcheck run --max-errors'],
      follow(fix) {
        fix.argv = ['run', '--max-errors', '1'];
      },
    },
    ...Object.fromEntries(
      ['-v', 'version'].map((given) => [
        `${given} for the version`,
        {
          files,
          argv: [given],
          says: [`error: unknown ${given === '-v' ? 'option' : 'command'} "${given}"\nhint: did you mean "--version"?`],
          follow(fix) {
            fix.argv = ['--version'];
          },
        },
      ]),
    ),
    'a flag of run for ci': {
      files,
      argv: ['ci', 'github', '--max-cost', '0.50'],
      says: ['error: unknown option "--max-cost"\nhint: flags of run go into --args, such as --args "--max-cost 0.50"'],
      follow(fix) {
        fix.argv = ['ci', 'github', '--args', '--max-cost 0.50'];
      },
    },
    'a misspelt flag': {
      files,
      argv: ['run', '--max-erors', '1'],
      says: ['error: unknown option "--max-erors"\nhint: did you mean "--max-errors"?'],
      follow(fix) {
        fix.argv = ['run', '--max-errors', '1'];
      },
    },
    ...Object.fromEntries(
      [
        { given: ['--model', 'openai:gpt-4o-mini'], meant: '--provider', argv: ['--provider', 'openai:gpt-4o-mini'] },
        { given: ['--case', 'red'], meant: '--filter', argv: ['--filter', 'red'] },
        { given: ['--no-cache'], meant: '--cache off', argv: ['--cache', 'off'] },
      ].map(({ given, meant, argv }) => [
        `the flag ${given.join(' ')} of other tools`,
        {
          files,
          argv: ['run', ...given],
          says: [`error: unknown option "${given[0]}"\nhint: did you mean "${meant}"?`],
          follow(fix) {
            fix.argv = ['run', ...argv];
          },
        },
      ]),
    ),
    'a misspelt subject': {
      files,
      argv: ['list', 'case'],
      says: [
        'error: "case" is none of suites, cases, providers, assertions, reporters, runs\nhint: did you mean "cases"?',
      ],
      follow(fix) {
        fix.argv = ['list', 'cases'];
      },
    },
    'a misspelt command of a group': {
      files,
      argv: ['baseline', 'lits'],
      says: ['error: unknown command "lits"\nhint: did you mean "list"?'],
      follow(fix) {
        fix.argv = ['baseline', 'list'];
      },
    },
    'a misspelt key of run in the config': {
      files: { ...files, 'llmcheck.config.yaml': 'run: { maxErors: 1 }\n' },
      says: [
        'llmcheck.config.yaml:1:8 error unknown-key: run.maxErors of the config file is no flag of run\nhint: did you mean "maxErrors"?',
      ],
      follow: ({ change }) => change('llmcheck.config.yaml', 'maxErors', 'maxErrors'),
    },
    'words for a duration': {
      files,
      argv: ['run', '--deadline', '2 days'],
      says: ['error usage: --deadline: "2 days" is not a duration: write "2d"'],
      follow(fix) {
        fix.argv = ['run', '--deadline', '2d'];
      },
    },
    'words for a duration in a suite': {
      files: { [suite]: suiteOf({ more: 'gate: { latency: { p95Max: 2 minutes } }\n' }) },
      says: [`${suite}:4:28 error invalid-value: gate.latency.p95Max: "2 minutes" is not a duration: write "2m"`],
      follow: ({ edit }) => edit(suite, '2 minutes', '2m'),
    },
  });
});

test('a path from the root of the project is answered in another folder with the path from there', async () => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write(suite, suiteOf());
  const validate = (path: string) =>
    runCli(['validate', path], { cwd: project.path('evals'), env: { OPENAI_API_KEY: 'x' } });
  const { code, stderr } = await validate(suite);
  expect([code, problemsIn(stderr)]).toEqual([
    2,
    [`error usage: ${suite} does not exist\nhint: write a.eval.yaml: paths start from the working folder`],
  ]);
  expect(await validate('a.eval.yaml')).toMatchObject({ code: 0, stderr: '' });
});

const failing = "import 'not-installed-anywhere';\n";
const says =
  "export const says = { kind: 'assertion', name: 'says', summary: 'says it', example: 'says: red', main: 'value', params: { type: 'object', properties: { value: { type: 'string' } } }, check: () => ({ pass: true, score: 1, reason: 'said' }) };\n";

describe('the config', () => {
  const plugged = suiteOf({
    providers: '[mini]',
    cases: '[{ id: red, vars: { word: red }, assert: [{ says: red }] }]',
  });
  const config = 'plugins: [./plug.mjs]\nproviders: [{ id: mini, use: openai:gpt-4o-mini }]\n';
  testMistakes({
    'a plug-in that is not there': {
      files: { [suite]: plugged, 'llmcheck.config.yaml': config },
      says: ['llmcheck.config.yaml:1:11 error file-unreadable: plug.mjs does not exist'],
      follow: ({ project }) => project.write('plug.mjs', says),
    },
    'another name': {
      files: { [suite]: suiteOf({ providers: '[mini]' }), 'llmcheck.config.yml': config.replace(/.*\n/, '') },
      says: [
        'error config: llmcheck.config.yml is not read: the config is llmcheck.config.yaml\nhint: rename it to llmcheck.config.yaml',
      ],
      follow({ project }) {
        project.write('llmcheck.config.yaml', project.read('llmcheck.config.yml'));
        rmSync(project.path('llmcheck.config.yml'));
      },
    },
    'a mistake of YAML': {
      files: {
        [suite]: suiteOf({ providers: '[mini]' }),
        'llmcheck.config.yaml': `run {}\n${config.replace(/.*\n/, '')}`,
      },
      says: ['llmcheck.config.yaml:1:1 error syntax: "run" has no colon after it\nhint: write run: {}'],
      follow: ({ change }) => change('llmcheck.config.yaml', 'run {}', 'run: {}'),
    },
  });

  const below = 'evals/llmcheck.config.yaml is not read';
  test.each([
    [
      undefined,
      `${below}: llmcheck looks for a config in the working folder and above it\nhint: move it to llmcheck.config.yaml`,
    ],
    [
      'run: { trials: 2 }\n',
      `${below}: the config is llmcheck.config.yaml\nhint: write its settings into llmcheck.config.yaml`,
    ],
  ])('one beside the suites is not read, beside %j at the root: a warning says so', async (atRoot, warning) => {
    const project = openTempProject();
    project.write(suite, suiteOf());
    project.write('evals/llmcheck.config.yaml', 'run: { trials: 3 }\n');
    if (atRoot !== undefined) project.write('llmcheck.config.yaml', atRoot);
    const validate = async () => {
      const { code, stderr } = await project.run(['validate'], { env: { OPENAI_API_KEY: 'x' } });
      return [code, problemsIn(stderr)];
    };
    expect(await validate()).toEqual([0, [`warning config: ${warning}`]]);
    rmSync(project.path('llmcheck.config.yaml'), { force: true });
    renameSync(project.path('evals/llmcheck.config.yaml'), project.path('llmcheck.config.yaml'));
    expect(await validate()).toEqual([0, []]);
  });

  test('a plug-in that does not load is said alone, without the uses of what it brings', async () => {
    const project = openTempProject();
    project.write(suite, plugged);
    project.write('llmcheck.config.yaml', config);
    project.write('plug.mjs', failing);
    const { code, stderr } = await project.run(['run']);
    expect([code, problemsIn(stderr)]).toEqual([
      2,
      [
        expect.stringMatching(
          /^llmcheck\.config\.yaml:1:11 error invalid-value: the plug-in \.\/plug\.mjs can't be loaded: .*not-installed-anywhere/,
        ),
      ],
    ]);
  });

  test('keys that begin with "x-" hold anchors, and are ignored', async () => {
    const project = openTempProject();
    project.write(
      'llmcheck.config.yaml',
      'x-p: &p { temperature: 0 }\nproviders: [{ id: mini, use: openai:gpt-4o-mini, params: *p }]\n',
    );
    project.write(
      suite,
      `x-checks: &checks [{ contains: red }]\n${suiteOf({ providers: '[mini]', cases: '[{ id: red, vars: { word: red }, assert: *checks }]' })}`,
    );
    expect(await project.run(['validate'], { env: { OPENAI_API_KEY: 'x' } })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a folder without suites', () => {
  test.each(['validate', 'run'])('%s names the folder, and init', async (command) => {
    const project = openTempProject();
    const empty = await project.run([command]);
    expect(empty.code).toBe(4);
    expect(empty.stderr).toContain(
      `no suite was found in ${project.root}: llmcheck looked for evals/**/*.eval.yaml\n  hint: change to the folder of your suites, or write one with \`llmcheck init\`\n`,
    );
    expect((await project.run(['init'])).code).toBe(0);
    expect((await project.run([command])).code).toBe(0);
  });

  test.each(['evals/a.yaml', 'a.eval.yaml', 'prompts/a.eval.yaml'])(
    '%s is named, which the pattern leaves out',
    async (name) => {
      const project = openTempProject();
      project.write(name, suiteOf());
      const { code, stderr } = await project.run(['validate']);
      expect([code, stderr]).toEqual([
        4,
        expect.stringContaining(`hint: ${name} is not among them: write llmcheck run ${name}\n`),
      ]);
      const found = await project.run(['run', name, '--dry-run'], { env: { OPENAI_API_KEY: 'x' } });
      expect(found.code).toBe(0);
    },
  );

  test('without a stored run, the folder and the command that stores one are named', async () => {
    const project = openTempProject();
    project.write(suite, suiteOf());
    const { code, stderr } = await project.run(['baseline', 'accept']);
    expect([code, problemsIn(stderr)]).toEqual([
      2,
      [
        `error unknown-id: there is no stored run in ${project.path('.llmcheck/runs')}\nhint: \`llmcheck run\` stores one`,
      ],
    ]);
  });
});

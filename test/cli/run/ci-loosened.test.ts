import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const suite = 'evals/words.eval.yaml';
const config = 'llmcheck.config.yaml';
const gate: JobOptions = { args: '', flags: ['--comment', '--check-run'] };
const words = wordSuite('words').replace('id: red,', 'id: red, mustPass: true, tags: [warm],');

async function openChange(files: Readonly<Record<string, string>>): Promise<GithubJobs> {
  const jobs = await openGithubJobs({ [suite]: words, ...files });
  await jobs.project.run(['run', '--update-baseline', '-q'], { env: jobs.providerEnv });
  jobs.push('accept');
  jobs.git('checkout', '-qb', 'change');
  return jobs;
}

interface Row {
  readonly before: Readonly<Record<string, string>>;
  /** An empty text removes the file. */
  readonly after: Readonly<Record<string, string>>;
  readonly says: readonly string[];
}

const gated = (text: string): string => `${words}gate: ${text}\n`;
/** The case green with a tag, where the gate has limits on the slice warm. */
const inSlice = (text: string, tag: string): string =>
  `${text.replace('id: green,', `id: green, tags: [${tag}],`)}gate: { slices: { warm: { passRate: { min: 0.5 } } } }\n`;
const classified = (gate: string): string => `${words}classes: { truth: "{{ word }}", found: text, gate: ${gate} }\n`;

const rows: Readonly<Record<string, Row>> = {
  'a limit that is lowered': {
    before: { [suite]: gated('{ passRate: { min: 0.9, maxDrop: 0.02 } }') },
    after: { [suite]: gated('{ passRate: { min: 0.5, maxDrop: 50% } }') },
    says: [
      'words: this change loosens gate.passRate.min: 0.9 → 0.5',
      'words: this change loosens gate.passRate.maxDrop: 0.02 → 0.5',
    ],
  },
  'limits that are removed': {
    before: { [suite]: gated('{ score: { min: 0.9 }, cost: { max: 1 }, latency: { p95Max: 60s }, certify: false }') },
    after: { [suite]: words },
    says: [
      'words: this change loosens gate.score.min: 0.9 → none',
      'words: this change loosens gate.cost.max: 1 → none',
      'words: this change loosens gate.latency.p95Max: 60s → none',
    ],
  },
  'cases that only warn, and a smaller level': {
    before: {},
    after: { [suite]: gated('{ cases: { broken: warn, added: warn }, alpha: 0.001, confirm: { budget: 0 } }') },
    says: [
      'words: this change loosens gate.alpha: 0.05 → 0.001',
      'words: this change loosens gate.cases.broken: fail → warn',
      'words: this change loosens gate.cases.added: fail → warn',
      'words: this change loosens gate.confirm.budget: 200% → 0 calls',
    ],
  },
  'limits of cost, of time and of steps, and the scope': {
    before: {
      [suite]: gated(
        '{ scope: suite, erosion: fail, cases: { drifted: fail }, cost: { maxIncrease: 10% }, steps: { max: 2 }, latency: { firstTokenP95Max: 60s, maxIncrease: 900% }, score: { maxDrop: 0.01 } }',
      ),
    },
    after: {
      [suite]: gated(
        '{ cases: { drifted: warn }, cost: { maxIncrease: 20% }, steps: { max: 3 }, latency: { maxIncrease: 1000% } }',
      ),
    },
    says: [
      'words: this change loosens gate.erosion: fail → warn',
      'words: this change loosens gate.cases.drifted: fail → warn',
      'words: this change loosens gate.score.maxDrop: 0.01 → 0.05',
      'words: this change loosens gate.cost.maxIncrease: 0.1 → 0.2',
      'words: this change loosens gate.latency.maxIncrease: 9 → 10',
      'words: this change loosens gate.latency.firstTokenP95Max: 60s → none',
      'words: this change loosens gate.steps.max: 2 → 3',
      'words: this change loosens gate.scope: suite → population',
    ],
  },
  'a slice': {
    before: { [suite]: gated('{ slices: { warm: { passRate: { min: 1 } } } }') },
    after: { [suite]: words },
    says: ['words: this change loosens gate.slices.warm.passRate.min: 1 → none'],
  },
  'limits of classes': {
    before: {
      [suite]: classified('{ recall: { red: { min: 0.9 } }, precision: { green: { min: 0.8 } }, f1: { min: 0.7 } }'),
    },
    after: {
      [suite]: classified('{ recall: { red: { min: 0.1 } }, precision: { green: { min: 0.2 } }, f1: { min: 0.3 } }'),
    },
    says: [
      'words: this change loosens classes.gate.recall.red.min: 0.9 → 0.1',
      'words: this change loosens classes.gate.precision.green.min: 0.8 → 0.2',
      'words: this change loosens classes.gate.f1.min: 0.7 → 0.3',
    ],
  },
  'the gate of the config': {
    before: { [config]: 'gate: { passRate: { min: 1 } }\n' },
    after: { [config]: '{}\n' },
    says: ['words: this change loosens gate.passRate.min: 1 → none'],
  },
  'keys of run in the config, and variables of its env file': {
    before: { [config]: 'run: { trials: 2, requireConclusive: false, envFile: ci.env }\n', 'ci.env': 'OTHER=1\n' },
    after: {
      [config]: 'run: { filter: [green, seven], allowEmpty: true, maxErrors: 3, envFile: ci.env }\n',
      'ci.env': 'LLMCHECK_ALLOW_EMPTY=1\nOTHER=2\n',
    },
    says: [
      'this change loosens run.filter: none → green, seven',
      'this change loosens run.allowEmpty: none → true',
      'this change loosens run.trials: 2 → none',
      'this change loosens run.maxErrors: none → 3',
      'this change loosens LLMCHECK_ALLOW_EMPTY of ci.env: none → 1',
    ],
  },
  'cases in a file of their own': {
    before: {
      [suite]: words.replace(/^cases:\n/m, 'cases:\n  - file: cases/*.jsonl\n'),
      'evals/cases/more.jsonl': '{"id":"blue","vars":{"word":"blue"},"mustPass":true,"assert":[{"equals":"blue"}]}\n',
    },
    after: { 'evals/cases/more.jsonl': '{"id":"blue","vars":{"word":"blue"},"assert":[{"equals":"blue"}]}\n' },
    says: ['words: this change drops mustPass of 1 case: blue'],
  },
  'a config that is removed': {
    before: { [config]: 'gate: { passRate: { min: 1 } }\n' },
    after: { [config]: '' },
    says: [
      'this change loosens config: llmcheck.config.yaml → none',
      'words: this change loosens gate.passRate.min: 1 → none',
    ],
  },
  'a suite that is removed': {
    before: { 'evals/other.eval.yaml': wordSuite('other') },
    after: { 'evals/other.eval.yaml': '' },
    says: ['this change removes the suite other (evals/other.eval.yaml)'],
  },
  'a suite that the config no longer names': {
    before: { 'evals/other.eval.yaml': wordSuite('other'), [config]: 'suites: [evals/*.eval.yaml]\n' },
    after: { [config]: 'suites: [evals/words.eval.yaml]\n' },
    says: ['this change removes the suite other (evals/other.eval.yaml)'],
  },
  'a case that need not pass any more': {
    before: {},
    after: { [suite]: wordSuite('words') },
    says: ['words: this change drops mustPass of 1 case: red'],
  },
  'a case that must pass, and is removed': {
    before: {},
    after: { [suite]: words.replace(/^ {2}- \{ id: red.*\n/m, '') },
    says: ['words: this change removes 1 case with mustPass: red'],
  },
  'cases that are only observed, or skipped': {
    before: {},
    after: {
      [suite]: words.replace('id: green,', 'id: green, observe: true,').replace('id: seven,', 'id: seven, skip: slow,'),
    },
    says: ['words: this change only observes 1 case: green', 'words: this change skips 1 case: seven'],
  },
  'cases that are asked fewer times': {
    before: { [suite]: `${words}defaults: { trials: 2 }\n` },
    after: { [suite]: words },
    says: ['words: this change asks 3 cases fewer times: red, green, seven'],
  },
  'exceptions of a contract': {
    before: { [suite]: `${words}contract: { policy: formal, strictConsumers: true, ignore: [/tools] }\n` },
    after: {
      [suite]: `${words}contract: { policy: lenient, approved: [0123456789ab], ignore: [/tools, /outputSchema], overrides: { enum-value-added: off } }\n`,
    },
    says: [
      'words: this change loosens contract.policy: formal → lenient',
      'words: this change loosens contract.strictConsumers: true → false',
      'words: this change loosens contract.approved: none → 0123456789ab',
      'words: this change loosens contract.ignore: /tools → /tools, /outputSchema',
      'words: this change loosens contract.overrides: none → enum-value-added: off',
    ],
  },
  'a case that leaves a gated slice': {
    before: { [suite]: inSlice(words, 'warm') },
    after: { [suite]: inSlice(words, 'other') },
    says: ['words: this change takes 1 case out of a gated slice: green'],
  },
};

/** Several rows as one change: a row of one suite becomes a suite of its own. */
function joinRows(joined: readonly Row[]): Row {
  const rename = (text: string, at: number): string => text.replaceAll(/\bwords(?=:|\n|\.eval)/g, `words${at}`);
  const renameAll = (files: Row['before'], at: number): Row['before'] =>
    Object.fromEntries(Object.entries(files).map(([path, text]) => [rename(path, at), rename(text, at)]));
  return {
    before: Object.assign({}, ...joined.map(({ before }, at) => renameAll({ [suite]: words, ...before }, at))),
    after: Object.assign({}, ...joined.map(({ after }, at) => renameAll(after, at))),
    says: joined.flatMap(({ says }, at) => says.map((text) => rename(text, at))),
  };
}

const isOfOneSuite = ({ before, after }: Row): boolean =>
  [...Object.keys(before), ...Object.keys(after)].every((path) => path === suite);
const ofOneSuite = Object.entries(rows).filter(([, row]) => isOfOneSuite(row));
const joinedRows = [0, 1].map((part) => ofOneSuite.filter((_, index) => index % 2 === part));
const changes: readonly (readonly [string, Row])[] = [
  ...joinedRows.map((some) => [some.map(([name]) => name).join('; '), joinRows(some.map(([, row]) => row))] as const),
  ...Object.entries(rows).filter(([, row]) => !isOfOneSuite(row)),
];

function apply(jobs: GithubJobs, after: Row['after']): void {
  for (const [path, text] of Object.entries(after)) {
    if (text === '') jobs.git('rm', '-q', path);
    else jobs.project.write(path, text);
  }
}

test('whatever a change loosens, a run against the commit before it names all of it', { tags: 'slow' }, async () => {
  const names = [
    'cases in a file of their own',
    'keys of run in the config, and variables of its env file',
    'a suite that is removed',
  ];
  const all = joinRows([...ofOneSuite.map(([, row]) => row), ...names.flatMap((name) => rows[name] ?? [])]);
  const jobs = await openGithubJobs({ [suite]: words, ...all.before });
  jobs.git('checkout', '-qb', 'change');
  apply(jobs, all.after);
  jobs.push('loosen');
  const { report } = await jobs.project.report(['run', '--baseline', 'git:main'], { env: jobs.providerEnv });
  const { loosened } = report.decision as { readonly loosened?: readonly string[] };
  expect(loosened?.toSorted()).toEqual(all.says.toSorted());
});

test('the gate is compared also where the cases of the commit before have a mistake, and that is said', {
  tags: 'slow',
}, async () => {
  const jobs = await openGithubJobs({ [suite]: words.replace('id: seven', 'id: green') });
  jobs.git('checkout', '-qb', 'change');
  jobs.project.write(suite, `${words}gate: { alpha: 0.01 }\n`);
  jobs.push('mend a case, and loosen');
  const { report, stderr } = await jobs.project.report(['run', '--baseline', 'git:main'], { env: jobs.providerEnv });
  const { loosened } = report.decision as { readonly loosened?: readonly string[] };
  expect(loosened).toEqual(['words: this change loosens gate.alpha: 0.05 → 0.01']);
  expect(stderr).toContain('settings of cases were not compared with git:main: ');
});

describe('a change that loosens its gate is named as one', { tags: 'slow' }, () => {
  test.each(changes)('%s', { tags: 'slow' }, async (_, { before, after, says }) => {
    const jobs = await openChange(before);
    apply(jobs, after);
    jobs.push('loosen');
    const { code, stdout, outputs } = await jobs.act(gate);
    expect({ code, headline: outputs['headline'] }).toMatchObject({ code: 0 });
    const [comment, check] = [jobs.github.comments[0]?.body, jobs.github.checks[0]?.output];
    const place = `this change loosens its gate (${says.length === 1 ? '1 warning' : `${says.length} warnings`})`;
    expect(outputs['headline']).toContain(place);
    expect([comment, check?.title]).toEqual([expect.stringContaining('### 🟡 llmcheck'), outputs['headline']]);
    for (const text of says) expect(comment).toContain(text);
    // GitHub shows ten warnings of a step. What the gate found comes first.
    const log = stdout.replaceAll('%3A', ':');
    const annotated = says.filter((text) => log.includes(`::warning title=llmcheck::${text}`));
    const others = log.split('::warning ').length - 1 - annotated.length;
    expect(others).toBeLessThanOrEqual(2);
    expect(annotated).toHaveLength(Math.min(says.length, 10 - others));
    const shown = await jobs.project.report(['report', 'latest']);
    const { loosened } = shown.report.decision as { readonly loosened?: readonly string[] };
    expect(loosened?.toSorted()).toEqual(says.toSorted());
    const page = await jobs.project.run(['report', 'latest', '-r', 'html=page.html']);
    expect(page.code).toBe(0);
    for (const text of says)
      expect(JSON.stringify(jobs.project.read('page.html'))).toContain(JSON.stringify(text).slice(1, 20));
  });

  test('also if it adds the first baseline, and a case that failed need not pass in it', async () => {
    const failing = wordSuite('words', ['red']);
    const jobs = await openGithubJobs({ [suite]: failing.replace('id: red,', 'id: red, mustPass: true,') });
    jobs.git('checkout', '-qb', 'change');
    jobs.project.write(suite, failing);
    await jobs.project.run(['run', '-q', '--no-baseline'], { env: jobs.providerEnv });
    await jobs.project.run(['baseline', 'accept', '--known-failures'], { env: jobs.providerEnv });
    jobs.push('loosen, and accept');
    const { code, outputs, stdout } = await jobs.act(gate);
    expect([code, outputs['headline']]).toEqual([0, expect.stringMatching(/first baseline: .*loosens its gate/)]);
    expect(stdout).toContain('this change drops mustPass of 1 case: red');
  });

  test('also if a commit can not show its cases', async () => {
    const module = { 'evals/check.mjs': 'export default () => ({ pass: true });\n' };
    const text = words.replace('id: green,', 'id: green, mustPass: true,');
    const checked = (from: string) => from.replace('[{ equals: seven }]', '[{ module: check.mjs }]');
    const jobs = await openChange({ ...module, [suite]: checked(text) });
    jobs.project.write(suite, `${checked(words)}gate: { alpha: 0.01 }\n`);
    jobs.push('loosen');
    const { stdout } = await jobs.act(gate);
    expect(stdout).toContain('words: this change loosens gate.alpha: 0.05 → 0.01');
    expect(stdout).toContain('words: this change drops mustPass of 1 case: green');
  });

  test('also if the run fails all the same', async () => {
    const jobs = await openChange({ [suite]: gated('{ passRate: { min: 0.9 } }') });
    jobs.project.write(suite, words.replace('Say:', 'Say: not'));
    jobs.push('loosen, and break');
    const { code, outputs } = await jobs.act(gate);
    expect([code, outputs['headline']]).toEqual([
      1,
      expect.stringMatching(/^FAILED: .*loosens its gate \(1 warning\)$/),
    ]);
  });

  test('unless it is stricter, or only another text of the same', async () => {
    const jobs = await openChange({ [suite]: gated('{ passRate: { min: 0.5 }, cases: { added: warn } }') });
    jobs.project.write(suite, gated('{ passRate: { min: 90% }, score: { maxDrop: 0.05 }, certify: false }'));
    jobs.project.write(config, 'run: { requireConclusive: false, trials: 1 }\n');
    jobs.push('tighten');
    const { outputs, stdout } = await jobs.act(gate);
    expect([outputs['headline'], stdout]).not.toContain('loosens');
    expect(outputs['headline']).toMatch(/^PASSED: unchanged/);
  });

  test('and what can not be compared is said', async () => {
    const jobs = await openChange({ [config]: 'gate: { passRat: { min: 1 } }\n' });
    jobs.project.write(config, '{}\n');
    jobs.push('mend the config');
    const { code, stderr } = await jobs.act(gate);
    const said = 'the settings of the gate were not compared with git:main...: unknown key "passRat"';
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(said)]);
    expect(jobs.github.comments[0]?.body).toContain('the settings of the gate were not compared');
  });
});

import { describe, expect, test } from 'vitest';
import { openFlagReader } from '../../../src/cli/flags/flag-reader.ts';
import { loadForRun, readEnvironment, resolveRun } from '../../../src/cli/flags/resolve-run.ts';
import type { RunFlagValues } from '../../../src/cli/flags/run-flags.ts';
import { buildRunOptions, buildRunSettings, checkSwap, findSwaps } from '../../../src/cli/flags/run-settings.ts';
import { UserError } from '../../../src/model/problem.ts';
import type { Project } from '../../../src/model/suite/suite.ts';
import { buildPrompt, buildProvider, buildSuite } from '../../support/build-case.ts';
import { openTempProject } from '../../support/temp-project.ts';

const settingsOf = (values: RunFlagValues) => buildRunSettings(values).settings;
const problemsOf = (values: RunFlagValues) => buildRunSettings(values).problems.map(({ message }) => message);

const plain = {
  cacheMode: 'use',
  maxErrors: { count: 0 },
  allowEmpty: false,
  requireConclusive: false,
  baseline: 'auto',
};

test.each<[RunFlagValues, object]>([
  [{}, {}],
  [{ cache: 'off' }, { cacheMode: 'off' }],
  [{ maxErrors: { fraction: 0.05 } }, { maxErrors: { fraction: 0.05 } }],
  [
    { allowEmpty: true, requireConclusive: true },
    { allowEmpty: true, requireConclusive: true },
  ],
  [{ baseline: 'git:main' }, { baseline: { source: 'git:main' } }],
  [{ noBaseline: true }, { baseline: 'none' }],
  [{ compare: ['v1', 'v2'] }, { compare: ['v1', 'v2'] }],
  [
    { maxCost: 0.5, drift: true, shard: '2/4' },
    { maxCostUsd: 0.5, drift: true, shard: { index: 2, count: 4 } },
  ],
  [{ shard: '5/4' }, {}],
])('the flags %j give these settings', (values, expected) => {
  expect(settingsOf(values)).toEqual({ ...plain, ...expected });
});

const stars = 'a*'.repeat(21);
const shardProblem = '--shard: not i/n with 1 ≤ i ≤ n';
const recordTools = (flag: string, why: string) => `--record-tools asks real tools, and ${flag} is given: ${why}`;

test.each<[RunFlagValues, readonly string[]]>([
  [{ shard: '1/1' }, []],
  [{ shard: '4/4' }, []],
  [{ shard: '0/4' }, [shardProblem]],
  [{ shard: '5/4' }, [shardProblem]],
  [{ shard: '1' }, [shardProblem]],
  [
    { filter: ['a*', stars, 'b*', `${stars}b`] },
    [stars, `${stars}b`].map((text) => `--filter ${text}: the pattern has more than 20 stars`),
  ],
  [
    { concurrency: 0, trials: 0, bail: 0, sample: 0 },
    ['concurrency', 'trials', 'bail', 'sample'].map((key) => `--${key}: 0 leaves nothing to run`),
  ],
  [{ compare: ['v1'] }, ['--compare v1: one version has nothing to be compared with']],
  [{ compare: ['v1', 'v2', 'v1'] }, ['--compare: v1 is named twice, and a version is not compared with itself']],
  [{ trials: 10_001 }, ['--trials: must be 10000 or less, as in a suite']],
  [{ trials: 10_000 }, []],
  [{ compare: ['v1', 'v2'] }, []],
  [{ queue: 'http://x' }, [expect.stringMatching(/^--queue: the address /)]],
  [{ queue: 'redis://x' }, []],
  [{ seed: 1 }, ['--seed is the seed of --sample or --early, and both are missing']],
  [{ seed: 1, sample: 2 }, []],
  [{ seed: 1, early: true }, []],
  [{ changed: true, resume: true }, ['--resume runs the suites of its run, whether they changed or not']],
  [{ changed: true }, []],
  [{ resume: true }, []],
  [{ lastFailed: true, shard: '1/2' }, ['--last-failed with --shard: the first shard changes what failed last']],
  [{ lastFailed: true }, []],
  [{ record: true, cache: 'replay' }, ['--record writes new answers and --cache replay asks for none']],
  [{ record: true, cache: 'off' }, []],
  [{ cache: 'replay' }, []],
  [
    { recordTools: true, cache: 'replay', watch: true },
    [
      recordTools('--cache replay', 'that asks nothing'),
      recordTools('--watch', 'each stub that is written would start another run'),
    ],
  ],
  [{ recordTools: true, cache: 'off' }, []],
  [{ noBaseline: true, baseline: 'git:main' }, ['--no-baseline leaves nothing for --baseline or --rerun-baseline']],
  [{ noBaseline: true, rerunBaseline: true }, ['--no-baseline leaves nothing for --baseline or --rerun-baseline']],
  [
    { noBaseline: true, drift: true },
    ['--drift looks for answers worse than those of the baseline, and --no-baseline compares with none'],
  ],
  [{ drift: true }, []],
  [{ rerunBaseline: true, baseline: 'git:main' }, []],
  [{ compare: ['a', 'b'], prompt: ['a'] }, ['--compare chooses the prompts itself']],
  [
    { early: true, shard: '1/2', batch: true, record: true, updateBaseline: true },
    [
      '--early with --shard: a shard has only a part of the cases, which does not decide the run',
      '--early with --batch: a batch is sent whole, so nothing could be left out',
      '--early with --record: the cases that are left out would be missing from the recordings',
      '--early with --update-baseline: a baseline is accepted from a run of all cases',
    ],
  ],
  [{ shard: '1/2', batch: true, record: true, updateBaseline: true }, []],
  [{ swap: ['a=openai:b'], provider: ['a'] }, ['--swap with --provider: --swap chooses the providers itself']],
  [{ swap: ['b'] }, ['--swap b: not ID=MODEL']],
])('the flags %j have these problems', (values, expected) => {
  expect(problemsOf(values)).toEqual(expected);
});

test('all flags that do not go with a swap are named', () => {
  const all: RunFlagValues = {
    baseline: 'x',
    rerunBaseline: true,
    compare: ['a', 'b'],
    provider: ['a'],
    updateBaseline: true,
    record: true,
    recordTools: true,
    queue: 'redis://x',
    shard: '1/2',
    early: true,
  };
  const flags = (by: '--swap' | '--compare') => checkSwap(all, by).map(({ message }) => message.split(': ')[0]);
  const names = [
    'baseline',
    'rerun-baseline',
    'compare',
    'provider',
    'update-baseline',
    'record',
    'record-tools',
    'queue',
    'shard',
    'early',
  ];
  expect(flags('--swap')).toEqual(names.map((name) => `--swap with --${name}`));
  expect(flags('--compare')).toEqual(
    names.filter((name) => name !== 'compare').map((name) => `--compare with --${name}`),
  );
  expect(checkSwap({}, '--swap')).toEqual([]);
});

const suite = (id: string, prompts: readonly string[], providers: readonly string[]) =>
  buildSuite([], {
    id,
    prompts: prompts.map((one) => buildPrompt({ id: one })),
    providers: providers.map((one) => buildProvider({ id: one })),
  });

test.each<[RunFlagValues, readonly object[]]>([
  [{}, []],
  [{ swap: ['a=openai:x,b'.split(',')[0] ?? '', 'b'] }, [{ provider: 'a', candidates: ['openai:x', 'b'] }]],
  [{ compare: ['p', 'q'] }, [{ provider: 'p', candidates: ['q'] }]],
  [{ compare: ['p', 'q', 'r'] }, [{ provider: 'p', candidates: ['q', 'r'] }]],
  [{ compare: ['v1', 'v2'] }, []],
  [{ compare: ['p', 'v2'] }, []],
  [{ compare: ['p', 'both'] }, []],
  [{ compare: [] }, []],
])('the flags %j swap these providers', (values, expected) => {
  const suites = [suite('one', ['v1', 'both'], ['p', 'both']), suite('two', ['v2'], ['q', 'r'])];
  expect(findSwaps(values, { suites } as unknown as Project)).toEqual(expected);
});

describe('the options of a run', () => {
  const project = { root: '/nowhere', suites: [], run: {} } as unknown as Project;
  const optionsOf = (values: RunFlagValues, notes?: readonly string[]) => {
    const {
      project: _project,
      toolVersion: _version,
      settings: _settings,
      ...options
    } = buildRunOptions(values, settingsOf(values), { project, notes }, { paths: ['evals'] });
    return options;
  };
  const none = {
    invocation: { paths: ['evals'], flags: {} },
    selection: { filters: [], tags: [], prompts: [], providers: [] },
    timeoutMs: 60_000,
    record: false,
    recordTools: false,
    batch: false,
    isCacheModeChosen: false,
    rerunBaseline: false,
    updateBaseline: false,
  };

  test('are these without a flag', () => {
    expect(optionsOf({})).toEqual(none);
    expect(optionsOf({}, [])).toEqual(none);
    expect(optionsOf({}, ['a note'])).toEqual({ ...none, notes: ['a note'] });
  });

  test('follow from every flag', () => {
    const { invocation, selection, ...rest } = optionsOf({
      filter: ['f'],
      tag: ['t'],
      prompt: ['v1'],
      provider: ['p'],
      sample: 3,
      seed: 7,
      trials: 2,
      early: true,
      shard: '1/2',
      timeout: 5,
      deadline: 9,
      concurrency: 4,
      bail: 3,
      record: true,
      recordTools: true,
      batch: true,
      queue: 'redis://x:1',
      cache: 'use',
      resume: 'run-1',
      rerunBaseline: true,
      updateBaseline: true,
      maxErrors: { fraction: 0.25 },
    });
    expect(selection).toEqual({
      filters: ['f'],
      tags: ['t'],
      prompts: ['v1'],
      providers: ['p'],
      sample: { size: 3, seed: 7 },
      shard: { index: 1, count: 2 },
      trials: 2,
    });
    expect(rest).toMatchObject({
      timeoutMs: 5,
      deadlineMs: 9,
      concurrency: 4,
      bail: 3,
      early: { seed: 7 },
      record: true,
      recordTools: true,
      batch: true,
      queue: {},
      isCacheModeChosen: true,
      resume: { runId: 'run-1' },
      rerunBaseline: true,
      updateBaseline: true,
    });
    // What a resumed run keeps.
    expect(invocation).toEqual({
      paths: ['evals'],
      flags: {
        filter: ['f'],
        tag: ['t'],
        prompt: ['v1'],
        provider: ['p'],
        sample: 3,
        seed: 7,
        trials: 2,
        early: true,
        shard: '1/2',
        batch: true,
        record: true,
        recordTools: true,
        cache: 'use',
        rerunBaseline: true,
        maxErrors: '25%',
      },
    });
  });

  test('keep for a resumed run all that the gate decides by', () => {
    const gate: RunFlagValues = {
      allowEmpty: true,
      requireConclusive: true,
      baseline: 'git:main',
      noBaseline: true,
      compare: ['v1', 'v2'],
      swap: ['p=openai:gpt-4o-mini'],
      drift: true,
    };
    const ofOnePart: RunFlagValues = { bail: 2, maxCost: 1, deadline: 9, timeout: 5, concurrency: 4, quiet: true };
    expect(optionsOf({ ...gate, ...ofOnePart }).invocation['flags']).toEqual(gate);
  });

  test('have their own defaults', () => {
    expect(optionsOf({ bail: true }).bail).toBe(1);
    expect(optionsOf({ resume: true }).resume).toEqual({});
    expect(optionsOf({ early: true }).early).toEqual({});
    expect(optionsOf({ sample: 3 }).selection.sample).toEqual({ size: 3, seed: 0 });
    expect(optionsOf({ compare: ['v1', 'v2'] }).selection.prompts).toEqual(['v1', 'v2']);
    expect(optionsOf({ maxErrors: { count: 2 } }).invocation['flags']).toEqual({ maxErrors: '2' });
    expect(optionsOf({ queue: 'http://x' }).queue).toBeUndefined();
  });
});

describe('a run is called with flags, variables and a config', () => {
  const messagesOf = (work: () => unknown) => {
    try {
      work();
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ code, message }) => `${code}: ${message}`);
    }
  };

  test('and the process’s variables win over those of the env file', () => {
    const project = openTempProject();
    project.write('ci.env', 'LLMCHECK_TRIALS=2\nSHARED=file\nOWN=file\nEMPTY=file\n');
    const env = { SHARED: 'process', EMPTY: '' };
    expect(readEnvironment('ci.env', { env, cwd: project.root })).toEqual({
      env: { LLMCHECK_TRIALS: '2', SHARED: 'process', OWN: 'file', EMPTY: '' },
      fileEnv: { LLMCHECK_TRIALS: '2', SHARED: 'file', OWN: 'file', EMPTY: 'file' },
      fileVariables: new Set(['LLMCHECK_TRIALS', 'OWN']),
    });
    expect(readEnvironment(undefined, { env, cwd: project.root })).toEqual({
      env,
      fileEnv: {},
      fileVariables: new Set(),
    });
    const resolved = resolveRun({ envFile: 'ci.env' }, { flags: {}, env, root: project.root, cwd: project.root });
    expect([resolved.values.trials, resolved.env['OWN'], resolved.fileVariables.has('OWN')]).toEqual([2, 'file', true]);
  });

  test('whose mistakes come all at once, warnings last', () => {
    const place = { root: '/p', cwd: '/p', env: { LLMCHECK_TRAILS: '2' } };
    const flags = { trials: 'x', shard: '5/4', reporter: ['nonsense'] };
    expect(messagesOf(() => resolveRun({}, { ...place, flags }))).toEqual([
      'usage: --trials: "x" is not a whole number',
      `usage: ${shardProblem}`,
      expect.stringContaining('nonsense'),
      expect.stringMatching(/^environment: LLMCHECK_TRAILS /),
    ]);
    expect(resolveRun({}, { ...place, flags: {} }).problems.map(({ severity }) => severity)).toEqual(['warning']);
  });

  test('and only flags may name a path outside of the project', () => {
    const project = openTempProject();
    project.write('ci.env', 'LLMCHECK_BASELINE=../b.jsonl\n');
    const place = { root: project.root, cwd: project.root };
    const fault = (label: string) => expect.stringMatching(new RegExp(`^file-outside-project: ${label}: `));
    const problems = (config: object, flags: object = {}, env: Record<string, string> = {}) =>
      messagesOf(() => resolveRun(config as never, { ...place, flags: flags as never, env }));
    expect(problems({ baseline: '../b.jsonl' })).toEqual([fault('baseline')]);
    expect(problems({ baseline: '../b.jsonl' }, { baseline: '../c.jsonl' })).toEqual([]);
    expect(problems({ baseline: '../b.jsonl' }, {}, { LLMCHECK_BASELINE: '../c.jsonl' })).toEqual([]);
    expect(problems({ baseline: '../b.jsonl' }, {}, { LLMCHECK_BASELINE: '' })).toEqual([fault('baseline')]);
    expect(problems({ baseline: 'git:main' })).toEqual([]);
    expect(problems({ envFile: '../x.env' })).toEqual([fault('envFile')]);
    expect(problems({ reporter: ['json=a=/../../x.json'] })).toEqual([fault('reporter')]);
    expect(problems({ reporter: ['json=out.json'] })).toEqual([]);
    expect(problems({ envFile: 'ci.env' })).toEqual([fault('LLMCHECK_BASELINE of the env file')]);
  });

  test('and mistakes of the config are reported with those of the files', async () => {
    const project = openTempProject();
    project.write('evals/a.eval.yaml', 'suite: [\n');
    const load = async (run: string, flags: object = {}) => {
      project.write('llmcheck.config.yaml', `run: { ${run} }\n`);
      const invocation = { root: project.root, cwd: project.root, flags: flags as never, env: {} };
      const error: unknown = await loadForRun({ cwd: project.root, paths: [] }, invocation).catch(
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ message }) => message);
    };
    const broken = await load('trials: 2');
    expect(broken).toHaveLength(1);
    expect((await load('trials: 2', { shard: '9/2' })).slice(0, 1)).toEqual([shardProblem]);
    expect(await load('trials: 2', { shard: '9/2' })).toHaveLength(2);
    const password = 'the address of the queue holds a password, and the config is no place for one';
    const found = await load('queue: "redis://:secret@x", shard: 9/2, seed: 3, baseline: ../b.jsonl, trials: x');
    expect(found.filter((message) => !broken.includes(message))).toEqual(
      expect.arrayContaining([expect.stringContaining(password), expect.stringContaining(shardProblem)]),
    );
    expect(found).toHaveLength(5);
    expect((await load('queue: "redis://x"')).length).toBe(1);
  });
});

test.each([
  ['5%', 0.05],
  ['0.05', 0.05],
  ['.5', 0.5],
  ['25%', 0.25],
])('the share %s is read as %d', (text, share) => {
  const reader = openFlagReader();
  expect([reader.readShare('--x', text), reader.problems]).toEqual([share, []]);
});

test.each([
  ['0', '5% or --x 0.05'],
  ['1', '5% or --x 0.05'],
  ['5', '5%'],
  ['100', '5% or --x 0.05'],
  ['100%', '5% or --x 0.05'],
  ['500%', '5% or --x 0.05'],
  ['a', '5% or --x 0.05'],
])('%s is no share', (text, instead) => {
  const reader = openFlagReader();
  expect(reader.readShare('--x', text)).toBeNaN();
  const message = `--x: "${text}" is not a share between 0 and 1`;
  expect(reader.problems).toEqual([{ code: 'usage', severity: 'error', message, hint: `write --x ${instead}` }]);
});

test('counts and durations are read within their bounds, and all mistakes are reported at once', () => {
  const reader = openFlagReader();
  const range = { min: 2, max: 4 };
  expect(['2', '3', '4'].map((text) => reader.readCount('--n', text, range))).toEqual([2, 3, 4]);
  expect(reader.readDuration('--t', '2s')).toBe(2000);
  reader.check();
  for (const text of ['1', '5', '2.5', '']) expect(reader.readCount('--n', text, range)).toBeNaN();
  expect(reader.readDuration('--t', 'soon', 'write --t 2s')).toBeNaN();
  reader.refuse('no', 'so');
  expect(reader.problems.map(({ hint }) => hint)).toEqual([
    ...Array.from({ length: 4 }, () => 'write --n 3'),
    'write --t 2s',
    'so',
  ]);
  expect(() => reader.check()).toThrow(UserError);
});

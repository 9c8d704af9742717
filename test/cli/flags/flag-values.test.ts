import { describe, expect, test } from 'vitest';
import { type FlagSources, resolveFlagValues } from '../../../src/cli/flags/flag-values.ts';
import { envNameOf, runFlags } from '../../../src/cli/flags/run-flags.ts';
import type { JsonValue } from '../../../src/json/json.ts';

function resolve(sources: Partial<FlagSources>) {
  return resolveFlagValues({ flags: {}, env: {}, config: {}, ...sources });
}

const inConfig = (key: string, value: JsonValue) => resolve({ config: { [key]: value } });
const asFlag = (key: string, value: unknown) => resolve({ flags: { [key]: value } });
const inEnv = (name: string, value: string) => resolve({ env: { [name]: value } });

describe('the sources', () => {
  test('a flag wins over its variable, which wins over the config', () => {
    const config = { trials: 1, seed: 1, sample: 1 };
    const env = { LLMCHECK_TRIALS: '2', LLMCHECK_SEED: '2' };
    expect(resolve({ flags: { trials: '3' }, env, config }).values).toEqual({ trials: 3, seed: 2, sample: 1 });
  });

  test.each([
    [{ flags: { noBaseline: true }, config: { baseline: 'git:main' } }, { noBaseline: true }],
    [{ env: { LLMCHECK_NO_BASELINE: '1' }, config: { rerunBaseline: true } }, { noBaseline: true }],
    [{ flags: { baseline: 'git:main' }, env: { LLMCHECK_NO_BASELINE: '1' } }, { baseline: 'git:main' }],
    [{ flags: { rerunBaseline: true }, config: { noBaseline: true } }, { rerunBaseline: true }],
    // What contradicts itself in one place stays, and is a usage error.
    [{ config: { noBaseline: true, baseline: 'x' } }, { noBaseline: true, baseline: 'x' }],
    [
      { flags: { noBaseline: true }, config: { rerunBaseline: false } },
      { noBaseline: true, rerunBaseline: false },
    ],
    [
      { flags: { noBaseline: false }, config: { baseline: 'x' } },
      { noBaseline: false, baseline: 'x' },
    ],
  ])('given as %j keep the stronger of contradicting settings', (sources, values) => {
    expect(resolve(sources)).toEqual({ values, problems: [] });
  });

  test('without any of them say nothing', () => {
    expect(resolve({})).toEqual({ values: {}, problems: [] });
  });

  test('an empty variable counts as unset', () => {
    expect(resolve({ env: { LLMCHECK_TRIALS: '' }, config: { trials: 2 } }).values).toEqual({ trials: 2 });
  });

  test('each flag has its variable', () => {
    expect(envNameOf('maxCost')).toBe('LLMCHECK_MAX_COST');
    expect(envNameOf('filter')).toBe('LLMCHECK_FILTER');
    const env = Object.fromEntries(runFlags.map(({ key }) => [envNameOf(key), '']));
    expect(resolve({ env }).problems).toEqual([]);
  });

  test('a misspelt variable warns or, of a limit, is an error; variables of other programs do not count', () => {
    const env = { LLMCHECK_MAXCOST: '1', LLMCHECK_TRAILS: '1', PATH: '/bin', LLMCHECK_CONFIG: 'x.yaml' };
    expect(resolve({ env }).problems).toMatchObject([
      { code: 'environment', severity: 'error', message: expect.stringContaining('LLMCHECK_MAXCOST') },
      { code: 'environment', severity: 'warning', message: expect.stringContaining('LLMCHECK_TRAILS') },
    ]);
  });

  test('a misspelt key of the config is an error with the nearest name', () => {
    expect(inConfig('maxCosts', 1).problems).toMatchObject([
      { code: 'unknown-key', severity: 'error', hint: 'did you mean "maxCost"?' },
    ]);
    expect(inConfig('constructor', 1).problems).toMatchObject([{ code: 'unknown-key' }]);
  });

  test('a problem names where the value came from', () => {
    expect(asFlag('trials', 'x').problems).toMatchObject([
      { code: 'usage', message: '--trials: "x" is not a whole number' },
    ]);
    expect(inEnv('LLMCHECK_TRIALS', 'x').problems[0]?.message).toContain('LLMCHECK_TRIALS');
    expect(inConfig('trials', 'x').problems).toMatchObject([
      { code: 'config', message: expect.stringContaining('run.trials of the config file') },
    ]);
  });

  test('all problems are reported at once, and the valid values are kept', () => {
    const { values, problems } = resolve({ flags: { trials: 'x', timeout: '5', seed: '4' } });
    expect(values).toEqual({ seed: 4 });
    expect(problems).toHaveLength(2);
  });
});

describe('a switch', () => {
  test.each<[JsonValue, boolean]>([
    [true, true],
    ['1', true],
    ['true', true],
    [false, false],
    ['0', false],
    ['false', false],
  ])('%j is %s', (raw, value) => {
    expect(inConfig('quiet', raw).values).toEqual({ quiet: value });
  });

  test.each<JsonValue>(['yes', 2, null, []])('%j is none', (raw) => {
    expect(inConfig('quiet', raw).problems).toMatchObject([{ code: 'config' }]);
  });

  test('--no-baseline has the name of its own key', () => {
    expect(asFlag('noBaseline', true).values).toEqual({ noBaseline: true });
    expect(inEnv('LLMCHECK_NO_BASELINE', '1').values).toEqual({ noBaseline: true });
  });
});

describe('a list', () => {
  test('splits at commas, but not inside the braces of a glob', () => {
    expect(inEnv('LLMCHECK_FILTER', 'a, b/*,{c,d}*').values).toEqual({ filter: ['a', 'b/*', '{c,d}*'] });
    expect(asFlag('filter', ['a', 'b,c', '{x']).values).toEqual({ filter: ['a', 'b', 'c', '{x'] });
    expect(inConfig('tag', ['x', 7]).values).toEqual({ tag: ['x', '7'] });
    expect(inConfig('tag', []).problems).toHaveLength(1);
  });

  test('is an error if it is given but empty: it must not select everything', () => {
    expect(asFlag('filter', ['']).problems).toMatchObject([{ code: 'usage' }]);
    expect(inEnv('LLMCHECK_TAG', ' , ').problems).toHaveLength(1);
  });

  test.each<JsonValue>([null, true, { a: 1 }, [['a']], [null]])('%j is none', (raw) => {
    expect(inConfig('filter', raw).problems).toMatchObject([{ code: 'config' }]);
  });

  test('is read in no time if it holds nothing but braces', { tags: ['slow'] }, () => {
    expect(asFlag('filter', ['{'.repeat(20_000)]).values['filter']).toHaveLength(1);
  });
});

describe('a number', () => {
  test.each<[string, JsonValue, number]>([
    ['trials', '3', 3],
    ['trials', 3, 3],
    ['trials', ' 3 ', 3],
    ['seed', '0', 0],
    ['maxCost', '0.50', 0.5],
    ['maxCost', '$2', 2],
    ['maxCost', 0.0000001, 1e-7],
    ['maxCost', '.5', 0.5],
    ['maxCost', 0, 0],
  ])('%s: %j is %d', (key, raw, value) => {
    expect(inConfig(key, raw).values).toEqual({ [key]: value });
  });

  test.each<[string, JsonValue]>([
    ['trials', '1.5'],
    ['trials', '-1'],
    ['trials', ''],
    ['trials', 'x'],
    ['trials', '0x10'],
    ['trials', '1e3'],
    ['trials', null],
    ['trials', true],
    ['trials', [3]],
    ['trials', {}],
    ['trials', '9007199254740993'],
    ['maxCost', '-1'],
    ['maxCost', 'a lot'],
    ['maxCost', ''],
    ['maxCost', null],
    ['maxCost', 'Infinity'],
    ['maxCost', '$'],
    ['maxCost', '1e999'],
    ['maxCost', '1,50'],
  ])('%s: %j is none', (key, raw) => {
    const { values, problems } = inConfig(key, raw);
    expect(values).toEqual({});
    expect(problems).toMatchObject([{ code: 'config', severity: 'error' }]);
  });
});

describe('a duration', () => {
  test('has a unit', () => {
    expect(asFlag('timeout', '1m30s').values).toEqual({ timeout: 90_000 });
    expect(asFlag('deadline', '500ms').values).toEqual({ deadline: 500 });
  });

  test.each<JsonValue>(['60', 60, '0s', 'soon', '-1s', '', null])('%j is none', (raw) => {
    expect(inConfig('timeout', raw).problems).toHaveLength(1);
  });
});

describe('a tolerance', () => {
  test.each<[JsonValue, unknown]>([
    ['0', { count: 0 }],
    [5, { count: 5 }],
    ['5%', { fraction: 0.05 }],
    ['2.5 %', { fraction: 0.025 }],
    ['100%', { fraction: 1 }],
  ])('%j is %j', (raw, value) => {
    expect(inConfig('maxErrors', raw).values).toEqual({ maxErrors: value });
  });

  test.each<JsonValue>(['101%', '1.5', '-1', '%', 'few', null, ''])('%j is none', (raw) => {
    expect(inConfig('maxErrors', raw).problems).toHaveLength(1);
  });
});

describe('a flag with an optional value', () => {
  test('is true without one', () => {
    expect(asFlag('bail', true).values).toEqual({ bail: true });
    expect(asFlag('bail', '3').values).toEqual({ bail: 3 });
    expect(asFlag('resume', '20261124-a1').values).toEqual({ resume: '20261124-a1' });
    expect(asFlag('bail', 'evals/missing.yaml').problems).toHaveLength(1);
  });

  test('outside the command line takes the words of a switch for that', () => {
    expect(inEnv('LLMCHECK_RESUME', '1').values).toEqual({ resume: true });
    expect(inEnv('LLMCHECK_BAIL', 'true').values).toEqual({ bail: true });
    expect(inEnv('LLMCHECK_BAIL', '4').values).toEqual({ bail: 4 });
    expect(inConfig('bail', 2).values).toEqual({ bail: 2 });
  });

  test('can be turned off where a lower source turns it on', () => {
    expect(resolve({ env: { LLMCHECK_BAIL: 'false' }, config: { bail: 2 } })).toEqual({ values: {}, problems: [] });
    expect(inConfig('resume', false)).toEqual({ values: {}, problems: [] });
  });
});

describe('a text', () => {
  test('may have to be one of a few', () => {
    expect(asFlag('cache', 'replay').values).toEqual({ cache: 'replay' });
    expect(asFlag('cache', 'reply').problems[0]?.message).toBe(
      '--cache: "reply" is not one of use, refresh, replay, off',
    );
    expect(inConfig('cache', true).problems).toHaveLength(1);
  });

  test.each<JsonValue>(['', null, false, {}, ['a']])('%j is none', (raw) => {
    expect(inConfig('envFile', raw).problems).toHaveLength(1);
  });
});

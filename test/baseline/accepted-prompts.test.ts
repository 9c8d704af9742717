import { beforeAll, describe, expect, test } from 'vitest';
import { addBaselinePrompts, findAcceptedPrompt } from '../../src/baseline/accepted-prompts.ts';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase, BaselineVariant, StandIn, SuiteBaseline } from '../../src/model/comparison/baseline.ts';
import { UserError } from '../../src/model/problem.ts';
import { type RenderedVariant } from '../../src/model/run/plan.ts';
import { type WrittenMessage } from '../../src/model/suite/recorded-settings.ts';
import {
  type Project,
  type PromptVersion,
  type ProviderConfig,
  type Suite,
  writeMessage,
} from '../../src/model/suite/suite.ts';
import { compileWritten } from '../../src/prompts/prompt-template.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildCase, buildProvider, buildSuite } from '../support/build-case.ts';

beforeAll(loadTemplateEngine);

const mini = buildProvider({ id: 'mini' });
const large = buildProvider({ id: 'large', model: 'large' });

const promptOf = (content: string, more: Partial<PromptVersion> = {}): PromptVersion => ({
  id: 'v1',
  ...compileWritten([{ role: 'user', content }]),
  params: {},
  ...more,
});

/** The settings of a provider as a record keeps them. */
function describeProvider({ baseUrl, headers, apiKeyEnv, stream, options }: ProviderConfig) {
  const hashes = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    `hash of ${JSON.stringify(value)}`,
  ]);
  const all = {
    ...options,
    ...(hashes.length > 0 && { headers: Object.fromEntries(hashes) as Record<string, string> }),
    ...(apiKeyEnv !== undefined && { apiKeyEnv }),
    ...(stream === true && { stream }),
  };
  return {
    adapterVersion: '1',
    ...(baseUrl !== undefined && { baseUrl }),
    ...(Object.keys(all).length > 0 && { options: all }),
  };
}

/** A variant as a record keeps it. */
function describeVariant({ prompt, provider, params }: RenderedVariant) {
  return {
    adapter: provider.adapter,
    ...describeProvider(provider),
    model: provider.model,
    params,
    messages: prompt.messages.map(writeMessage),
    contract: {},
  };
}

interface Find {
  /** Undefined where the baseline has no such variant. */
  readonly stored?: Partial<BaselineVariant> | null;
  readonly storedMessages?: readonly WrittenMessage[];
  readonly cases?: readonly Partial<BaselineCase>[];
  readonly prompt?: PromptVersion;
  readonly provider?: ProviderConfig;
  readonly params?: RenderedVariant['params'];
  readonly suite?: Partial<Suite>;
  readonly standIn?: Partial<StandIn>;
  readonly refusal?: string;
  readonly secret?: string;
  readonly isContentUnknown?: true;
}

function baselineOf(variants: readonly BaselineVariant[], cases: readonly Partial<BaselineCase>[] = []): SuiteBaseline {
  const rows = cases.map(
    (one): BaselineCase => ({
      type: 'case',
      prompt: 'v1',
      provider: 'mini',
      caseId: 'refund',
      caseHash: 'c',
      trials: [{ trial: 0, status: 'passed', checks: [] }],
      ...one,
    }),
  );
  const text = [...renderBaseline(contentOf({ suite: 'triage', variants, cases: rows }))].join('');
  return { source: 'file', baseline: openBaselineText(text, 'file') };
}

function find(options: Find = {}) {
  const { stored = {}, prompt = promptOf('Now: {{ email }}'), provider = mini, params = {}, refusal, secret } = options;
  const messages = options.storedMessages ?? [{ role: 'user', content: 'Then: {{ email }}' }];
  const row: BaselineVariant = {
    type: 'variant',
    prompt: 'v1',
    ...describeVariant({ prompt, provider, params }),
    provider: provider.id,
    messages,
    models: [],
    ...stored,
  };
  const variants = stored === null ? [] : [row];
  const suite = buildSuite([buildCase()], { providers: [mini, large], ...options.suite });
  const mask = (text: string) => (secret === undefined ? text : text.replaceAll(secret, '***'));
  const { isContentUnknown } = options;
  const refuseModel = (asked: ProviderConfig) => (refusal === undefined ? undefined : `${refusal} ${asked.model}`);
  const standIn = { prompt: prompt.id, provider: provider.id, ...options.standIn };
  return findAcceptedPrompt(suite, { prompt, provider, params }, baselineOf(variants, options.cases), {
    refuseModel,
    describe: (variant) => ({ ...describeVariant(variant), ...(isContentUnknown && { isContentUnknown }) }),
    mask,
    standIn,
  });
}

const why = (options: Find) => {
  const { state, variant } = find(options) ?? {};
  if (state?.is !== 'unavailable') return state?.is;
  expect(variant).toBeUndefined();
  return state.why;
};

describe('the accepted prompt of a variant', () => {
  test('is none where the baseline has no such variant', () => {
    expect(find({ stored: null })).toBeUndefined();
    expect(find({ stored: { prompt: 'v0' } })).toBeUndefined();
    expect(find({ stored: { provider: 'large' } })).toBeUndefined();
  });

  test('can be asked as it was', () => {
    const params = { max_tokens: 5 };
    const { state, variant } = find({ stored: { params } }) ?? {};
    expect(state).toEqual({ is: 'askable', of: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(variant?.prompt).toMatchObject({
      id: 'v1',
      params: {},
      messages: [{ template: { source: 'Then: {{ email }}' } }],
    });
    expect([variant?.provider, variant?.params]).toEqual([mini, params]);
  });

  test('is unchanged where model, messages and parameters are the same', () => {
    const storedMessages = [{ role: 'user', content: 'Now: {{ email }}' }] as const;
    expect(why({ storedMessages })).toBe('unchanged');
    expect(find({ storedMessages, stored: { params: { seed: 1 } } })?.state.is).toBe('askable');
    expect(find({ storedMessages, stored: { model: 'old' } })?.state.is).toBe('askable');
  });

  test('is asked of its own model, without the price of the model now', () => {
    const provider = { ...mini, price: { input: 1, output: 2 } };
    expect(find({ provider, stored: { model: 'old' } })?.variant?.provider).toEqual({ ...mini, model: 'old' });
    expect(find({ provider })?.variant?.provider).toEqual(provider);
    expect(why({ stored: { model: 'old' }, refusal: 'no one asks' })).toBe('no one asks old');
    expect(find({ refusal: 'no one asks' })?.state.is).toBe('askable');
  });

  test('is asked in the name of the variant that replaces its version or provider', () => {
    const v2 = promptOf('Now: {{ email }}', { id: 'v2' });
    const ofVersion = find({ prompt: v2, stored: { prompt: 'v1' }, standIn: { replaces: 'v1' } });
    expect([ofVersion?.state.is, ofVersion?.variant?.prompt.id]).toEqual(['askable', 'v2']);
    const replaced = { provider: 'mini', model: mini.model };
    const swap: Find = { provider: large, stored: replaced, standIn: { replacesProvider: 'mini' } };
    const ofProvider = find(swap);
    expect([ofProvider?.state.is, ofProvider?.variant?.provider]).toEqual([
      'askable',
      { ...mini, id: 'large', pricedAs: 'mini' },
    ]);
    // The same words of another provider are another question.
    expect(find({ ...swap, storedMessages: [{ role: 'user', content: 'Now: {{ email }}' }] })?.state.is).toBe(
      'askable',
    );
    expect(why({ ...swap, suite: { providers: [large] } })).toBe('its provider "mini" is not in the suite');
    const own = find({ ...swap, stored: { ...replaced, baseUrl: 'https://x.example' } });
    expect(own?.state).toMatchObject({ is: 'unavailable', why: 'it was asked at another address' });
  });

  const code = { ...mini, adapter: 'module' };
  const program = { ...mini, adapter: 'exec' };
  const team = { ...mini, headers: { 'X-Team': 'a' } };
  const headersOf = (headers: Readonly<Record<string, string>>) => ({ options: { headers } });
  test.each<[string, Find]>([
    ['it was asked through anthropic', { stored: { adapter: 'anthropic' } }],
    ['its settings were not kept (accept a run once more)', { stored: { adapterVersion: undefined as never } }],
    ['it was asked by another version of its adapter', { stored: { adapterVersion: '0' } }],
    ['the code of provider "mini" has changed', { provider: code, stored: { adapterVersion: '0' } }],
    ['it was asked at another address', { stored: { baseUrl: 'https://x.example' } }],
    ['the code of provider "mini" has changed', { provider: program, stored: { adapterVersion: '0' } }],
    ['it was asked of "node agent.mjs --fast"', { provider: program, stored: { model: 'node agent.mjs --fast' } }],
    ['what the code of provider "mini" reads can\'t be followed', { provider: program, isContentUnknown: true }],
    ['other settings of provider "mini" have changed', { provider: program, stored: { options: { cwd: 'agent' } } }],
    ['a header of provider "mini" has changed', { provider: team, stored: headersOf({ 'x-team': 'hash of "b"' }) }],
    ['a header of provider "mini" has changed', { stored: headersOf({ 'x-team': 'hash of "a"' }) }],
    ['provider "mini" was asked with another key', { stored: { options: { apiKeyEnv: 'OLD_KEY' } } }],
    [
      'it attaches files, which a baseline does not keep',
      { storedMessages: [{ role: 'user', content: 'x', attach: ['a.png'] }] },
    ],
    [
      'it attaches files, which a baseline does not keep',
      { prompt: { ...promptOf('x'), ...compileWritten([{ role: 'user', content: 'x', attach: ['a.png'] }]) } },
    ],
    ['it holds a secret, which a baseline does not keep', { secret: 'Then' }],
    ['it holds a secret, which a baseline does not keep', { secret: 'Now' }],
    ['it holds a secret, which a baseline does not keep', { secret: 'hush', params: { user: 'hush' } }],
    [
      'a check compares the answers of both prompts',
      { suite: { criteria: [{ assertion: 'rubric' }, { assertion: 'pairwise' }] as never } },
    ],
    [
      'it can\'t be rendered for case refund: the variable "other" is missing',
      { storedMessages: [{ role: 'user', content: '{{ other }}' }] },
    ],
  ])('can not be asked: %s', (reason, options) => {
    expect(why(options)).toContain(reason);
  });

  test('is asked with the options and the streaming that it was accepted with', () => {
    const storedMessages = [{ role: 'user', content: 'Now: {{ email }}' }] as const;
    const now = { ...mini, options: { api: 'chat', effort: 'low' }, stream: true as const };
    const found = find({ storedMessages, provider: now, stored: { options: { api: 'responses' } } });
    expect(found?.state.is).toBe('askable');
    expect(found?.variant?.provider).toEqual({ ...mini, options: { api: 'responses' } });
    const streamed = find({ storedMessages, stored: { options: { stream: true } } });
    expect([streamed?.state.is, streamed?.variant?.provider]).toEqual(['askable', { ...mini, stream: true }]);
    const own = { ...program, options: { command: 'node' } };
    expect(find({ storedMessages, provider: own })?.variant?.provider).toEqual(own);
  });

  test('is asked without a header that is new, and with those that are as they were', () => {
    const headers = { 'X-Team': 'a', 'X-New': 'b' };
    const stored = headersOf({ 'x-team': 'hash of "a"' });
    expect(find({ provider: { ...mini, headers }, stored })?.variant?.provider).toEqual(team);
    expect(find({ provider: { ...mini, headers }, stored: { options: {} } })?.variant?.provider).toEqual(mini);
  });

  test('is asked of another model alone where that is refused for what differs from today', () => {
    expect(why({ refusal: 'no one asks', stored: { options: { stream: true } } })).toBe('no one asks gpt-4o-mini');
    expect(why({ refusal: 'no one asks' })).toBe('askable');
  });

  test('can not be asked where there are several', () => {
    const cases = [{ caseId: 'a' }, { caseId: 'b', otherVariant: true as const }];
    expect(find({ cases })?.state).toMatchObject({
      is: 'unavailable',
      why: 'its cases were accepted with several prompts (accept a run of all cases)',
      isOfSeveral: true,
    });
    expect(find({ cases: [{ caseId: 'a' }] })?.state.is).toBe('askable');
  });
});

describe('--rerun-baseline', () => {
  const row = (more: Partial<BaselineVariant> = {}): BaselineVariant => ({
    type: 'variant',
    prompt: 'v1',
    provider: 'mini',
    ...describeVariant({ prompt: promptOf('Then: {{ email }}'), provider: mini, params: { seed: 1 } }),
    models: [],
    ...more,
  });
  const leftOut: string[] = [];
  type Baselines = Readonly<Record<string, SuiteBaseline | undefined>>;
  const addSelected = async (
    baselines: Baselines,
    suites: readonly Suite[],
    { prompts = [], providers = [] }: { readonly prompts?: readonly string[]; readonly providers?: readonly string[] },
  ) => {
    const project = { root: '/project', suites } as Partial<Project> as Project;
    const options = {
      selection: { prompts, providers },
      describe: describeProvider,
      onLeftOut: leftOut.push.bind(leftOut),
    };
    return (await addBaselinePrompts(project, ({ id }) => baselines[id], options)).suites;
  };
  const add = (baselines: Baselines, ...suites: readonly Suite[]) => addSelected(baselines, suites, {});
  const problemsOf = async (work: Promise<unknown>) => {
    const error: unknown = await work.catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ code, message, hint }) => [code, message, hint]);
  };
  const suiteOf = (id: string, ...prompts: readonly PromptVersion[]) => buildSuite([buildCase()], { id, prompts });
  const now = promptOf('Now: {{ email }}');

  test('adds the accepted prompt beside the one that is compared with it', async () => {
    const baseline = baselineOf([row(), row({ provider: 'large', params: { seed: 2 } })]);
    const added = promptOf('Now', { id: 'v2', replaces: 'v1' });
    const [suite] = await add({ one: baseline }, suiteOf('one', now, added, promptOf('Now', { id: 'v3' })));
    expect(suite?.prompts.map(({ id, baselineOf: of }) => [id, of])).toEqual([
      ['v1', undefined],
      ['v2', undefined],
      ['v3', undefined],
      ['v1@baseline', 'v1'],
      ['v2@baseline', 'v2'],
    ]);
    const own = suite?.prompts[3];
    expect(own?.messages[0]?.template.source).toBe('Then: {{ email }}');
    expect([...(own?.paramsByProvider ?? [])]).toEqual([
      ['large', { seed: 2 }],
      ['mini', { seed: 1 }],
    ]);
  });

  test('asks the provider as it was then, and leaves out what can not be restored, with the reason', async () => {
    leftOut.length = 0;
    const providers = [
      { ...mini, model: 'new', stream: true as const },
      { ...large, headers: { 'X-Team': 'b' } },
      buildProvider({ id: 'added' }),
    ];
    const moved = row({ provider: 'large', model: 'large', options: { headers: { 'x-team': 'hash of "a"' } } });
    const [suite] = await add({ one: baselineOf([row(), moved]) }, { ...suiteOf('one', now), providers });
    expect([...(suite?.prompts[1]?.acceptedProviders ?? [])]).toEqual([
      ['mini', mini],
      ['large', null],
    ]);
    expect(leftOut).toEqual([
      '--rerun-baseline: one: the accepted prompt v1 is not asked again on large, since a header of provider "large" has changed, and only its hash is kept; answers there are compared with the stored ones',
    ]);
  });

  test('takes the own prompt of a version before that of the replaced one', async () => {
    const then = [{ role: 'user', content: 'Second: {{ email }}' }];
    const baseline = baselineOf([row(), row({ prompt: 'v2', messages: then })]);
    const [suite] = await add({ one: baseline }, suiteOf('one', promptOf('Now', { id: 'v2', replaces: 'v1' })));
    expect(suite?.prompts[1]?.messages[0]?.template.source).toBe('Second: {{ email }}');
  });

  test('is refused for a prompt that was accepted with several texts on the providers of the suite', async () => {
    const other = [{ role: 'user', content: 'Earlier: {{ email }}' }];
    const several = [row(), row({ provider: 'large', messages: other })];
    const suite = { ...suiteOf('one', now), providers: [{ ...mini }, { ...mini, id: 'large' }] };
    expect(await problemsOf(add({ one: baselineOf(several) }, suite))).toEqual([
      [
        'invalid-value',
        expect.stringMatching(
          /prompt v1 was accepted with one text on (?:mini and another on large|large and another on mini)$/,
        ),
        'accept a run on both, or run without the flag: its answers are compared with those of the baseline',
      ],
    ]);
    // The text of a provider that the suite no longer has is never asked, in whichever order the baseline has them.
    for (const provider of ['gone', 'also-gone', 'zed']) {
      const rows = [row({ provider, messages: other }), row()];
      const [added] = await add({ one: baselineOf(rows) }, { ...suite, providers: [mini] });
      expect(added?.prompts[1]?.messages[0]?.template.source).toBe('Then: {{ email }}');
      const [renamed] = await add({ one: baselineOf(rows.slice(0, 1)) }, { ...suite, providers: [mini] });
      expect(renamed?.prompts[1]?.messages[0]?.template.source).toBe('Earlier: {{ email }}');
    }
  });

  test('looks at no prompt, provider or suite that the run leaves out', async () => {
    const other = [{ role: 'user', content: 'Earlier: {{ email }}' }];
    const providers = [{ ...mini }, { ...mini, id: 'large' }];
    const baselines = { one: baselineOf([row(), row({ provider: 'large', messages: other })]), two: undefined };
    const inWorkspace = { ...now, id: 'skill', workspace: [] };
    const one = { ...suiteOf('one', now, inWorkspace), providers };
    const two = suiteOf('two', promptOf('Now', { id: 'v9' }));
    const added = async (selected: { readonly prompts?: readonly string[]; readonly providers?: readonly string[] }) =>
      (await addSelected(baselines, [one, two], selected)).map(({ prompts }) =>
        prompts.flatMap(({ baselineOf: of, messages }) => (of === undefined ? [] : [messages[0]?.template.source])),
      );
    expect(await added({ prompts: ['v1'], providers: ['mini'] })).toEqual([['Then: {{ email }}'], []]);
    expect(await added({ prompts: ['v1'], providers: ['large'] })).toEqual([['Earlier: {{ email }}'], []]);
    expect(await added({ prompts: ['v1'], providers: ['nobody'] })).toEqual([[], []]);
    for (const [selected, messages] of [
      [{ prompts: ['v1'] }, [/another on/]],
      [{ prompts: ['skill', 'v1'], providers: ['mini'] }, [/skill puts files/]],
      [{ prompts: ['v9'] }, [/suite two has no baseline file/]],
    ] as const) {
      const found = await problemsOf(added(selected));
      expect(found.map(([, message]) => message)).toEqual(messages.map((text) => expect.stringMatching(text)));
    }
  });

  test('is refused where an earlier prompt answered some cases, whose failures the last one would excuse', async () => {
    const cases = [{ caseId: 'a' }, { caseId: 'b', otherVariant: true as const }];
    expect(await problemsOf(add({ one: baselineOf([row()], cases) }, suiteOf('one', now)))).toEqual([
      [
        'invalid-value',
        '--rerun-baseline: the cases of prompt v1 were accepted with several prompts',
        'accept a run of all cases, or run without the flag: its answers are compared with those of the baseline',
      ],
    ]);
    expect(await add({ one: baselineOf([row()], cases.slice(0, 1)) }, suiteOf('one', now))).toHaveLength(1);
    // Those of a provider that the suite does not have are not asked.
    const elsewhere = [{ caseId: 'b', provider: 'gone', otherVariant: true as const }];
    const baseline = baselineOf([row(), row({ provider: 'gone' })], elsewhere);
    const suite = { ...suiteOf('one', now), providers: [mini] };
    expect(await add({ one: baseline }, suite)).toHaveLength(1);
  });

  test('is refused for every suite that has nothing to run again, or can not', async () => {
    const hint = 'accept one with llmcheck baseline accept';
    const noFile = (id: string) => [
      'record',
      `--rerun-baseline: suite ${id} has no baseline file whose prompts could run again`,
      hint,
    ];
    const other = baselineOf([row({ prompt: 'v0' })]);
    const baselines = { one: undefined, two: other, three: baselineOf([row()]) };
    const suites = ['one', 'two', 'three'].map((id) => suiteOf(id, now));
    expect(await problemsOf(add(baselines, ...suites))).toEqual([noFile('one'), noFile('two')]);
    const lacking = baselineOf([row({ messages: [{ role: 'user', content: '{{ other }}' }] })]);
    const inWorkspace = { ...now, id: 'skill', workspace: [] };
    expect(await problemsOf(add({ five: lacking }, suiteOf('five', inWorkspace, now)))).toEqual([
      [
        'invalid-value',
        '--rerun-baseline: prompt skill puts files into a workspace, which a baseline does not keep',
        'run without the flag: its answers are compared with those of the baseline',
      ],
      [
        'missing-variable',
        expect.stringMatching(/^--rerun-baseline: the baseline's prompt v1 can't be rendered for case refund: /),
        'keep the variable in the cases, or run without the flag',
      ],
    ]);
  });
});

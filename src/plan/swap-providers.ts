import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { ProviderSwap } from '../model/run/record.ts';
import type { LoadedPlugin } from '../model/suite/own-code.ts';
import { type Plugin, pluginsOf } from '../model/suite/plugin.ts';
import type { ProviderEnv } from '../model/suite/provider.ts';
import type { Case, Project, PromptVersion, ProviderConfig, Suite } from '../model/suite/suite.ts';
import { createPluginAdapter } from '../providers/code/plugin-adapter.ts';
import { adapters } from '../providers/index.ts';
import { createProblems, fixedSource } from '../suite/documents/locate.ts';
import { parseUse } from '../suite/providers/parse-providers.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { describeFamilies, describeGaps, fitParams, type SwapPair } from './swap-gaps.ts';

/** A project in which candidates run beside the providers that they could take the place of, and nothing else does. */
export interface SwappedProject {
  readonly project: Project;
  readonly swap: readonly ProviderSwap[];
  /** Warnings to print before anything is sent. */
  readonly warnings: readonly Problem[];
}

interface SwapOptions {
  readonly plugins: readonly LoadedPlugin<Plugin>[];
  readonly env: ProviderEnv['env'];
  /** The flag in messages. */
  readonly flag: '--swap' | '--compare';
  /** Prompts that the user named, which may include replaced ones. */
  readonly prompts: readonly string[];
}

/** Reads `mini=openai:gpt-5-mini`, `anthropic:claude-haiku-4-5`: an item with `=` begins a swap, the others go on with it. */
export function parseSwaps(items: readonly string[]): {
  readonly swaps: readonly ProviderSwap[];
  readonly problems: readonly Problem[];
} {
  const found = new Map<string, string[]>();
  const problems: Problem[] = [];
  let current: string[] | undefined;
  for (const item of items) {
    const at = item.indexOf('=');
    if (at >= 0) {
      const id = item.slice(0, at).trim();
      current = found.get(id) ?? [];
      found.set(id, current);
    }
    const model = item.slice(at + 1).trim();
    if (current === undefined || at === 0 || model === '')
      problems.push(usage(`--swap ${item}: not ID=MODEL`, example));
    else current.push(model);
  }
  const models = [...found.values()].flat();
  for (const model of new Set(models.filter((one, index) => models.indexOf(one) !== index))) {
    problems.push(
      usage(`--swap: two candidates are named ${model}`, 'name each once, and swap one provider at a time'),
    );
  }
  return { swaps: [...found].map(([provider, candidates]) => ({ provider, candidates })), problems };
}

const example = 'write the id of a provider and the models to try: --swap mini=openai:gpt-5-mini,local';

/** Adds the candidates to every suite that asks one of the providers. Throws a `UserError` with all mistakes. */
export function swapProviders(project: Project, swap: readonly ProviderSwap[], options: SwapOptions): SwappedProject {
  const problems = [
    ...swap.flatMap(({ provider }) => findUnknown(provider, project.suites, options.flag)),
    ...project.suites.flatMap((suite) => findPairwise(suite, swap, options.flag)),
  ];
  refuse(problems);
  const models = new Map(
    swap.flatMap(({ candidates }) => candidates).map((text) => [text, readModel(text, project, options)]),
  );
  refuse([...models.values()].flatMap((found) => ('problems' in found ? found.problems : [])));
  const suites: Suite[] = [];
  const warnings: Problem[] = [];
  for (const suite of project.suites) {
    const own = swap.filter(({ provider }) => suite.providers.some(({ id }) => id === provider));
    if (own.length === 0) {
      const wanted = swap.map(({ provider }) => provider).join(' or ');
      warnings.push({
        ...warning(`suite ${suite.id} does not ask ${wanted}: nothing is compared there`),
        code: 'selects-nothing',
      });
      continue;
    }
    const swapped = swapSuite(suite, own, models, options);
    problems.push(...swapped.problems);
    suites.push(swapped.suite);
    if (swapped.problems.length > 0) continue;
    const place = { env: options.env, projectRoot: project.root };
    warnings.push(...swapped.pairs.flatMap((pair) => describeGaps(swapped.suite, pair, place)).map(warning));
    warnings.push(
      ...describeFamilies(
        swapped.suite,
        own.flatMap(({ candidates }) => candidates),
      ).map(warning),
    );
  }
  refuse(problems);
  return { project: { ...project, suites }, swap, warnings: unique(warnings) };
}

type FoundModel =
  | { readonly config: ProviderConfig; readonly isOfProject: boolean }
  | { readonly problems: readonly Problem[] };

function swapSuite(
  suite: Suite,
  swap: readonly ProviderSwap[],
  models: ReadonlyMap<string, FoundModel>,
  { prompts: wanted }: SwapOptions,
) {
  const pairs: SwapPair[] = [];
  const problems: Problem[] = [];
  // A version that another one replaces runs only for the comparison with it.
  const replaced = new Set(suite.prompts.map(({ replaces }) => replaces));
  const prompts = suite.prompts.filter(({ id }) => wanted.includes(id) || (wanted.length === 0 && !replaced.has(id)));
  for (const { provider: id, candidates } of swap) {
    const provider = suite.providers.find((other) => other.id === id);
    if (provider === undefined) continue;
    for (const text of candidates) {
      const found = models.get(text);
      if (found === undefined || 'problems' in found) continue;
      const own = suite.providers.find((other) => other.id === text);
      const candidate = own ?? (found.isOfProject ? found.config : inherit(found.config, provider, prompts));
      problems.push(...findUnfit(candidate, provider, suite));
      pairs.push({ provider, candidate });
    }
  }
  const stands = new Map(swap.map(({ provider, candidates }) => [provider, candidates]));
  const widen = (ids: readonly string[]) => [...new Set(ids.flatMap((id) => [id, ...(stands.get(id) ?? [])]))];
  const swapped: Suite = {
    ...suite,
    providers: [...new Set(pairs.flatMap(({ provider, candidate }) => [provider, candidate]))],
    prompts: prompts.map((prompt) => withProviders(prompt, widen)),
    *cases() {
      for (const testCase of suite.cases()) yield withProviders(testCase, widen);
    },
  };
  return { suite: swapped, pairs, problems };
}

/** Adds a candidate wherever the provider runs that it may replace. */
function withProviders<T extends Pick<Case | PromptVersion, 'providers'>>(
  restricted: T,
  widen: (ids: readonly string[]) => readonly string[],
): T {
  return restricted.providers === undefined ? restricted : { ...restricted, providers: widen(restricted.providers) };
}

/** A provider of the project by its id, else adapter:model. */
function readModel(text: string, { suites }: Project, { plugins, flag }: SwapOptions): FoundModel {
  const known = suites.flatMap(({ providers }) => providers);
  const config = known.find(({ id }) => id === text);
  if (config !== undefined) return { config, isOfProject: true };
  const problems = createProblems();
  const at = { file: flag, line: 1, column: 1 };
  const located = { value: text, source: fixedSource({ file: flag, folder: '' }, at), path: [] };
  const own = pluginsOf(plugins, 'provider').map((loaded) => [loaded.plugin.name, createPluginAdapter(loaded)]);
  const all = { ...adapters, ...Object.fromEntries(own) };
  const use = parseUse(located, { adapters: all, problems, known, noun: 'provider' });
  if (use !== undefined) {
    return {
      config: { id: text, ...use, params: {}, headers: {}, limits: {}, options: {}, folder: '' },
      isOfProject: false,
    };
  }
  return {
    problems: problems.list().map(({ at: _at, message, ...rest }) => ({ ...rest, message: `${flag}: ${message}` })),
  };
}

/** Carries settings over: all but the price to another model of the same API, only params and limits to another API. */
function inherit(
  candidate: ProviderConfig,
  { price: _price, replaces: _replaces, ...provider }: ProviderConfig,
  prompts: readonly PromptVersion[],
): ProviderConfig {
  const { id, adapter, model, plugin } = candidate;
  const paramNames = fitParams(candidate, [provider.params, ...prompts.map(({ params }) => params)]);
  const fitted = Object.keys(paramNames).length === 0 ? {} : { paramNames };
  if (adapter === provider.adapter) return { ...provider, id, model, ...fitted };
  const { params, folder, limits, structured, stream, snapshots, at } = provider;
  const settings = { params, limits, folder, ...defined({ plugin, structured, snapshots, at }) };
  const config: ProviderConfig = { id, adapter, model, headers: {}, options: {}, ...settings, ...fitted };
  const isStreamed = stream === true && adapters[adapter]?.canStream?.(config) === true;
  return isStreamed ? { ...config, stream } : config;
}

/** Mistakes that a suite's own providers could not have. */
function findUnfit(candidate: ProviderConfig, provider: ProviderConfig, suite: Suite): readonly Problem[] {
  const isSame = (other: ProviderConfig) =>
    other.adapter === candidate.adapter && other.model === candidate.model && other.baseUrl === candidate.baseUrl;
  const model = `${candidate.adapter}:${candidate.model}`;
  if (candidate.id === provider.id || (candidate.at === provider.at && isSame(provider))) {
    return [usage(`${candidate.id} is what ${provider.id} asks already, in suite ${suite.id}`, 'name another model')];
  }
  const namesake = suite.judges.find(({ id }) => id === candidate.id);
  const judge = suite.askedModels.find((asked) => isSame(asked) && asked.judging?.sameModel !== true);
  if (judge !== undefined) {
    const message = `${candidate.id} would judge itself: judge ${judge.id} of suite ${suite.id} is ${model}`;
    return [usage(message, 'use another judge, or write sameModel: true in its map under judges')];
  }
  if (namesake === undefined) return [];
  return [usage(`${candidate.id} is the id of a judge of suite ${suite.id}`, 'give the judge an id of its own')];
}

function findUnknown(id: string, suites: readonly Suite[], flag: string): readonly Problem[] {
  const known = [...new Set(suites.flatMap(({ providers }) => providers.map((provider) => provider.id)))];
  if (known.includes(id) || suites.length === 0) return [];
  if (suites.some(({ judges, askedModels }) => [...judges, ...askedModels].some((judge) => judge.id === id))) {
    const hint = 'write another model under judges, and measure it: llmcheck judge check';
    return [usage(`${flag} ${id}: it is a judge, and only models under test are compared`, hint)];
  }
  const hint = didYouMean(id, known) ?? `there are: ${known.join(', ')}`;
  return [
    { code: 'unknown-id', severity: 'error', message: `${flag} ${id}: no suite has a provider of that id`, hint },
  ];
}

/** Refuses pairwise checks. They would wait for the answer of another provider, which may not have started. */
function findPairwise(suite: Suite, swap: readonly ProviderSwap[], flag: string): readonly Problem[] {
  const isAsked = suite.providers.some(({ id }) => swap.some(({ provider }) => provider === id));
  if (!isAsked || suite.criteria.every(({ assertion }) => assertion !== 'pairwise')) return [];
  const message = `${flag}: suite ${suite.id} has a pairwise check, which compares two prompt versions on one provider`;
  return [usage(message, 'leave the suite out: name the paths of the others')];
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(unique(problems));
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

function usage(message: string, hint: string): Problem {
  return { code: 'usage', severity: 'error', message, hint };
}

function warning(message: string): Problem {
  return { code: 'swap-candidate', severity: 'warning', message };
}

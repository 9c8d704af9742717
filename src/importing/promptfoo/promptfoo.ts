import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import type { Problem } from '../../model/problem.ts';
import {
  createDraft,
  type Draft,
  type ImportedSuite,
  isMap,
  LeftOut,
  nameOf,
  readWritten,
  type Written,
} from '../draft.ts';
import { type Check, type CheckContext, convertAssertion } from './checks.ts';
import { type ConvertedPrompt, convertPrompt } from './prompts.ts';
import { convertModel, convertProvider, type Provider } from './providers.ts';
import { expandVars, readOptions, readTests } from './tests.ts';

type NamedPrompt = ConvertedPrompt & { readonly id: string };

/** A case as a suite writes it. */
type Case = Readonly<Record<string, unknown>>;

export interface ImportPorts {
  /** The text of a file of the project, relative to the imported one. */
  readonly read: (path: string) => Promise<{ readonly text: string } | { readonly message: string }>;
}

/** Keys that change nothing in what is sent or judged. */
const IDLE = new Set(
  'description tags outputPath commandLineOptions metadata sharing writeLatestResults $schema derivedMetrics'.split(
    ' ',
  ),
);
const READ = new Set(['prompts', 'providers', 'targets', 'tests', 'defaultTest', 'scenarios', 'evaluateOptions']);

/** Reads a promptfoo config: nothing in it is run, and nothing but files of the project is read. */
export async function importPromptfoo(
  file: string,
  text: string,
  ports: ImportPorts,
): Promise<ImportedSuite | { readonly problems: readonly Problem[] }> {
  const config = readWritten(file, text);
  if ('problems' in config) return config;
  if (!isMap(config.value)) {
    const problem = {
      code: 'invalid-value',
      severity: 'error',
      message: 'a promptfoo config is a map of keys',
      at: config.at(),
    } as const;
    return { problems: [problem] };
  }
  return new Importer(config, ports).run();
}

/** The cases and prompts that are converted so far. */
interface KnownCases {
  readonly ids: Set<string>;
  /** Variables of the cases, to find those that occur twice. */
  readonly seen: Set<string>;
  readonly prompts: readonly (NamedPrompt | LeftOut)[];
}

class Importer {
  readonly #config: Written;
  readonly #draft: Draft = createDraft();
  readonly #ports: ImportPorts;
  readonly #judges = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #read = new Set<string>();
  /** Keys of the config that are left out. */
  readonly #leftOut: LeftOut[] = [];

  constructor(config: Written, ports: ImportPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  async run(): Promise<ImportedSuite> {
    const config = this.#config;
    for (const key of Object.keys(Object(config.value))) {
      const part = config.child(key);
      if (READ.has(key)) continue;
      if (IDLE.has(key)) {
        if (key !== 'description' && key !== '$schema')
          this.#draft.note(part, `"${key}" is left out: it does not affect verdicts`);
      } else this.#leftOut.push(this.#draft.refuse(part, `"${key}" has no equivalent here`));
    }
    const defaults = config.child('defaultTest');
    if (typeof defaults.value === 'string')
      this.#leftOut.push(
        this.#draft.refuse(defaults, 'defaultTest from a file has no equivalent here', 'write it in the config'),
      );
    const providers = this.#readProviders();
    const prompts = await this.#readPrompts(defaults);
    const cases = await this.#readCases(defaults, prompts);
    const { repeat } = Object(config.child('evaluateOptions').value) as { readonly repeat?: unknown };
    const fallback = this.#findMissing(prompts, cases);
    const suiteDefaults = defined({
      trials: typeof repeat === 'number' && repeat > 1 ? repeat : undefined,
      vars: Object.keys(fallback).length === 0 ? undefined : fallback,
    });
    const { description } = config.value as { readonly description?: unknown };
    const judges = [...this.#judges.values()];
    return {
      suite: {
        ...(typeof description === 'string' ? { description } : {}),
        ...(this.#leftOut.length === 0 ? {} : { '': this.#leftOut }),
        prompts: prompts.map((prompt) => (prompt instanceof LeftOut ? prompt : { id: prompt.id, ...prompt.prompt })),
        providers,
        ...(judges.length === 0 ? {} : { judges: judges.map((judge) => this.#markSameModel(judge, providers)) }),
        ...(Object.keys(suiteDefaults).length === 0 ? {} : { defaults: suiteDefaults }),
        cases,
      },
      refused: this.#draft.refused,
      notes: this.#draft.notes,
    };
  }

  readonly #readText = async (reference: string, written: Written): Promise<string | LeftOut> => {
    const path = reference.replace(/^file:\/\//, '');
    const found = await this.#ports.read(path);
    return 'text' in found ? found.text : this.#draft.refuse(written, found.message);
  };

  readonly #readData = async (reference: string, written: Written): Promise<unknown> => {
    if (!/\.(?:json|ya?ml)$/i.test(reference)) return undefined;
    const text = await this.#readText(reference, written);
    if (typeof text !== 'string') return text;
    const parsed = readWritten(reference, text);
    return 'problems' in parsed ? undefined : parsed.value;
  };

  #readProviders(): readonly (Provider | LeftOut)[] {
    const config = this.#config;
    const part = config.child(config.child('providers').value === undefined ? 'targets' : 'providers');
    const items = typeof part.value === 'string' ? [part] : part.items();
    if (items.length === 0) return [this.#draft.refuse(this.#config, 'there are no providers')];
    const known = new Set<string>();
    return items.map((item) => {
      const provider = convertProvider(item, this.#draft);
      if (provider instanceof LeftOut) return provider;
      const id = typeof provider === 'string' ? provider : String(provider['id']);
      if (known.has(id))
        return this.#draft.refuse(item, `a second provider is called "${id}"`, 'give each a label of its own');
      known.add(id);
      return provider;
    });
  }

  async #readPrompts(defaults: Written): Promise<readonly (NamedPrompt | LeftOut)[]> {
    const options = defaults.child('options');
    const { prefix, suffix } = Object(options.value) as { readonly prefix?: unknown; readonly suffix?: unknown };
    const part = this.#config.child('prompts');
    const items = typeof part.value === 'string' ? [part] : part.items();
    if (items.length === 0) return [this.#draft.refuse(part, 'there are no prompts')];
    const ids = new Set<string>();
    const prompts: (NamedPrompt | LeftOut)[] = [];
    for (const item of items) {
      const converted = await convertPrompt(item, {
        draft: this.#draft,
        readText: this.#readText,
        prefix: typeof prefix === 'string' ? prefix : '',
        suffix: typeof suffix === 'string' ? suffix : '',
      });
      for (const prompt of converted) {
        if (prompt instanceof LeftOut) prompts.push(prompt);
        else prompts.push({ ...prompt, id: nameOf(prompt.label, ids, 'prompt') });
      }
    }
    return prompts;
  }

  async #readCases(
    defaults: Written,
    prompts: readonly (NamedPrompt | LeftOut)[],
  ): Promise<readonly (Case | LeftOut)[]> {
    const cases: (Case | LeftOut)[] = [];
    const ids = new Set<string>();
    const seen = new Set<string>();
    const add = async (tests: readonly (Written | LeftOut)[], data?: Written) => {
      for (const test of tests) {
        if (test instanceof LeftOut) cases.push(test);
        else cases.push(...(await this.#convertTest(test, data, defaults, { ids, seen, prompts })));
      }
    };
    const context = { draft: this.#draft, readText: this.#readText };
    const tests = this.#config.child('tests');
    const scenarios = this.#config.child('scenarios');
    if (tests.value !== undefined) await add(await readTests(tests, context));
    for (const scenario of scenarios.items()) {
      if (typeof scenario.value === 'string') {
        cases.push(
          this.#draft.refuse(scenario, 'scenarios from a file have no equivalent here', 'write them in the config'),
        );
        continue;
      }
      for (const data of scenario.child('config').items())
        await add(await readTests(scenario.child('tests'), context), data);
    }
    // Without tests, promptfoo sends each prompt once.
    if (tests.value === undefined && scenarios.value === undefined)
      await add([defaults.value === undefined ? this.#config.child('') : defaults]);
    return cases;
  }

  async #convertTest(
    test: Written,
    data: Written | undefined,
    defaults: Written,
    { ids, seen, prompts }: KnownCases,
  ): Promise<readonly (Case | LeftOut)[]> {
    const draft = this.#draft;
    const layers = [defaults, ...(data === undefined ? [] : [data]), ...(test === defaults ? [] : [test])];
    const unknown = this.#findUnknownKey(layers.slice(test === defaults ? 0 : 1));
    if (unknown !== undefined) return [unknown];
    const options = readOptions(layers, draft);
    if (options instanceof LeftOut) return [options];
    const checks = await this.#convertChecks(layers, options.select);
    const parts = layers.map((layer) => layer.child('vars'));
    const vars = await expandVars(parts, { draft, readText: this.#readText });
    if (vars instanceof LeftOut) return [vars];
    const threshold = this.#findThreshold(layers);
    if (threshold instanceof LeftOut) return [threshold];
    const { description } = Object(test.value) as { readonly description?: unknown };
    const only = this.#restrict(test, prompts);
    if (only instanceof LeftOut) return [only];
    const hasChecks = checks.some((check) => !(check instanceof LeftOut));
    const name = typeof description === 'string' && description.trim() !== '' ? description : undefined;
    return vars.map((one) => {
      const key = canonicalJson(one);
      const isDouble = seen.has(key);
      seen.add(key);
      return defined({
        id: name !== undefined || isDouble ? nameOf(name ?? 'case', ids, 'case') : undefined,
        description: name,
        vars: Object.keys(one).length === 0 ? undefined : one,
        prompts: only,
        threshold: hasChecks ? threshold : undefined,
        // promptfoo passes every answer of a test without assertions.
        observe: hasChecks ? undefined : true,
        assert: checks.length === 0 ? undefined : checks,
      });
    });
  }

  #findUnknownKey(layers: readonly Written[]): LeftOut | undefined {
    const known = new Set(['vars', 'assert', 'description', 'threshold', 'options', 'metadata', 'prompts']);
    for (const layer of layers) {
      const extra = Object.keys(Object(layer.value)).find((key) => !known.has(key));
      if (extra !== undefined)
        return this.#draft.refuse(layer.child(extra), `"${extra}" of a test has no equivalent here`);
    }
    return undefined;
  }

  async #convertChecks(layers: readonly Written[], select: Check | undefined): Promise<readonly (Check | LeftOut)[]> {
    const context: CheckContext = {
      draft: this.#draft,
      readData: this.#readData,
      onVariables: (names) => names.forEach((name) => this.#read.add(name)),
      judge: (provider) => this.#findJudge(provider, layers),
      ...defined({ select }),
    };
    const checks: (Check | LeftOut)[] = [];
    for (const layer of layers) {
      for (const item of layer.child('assert').items()) checks.push(await convertAssertion(item, context));
    }
    return checks;
  }

  /** The threshold of the innermost layer that has one. */
  #findThreshold(layers: readonly Written[]): number | LeftOut | undefined {
    const threshold = layers.map((layer) => layer.child('threshold')).findLast(({ value }) => value !== undefined);
    const value = threshold?.value;
    if (threshold === undefined || (typeof value === 'number' && value > 0 && value <= 1)) return value as number;
    return this.#draft.refuse(threshold, 'a threshold of a test must be a number above 0 and up to 1');
  }

  #restrict(test: Written, prompts: readonly (NamedPrompt | LeftOut)[]): readonly string[] | LeftOut | undefined {
    const part = test.child('prompts');
    if (part.value === undefined) return undefined;
    const wanted = part.items().map(({ value }) => String(value));
    const found = prompts.flatMap((prompt) =>
      !(prompt instanceof LeftOut) && wanted.includes(prompt.label) ? [prompt.id] : [],
    );
    return found.length === wanted.length && wanted.length > 0
      ? found
      : this.#draft.refuse(part, 'prompts of a test must be labels of the config');
  }

  /** The judge of an assertion: the model of the assertion, of the test, or promptfoo's default. */
  #findJudge(own: Written, layers: readonly Written[]): string | LeftOut {
    const named = [own, ...layers.toReversed().map((layer) => layer.child('options').child('provider'))].find(
      ({ value }) => value !== undefined,
    );
    if (named === undefined) return this.#addJudge('openai:gpt-4.1');
    const { value } = named;
    const text = isMap(value) && isMap(value['text']) ? value['text'] : value;
    const id = isMap(text) ? text['id'] : text;
    const model = typeof id === 'string' ? convertModel(id) : undefined;
    if (model === undefined) return this.#draft.refuse(named, 'the model that grades has no equivalent here');
    return this.#addJudge(model.use);
  }

  #addJudge(use: string): string {
    const id = `judge-${use.replaceAll(/[^\w.-]+/g, '-')}`;
    this.#judges.set(id, { id, use });
    return id;
  }

  #markSameModel(judge: Readonly<Record<string, unknown>>, providers: readonly (Provider | LeftOut)[]): unknown {
    const isSame = providers.some(
      (provider) =>
        !(provider instanceof LeftOut) && (typeof provider === 'string' ? provider : provider['use']) === judge['use'],
    );
    return isSame ? { ...judge, sameModel: true } : judge;
  }

  /** Empty values of the variables that some test does not set, as promptfoo renders them. */
  #findMissing(
    prompts: readonly (ConvertedPrompt | LeftOut)[],
    cases: readonly (Case | LeftOut)[],
  ): Readonly<Record<string, string>> {
    const read = new Set([
      ...this.#read,
      ...prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : prompt.variables)),
    ]);
    const given = cases.flatMap((one) => (one instanceof LeftOut ? [] : [one]));
    const missing = [...read].filter((name) => given.some((one) => !Object.hasOwn(Object(one['vars']), name)));
    return Object.fromEntries(missing.map((name) => [name, '']));
  }
}

import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import { createDraft, type Draft, LeftOut } from './draft.ts';
import { nameOf } from './name-of.ts';
import { type Check, type CheckContext, convertAssertion } from './promptfoo-checks.ts';
import { readOptions } from './promptfoo-options.ts';
import { type ConvertedPrompt, convertPrompt } from './promptfoo-prompts.ts';
import { convertModel, convertProvider, type Provider } from './promptfoo-providers.ts';
import { readTests } from './promptfoo-tests.ts';
import { expandVars } from './promptfoo-vars.ts';
import { isMap, readWritten, type Written } from './written.ts';

/** A suite as data, with what could not be carried over where it belongs. */
export interface ImportedSuite {
  readonly suite: Readonly<Record<string, unknown>>;
  readonly refused: readonly Problem[];
  readonly notes: readonly Problem[];
}

export interface ImportPorts {
  /** The text of a file of the project, relative to the imported one. */
  readonly read: (path: string) => Promise<{ readonly text: string } | { readonly message: string }>;
}

/** Keys without a say in what is sent or judged. */
const IDLE = new Set([
  'description',
  'tags',
  'outputPath',
  'commandLineOptions',
  'metadata',
  'sharing',
  'writeLatestResults',
  '$schema',
  'derivedMetrics',
]);
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

class Importer {
  readonly #config: Written;
  readonly #draft: Draft = createDraft();
  readonly #ports: ImportPorts;
  readonly #judges = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #read = new Set<string>();
  readonly #left: LeftOut[] = [];

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
          this.#draft.note(part, `"${key}" is left out: it has no say in a verdict`);
      } else this.#left.push(this.#draft.refuse(part, `"${key}" has no equal here`));
    }
    const defaults = config.child('defaultTest');
    if (typeof defaults.value === 'string')
      this.#left.push(
        this.#draft.refuse(defaults, 'defaultTest from a file has no equal here', 'write it in the config'),
      );
    const providers = this.#readProviders();
    const prompts = await this.#readPrompts(defaults);
    const cases = await this.#readCases(defaults, prompts);
    const { repeat } = Object(config.child('evaluateOptions').value) as { readonly repeat?: unknown };
    const fallback = this.#findMissing(prompts, cases);
    const defaultsOut = {
      ...(typeof repeat === 'number' && repeat > 1 ? { trials: repeat } : {}),
      ...(Object.keys(fallback).length === 0 ? {} : { vars: fallback }),
    };
    const { description } = config.value as { readonly description?: unknown };
    const judges = [...this.#judges.values()];
    return {
      suite: {
        ...(typeof description === 'string' ? { description } : {}),
        ...(this.#left.length === 0 ? {} : { '': this.#left }),
        prompts: prompts.map((prompt) => (prompt instanceof LeftOut ? prompt : { id: prompt.id, ...prompt.prompt })),
        providers,
        ...(judges.length === 0 ? {} : { judges: judges.map((judge) => this.#markSameModel(judge, providers)) }),
        ...(Object.keys(defaultsOut).length === 0 ? {} : { defaults: defaultsOut }),
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

  async #readPrompts(defaults: Written): Promise<readonly ((ConvertedPrompt & { readonly id: string }) | LeftOut)[]> {
    const options = defaults.child('options');
    const { prefix, suffix } = Object(options.value) as { readonly prefix?: unknown; readonly suffix?: unknown };
    const part = this.#config.child('prompts');
    const items = typeof part.value === 'string' ? [part] : part.items();
    if (items.length === 0) return [this.#draft.refuse(part, 'there are no prompts')];
    const ids = new Set<string>();
    const prompts: ((ConvertedPrompt & { readonly id: string }) | LeftOut)[] = [];
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
    prompts: readonly ((ConvertedPrompt & { readonly id: string }) | LeftOut)[],
  ): Promise<readonly (Readonly<Record<string, unknown>> | LeftOut)[]> {
    const cases: (Readonly<Record<string, unknown>> | LeftOut)[] = [];
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
          this.#draft.refuse(scenario, 'scenarios from a file have no equal here', 'write them in the config'),
        );
        continue;
      }
      for (const data of scenario.child('config').items())
        await add(await readTests(scenario.child('tests'), context), data);
    }
    // Without tests, each prompt is asked once.
    if (tests.value === undefined && scenarios.value === undefined)
      await add([defaults.value === undefined ? this.#config.child('') : defaults]);
    return cases;
  }

  async #convertTest(
    test: Written,
    data: Written | undefined,
    defaults: Written,
    {
      ids,
      seen,
      prompts,
    }: {
      ids: Set<string>;
      seen: Set<string>;
      prompts: readonly ((ConvertedPrompt & { readonly id: string }) | LeftOut)[];
    },
  ): Promise<readonly (Readonly<Record<string, unknown>> | LeftOut)[]> {
    const draft = this.#draft;
    const layers = [defaults, ...(data === undefined ? [] : [data]), ...(test === defaults ? [] : [test])];
    const known = new Set(['vars', 'assert', 'description', 'threshold', 'options', 'metadata', 'prompts']);
    for (const layer of layers.slice(test === defaults ? 0 : 1)) {
      const extra = Object.keys(Object(layer.value)).find((key) => !known.has(key));
      if (extra !== undefined) return [draft.refuse(layer.child(extra), `"${extra}" of a test has no equal here`)];
    }
    const options = readOptions(layers, draft);
    if (options instanceof LeftOut) return [options];
    const variables = new Set<string>();
    const checks: (Check | LeftOut)[] = [];
    const context: CheckContext = {
      draft,
      readData: this.#readData,
      onVariables: (names) => names.forEach((name) => variables.add(name)),
      judge: (provider) => this.#findJudge(provider, layers),
      ...defined({ select: options.select }),
    };
    for (const layer of layers) {
      for (const item of layer.child('assert').items()) checks.push(await convertAssertion(item, context));
    }
    for (const name of variables) this.#read.add(name);
    const vars = await expandVars(
      layers.map((layer) => layer.child('vars')),
      { draft, readText: this.#readText },
    );
    if (vars instanceof LeftOut) return [vars];
    const threshold = layers.map((layer) => layer.child('threshold')).findLast(({ value }) => value !== undefined);
    if (
      threshold !== undefined &&
      !(typeof threshold.value === 'number' && threshold.value > 0 && threshold.value <= 1)
    )
      return [draft.refuse(threshold, 'a threshold of a test must be a number above 0 and up to 1')];
    const { description } = Object(test.value) as { readonly description?: unknown };
    const only = this.#restrict(test, prompts);
    if (only instanceof LeftOut) return [only];
    return vars.map((one) => {
      const key = canonicalJson(one);
      const isNamed = typeof description === 'string' && description.trim() !== '';
      const isDouble = seen.has(key);
      seen.add(key);
      const usable = checks.filter((check) => !(check instanceof LeftOut));
      return {
        ...(isNamed || isDouble ? { id: nameOf(isNamed ? description : 'case', ids, 'case') } : {}),
        ...(isNamed ? { description } : {}),
        ...(Object.keys(one).length === 0 ? {} : { vars: one }),
        ...defined({ prompts: only }),
        ...(threshold === undefined || usable.length === 0 ? {} : { threshold: threshold.value }),
        // Without an assertion every answer passes there.
        ...(usable.length === 0 ? { observe: true } : {}),
        ...(checks.length === 0 ? {} : { assert: checks }),
      };
    });
  }

  #restrict(
    test: Written,
    prompts: readonly ((ConvertedPrompt & { readonly id: string }) | LeftOut)[],
  ): readonly string[] | LeftOut | undefined {
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

  /** The model that grades: the assertion's, the test's, else the default there. */
  #findJudge(own: Written, layers: readonly Written[]): string | LeftOut {
    const named = [own, ...layers.toReversed().map((layer) => layer.child('options').child('provider'))].find(
      ({ value }) => value !== undefined,
    );
    if (named === undefined) return this.#addJudge('openai:gpt-4.1');
    const { value } = named;
    const text = isMap(value) && isMap(value['text']) ? value['text'] : value;
    const id = isMap(text) ? text['id'] : text;
    const model = typeof id === 'string' ? convertModel(id) : undefined;
    if (model === undefined) return this.#draft.refuse(named, 'the model that grades has no equal here');
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

  /** A variable that a test leaves out is empty there. */
  #findMissing(
    prompts: readonly (ConvertedPrompt | LeftOut)[],
    cases: readonly (Readonly<Record<string, unknown>> | LeftOut)[],
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

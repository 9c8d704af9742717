import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import {
  createDraft,
  type Draft,
  type ImportedSuite,
  type ImportPorts,
  isMap,
  LeftOut,
  nameOf,
  quote,
  readWritten,
  type Unreadable,
  type Written,
} from '../draft.ts';
import {
  allowMissing,
  findMissingVars,
  findOptionalVars,
  noteEmptyDefaults,
  type RenderContext,
  readCaseVars,
  readVarsChange,
  type Vars,
} from './cases/case-vars.ts';
import { type ConvertedTest, findConversation, joinConversations } from './cases/conversations.ts';
import { readPicture } from './cases/pictures.ts';
import { listOf, readScenarios, readTests } from './cases/tests.ts';
import type { Check, CheckContext } from './checks/check-context.ts';
import { convertAssertion, refuseEmpty } from './checks/checks.ts';
import { CodeModule, type CodePlace } from './code/code-files.ts';
import { PythonFile } from './code/python.ts';
import { RubyFile } from './code/ruby.ts';
import { followReferences, readDefaults, readPrompts, readRepeat, readTopKeys } from './config-keys.ts';
import { Judges } from './providers/judges.ts';
import type { OwnCode } from './providers/own-provider.ts';
import { sendTexts, withoutEmptyVars } from './providers/providers.ts';
import { SuiteProviders } from './providers/read-providers.ts';
import { type NamedPrompt, restrictPrompts } from './restrict.ts';
import { describeTest, findStored, findThreshold, findUnknownKey, readOptions } from './test-options.ts';

/** A case in a suite's notation. */
type Case = Readonly<Record<string, unknown>>;

/** Imports a promptfoo config. Runs nothing, and reads only project files. */
export async function importPromptfoo(
  file: string,
  text: string,
  ports: ImportPorts,
  place: CodePlace,
): Promise<ImportedSuite | Unreadable> {
  const config = readWritten(file, text);
  if ('problems' in config) return config;
  if (!isMap(config.value)) {
    const message = 'a promptfoo config is a map of keys';
    return { problems: [{ code: 'invalid-value', severity: 'error', message, at: config.at() }] };
  }
  return new ConfigImport(await followReferences(config, ports.read), ports, place).run();
}

/** Prompts and providers of the tests. */
interface Asked {
  readonly prompts: readonly (NamedPrompt | LeftOut)[];
  readonly providers: SuiteProviders;
}

interface VarsContext extends Pick<RenderContext, 'prompts' | 'readers'> {
  readonly test: Written;
  readonly defaults: Written;
}

/** The cases converted so far. */
interface KnownCases {
  readonly ids: Set<string>;
  /** Variables of the cases, to find duplicates. */
  readonly seen: Set<string>;
}

/** The import of one config. */
class ConfigImport {
  readonly #config: Written;
  readonly #draft: Draft = createDraft();
  readonly #ports: ImportPorts;
  readonly #judges: Judges;
  /** Context of providers that are the user's own code. */
  readonly #own: Omit<OwnCode, 'keepsState'>;
  readonly #code: CodeModule;
  readonly #ownProviders: CodeModule;
  readonly #promptCode: CodeModule;
  readonly #python: PythonFile;
  readonly #ruby: RubyFile;
  readonly #read = new Set<string>();
  /** Names under which tests store answers. */
  readonly #stored = new Set<string>();
  /** Variable names of all tests. Grows while tests are read. */
  readonly #varNames: string[] = [];
  /** Code of the defaults' `transformVars`, if prompts run it. */
  #change: string | undefined;
  /** Omitted config keys. */
  readonly #leftOut: LeftOut[] = [];

  constructor(config: Written, ports: ImportPorts, place: CodePlace) {
    this.#code = new CodeModule(place, 'check');
    this.#ownProviders = new CodeModule(place, 'provider');
    this.#promptCode = new CodeModule(place, 'prompt');
    this.#python = new PythonFile(place);
    this.#ruby = new RubyFile(place);
    this.#config = config;
    this.#ports = ports;
    const own = { code: this.#ownProviders, python: this.#python, readText: this.#readText, glob: this.#glob };
    this.#own = { ...own, varNames: this.#varNames };
    this.#judges = new Judges(this.#draft, this.#readData, { ...own, varNames: [], keepsState: false });
  }

  async run(): Promise<ImportedSuite> {
    const config = this.#config;
    this.#leftOut.push(...(await readTopKeys(config, this.#draft, this.#readText)));
    const found = await readDefaults(config, this.#draft, this.#readText);
    if (found instanceof LeftOut) this.#leftOut.push(found);
    const defaults = found instanceof LeftOut ? config.child('') : found;
    const change = await readVarsChange(defaults, { code: this.#promptCode, readText: this.#readText });
    this.#change = change?.text;
    const prompts = await readPrompts(config, defaults, change, {
      draft: this.#draft,
      readText: this.#readText,
      glob: this.#glob,
      code: this.#promptCode,
      python: this.#python,
    });
    const asked = await SuiteProviders.read(config, defaults, {
      ...this.#own,
      draft: this.#draft,
      readData: this.#readData,
      areTexts: prompts.every((one) => one instanceof LeftOut || one.prompt['text'] !== undefined),
    });
    this.#judges.configured = asked.entries;
    this.#code.answers = asked.answers;
    if (['json', 'mixed'].includes(this.#code.answers))
      this.#draft.note(config.child('providers'), 'checks of texts see the JSON of an answer as it was written');
    const { providers, cases } = asked.finish(await this.#readCases(defaults, { prompts, providers: asked }));
    for (const [, name = ''] of asked.text.matchAll(/\{\{ vars\.(\w+) \}\}/g)) this.#read.add(name);
    const fallback = findMissingVars(this.#read, prompts, cases);
    noteEmptyDefaults(prompts, cases, (message) => this.#draft.note(config.child('prompts'), message));
    const input = findOptionalVars(prompts, cases);
    const suiteDefaults = defined({
      trials: readRepeat(config),
      vars: Object.keys(fallback).length === 0 ? undefined : fallback,
    });
    const { description } = config.value as { readonly description?: unknown };
    const judges = this.#judges.list(providers);
    return {
      suite: defined({
        description: typeof description === 'string' ? description : undefined,
        prompts: asked
          .limit(prompts)
          .map((one) =>
            one instanceof LeftOut ? one : { id: one.id, ...allowMissing(one.prompt, one.variables, cases) },
          ),
        providers: providers.map((one) => sendTexts(withoutEmptyVars(one), cases)),
        judges: judges.length === 0 ? undefined : judges,
        defaults: Object.keys(suiteDefaults).length === 0 ? undefined : suiteDefaults,
        contract: input === undefined ? undefined : { input },
        cases,
      }),
      leftOut: this.#leftOut,
      refused: this.#draft.refused,
      notes: this.#draft.notes,
      code: [this.#code, this.#ownProviders, this.#promptCode, this.#python, this.#ruby].flatMap((one) => one.write()),
    };
  }

  readonly #glob = (pattern: string): Promise<readonly string[]> => this.#ports.glob(pattern);

  readonly #readText = async (reference: string, written: Written): Promise<string | LeftOut> => {
    // Paths may use Windows separators.
    const path = reference.replace(/^file:\/\//, '').replaceAll('\\', '/');
    const found = await this.#ports.read(path);
    if ('text' in found) return found.text;
    return this.#draft.refuse(written, found.message.replace(path, quote(path)));
  };

  readonly #readData = async (reference: string, written: Written): Promise<unknown> => {
    if (!/\.(?:json|ya?ml)$/i.test(reference)) return undefined;
    const text = await this.#readText(reference, written);
    if (typeof text !== 'string') return text;
    const parsed = readWritten(reference, text);
    return 'problems' in parsed ? undefined : parsed.value;
  };

  async #readCases(defaults: Written, known: Asked): Promise<readonly (Case | LeftOut)[]> {
    const cases: (ConvertedTest | LeftOut)[] = [];
    const ids = new Set<string>();
    const seen = new Set<string>();
    const add = async (tests: readonly (Written | LeftOut)[], data?: Written) => {
      for (const test of tests) {
        if (test instanceof LeftOut) cases.push(test);
        else cases.push(...(await this.#convertTest(test, data, defaults, { ids, seen, ...known })));
      }
    };
    const context = { draft: this.#draft, readText: this.#readText, glob: this.#glob };
    const tests = this.#config.child('tests');
    const scenarios = this.#config.child('scenarios');
    if (tests.value !== undefined) await add(await readTests(tests, context));
    for (const { found, data } of await readScenarios(scenarios, context)) await add(found, data);
    // Without tests, promptfoo sends each prompt once.
    if (cases.length === 0 && scenarios.value === undefined)
      await add([defaults.value === undefined ? this.#config.child('') : defaults]);
    return joinConversations(cases, known.prompts, this.#draft);
  }

  async #convertTest(
    test: Written,
    data: Written | undefined,
    defaults: Written,
    { ids, seen, prompts, providers }: KnownCases & Asked,
  ): Promise<readonly (ConvertedTest | LeftOut)[]> {
    const draft = this.#draft;
    const layers = [defaults, ...(data === undefined ? [] : [data]), ...(test === defaults ? [] : [test])];
    const unknown = findUnknownKey(layers, draft);
    if (unknown !== undefined) return [unknown];
    for (const name of findStored(layers)) this.#stored.add(name);
    const options = readOptions(layers, draft);
    if (options instanceof LeftOut) return [options];
    const asked = await providers.find(layers);
    if (asked instanceof LeftOut) return [asked];
    const ofProviders = providers.transformOf(asked, test);
    if (ofProviders instanceof LeftOut) return [ofProviders];
    const checks = await this.#convertChecks(layers, providers.paramsOf(asked), [ofProviders, options.transform]);
    const only = restrictPrompts(layers, prompts, draft);
    if (only instanceof LeftOut) return [only];
    const meant = prompts.filter((one) => only === undefined || (!(one instanceof LeftOut) && only.includes(one.id)));
    const readers = JSON.stringify(checks) + providers.text;
    const vars = await this.#readVars(layers, { test, defaults, prompts: meant, readers });
    if (vars instanceof LeftOut) return [vars];
    const threshold = findThreshold(layers, draft);
    if (threshold instanceof LeftOut) return [threshold];
    const { description } = Object(test.value) as { readonly description?: unknown };
    const name = typeof description === 'string' && description.trim() !== '' ? description : undefined;
    return vars.map((one) => {
      const key = canonicalJson(one);
      const isDouble = seen.has(key);
      seen.add(key);
      const assert = refuseEmpty(checks, one, { test, draft });
      const hasChecks = assert.some((check) => !(check instanceof LeftOut) && check['weight'] !== 0);
      const written = defined({
        id: name !== undefined || isDouble ? nameOf(name ?? 'case', ids, 'case') : undefined,
        description: name,
        vars: Object.keys(one).length === 0 ? undefined : one,
        prompts: only,
        providers: asked,
        trials: options.repeat,
        threshold: hasChecks ? threshold : undefined,
        // promptfoo passes every answer of a test without assertions.
        observe: hasChecks ? undefined : true,
        assert: assert.length === 0 ? undefined : assert,
      });
      return { testCase: written, test, conversation: findConversation(layers) };
    });
  }

  /** Reads a test's variables. A list gives several sets. */
  async #readVars(
    layers: readonly Written[],
    { test, defaults, prompts, readers }: VarsContext,
  ): Promise<readonly Vars[] | LeftOut> {
    const draft = this.#draft;
    const pictures = new Set(prompts.flatMap((one) => (one instanceof LeftOut ? [] : (one.pictures ?? []))));
    if (this.#change !== undefined && /"vars":|\{\{\s*(?!prompt\b)/.test(readers)) {
      const reason = 'a check or provider reads variables, which "transformVars" changes for prompts alone here';
      return draft.refuse(defaults.child('options').child('transformVars'), reason);
    }
    const vars = await readCaseVars(layers, {
      draft,
      readText: this.#readText,
      glob: this.#glob,
      pictures,
      readPicture: (written, name) =>
        readPicture(written, pictures.has(name), {
          ...this.#ports,
          draft,
          fromSuite: (path) => this.#code.fromSuite(path),
        }),
      prompts,
      readers,
      change: this.#change,
      stored: this.#stored,
    });
    if (vars instanceof LeftOut) return vars;
    const absent = [...pictures].find((name) => vars.some((one) => !Object.hasOwn(one, name)));
    if (absent !== undefined)
      return draft.refuse(test, `a test without the picture "${absent}" has no equivalent here`);
    for (const name of vars.flatMap((one) => Object.keys(one)))
      if (!this.#varNames.includes(name)) this.#varNames.push(name);
    return vars;
  }

  async #convertChecks(
    layers: readonly Written[],
    asked: readonly unknown[],
    [ofProviders, ofTest]: readonly (Written | undefined)[],
  ): Promise<readonly (Check | LeftOut)[]> {
    const context: CheckContext = {
      draft: this.#draft,
      readData: this.#readData,
      readText: this.#readText,
      code: this.#code,
      python: this.#python,
      ruby: this.#ruby,
      glob: this.#glob,
      varNames: layers.flatMap((layer) => Object.keys(Object(layer.child('vars').value))),
      test: describeTest(layers),
      onVariables: (names) => names.forEach((name) => this.#read.add(name)),
      judge: (provider) => this.#judges.find(provider, layers),
      embeddings: (provider) => this.#judges.findEmbeddings(provider, layers),
      asked,
      isScored: layers.some((layer) => layer.child('threshold').value !== undefined),
      ofProviders: ofProviders === undefined ? [] : [ofProviders],
      transforms: [ofProviders, ofTest].filter((part) => part !== undefined),
    };
    const checks: (Check | LeftOut)[] = [];
    // A test may disable the default assertions.
    const isOwn = layers.some((layer) => layer.child('options').child('disableDefaultAsserts').value === true);
    for (const layer of isOwn ? layers.slice(1) : layers) {
      for (const item of listOf(layer, 'assert', this.#draft))
        checks.push(item instanceof LeftOut ? item : await convertAssertion(item, context));
    }
    return checks;
  }
}

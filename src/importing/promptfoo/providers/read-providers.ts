import { canonicalJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { isMap, LeftOut, placeAt, type Written } from '../../draft.ts';
import type { AnswerForm } from '../code/code-files.ts';
import { findPromptConfig, findPromptVar } from '../prompts.ts';
import { limitPrompts, type NamedPrompt, type NamedProvider, restrictProviders } from '../restrict.ts';
import { readSharedSettings } from '../test-options.ts';
import type { HttpPrompts } from './http-provider.ts';
import { isOwnProvider, type OwnCode } from './own-provider.ts';
import {
  areOwn,
  convertProvider,
  findAnswerForm,
  giveId,
  namesOf,
  type Provider,
  type ProviderContext,
  promptsOf,
  transformOf,
} from './providers.ts';

type Context = Pick<ProviderContext, 'draft' | 'readData'> &
  Omit<OwnCode, 'keepsState'> &
  Pick<HttpPrompts, 'areTexts'>;

/** The providers of a config, and those that tests have of their own. */
export class SuiteProviders {
  readonly #context: ProviderContext;
  readonly #prompts: HttpPrompts;
  readonly #keepsState: boolean;
  readonly #ids = new Set<string>();
  readonly #providers: (Provider | LeftOut)[] = [];
  readonly #named: (NamedProvider & { readonly prompts: Written })[] = [];
  readonly #ofTests: Provider[] = [];
  /** The entry of each provider of the config, by its id. */
  readonly #entries = new Map<string, Written>();
  readonly #transforms = new Map<string, Written | undefined>();
  /** The ids of those that a test without providers of its own is asked with. */
  readonly ofConfig: string[] = [];

  /** As they are written. */
  readonly entries: readonly Written[];

  private constructor(
    context: ProviderContext,
    prompts: HttpPrompts,
    keepsState: boolean,
    entries: readonly Written[],
  ) {
    this.#context = context;
    this.#prompts = prompts;
    this.#keepsState = keepsState;
    this.entries = entries;
  }

  static async read(config: Written, defaults: Written, context: Context): Promise<SuiteProviders> {
    const { draft, readData, ...code } = context;
    const items = await listProviders(config, context);
    const shared = readShared(config, defaults, items, context);
    const prompts = { promptVar: findPromptVar(config.child('prompts').value), areTexts: context.areTexts };
    const keepsState = items.length > 0 && areOwn(items, prompts);
    const own = { ...code, ...prompts, keepsState };
    const found = new SuiteProviders({ draft, readData, shared, own }, prompts, keepsState, items);
    if (items.length > 0) for (const item of items) await found.#add(item);
    else if (['prompts', 'tests', 'scenarios'].every((key) => config.child(key).value === undefined))
      found.#providers.push(draft.refuse(config, 'there are no providers, no prompts and no tests'));
    // A suite replays answers where it has no provider.
    else draft.note(config, 'there are no providers, as promptfoo eval takes them from --providers: add yours');
    return found;
  }

  async #add(item: Written): Promise<void> {
    const converted = await convertProvider(item, this.#context);
    const provider = converted instanceof LeftOut ? converted : giveId(converted, item, this.#ids, this.#context.draft);
    this.#providers.push(provider);
    if (provider instanceof LeftOut) return;
    this.ofConfig.push(idOf(provider));
    this.#entries.set(idOf(provider), item);
    this.#transforms.set(idOf(provider), transformOf(item));
    this.#named.push({ id: idOf(provider), names: namesOf(item), prompts: promptsOf(item) });
  }

  /** As the suite writes them. */
  get text(): string {
    return JSON.stringify([this.#providers, this.#ofTests]);
  }

  /** The prompts, each with the providers that are asked with it. */
  limit(prompts: readonly (NamedPrompt | LeftOut)[]): readonly (NamedPrompt | LeftOut)[] {
    return limitPrompts(prompts, this.#named, this.#context.draft);
  }

  /** What checks that are code are given. */
  get answers(): AnswerForm {
    return findAnswerForm(this.#providers, this.#keepsState);
  }

  /** The ids of the providers that a test is asked with. */
  async find(layers: readonly Written[]): Promise<readonly string[] | LeftOut> {
    const { draft } = this.#context;
    const asked = restrictProviders(layers, this.#named, draft);
    const owns = layers.map((layer) => layer.child('provider'));
    const own = owns.findLast(({ value }) => value !== undefined);
    if (asked instanceof LeftOut) return asked;
    const shared = this.#readShared(layers.slice(1));
    if (own === undefined) return this.#withSettings(asked ?? this.ofConfig, shared);
    if (layers.length > 2 && own !== owns[0])
      return draft.refuse(own, '"provider" within scenarios has no equivalent here');
    // That of the defaults may be named by its label.
    const named = own === owns[0] ? this.#named.find(({ names }) => names.includes(String(own.value))) : undefined;
    const ids = named === undefined ? await this.#addOwn(own, shared) : await this.#withSettings([named.id], shared);
    if (ids instanceof LeftOut) return ids;
    const count = this.ofConfig.length;
    if (count > 1) draft.note(own, `promptfoo asks "provider" of a test once for each of the ${count} providers`);
    return [ids].flat();
  }

  /** What the requests of these providers hold beside the messages. */
  paramsOf(ids: readonly string[]): readonly unknown[] {
    return [...this.#providers, ...this.#ofTests].flatMap((one) =>
      !(one instanceof LeftOut) && ids.includes(idOf(one)) ? [typeof one === 'string' ? {} : one['params']] : [],
    );
  }

  /** The transform of these providers, which must be one for all: a case has the same checks for each. */
  transformOf(ids: readonly string[], test: Written): Written | LeftOut | undefined {
    const [first, ...others] = ids.map((id) => this.#transforms.get(id));
    if (others.every((one) => canonicalJson(one?.value ?? null) === canonicalJson(first?.value ?? null))) return first;
    const part = [first, ...others].find((one) => one !== undefined) ?? test;
    return this.#context.draft.refuse(part, 'a transform of some providers has no equivalent here');
  }

  /** Settings in the options of a test, over those of all tests; undefined where it has none. */
  #readShared(layers: readonly Written[]): Written | undefined {
    const options = layers.map((layer) => layer.child('options'));
    const settings = Object.assign({}, ...options.map(readSharedSettings)) as Readonly<Record<string, unknown>>;
    const part = options.findLast((one) => Object.keys(readSharedSettings(one)).length > 0);
    return part && placeAt({ ...Object(this.#context.shared?.value), ...settings }, part.at());
  }

  /** The same providers with these settings. */
  async #withSettings(ids: readonly string[], shared: Written | undefined): Promise<readonly string[] | LeftOut> {
    if (shared === undefined) return ids;
    const found: string[] = [];
    for (const id of ids) {
      const entry = this.#entries.get(id);
      const isModel = entry !== undefined && !namesOf(entry).some(isOwnProvider);
      const own = isModel ? await this.#addOwn(entry, shared) : id;
      if (own instanceof LeftOut) return own;
      found.push(own);
    }
    return found;
  }

  async #addOwn(own: Written, shared = this.#context.shared): Promise<string | LeftOut> {
    const { draft } = this.#context;
    const converted = await convertProvider(own, { ...this.#context, ...defined({ shared }) });
    if (converted instanceof LeftOut) return converted;
    const written = (provider: Provider, transform: Written | undefined) =>
      canonicalJson([withoutId(provider), transform?.value ?? null]);
    const wanted = written(converted, transformOf(own));
    const same = [...this.#providers, ...this.#ofTests].find(
      (one) => !(one instanceof LeftOut) && written(one, this.#transforms.get(idOf(one))) === wanted,
    );
    if (same !== undefined && !(same instanceof LeftOut)) return idOf(same);
    // Its prompts would be those of the providers in whose place it is asked.
    if (this.#named.some(({ prompts }) => prompts.value !== undefined))
      return draft.refuse(own, 'a provider of a test beside providers with prompts has no equivalent here');
    const answers = findAnswerForm([...this.#providers, converted], this.#keepsState && areOwn([own], this.#prompts));
    if (answers !== this.answers)
      return draft.refuse(
        own,
        'a provider of a test whose answers have another form than others has no equivalent here',
      );
    const provider = giveId(converted, own, this.#ids, draft);
    this.#ofTests.push(provider);
    this.#transforms.set(idOf(provider), transformOf(own));
    return idOf(provider);
  }

  /** The providers that cases ask, and the cases: where tests have their own, each case names those that it is asked with. */
  finish(cases: readonly (Readonly<Record<string, unknown>> | LeftOut)[]) {
    const hasOwn = this.#ofTests.length > 0;
    const asked = new Set(
      cases.flatMap((one) => (one instanceof LeftOut ? [] : (one['providers'] as readonly string[]))),
    );
    const isIdle = (one: Provider | LeftOut) => hasOwn && !(one instanceof LeftOut) && !asked.has(idOf(one));
    return {
      providers: [...this.#providers.filter((one) => !isIdle(one)), ...this.#ofTests],
      cases: cases.map((one) => {
        if (one instanceof LeftOut || hasOwn) return one;
        const { providers, ...rest } = one;
        return providers === this.ofConfig ? rest : one;
      }),
    };
  }
}

function idOf(provider: Provider): string {
  return typeof provider === 'string' ? provider : String(provider['id']);
}

function withoutId(provider: Provider): unknown {
  const { id: _id, ...rest } = typeof provider === 'string' ? { id: provider, use: provider } : provider;
  return rest;
}

/** The entries, those of a file of providers in its place. */
async function listProviders(config: Written, { readData }: Context): Promise<readonly Written[]> {
  const part = config.child(config.child('providers').value === undefined ? 'targets' : 'providers');
  const items = typeof part.value === 'string' || isMap(part.value) ? [part] : part.items();
  const listed: Written[] = [];
  for (const item of items) {
    const isFile = typeof item.value === 'string' && /^file:\/\/.*\.(?:ya?ml|json)$/.test(item.value);
    const data = isFile ? await readData(String(item.value), item) : undefined;
    const found: readonly unknown[] = Array.isArray(data) ? data : isMap(data) ? [data] : [];
    if (found.length === 0) listed.push(item);
    else listed.push(...found.map((one) => placeAt(one, item.at())));
  }
  return listed;
}

/** Settings of the prompts and of the options of tests go before those of a provider. */
function readShared(config: Written, defaults: Written, items: readonly Written[], { draft }: Context): Written {
  const prompts = config.child('prompts');
  const options = defaults.child('options');
  const shared = { ...findPromptConfig(prompts), ...readSharedSettings(options) };
  const isOwn = items.some((item) => namesOf(item).some(isOwnProvider));
  if (isOwn && Object.keys(shared).length > 0)
    draft.note(options, 'settings of prompts and tests are not given to providers of one’s own');
  return placeAt(shared, options.value === undefined ? prompts.at() : options.at());
}

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

/** Providers of the config and of single tests. */
export class SuiteProviders {
  readonly #context: ProviderContext;
  readonly #prompts: HttpPrompts;
  readonly #keepsState: boolean;
  readonly #ids = new Set<string>();
  readonly #providers: (Provider | LeftOut)[] = [];
  readonly #named: (NamedProvider & { readonly prompts: Written })[] = [];
  readonly #ofTests: Provider[] = [];
  /** Provider entries of the config, by id. */
  readonly #entries = new Map<string, Written>();
  readonly #transforms = new Map<string, Written | undefined>();
  /** Ids of the config's providers. A test that names no provider uses all of them. */
  readonly ofConfig: string[] = [];

  /** Provider entries as written. */
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
    // Without a provider, a suite replays answers.
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

  /** Providers in the suite's notation. */
  get text(): string {
    return JSON.stringify([this.#providers, this.#ofTests]);
  }

  /** Restricts prompts to the providers whose entries name them. */
  limit(prompts: readonly (NamedPrompt | LeftOut)[]): readonly (NamedPrompt | LeftOut)[] {
    return limitPrompts(prompts, this.#named, this.#context.draft);
  }

  /** Form of the answer that code checks get. */
  get answers(): AnswerForm {
    return findAnswerForm(this.#providers, this.#keepsState);
  }

  /** Ids of a test's providers. */
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
    // A default provider may be named by its label.
    const named = own === owns[0] ? this.#named.find(({ names }) => names.includes(String(own.value))) : undefined;
    const ids = named === undefined ? await this.#addOwn(own, shared) : await this.#withSettings([named.id], shared);
    if (ids instanceof LeftOut) return ids;
    const count = this.ofConfig.length;
    if (count > 1) draft.note(own, `promptfoo asks "provider" of a test once for each of the ${count} providers`);
    return [ids].flat();
  }

  /** Request parameters of these providers. */
  paramsOf(ids: readonly string[]): readonly unknown[] {
    return [...this.#providers, ...this.#ofTests].flatMap((one) =>
      !(one instanceof LeftOut) && ids.includes(idOf(one)) ? [typeof one === 'string' ? {} : one['params']] : [],
    );
  }

  /** Transform of these providers. It must be the same for all, since a case has the same checks for each. */
  transformOf(ids: readonly string[], test: Written): Written | LeftOut | undefined {
    const [first, ...others] = ids.map((id) => this.#transforms.get(id));
    if (others.every((one) => canonicalJson(one?.value ?? null) === canonicalJson(first?.value ?? null))) return first;
    const part = [first, ...others].find((one) => one !== undefined) ?? test;
    return this.#context.draft.refuse(part, 'a transform of some providers has no equivalent here');
  }

  /** Settings in a test's options, merged over those of all tests; undefined if the test has none. */
  #readShared(layers: readonly Written[]): Written | undefined {
    const options = layers.map((layer) => layer.child('options'));
    const settings = Object.assign({}, ...options.map(readSharedSettings)) as Readonly<Record<string, unknown>>;
    const part = options.findLast((one) => Object.keys(readSharedSettings(one)).length > 0);
    return part && placeAt({ ...Object(this.#context.shared?.value), ...settings }, part.at());
  }

  /** Finds or adds the same providers with these settings. */
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
    // This provider would need the prompts of the providers it replaces.
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

  /** Returns the used providers and the cases. If tests have their own providers, each case names its providers. */
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

/** Lists provider entries, expanding files of providers. */
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

/** Settings of prompts and test options win over a provider's. */
function readShared(config: Written, defaults: Written, items: readonly Written[], { draft }: Context): Written {
  const prompts = config.child('prompts');
  const options = defaults.child('options');
  const shared = { ...findPromptConfig(prompts), ...readSharedSettings(options) };
  const isOwn = items.some((item) => namesOf(item).some(isOwnProvider));
  if (isOwn && Object.keys(shared).length > 0)
    draft.note(options, 'settings of prompts and tests are not given to providers of one’s own');
  return placeAt(shared, options.value === undefined ? prompts.at() : options.at());
}

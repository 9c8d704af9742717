import { isMap, LeftOut, placeAt, type Written } from '../draft.ts';
import { isOwnProvider, type OwnCode } from './own-provider.ts';
import { findPromptConfig, findPromptVar } from './prompts.ts';
import { areOwn, convertProvider, giveId, namesOf, type Provider, type ProviderContext } from './providers.ts';
import type { NamedProvider } from './restrict.ts';
import { readSharedSettings } from './test-options.ts';

interface ReadProviders {
  readonly providers: readonly (Provider | LeftOut)[];
  readonly named: readonly NamedProvider[];
  /** True where every provider is code of one's own: checks see all that it returns. */
  readonly keepsState: boolean;
}

type Context = Pick<ProviderContext, 'draft' | 'readData'> & Omit<OwnCode, 'keepsState'>;

/** The providers of a config. */
export async function readProviders(config: Written, defaults: Written, context: Context): Promise<ReadProviders> {
  const { draft, readData, ...code } = context;
  const items = await listProviders(config, context);
  if (items.length === 0) {
    const missing = draft.refuse(config, 'there are no providers');
    return { providers: [missing], named: [], keepsState: false };
  }
  const shared = readShared(config, defaults, items, context);
  const keepsState = areOwn(items);
  const own = { ...code, keepsState, promptVar: findPromptVar(config.child('prompts').value) };
  const known = new Set<string>();
  const providers: (Provider | LeftOut)[] = [];
  const named: NamedProvider[] = [];
  for (const item of items) {
    const converted = await convertProvider(item, { draft, readData, shared, own });
    const provider = converted instanceof LeftOut ? converted : giveId(converted, item, known, draft);
    providers.push(provider);
    if (!(provider instanceof LeftOut))
      named.push({ id: typeof provider === 'string' ? provider : String(provider['id']), names: namesOf(item) });
  }
  return { providers, named, keepsState };
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

import { assertions } from '../assertions/index.ts';
import { createPluginAssertion } from '../assertions/own-code.ts';
import { defined } from '../json/defined.ts';
import type { AssertionDeclaration } from '../model/suite/assertion.ts';
import type { LoadedPlugin } from '../model/suite/own-code.ts';
import { isPlugin, type Plugin } from '../model/suite/plugin.ts';
import type { AdapterDeclaration } from '../model/suite/provider.ts';
import { importModule, openPackages } from '../programs/import-module.ts';
import { createPluginAdapter } from '../providers/code/plugin-adapter.ts';
import { adapters } from '../providers/index.ts';
import { reporters } from '../reports/index.ts';
import type { OpenedPlugins, PluginFault, PluginRequest } from '../suite/open-project.ts';
import { describeThrown } from '../text/deadline.ts';
import { sha256Hex } from '../text/sha256.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';

/**
 * Imports plug-ins and registers their parts. `given` are plug-ins that a program passes. Mistakes are returned as
 * faults.
 */
export async function openPlugins(
  requests: readonly PluginRequest[],
  given: readonly Plugin[] = [],
): Promise<OpenedPlugins> {
  const list: LoadedPlugin<Plugin>[] = [];
  const ownAssertions: Record<string, AssertionDeclaration> = {};
  const ownAdapters: Record<string, AdapterDeclaration> = {};
  const faults: (PluginFault & { readonly index: number })[] = [];

  function add(loaded: LoadedPlugin<Plugin>): PluginFault | undefined {
    const fault = findFormFault(loaded.plugin) ?? findClash(loaded.plugin, list);
    if (fault !== undefined) return fault;
    try {
      if (loaded.plugin.kind === 'assertion') {
        ownAssertions[loaded.plugin.name] = createPluginAssertion({ ...loaded, plugin: loaded.plugin });
      } else if (loaded.plugin.kind === 'provider') {
        ownAdapters[loaded.plugin.name] = createPluginAdapter({ ...loaded, plugin: loaded.plugin });
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const part = loaded.plugin.kind === 'provider' ? 'options' : 'params';
      return { code: 'invalid-schema', message: `${part} of the plug-in "${loaded.plugin.name}" ${error.message}` };
    }
    list.push(loaded);
    return undefined;
  }

  for (const plugin of given) {
    if (!isPlugin(plugin)) {
      const message = 'plugins: an entry of the list is not a plug-in';
      const hint = 'pass what defineAssertion, defineProvider or defineReporter returns';
      faults.push({ code: 'invalid-value', message, hint, index: -1 });
      continue;
    }
    const fault = add({ plugin, hash: hashOf(plugin, '') });
    // A plug-in that a program passes has no place in a file.
    if (fault !== undefined) faults.push({ ...fault, index: -1 });
  }
  for (const [index, request] of requests.entries()) {
    const found = await importPlugins(request);
    if ('code' in found) {
      faults.push({ ...found, index });
      continue;
    }
    for (const plugin of found.plugins) {
      const fault = add({ plugin, ...describeLoaded(plugin, found) });
      if (fault !== undefined) faults.push({ ...fault, index });
    }
  }
  return { list, assertions: ownAssertions, adapters: ownAdapters, faults };
}

interface FoundPlugins extends Pick<LoadedPlugin<Plugin>, 'hash' | 'unfollowed'> {
  readonly plugins: readonly Plugin[];
}

type Found = FoundPlugins | PluginFault;

function unfollowedOf(request: PluginRequest): Pick<FoundPlugins, 'unfollowed'> {
  return request.kind === 'file' ? defined({ unfollowed: request.unfollowed }) : {};
}

/** A declared version says when a plug-in answers differently, whatever it reads. */
function describeLoaded(plugin: Plugin, { hash, unfollowed }: FoundPlugins) {
  const hasVersion = plugin.kind !== 'reporter' && plugin.version !== undefined;
  return { hash: hashOf(plugin, hash), ...defined({ unfollowed: hasVersion ? undefined : unfollowed }) };
}

async function importPlugins(request: PluginRequest): Promise<Found> {
  const { name } = request;
  let exported: unknown;
  let plugins: readonly Plugin[] = [];
  try {
    exported = request.kind === 'file' ? await importModule(request.file) : await openPackages(request.root).load(name);
    // An export may be a getter, which can throw too.
    if (exported !== undefined) plugins = Object.values(Object(exported)).flat().filter(isPlugin);
  } catch (error) {
    return { code: 'invalid-value', message: `the plug-in ${name} can't be loaded: ${describeThrown(error)}` };
  }
  if (exported === undefined) {
    return {
      code: 'environment',
      message: `the plug-in ${name} is not installed`,
      hint: `npm install --save-dev ${name}; a file is written as ./${name}`,
    };
  }
  if (plugins.length > 0) return { plugins: [...new Set(plugins)], hash: request.hash, ...unfollowedOf(request) };
  return {
    code: 'invalid-value',
    message: `${name} exports no plug-in`,
    hint: 'export what defineAssertion, defineProvider or defineReporter returns',
  };
}

/** Plug-ins are often written without types: a missing or misspelt key would fail in the middle of a run. */
function findFormFault(plugin: Plugin): PluginFault | undefined {
  const { name, kind } = plugin;
  const keys: readonly string[] = pluginKeys[kind];
  const unknown = Object.keys(plugin).find((key) => !keys.includes(key) && key !== 'kind');
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, keys) ?? `there are: ${keys.join(', ')}`;
    return { code: 'unknown-key', message: `the plug-in "${name}" has the unknown key "${unknown}"`, hint };
  }
  const work = workOf(plugin);
  const lack = typeof work.run === 'function' ? undefined : `"${work.key}" must be a function`;
  const { timeoutMs } = { timeoutMs: undefined, ...plugin };
  const wrong = timeoutMs === undefined || timeoutMs > 0 ? undefined : '"timeoutMs" must be a number above 0';
  const fault = lack ?? wrong;
  return fault === undefined ? undefined : { code: 'invalid-value', message: `the plug-in "${name}": ${fault}` };
}

const pluginKeys = {
  assertion: ['name', 'summary', 'example', 'params', 'main', 'timeoutMs', 'version', 'check'],
  provider: ['name', 'summary', 'example', 'options', 'version', 'complete'],
  reporter: ['name', 'summary', 'extension', 'render'],
} as const satisfies Record<Plugin['kind'], readonly string[]>;

function workOf(plugin: Plugin): { readonly key: string; readonly run: unknown } {
  switch (plugin.kind) {
    case 'assertion':
      return { key: 'check', run: plugin.check };
    case 'provider':
      return { key: 'complete', run: plugin.complete };
    case 'reporter':
      return { key: 'render', run: plugin.render };
  }
}

/** Finds a name conflict. A built-in part's name would change the meaning of suites. */
function findClash({ kind, name }: Plugin, others: readonly LoadedPlugin<Plugin>[]): PluginFault | undefined {
  const taken = { assertion: assertions, provider: adapters, reporter: reporters }[kind];
  if (!/^[a-z][A-Za-z0-9_-]*$/.test(name) || reservedNames.has(name)) {
    return {
      code: 'invalid-value',
      message: `"${name}" can't name a plug-in`,
      hint: 'a name is a word that starts with a small letter, and none of select, name, weight and required',
    };
  }
  if (Object.hasOwn(taken, name) || others.some(({ plugin }) => plugin.kind === kind && plugin.name === name)) {
    return {
      code: 'duplicate-id',
      message: `there is ${kind === 'assertion' ? 'an' : 'a'} ${kind} "${name}" already`,
      hint: 'give the plug-in another name',
    };
  }
  return undefined;
}

const reservedNames: ReadonlySet<string> = new Set(['select', 'name', 'weight', 'required']);

/** A plug-in without a file is known by its version, else by its own source. */
function hashOf(plugin: Plugin, fileHash: string): string {
  const version = plugin.kind === 'reporter' ? undefined : plugin.version;
  const source = version ?? (fileHash === '' ? String(workOf(plugin).run) : '');
  return sha256Hex(`${fileHash}\n${source}`).slice(0, 16);
}

import { defined } from '../json/defined.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { LoadedPlugin } from '../model/own-code.ts';
import { type Plugin, pluginsOf } from '../model/plugin.ts';
import type { ProblemCode } from '../model/problem.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import { createReadCode } from './assertions/own-code.ts';
import { configShape } from './config.ts';
import { checkPart } from './documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate } from './documents/locate.ts';
import type { Problems } from './documents/problems.ts';
import type { ProjectFiles } from './files/project-files.ts';
import type { ProjectPlace } from './files/project-place.ts';

/** One entry of `plugins:`: a file with its hash, or a package. */
export type PluginRequest =
  | { readonly kind: 'file'; readonly name: string; readonly file: string; readonly hash: string }
  | { readonly kind: 'package'; readonly name: string; readonly root: string };

/** Why an entry of `plugins:` can't be used. */
export interface PluginFault {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
}

/** The parts that the entries of `plugins:` add. */
export interface OpenedPlugins {
  readonly list: readonly LoadedPlugin<Plugin>[];
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  /** By the entry's place among the requests. */
  readonly faults: readonly (PluginFault & { readonly index: number })[];
}

/** Imports the user's own code. */
export type OpenPlugins = (requests: readonly PluginRequest[]) => Promise<OpenedPlugins>;

type LoadedPlugins = Omit<OpenedPlugins, 'faults'>;

const none: OpenedPlugins = { list: [], assertions: {}, adapters: {}, faults: [] };

/** Loads the plug-ins of a config; what is wrong is reported at the entry. */
export async function loadPlugins(
  config: Located | undefined,
  { place, files }: { readonly place: ProjectPlace; readonly files: ProjectFiles },
  { open, problems }: { readonly open: OpenPlugins | undefined; readonly problems: Problems },
): Promise<LoadedPlugins> {
  if (open === undefined) return none;
  if (config !== undefined) checkPart(config, 'plugins', configShape.plugins, problems);
  const entries = config === undefined ? [] : itemsOf(childOf(config, 'plugins')).filter(isText);
  const readCode = createReadCode({ files, problems });
  const requests: PluginRequest[] = [];
  const places: Located[] = [];
  for (const entry of entries) {
    const name = entry.value;
    if (!isPath(name)) {
      requests.push({ kind: 'package', name, root: place.root });
      places.push(entry);
      continue;
    }
    const code = readCode('module', { value: entry });
    if (code?.file === undefined) continue;
    requests.push({ kind: 'file', name, file: code.file, hash: code.hash });
    places.push(entry);
  }
  const { faults, ...opened } = await open(requests);
  for (const { index, ...fault } of faults) {
    const at = places[index];
    problems.report({ ...fault, ...defined({ at: at && locate(at) }) });
  }
  return opened;
}

/** The registries with what plug-ins add to them. */
export function extendDeclarations(
  known: {
    readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
    readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  },
  plugins: Pick<OpenedPlugins, 'list' | 'assertions' | 'adapters'>,
) {
  return {
    assertions:
      pluginsOf(plugins.list, 'assertion').length === 0
        ? known.assertions
        : { ...known.assertions, ...plugins.assertions },
    adapters:
      pluginsOf(plugins.list, 'provider').length === 0 ? known.adapters : { ...known.adapters, ...plugins.adapters },
  };
}

function isText(located: Located): located is Located<string> {
  return typeof located.value === 'string';
}

/** As in an import: what starts with a dot is a file. A name that ends like a module's is meant as one too. */
function isPath(name: string): boolean {
  return /^\.{0,2}\//.test(name) || /\.[cm]?[jt]s$/.test(name);
}

import { assertions } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import type { SharedCacheConfig } from '../model/run/shared-cache.ts';
import type { LoadedPlugin, RenderPrompts } from '../model/suite/own-code.ts';
import type { Plugin } from '../model/suite/plugin.ts';
import { openPackages } from '../programs/import-module.ts';
import { parsePromptFile } from '../prompts/parse-prompt-file.ts';
import { adapters } from '../providers/index.ts';
import { findSuitePaths as findPaths, loadIds as readIds, type SuiteIds } from '../suite/find-suites.ts';
import { type LoadedProject, loadProjectCache, loadProjectPlugins, loadProject as loadSuites } from '../suite/load.ts';
import type { PluginRequest, LoadOptions as SuiteLoadOptions } from '../suite/open-project.ts';

export interface LoadOptions
  extends Pick<
    SuiteLoadOptions,
    'paths' | 'cwd' | 'configPath' | 'snapshot' | 'checkRun' | 'reads' | 'contractOnly' | 'mayLackLabels'
  > {
  /** Prompts in code are not called: their messages stay unknown. */
  readonly callsNoPrompts?: boolean;
  /** Plug-ins that a program passes, in addition to the config's. */
  readonly plugins?: readonly Plugin[];
  /** Gets the plug-ins as soon as they are loaded, whatever else is wrong with the project. */
  readonly onPlugins?: (plugins: readonly LoadedPlugin<Plugin>[]) => void;
}

/** Loads suites with the assertions, adapters and prompt formats that this program knows. */
export function loadProject({
  plugins: given = [],
  onPlugins = () => {},
  callsNoPrompts = false,
  ...options
}: LoadOptions): Promise<LoadedProject> {
  return loadSuites({
    ...options,
    assertions,
    adapters,
    parsePrompt: parsePromptFile,
    packageVersion: (name, root) => openPackages(root).version(name),
    // A suite gets no environment variables: it must be the same on every machine.
    async evaluateSuite(path) {
      const { evaluateModule } = await import('../programs/module-worker.ts');
      return evaluateModule(path, { env: {}, noun: 'suite' });
    },
    ...defined({ renderPrompts: callsNoPrompts ? undefined : callPrompts }),
    async openPlugins(requests) {
      const opened = await openNamed(requests, given);
      onPlugins(opened.list);
      return opened;
    },
  });
}

const callPrompts: RenderPrompts = async (job) => {
  const { renderPrompts } = await import('../programs/render-prompts.ts');
  return renderPrompts(job);
};

/** The shared cache that a project's config names. */
export function loadCacheConfig(
  options: Pick<LoadOptions, 'cwd' | 'configPath'>,
): Promise<SharedCacheConfig | undefined> {
  return loadProjectCache({ ...options, packageVersion: (name, root) => openPackages(root).version(name) });
}

/** The plug-ins that a project's config names. */
export function loadPlugins(
  options: Pick<LoadOptions, 'cwd' | 'configPath'>,
): Promise<readonly LoadedPlugin<Plugin>[]> {
  return loadProjectPlugins({ ...options, openPlugins: openNamed });
}

/** Opens the named plug-ins. Most projects have none, so the code is loaded on demand. */
async function openNamed(requests: readonly PluginRequest[], given: readonly Plugin[] = []) {
  if (requests.length + given.length === 0) return { list: [], assertions: {}, adapters: {}, faults: [] };
  const { openPlugins } = await import('./open-plugins.ts');
  return openPlugins(requests, given);
}

/** The suites of a run to which no path is given, absolute. */
export function findSuitePaths(cwd: string): Promise<readonly string[]> {
  return findPaths({ cwd, adapters });
}

/** Ids of every suite for suggestions, from whatever of the files can be read; no code is run for them. */
export function loadIds(options: {
  readonly cwd: string;
  readonly configPath?: string;
  readonly withCases: boolean;
}): Promise<readonly SuiteIds[]> {
  return readIds({ ...options, paths: [], adapters }, options);
}

import type { ReporterPlugin } from '../model/plugin.ts';

/** Makes a format that `--reporter` takes once the config's `plugins:` names the module that exports it. */
export function defineReporter(definition: Omit<ReporterPlugin, 'kind'>): ReporterPlugin {
  return { ...definition, kind: 'reporter' };
}

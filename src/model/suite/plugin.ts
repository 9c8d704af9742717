import type { Report, ReportStyle } from '../report/report.ts';
import type { AssertionPlugin, LoadedPlugin, ProviderPlugin } from './own-code.ts';

/** A format that `--reporter` takes like a built-in one. */
export interface ReporterPlugin {
  readonly kind: 'reporter';
  readonly name: string;
  readonly summary: string;
  /** The extension of the file it is written to, without the dot. */
  readonly extension: string;
  /** Yields the report's text in chunks. It cannot change the decision. */
  readonly render: (report: Report, style: ReportStyle) => Iterable<string>;
}

export type Plugin = AssertionPlugin | ProviderPlugin | ReporterPlugin;

/** True if one of the `define` functions made the value. */
export function isPlugin(value: unknown): value is Plugin {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'assertion' || value.kind === 'provider' || value.kind === 'reporter') &&
    'name' in value &&
    typeof value.name === 'string' &&
    'summary' in value &&
    typeof value.summary === 'string'
  );
}

export function pluginsOf<Kind extends Plugin['kind']>(
  plugins: readonly LoadedPlugin<Plugin>[],
  kind: Kind,
): readonly LoadedPlugin<Extract<Plugin, { readonly kind: Kind }>>[] {
  return plugins.filter(
    (loaded): loaded is LoadedPlugin<Extract<Plugin, { readonly kind: Kind }>> => loaded.plugin.kind === kind,
  );
}

import { defined } from '../json/defined.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import type { LoadedPlugin } from '../model/code-plugin.ts';
import type { Plugin } from '../model/plugin.ts';
import type { Problem, SettingFault } from '../model/problem.ts';
import type { Place } from '../project/project-paths.ts';
import { parseQueueUrl } from '../text/store-urls.ts';
import { findOutsidePaths } from './find-outside-paths.ts';
import { resolveFlagValues } from './flag-values.ts';
import { runFlags } from './run-flags.ts';
import { buildRunSettings, listOf } from './run-options.ts';
import { parseReporters } from './write-reports.ts';

/** What is wrong with single keys of the config's `run:`; what only a flag can complete is checked with the flags. */
export function checkRunConfig(
  run: JsonObject,
  plugins: readonly LoadedPlugin<Plugin>[],
  place: Place,
): readonly SettingFault[] {
  return Object.entries(run).flatMap(([key, value]) => {
    const { values, problems } = resolveFlagValues(runFlags, { flags: {}, env: {}, config: { [key]: value } });
    const further = [
      ...(key === 'seed' ? [] : buildRunSettings(values).problems),
      ...parseReporters(listOf(values, 'reporter'), plugins).problems,
      ...(key === 'queue' ? findPassword(value) : []),
      ...findOutsidePaths(values, place),
    ];
    return [...problems, ...further].map(({ code, message, hint }) => ({
      key,
      code,
      message,
      ...defined({ hint }),
    }));
  });
}

/** A file that is committed is no place for one. */
function findPassword(value: JsonValue): readonly Problem[] {
  const queue = typeof value === 'string' ? parseQueueUrl(value) : undefined;
  if (queue === undefined || 'reason' in queue || queue.password === undefined) return [];
  const message = 'the address of the queue holds a password, and the config is no place for one';
  return [{ code: 'config', severity: 'error', message, hint: 'set the whole address as LLMCHECK_QUEUE' }];
}

import { resolve } from 'node:path';
import type { SettingFault } from '../model/problem.ts';
import { findOutsideFault, type Place } from '../project/project-paths.ts';
import { listOf, type Values } from './run-options.ts';

/** Settings that came out of a file and name a path outside the project; flags may name any path. */
export function findOutsidePaths(values: Values, place: Place): readonly SettingFault[] {
  const { envFile, baseline } = values;
  const named = [
    ...listOf(values, 'reporter').flatMap((text) => {
      const path = text.slice(text.indexOf('=') + 1);
      return text.includes('=') && path !== '' ? [{ key: 'reporter', path }] : [];
    }),
    ...(typeof envFile === 'string' ? [{ key: 'envFile', path: envFile }] : []),
    ...(typeof baseline === 'string' && !baseline.startsWith('git:') ? [{ key: 'baseline', path: baseline }] : []),
  ];
  return named.flatMap(({ key, path }) => {
    const fault = findOutsideFault(resolve(place.cwd, path), place);
    if (fault === undefined) return [];
    const { code, message } = fault;
    return [{ key, code, message, hint: 'move it into the project, or name it with a flag' }];
  });
}

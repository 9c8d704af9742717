import { describeStates } from '../files/write-files.ts';
import { UserError } from '../model/problem.ts';
import type { Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { ProviderConfig } from '../model/suite/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { attempt } from '../text/attempt.ts';

/**
 * True while the code of a provider is the one that the endpoint names. A program may be edited during a run, or
 * another branch checked out. Once false, it stays false.
 */
export function watchCode(config: ProviderConfig, endpoint: Endpoint, env: ProviderEnv): () => boolean {
  const { files, folders = [], globs = [], adapterVersion } = endpoint;
  if (files === undefined) return () => true;
  const paths = [...files, ...folders, ...globs.map(({ folder }) => folder)];
  let lastStates: string | undefined;
  let isSame = true;
  return () => {
    const states = describeStates(paths);
    if (!isSame || states === lastStates) return isSame;
    lastStates = states;
    const now = attempt(() => findAdapter(config)?.resolve(config, env), UserError);
    isSame = now !== undefined && !(now instanceof UserError) && now.adapterVersion === adapterVersion;
    return isSame;
  };
}

import { describeStates } from '../files/write-files.ts';
import { UserError } from '../model/problem.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { findAdapter } from '../providers/index.ts';
import { attempt } from '../text/attempt.ts';
import type { RunCalls } from './run-resources.ts';

/**
 * Says whether the code of a provider is still the one that the keys of its answers name. A note says once where it is
 * not: a program that is edited, or a branch that is checked out, while the run goes on.
 */
export function watchCode(config: ProviderConfig, { known, note }: Pick<RunCalls, 'known' | 'note'>): () => boolean {
  const { files, folders = [], adapterVersion } = known.endpointOf(config);
  if (files === undefined) return () => true;
  const paths = [...files, ...folders];
  let lastStates: string | undefined;
  let isSame = true;
  return () => {
    const states = describeStates(paths);
    if (!isSame || states === lastStates) return isSame;
    lastStates = states;
    const now = attempt(() => findAdapter(config)?.resolve(config, known.providerEnv), UserError);
    isSame = now !== undefined && !(now instanceof UserError) && now.adapterVersion === adapterVersion;
    if (!isSame) {
      note(
        `The code of provider ${config.id} changed while the run went on. Answers since then are not stored, and the ` +
          'verdict may be of both versions: run it again.',
      );
    }
    return isSame;
  };
}

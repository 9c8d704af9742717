import type { Endpoint } from '../model/provider.ts';
import type { Case, ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import { withoutUserinfo } from '../text/store-urls.ts';

export interface AskedIdentityOptions {
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  /** Names the values of variables. */
  readonly hashEnv: (names: readonly string[]) => readonly string[];
}

interface Asked {
  readonly models: readonly string[];
  readonly envNames: readonly string[];
}

/**
 * The part of a stamp that a suite's files do not hold: all that decides the answers of the judges and models of
 * embeddings that the checks ask, but for what they are told, and the values of the variables that programs of checks
 * are handed. Empty where there is none of these.
 */
export function createAskedIdentity(
  { askedModels }: Suite,
  { endpointOf, hashEnv }: AskedIdentityOptions,
): (testCase: Pick<Case, 'checks' | 'turns'>) => string {
  // Neighbours often share their checks.
  const known = new WeakMap<readonly CheckSpec[], Asked>();
  const askedBy = (checks: readonly CheckSpec[]): Asked => {
    let asked = known.get(checks);
    if (asked === undefined) {
      const within = checks.map(({ children = [] }) => askedBy(children));
      asked = {
        models: [...checks.flatMap(({ asks = [] }) => asks), ...within.flatMap(({ models }) => models)],
        envNames: [
          ...checks.flatMap(({ code }) => code?.envNames ?? []),
          ...within.flatMap(({ envNames }) => envNames),
        ],
      };
      known.set(checks, asked);
    }
    return asked;
  };
  const describe = (config: ProviderConfig) => {
    const { adapterVersion, baseUrl } = endpointOf(config);
    const address = baseUrl === undefined ? null : withoutUserinfo(baseUrl);
    return [config.adapter, adapterVersion, address, config.model, config.params];
  };
  return ({ checks, turns }) => {
    const all = [checks, ...turns.map((turn) => (turn.kind === 'user' ? turn.checks : []))].map(askedBy);
    const models = new Set(all.flatMap((asked) => asked.models));
    const envNames = all.flatMap((asked) => asked.envNames);
    if (models.size === 0 && envNames.length === 0) return '';
    const keys = askedModels.filter(({ id }) => models.has(id)).map(describe);
    return `.${sha256Hex(JSON.stringify([keys, hashEnv(envNames)])).slice(0, 12)}`;
  };
}

import { sha256Hex } from '../lib/sha256.ts';
import type { Endpoint } from '../model/provider.ts';
import type { Case, ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';

/**
 * The part of a cell's identity that names the judges and the models of embeddings that its checks ask: all that decides
 * their answers, but for what they are told. Empty where none is asked.
 */
export function createAskedIdentity(
  { askedModels }: Suite,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): (testCase: Pick<Case, 'checks' | 'turns'>) => string {
  // Neighbours often share their checks.
  const known = new WeakMap<readonly CheckSpec[], readonly string[]>();
  const askedBy = (checks: readonly CheckSpec[]): readonly string[] => {
    let ids = known.get(checks);
    if (ids === undefined) {
      ids = checks.flatMap(({ asks, children = [] }) => [...(asks === undefined ? [] : [asks]), ...askedBy(children)]);
      known.set(checks, ids);
    }
    return ids;
  };
  const describe = (config: ProviderConfig) => {
    const { adapterVersion, baseUrl } = endpointOf(config);
    return [config.adapter, adapterVersion, baseUrl, config.model, config.params];
  };
  return ({ checks, turns }) => {
    const ids = [checks, ...turns.map((turn) => (turn.kind === 'user' ? turn.checks : []))].flatMap(askedBy);
    if (ids.length === 0) return '';
    const asked = new Set(ids);
    const keys = askedModels.filter(({ id }) => asked.has(id)).map(describe);
    return `.${sha256Hex(JSON.stringify(keys)).slice(0, 12)}`;
  };
}

import type { AcceptedAnswer } from '../assertions/define.ts';
import { lookupAssertion } from '../assertions/index.ts';
import { cacheKey } from '../cache/cache-key.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json.ts';
import type { Cell, CellKey } from '../model/cell.ts';
import type { Endpoint } from '../model/provider.ts';
import type { Case, ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import { withoutUserinfo } from '../text/store-urls.ts';

/**
 * Finds the accepted answer of a cell; undefined where there is none, or where only its hash was kept. A trial that the
 * baseline does not have, such as a confirmation trial, gets the case's first answer: it asks the same question again.
 */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

/** Hash of everything that a cell would run: its first request, its turns and its checks. A record calls it `identity`. */
export function hashCell(cell: Cell, findAccepted: FindAccepted): string {
  return `${withAcceptedHash(cell, findAccepted).cellHash}:${cacheKey(cell.request)}`;
}

/** The result of a check that compares with the accepted answer depends on that answer, so the cell's hash includes it. */
export function withAcceptedHash(cell: Cell, findAccepted: FindAccepted): Cell {
  if (!cell.checks.some(comparesAccepted) && !cell.checks.some(comparesOther)) return cell;
  const accepted = sha256Hex(canonicalJson(findAccepted(cell.key) ?? null)).slice(0, 12);
  return { ...cell, cellHash: `${cell.cellHash}.${accepted}` };
}

/** True for a check that compares with the accepted answer, itself or in a child. */
export function comparesAccepted({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesAccepted' in declared && declared.comparesAccepted) ||
    children.some(comparesAccepted)
  );
}

/** True for a check that compares with the answer of the other side of the comparison, itself or in a child. */
export function comparesOther({ assertion, children = [] }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return (
    (declared !== undefined && 'comparesOther' in declared && declared.comparesOther) || children.some(comparesOther)
  );
}

export interface DependencyHashOptions {
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  /** Headers and further options of a provider; undefined where it has none. */
  readonly optionsOf: (provider: ProviderConfig) => JsonObject | undefined;
  /** Hashes the values of variables. */
  readonly hashEnv: (names: readonly string[]) => readonly string[];
}

/**
 * The part of a stamp that a suite's files don't hold: the configuration of the judges and embedding models that the checks
 * ask, and the values of the variables that programs of checks get. Empty where there are none of these.
 */
export function createDependencyHash(
  { askedModels }: Suite,
  { endpointOf, optionsOf, hashEnv }: DependencyHashOptions,
): (testCase: Pick<Case, 'checks' | 'turns'>) => string {
  const describe = (config: ProviderConfig) => {
    const { adapterVersion, baseUrl } = endpointOf(config);
    const address = baseUrl === undefined ? null : withoutUserinfo(baseUrl);
    const options = optionsOf(config);
    const described = [config.adapter, adapterVersion, address, config.model, config.params];
    return options === undefined ? described : [...described, options];
  };
  return ({ checks, turns }) => {
    const models = new Set<string>();
    const envNames: string[] = [];
    const collect = (found: readonly CheckSpec[]): void => {
      for (const { asks, code } of found) {
        if (asks !== undefined) models.add(asks);
        envNames.push(...(code?.envNames ?? []));
      }
      for (const { children } of found) if (children !== undefined) collect(children);
    };
    collect(checks);
    for (const turn of turns) if (turn.kind === 'user') collect(turn.checks);
    if (models.size === 0 && envNames.length === 0) return '';
    const described = askedModels.filter(({ id }) => models.has(id)).map(describe);
    return `.${sha256Hex(JSON.stringify([described, hashEnv(envNames)])).slice(0, 12)}`;
  };
}

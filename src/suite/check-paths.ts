import type { JsonObject } from '../json/json.ts';
import type { Contract } from '../model/suite.ts';
import type { SelectSpec } from '../model/verdict.ts';
import type { ContractKnowledge } from './contracts.ts';
import { childOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt } from './prompts.ts';

/** A JSONPath that an assertion goes along in the answer. */
export interface PlacedPath {
  readonly path: string;
  readonly at: Located;
  /** True for a selection, which must be there even under `not`. */
  readonly selects: boolean;
}

/** A selection and where it is written. */
export interface PlacedSelect {
  readonly select: SelectSpec;
  readonly at: Located;
}

/** The paths of a plain assertion that must lead somewhere for it to pass. */
export function findPaths(name: string, written: Located, placed: PlacedSelect | undefined): readonly PlacedPath[] {
  const selected = placed?.select.kind === 'jsonPath' ? placed.select.path : undefined;
  const selection =
    placed === undefined || selected === undefined ? [] : [{ path: selected, at: placed.at, selects: true }];
  const isWhole = placed === undefined || placed.select.kind === 'json';
  if (name !== 'jsonPath' || (!isWhole && selected === undefined)) return selection;
  const long = childOf(written, 'path');
  const at = typeof written.value === 'string' ? written : long;
  if (typeof at.value !== 'string' || at.value.includes('{{') || wantsNothing(written)) return selection;
  return [...selection, { path: (selected ?? '$') + at.value.trim().slice(1), at, selects: false }];
}

/** `exists: false` and a count of 0 are right where the schema has no such place. */
function wantsNothing(written: Located): boolean {
  const count = childOf(written, 'count');
  const most = typeof count.value === 'object' && count.value !== null ? childOf(count, 'max').value : count.value;
  return childOf(written, 'exists').value === false || Number(most ?? Number.NaN) === 0;
}

export interface PathContext {
  readonly problems: Problems;
  readonly contract: Contract;
  readonly prompts: readonly CompiledPrompt[];
  readonly contracts?: ContractKnowledge;
}

export type CheckPaths = (
  assertions: readonly { readonly paths: readonly PlacedPath[] }[],
  prompts: readonly string[] | undefined,
) => void;

/** Reports the paths of a case's assertions that no output schema of its prompts has; each place is looked at once. */
export function createPathCheck({ problems, contract, prompts, contracts }: PathContext): CheckPaths {
  const schemasByPrompts = new Map<string, ReadonlySet<JsonObject | boolean>>();
  const seen = new WeakMap<PlacedPath, Set<ReadonlySet<unknown>>>();
  const schemasFor = (only: readonly string[] | undefined): ReadonlySet<JsonObject | boolean> => {
    const key = JSON.stringify(only ?? null);
    const known = schemasByPrompts.get(key) ?? findSchemas(only);
    schemasByPrompts.set(key, known);
    return known;
  };
  /** None where a prompt promises nothing: there the path may lead somewhere. */
  function findSchemas(only: readonly string[] | undefined): ReadonlySet<JsonObject | boolean> {
    const schemas = prompts
      .filter(({ version }) => only === undefined || only.includes(version.id))
      .map(({ version }) => version.contract?.output ?? contract.output);
    const given = schemas.filter((schema) => schema !== undefined);
    return new Set(given.length < schemas.length ? [] : given);
  }
  return (assertions, only) => {
    if (contracts === undefined) return;
    for (const { paths } of assertions) {
      for (const placed of paths) {
        const schemas = schemasFor(only);
        const checked = seen.get(placed) ?? new Set();
        if (schemas.size === 0 || checked.has(schemas)) continue;
        seen.set(placed, checked.add(schemas));
        const faults = [...schemas].map((schema) => contracts.findPathFault(placed.path, schema));
        const [message] = faults;
        if (message === undefined || faults.includes(undefined)) continue;
        problems.report({ code: 'invalid-json-path', message, at: locate(placed.at) });
      }
    }
  };
}

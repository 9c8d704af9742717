import { retirementTable, type VendorRetirements } from './retirement-table.ts';

/** What a vendor says of the end of a model. */
export interface Retirement {
  /** The day of the end, ISO 8601. */
  readonly date: string;
  /** The vendor names the earliest day alone. */
  readonly isEarliest: boolean;
  readonly source: string;
  readonly asOf: string;
}

/** Undefined where no end is known. `adapter` wins over `priceProvider` where both have a schedule. */
export function findRetirement(model: {
  readonly adapter: string;
  readonly priceProvider?: string;
  readonly model: string;
}): Retirement | undefined {
  const vendor = [model.adapter, model.priceProvider ?? model.adapter].find((name) =>
    Object.hasOwn(retirementTable, name),
  );
  const found = vendor === undefined ? undefined : retirementTable[vendor];
  if (found === undefined) return undefined;
  const id = plainId(model.model);
  const { source, asOf } = found;
  const date = findDate(found.shutdowns, id);
  if (date !== undefined) return { date, isEarliest: false, source, asOf };
  const earliest = findDate(found.earliest ?? {}, id);
  return earliest === undefined ? undefined : { date: earliest, isEarliest: true, source, asOf };
}

function findDate(dates: VendorRetirements['shutdowns'], id: string): string | undefined {
  return Object.entries(dates).find(([, ids]) => ids.split(' ').includes(id))?.[0];
}

/** Without the region of a Bedrock inference profile and the folder of a Gemini model. */
function plainId(model: string): string {
  return model.replace(/^(us|eu|apac|global|us-gov|jp|au)\.(?=[a-z0-9]+\.)/, '').replace(/^models\//, '');
}

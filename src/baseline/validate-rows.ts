import { isJsonObject } from '../json/json.ts';
import {
  type BaselineCase,
  type BaselineVariant,
  baselineCaseSchema,
  baselineVariantSchema,
} from '../model/comparison/baseline.ts';
import { type StoredChecks, storedChecksSchema } from '../model/run/deciding-lines.ts';

export type BaselineRow = BaselineVariant | BaselineCase | StoredChecks;

const schemas = { case: baselineCaseSchema, variant: baselineVariantSchema, checks: storedChecksSchema };

/** A row of a baseline, or the reason why the value is none. */
export function checkRow(row: unknown): BaselineRow | string {
  if (!isJsonObject(row)) return 'it is not a JSON object';
  const { type } = row;
  if (type !== 'case' && type !== 'variant' && type !== 'checks') {
    return 'its "type" is neither "variant", "case" nor "checks"';
  }
  const parsed = schemas[type].safeParse(row);
  if (!parsed.success) {
    const [name = 'type'] = parsed.error.issues[0]?.path ?? [];
    return Object.hasOwn(row, name)
      ? `its "${String(name)}" has the wrong type or value`
      : `it has no "${String(name)}"`;
  }
  // The row itself keeps the order of its members.
  const valid = row as unknown as BaselineRow;
  return valid.type === 'case' && hasRepeatedTrial(valid) ? 'it holds a trial twice' : valid;
}

function hasRepeatedTrial({ trials, confirmations = [] }: BaselineCase): boolean {
  const indices = new Set([...trials, ...confirmations].map(({ trial }) => trial));
  return indices.size !== trials.length + confirmations.length;
}

import { canonicalJson, spell } from '../json/canonical-json.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type CaseRow, isPlainCase } from './case-rows.ts';
import { checkShape } from './describe-issues.ts';
import type { Located } from './locate.ts';
import type { Problems } from './problems.ts';
import { caseSchema } from './schema.ts';

/** The row with its settings as plain numbers; vars, expected and assertions keep every spelling. */
export function readRow(row: Located, problems: Problems): CaseRow | undefined {
  if (isPlainCase(row.value)) return row.value;
  const shaped = checkShape(caseSchema, withPlainSettings(row), { label: 'the case', problems });
  return shaped === undefined ? undefined : dropUndefined(shaped);
}

/** A case or a file of cases with its settings as plain numbers. */
export function withPlainSettings(row: Located): Located {
  const { value } = row;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return row;
  const settings = Object.entries(value).map(([key, item]) => [key, SPELLED_KEYS.has(key) ? item : plainNumbers(item)]);
  return { ...row, value: Object.fromEntries(settings) };
}

const SPELLED_KEYS = new Set(['id', 'vars', 'expected', 'assert', 'turns']);

function dropUndefined(value: object): CaseRow {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

export function idOf(own: CaseRow): string {
  return own.id === undefined ? hashInput(own) : spell(own.id);
}

function hashInput({ vars = {}, turns }: CaseRow): string {
  const said = turns?.map((turn) =>
    typeof turn === 'object' && turn !== null ? { ...turn, assert: undefined } : turn,
  );
  return sha256Hex(canonicalJson({ vars, turns: said })).slice(0, 8);
}

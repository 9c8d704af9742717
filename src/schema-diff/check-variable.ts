import { defined } from '../json/defined.ts';
import { checkSteps } from './check-json-path.ts';
import type { PathStep } from './parse-plain-path.ts';

/** A variable that a template reads and an input schema does not describe. */
export interface VariableMiss {
  readonly message: string;
  readonly nearest?: string;
  /** True where callers can't send it at all. */
  readonly closed: boolean;
}

/** Tells whether the values of an input schema have what a template reads, such as `order.items[0].id`. */
export function checkVariable(variable: string, schema: unknown): VariableMiss | undefined {
  const steps = parseVariable(variable);
  if (steps.length === 0) return undefined;
  const miss = checkSteps(steps, variable, schema);
  if (miss === undefined) return undefined;
  const { nearest, closed } = miss;
  const message = `the input schema ${closed ? 'does not allow' : 'does not describe'} "${variable}"`;
  return { message, closed, ...defined({ nearest }) };
}

/** Words that templates read of any list, map or text: what they stand behind is checked, they are not. */
const computed = new Set(['size', 'first', 'last']);

/** The steps up to the first that depends on another variable or is computed. */
function parseVariable(variable: string): readonly PathStep[] {
  const steps: PathStep[] = [];
  for (const [, name, index, quoted] of variable.matchAll(/(?:^|\.)([^.[\]]+)|\[(-?\d+)\]|\["([^"\\]*)"\]|\[/g)) {
    if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (name === undefined && quoted === undefined) break;
    else if (steps.length > 0 && name !== undefined && computed.has(name)) break;
    else steps.push({ kind: 'name', name: name ?? quoted ?? '' });
  }
  return steps;
}

import type { Draft, LeftOut } from './draft.ts';
import { isMap, type Written } from './written.ts';

type Vars = Readonly<Record<string, unknown>>;

export interface VarsContext {
  readonly draft: Draft;
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
}

/** The variables of one test, over those of the defaults: once for each combination of its lists of texts. */
export async function expandVars(
  parts: readonly Written[],
  { draft, readText }: VarsContext,
): Promise<readonly Vars[] | LeftOut> {
  const merged = new Map<string, Written>();
  for (const part of parts) {
    if (part.value === undefined) continue;
    if (!isMap(part.value))
      return draft.refuse(part, 'variables from a file have no equal here', 'write them in the test');
    for (const key of Object.keys(part.value)) merged.set(key, part.child(key));
  }
  let combinations: Vars[] = [{}];
  for (const [key, written] of merged) {
    const { value } = written;
    // A list of anything else is one value.
    const isMatrix = Array.isArray(value) && typeof value[0] === 'string';
    const values: unknown[] = [];
    for (const item of isMatrix ? written.items() : [written]) {
      const read = await readValue(item, { draft, readText });
      if (read !== null && typeof read === 'object' && 'reason' in read && 'at' in read) return read as LeftOut;
      values.push(read);
    }
    combinations = combinations.flatMap((vars) => values.map((one) => ({ ...vars, [key]: one })));
    if (combinations.length > 10_000) return draft.refuse(written, 'the lists of variables make more than 10000 cases');
  }
  const filled = combinations.map((vars) => fillIn(vars));
  const open = filled.flatMap((vars) => Object.keys(vars).filter((key) => isOpen(vars[key])));
  const [name] = open;
  if (name === undefined) return filled;
  return draft.refuse(
    merged.get(name) ?? parts[0] ?? neverThere(),
    `the variable "${name}" is a template of its own, which a value never is here`,
    'write out what it comes to',
  );
}

function neverThere(): never {
  throw new Error('A variable came from nowhere.');
}

async function readValue(written: Written, { draft, readText }: VarsContext): Promise<unknown> {
  const { value } = written;
  if (typeof value !== 'string') return value;
  if (value.startsWith('package:')) return draft.refuse(written, `${value} is code, which has no equal here`);
  if (!value.startsWith('file://')) return value.replace(/\n$/, '');
  if (!/\.(?:txt|md|json|html|csv|xml)$/i.test(value) || /[*?{}]/.test(value)) {
    return draft.refuse(written, `${value} is no text that can be taken over`, 'write the text in its place');
  }
  const text = await readText(value, written);
  return typeof text === 'string' ? text.trim() : text;
}

/** Names of other variables in a value are filled in, as long as those are plain texts. */
function fillIn(vars: Vars): Vars {
  return Object.fromEntries(
    Object.entries(vars).map(([key, value]) => {
      if (typeof value !== 'string') return [key, value];
      const filled = value.replaceAll(/\{\{\s*([A-Za-z_][\w-]*)\s*\}\}/g, (whole, name: string) => {
        const other = Object.hasOwn(vars, name) ? vars[name] : undefined;
        return typeof other === 'string' && !isOpen(other) && name !== key ? other : whole;
      });
      return [key, filled];
    }),
  );
}

function isOpen(value: unknown): boolean {
  return typeof value === 'string' && /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/.test(value);
}

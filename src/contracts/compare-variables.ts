import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import type { Finding } from '../model/finding.ts';
import { type Change, change, show } from '../schema-diff/compare/change.ts';
import { rootOf } from '../templates/template-values.ts';
import type { PromptContract, PromptVariable } from './describe-contract.ts';

/** Compares the variables of two templates. One that the input schema already reports as required is reported once. */
export function compareVariables(
  old: PromptContract,
  replacement: PromptContract,
  schemas: readonly Finding[],
): readonly Change[] {
  const before = byRoot(old.variables);
  const after = byRoot(replacement.variables);
  const changes: Change[] = [];
  for (const [name, variable] of after) {
    const known = before.get(name);
    const path = appendPointer('/variables', name);
    if (known === undefined) {
      const property = appendPointer('/inputSchema/properties', name);
      if (schemas.some((finding) => finding.path === property && finding.severity === 'error')) continue;
      if (variable.hasDefault) {
        const sides = { new: variable.default ?? null };
        changes.push(
          change('input-variable-added/default', path, `The template reads "${name}", which has a default.`, sides),
        );
      } else if (!isRequired(old.inputSchema, name)) {
        changes.push(
          change('input-variable-added', path, `The template reads "${name}", which callers do not send.`, {
            new: name,
          }),
        );
      }
    } else if (canonicalJson(defaultOf(known)) !== canonicalJson(defaultOf(variable))) {
      const [from, to] = [known, variable].map((side) => (side.hasDefault ? show(side.default ?? null) : 'none'));
      const sides = { old: known.default ?? null, new: variable.default ?? null };
      changes.push(
        change(
          'input-default-changed',
          path,
          `The default of "${name}" changed from ${from ?? ''} to ${to ?? ''}.`,
          sides,
        ),
      );
    }
  }
  for (const name of before.keys()) {
    if (after.has(name)) continue;
    const message = `The template does not read "${name}" any more; what callers send there is lost.`;
    changes.push(change('input-variable-unused', appendPointer('/variables', name), message, { old: name }));
  }
  return changes;
}

function byRoot(variables: readonly PromptVariable[]): ReadonlyMap<string, PromptVariable> {
  const known = new Map<string, PromptVariable>();
  for (const variable of variables) {
    const root = rootOf(variable.name);
    if (known.get(root)?.hasDefault !== true) known.set(root, variable);
  }
  return known;
}

function defaultOf(variable: PromptVariable): readonly JsonValue[] {
  return variable.hasDefault ? [variable.default ?? null] : [];
}

/** Whether callers already had to send it. */
function isRequired(schema: PromptContract['inputSchema'], name: string): boolean {
  if (typeof schema !== 'object') return false;
  const { required } = schema;
  return Array.isArray(required) && required.includes(name);
}

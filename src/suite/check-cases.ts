import type { Contract } from '../model/suite.ts';
import { addRoots, type CaseGroup } from './case-checks.ts';
import { createInputCheck } from './contracts.ts';
import { childOf, type Located, locate, valueAt } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt } from './prompts.ts';
import type { BuiltCase } from './stamp.ts';

/** Looks at a case when it is built, with the row that it came from. */
export type VisitCase = (built: BuiltCase, row: Located) => void;

/** Checks each case's vars against the input schema of each prompt that it runs on. */
export async function openInputCheck(
  contract: Contract,
  prompts: readonly CompiledPrompt[],
  problems: Problems,
): Promise<VisitCase> {
  const idsBySchema = new Map<NonNullable<Contract['input']>, string[]>();
  for (const { version } of prompts) {
    const input = version.contract?.input ?? contract.input;
    if (input !== undefined) idsBySchema.set(input, [...(idsBySchema.get(input) ?? []), version.id]);
  }
  const checks: { readonly ids: readonly string[]; readonly find: Awaited<ReturnType<typeof createInputCheck>> }[] = [];
  for (const [schema, ids] of idsBySchema) checks.push({ ids, find: await createInputCheck(schema) });
  return ({ id, vars, prompts: only }, row) => {
    for (const { ids, find } of checks) {
      if (only !== undefined && !ids.some((prompt) => only.includes(prompt))) continue;
      for (const { path, message } of find(vars)) {
        const [, key] = /^\$\.(\w+)/.exec(path) ?? [];
        const place = childOf(row, 'vars');
        problems.report({
          code: 'contract-input',
          message: `case "${id}" breaks the input contract: ${path.replace('$', 'vars')} ${message}`,
          at: locate(key === undefined ? place : childOf(place, key)),
        });
      }
    }
  };
}

/** A variable that nothing reads is most likely mistyped; said once for each name. */
export function openUnusedCheck(
  defaults: CaseGroup,
  prompts: readonly CompiledPrompt[],
  problems: Problems,
): { readonly visit: VisitCase; readonly report: (variables: ReadonlySet<string>) => void } {
  const known = new Set(Object.keys(defaults.settings.vars ?? {}));
  for (const { templates } of prompts) for (const { template } of templates) addRoots(template.variables, known);
  const found = new Map<string, Located>();
  return {
    visit(_, row) {
      const value = valueAt(row, 'vars');
      if (typeof value !== 'object' || value === null) return;
      for (const name of Object.keys(value)) if (!known.has(name) && !found.has(name)) found.set(name, row);
    },
    report(variables) {
      // With templates missing, what is used can't be said.
      if (problems.errorCount() > 0) return;
      for (const [name, row] of found) {
        if (variables.has(name)) continue;
        problems.warn({
          code: 'unused-variable',
          message: `no template reads the variable "${name}"`,
          hint: `write {{ ${name} }} in a prompt, or remove it`,
          at: locate(childOf(childOf(row, 'vars'), name), 'key'),
        });
      }
    },
  };
}

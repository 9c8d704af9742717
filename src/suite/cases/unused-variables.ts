import type { VisitCase } from '../contracts/check-contract.ts';
import { childOf, type Located, locate, valueAt } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import { addRoots } from './case-checks.ts';
import type { CaseGroup } from './case-row.ts';

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

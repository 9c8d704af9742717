import type { Contract } from '../model/suite.ts';
import { addRoots, type CaseGroup } from './case-checks.ts';
import type { BuiltCase, GroupedRow } from './cases.ts';
import { createInputCheck } from './contracts.ts';
import { childOf, locate, valueAt } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt } from './prompts.ts';

/** Checks every case's vars against the input schema of each prompt that it runs on. */
export async function checkInputs(
  cases: readonly BuiltCase[],
  rows: readonly GroupedRow[],
  contract: Contract,
  prompts: readonly CompiledPrompt[],
  problems: Problems,
): Promise<void> {
  const schemas = new Map<Contract['input'], string[]>();
  for (const { version } of prompts) {
    const input = version.contract?.input ?? contract.input;
    if (input !== undefined) schemas.set(input, [...(schemas.get(input) ?? []), version.id]);
  }
  if (schemas.size === 0) return;
  const rowOf = new Map(rows.map(({ row }) => [`${locate(row).file}:${locate(row).line}:${locate(row).column}`, row]));
  for (const [schema, ids] of schemas) {
    if (schema === undefined) continue;
    const findViolation = await createInputCheck(schema);
    for (const { id, vars, at, prompts: only } of cases) {
      if (only !== undefined && !ids.some((prompt) => only.includes(prompt))) continue;
      const violation = findViolation(vars);
      if (violation === undefined) continue;
      const row = rowOf.get(`${at.file}:${at.line}:${at.column}`);
      const [, key] = /^\$\.(\w+)/.exec(violation.path) ?? [];
      const place = row === undefined ? undefined : childOf(row, 'vars');
      problems.report({
        code: 'contract-input',
        message: `case "${id}" breaks the input contract: ${violation.path.replace('$', 'vars')} ${violation.message}`,
        at: place === undefined ? at : locate(key === undefined ? place : childOf(place, key)),
      });
    }
  }
}

/** A variable that nothing reads is most likely mistyped; said once for each name. */
export function warnOfUnused(
  rows: readonly GroupedRow[],
  defaults: CaseGroup,
  prompts: readonly CompiledPrompt[],
  variables: ReadonlySet<string>,
  problems: Problems,
): void {
  // With templates missing, what is used can't be said.
  if (problems.errorCount() > 0) return;
  const used = new Set(variables);
  for (const { templates } of prompts) for (const { template } of templates) addRoots(template.variables, used);
  const said = new Set(Object.keys(defaults.settings.vars ?? {}));
  for (const { row } of rows) {
    const value = valueAt(row, 'vars');
    if (typeof value !== 'object' || value === null) continue;
    for (const name of Object.keys(value)) {
      if (used.has(name) || said.has(name)) continue;
      said.add(name);
      const vars = childOf(row, 'vars');
      problems.warn({
        code: 'unused-variable',
        message: `no template reads the variable "${name}"`,
        hint: `write {{ ${name} }} in a prompt, or remove it`,
        at: locate(childOf(vars, name), 'key'),
      });
    }
  }
}

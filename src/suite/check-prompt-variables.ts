import type { Contract } from '../model/suite.ts';
import type { ContractKnowledge } from './contracts.ts';
import { findTemplateVariable, positionAt } from './find-template-variable.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt, PlacedTemplate } from './prompts.ts';

export interface PromptVariableContext {
  readonly problems: Problems;
  readonly contracts?: ContractKnowledge;
}

/** Holds what each prompt reads against the input schema that callers see. */
export function checkPromptVariables(
  prompts: readonly CompiledPrompt[],
  contract: Contract,
  { problems, contracts }: PromptVariableContext,
): void {
  if (contracts === undefined) return;
  for (const { version, templates } of prompts) {
    const schema = version.contract?.input ?? contract.input;
    if (schema === undefined) continue;
    for (const placed of templates) {
      for (const variable of placed.template.variables) {
        const fault = contracts.findVariableFault(variable, schema);
        if (fault === undefined) continue;
        const { message, nearest, closed } = fault;
        const problem = {
          code: 'contract-input',
          message: `prompt "${version.id}" reads "${variable}": ${message}`,
          hint:
            nearest === undefined
              ? 'add it to contract.input, or take it out of the prompt'
              : `did you mean "${nearest}"?`,
          at: placeOfVariable(placed, variable),
        } as const;
        if (closed) problems.report(problem);
        else problems.warn(problem);
      }
    }
  }
}

function placeOfVariable({ template, at }: PlacedTemplate, variable: string) {
  const { line, column } = positionAt(template.source, findTemplateVariable(template.source, variable) ?? 0);
  return at(line, column);
}

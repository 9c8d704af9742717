import type { Finding } from '../model/finding.ts';
import { comparePromptContracts, type PromptComparisonOptions } from './compare-prompt-contracts.ts';
import { change } from './comparer.ts';
import { gradeChanges } from './grade-changes.ts';
import { appendPointer } from './json-pointer.ts';
import type { PromptContract } from './prompt-contract.ts';

/** Compares the prompts of two states of a project, paired by id; `replaces` tells a rename from a removal. */
export function comparePromptSets(
  old: readonly PromptContract[],
  replacement: readonly PromptContract[],
  options: PromptComparisonOptions = {},
): readonly Finding[] {
  const before = new Map(old.map((prompt) => [prompt.promptId, prompt]));
  const after = new Map(replacement.map((prompt) => [prompt.promptId, prompt]));
  const findings: Finding[] = [];
  for (const prompt of replacement) {
    const known = before.get(prompt.promptId);
    if (known !== undefined) findings.push(...comparePromptContracts(known, prompt, options));
  }
  for (const { promptId } of old) {
    if (after.has(promptId)) continue;
    const heir = replacement.find(({ replaces }) => replaces === promptId);
    const path = appendPointer('/prompts', promptId);
    const found =
      heir === undefined
        ? change('prompt-removed', path, `The prompt "${promptId}" was removed.`, { old: promptId })
        : change('prompt-renamed', path, `The prompt "${promptId}" is now "${heir.promptId}".`, {
            old: promptId,
            new: heir.promptId,
          });
    findings.push(...gradeChanges([found], { ...options, direction: 'output', promptId }));
    const known = before.get(promptId);
    if (heir !== undefined && known !== undefined && !before.has(heir.promptId)) {
      findings.push(...comparePromptContracts(known, heir, options));
    }
  }
  return findings;
}

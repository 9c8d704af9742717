import { appendPointer } from '../json/json-pointer.ts';
import type { Finding } from '../model/finding.ts';
import { change } from '../schema-diff/comparer.ts';
import { gradeChanges } from '../schema-diff/grade-changes.ts';
import type { PromptContract } from '../schema-diff/prompt-contract.ts';
import { SchemaProblem } from '../schema-diff/schema-problem.ts';
import { comparePromptContracts, type PromptComparisonOptions } from './compare-prompt-contracts.ts';

/** The findings of one prompt; of one that is gone, under its old id. */
export interface PromptSetFindings {
  readonly promptId: string;
  readonly findings: readonly Finding[];
}

/**
 * Compares the prompts of two states of a project, paired by id; a new one that replaces an old one is held against it.
 * `optionsOf` gives each prompt's own policy.
 */
export function comparePromptSets(
  old: readonly PromptContract[],
  replacement: readonly PromptContract[],
  optionsOf: (promptId: string) => PromptComparisonOptions = () => ({}),
): readonly PromptSetFindings[] {
  const before = new Map(old.map((prompt) => [prompt.promptId, prompt]));
  const after = new Set(replacement.map(({ promptId }) => promptId));
  const compared = replacement.flatMap((prompt): readonly PromptSetFindings[] => {
    const { promptId, replaces } = prompt;
    const known = before.get(promptId) ?? (replaces === undefined ? undefined : before.get(replaces));
    if (known === undefined) return [];
    return [{ promptId, findings: comparePair(known, prompt, optionsOf(promptId)) }];
  });
  const added = replacement.filter(({ promptId }) => !before.has(promptId));
  const gone = old
    .filter(({ promptId }) => !after.has(promptId))
    .map((lost) => {
      const { promptId } = lost;
      const heir = added.find(({ replaces }) => replaces === promptId) ?? findTwin(lost, added);
      const path = appendPointer('/prompts', promptId);
      const found =
        heir === undefined
          ? change('prompt-removed', path, `The prompt "${promptId}" was removed.`, { old: promptId })
          : change('prompt-renamed', path, `The prompt "${promptId}" seems to be renamed to "${heir.promptId}".`, {
              old: promptId,
              new: heir.promptId,
            });
      const options = { ...optionsOf(heir?.promptId ?? promptId), direction: 'output', promptId } as const;
      return { promptId, findings: gradeChanges([found], options) };
    });
  return [...gone, ...compared];
}

/** The only new prompt that others can rely on in the very same way: most likely the same one under another name. */
function findTwin(lost: PromptContract, added: readonly PromptContract[]): PromptContract | undefined {
  const [twin, another] = added.filter(
    (prompt) => prompt.replaces === undefined && comparePair(lost, prompt, {}).length === 0,
  );
  return another === undefined ? twin : undefined;
}

/** A schema that can't be read is reported with its prompt, under the id that it has on its side. */
function comparePair(old: PromptContract, replacement: PromptContract, options: PromptComparisonOptions) {
  try {
    return comparePromptContracts(old, replacement, options);
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const { promptId } = error.side === 'old' ? old : replacement;
    throw new SchemaProblem(error.pointer, error.message, { side: error.side, hint: error.hint, promptId });
  }
}

import type { PromptText, VariantComparison } from '../model/report.ts';

/** Both prompts as one text each, so that a message more or less is a difference like any other. */
export function promptSides({ baseline, candidate }: NonNullable<VariantComparison['prompts']>) {
  const text = (messages: readonly PromptText[]): string =>
    messages
      .map(({ role, content, attach = [] }) => {
        const files = attach.map((path) => `with the file ${path}\n`);
        return `${role}:\n${content.replace(/\n+$/, '')}\n${files.join('')}`;
      })
      .join('');
  return { expected: text(baseline), found: text(candidate) };
}

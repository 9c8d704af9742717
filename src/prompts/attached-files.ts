import type { PromptVersion } from '../model/suite.ts';
import { hasMedia, listWrittenMedia } from '../templates/media.ts';

/** A template of another language shows what it attaches only when it is rendered. */
export function mayAttach(prompt: AttachingPrompt): boolean {
  if (prompt.expand === undefined) return prompt.messages.some(({ attach }) => attach !== undefined);
  return listSources(prompt).some(hasMedia);
}

type AttachingPrompt = Pick<PromptVersion, 'messages' | 'expand'>;

/** The files that a prompt attaches whatever the case. */
export function listOwnFiles(prompt: AttachingPrompt): readonly string[] {
  if (prompt.expand !== undefined) return listSources(prompt).flatMap(listWrittenMedia);
  const attached = prompt.messages.flatMap(({ attach = [] }) => attach);
  return attached.filter(({ variables }) => variables.length === 0).map(({ source }) => source);
}

function listSources({ messages }: AttachingPrompt): readonly string[] {
  return messages.flatMap(({ template: { source, language } }) => [source, ...Object.values(language?.partials ?? {})]);
}

import type { PromptVersion } from '../model/suite/suite.ts';
import { hasMedia, listWrittenMedia } from '../templates/media.ts';

/** True if a prompt may attach files. Templates of other languages show this only when rendered. */
export function mayAttach(prompt: AttachingPrompt): boolean {
  if (prompt.expand === undefined) return prompt.messages.some(({ attach }) => attach !== undefined);
  return listSources(prompt).some(hasMedia);
}

type AttachingPrompt = Pick<PromptVersion, 'messages' | 'expand'>;

/** Files that a prompt attaches in every case. */
export function listOwnFiles(prompt: AttachingPrompt): readonly string[] {
  if (prompt.expand !== undefined) return listSources(prompt).flatMap(listWrittenMedia);
  const attached = prompt.messages.flatMap(({ attach = [] }) => attach);
  return attached.filter(({ variables }) => variables.length === 0).map(({ source }) => source);
}

function listSources({ messages }: AttachingPrompt): readonly string[] {
  return messages.flatMap(({ template: { source, language } }) => [source, ...Object.values(language?.partials ?? {})]);
}

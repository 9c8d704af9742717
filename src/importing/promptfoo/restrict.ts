import { type Draft, LeftOut, type Written } from '../draft.ts';
import type { ConvertedPrompt } from './prompts.ts';

export type NamedPrompt = ConvertedPrompt & { readonly id: string };

/** A provider of the suite, and what a test may call it. */
export interface NamedProvider {
  readonly id: string;
  readonly names: readonly string[];
}

/** The prompts of a test, where it names some. */
export function restrictPrompts(
  layers: readonly Written[],
  prompts: readonly (NamedPrompt | LeftOut)[],
  draft: Draft,
): readonly string[] | LeftOut | undefined {
  const part = layers.map((layer) => layer.child('prompts')).findLast(({ value }) => value !== undefined);
  if (part === undefined) return undefined;
  const wanted = part.items().map(({ value }) => String(value));
  const found = prompts.flatMap((prompt) =>
    !(prompt instanceof LeftOut) && wanted.includes(prompt.label) ? [prompt.id] : [],
  );
  return found.length === wanted.length && wanted.length > 0
    ? found
    : draft.refuse(part, 'prompts of a test must be labels of the config');
}

/** The providers of a test, where it names some: by a label, an id, the beginning of one before a colon, or before a star. */
export function restrictProviders(
  layers: readonly Written[],
  providers: readonly NamedProvider[],
  draft: Draft,
): readonly string[] | LeftOut | undefined {
  const part = layers.map((layer) => layer.child('providers')).findLast(({ value }) => value !== undefined);
  if (part === undefined) return undefined;
  const wanted = part.items().map(({ value }) => String(value));
  const found = providers.filter(({ names }) => wanted.some((ref) => names.some((name) => isMeant(ref, name))));
  if (found.length > 0) return found.map(({ id }) => id);
  return draft.refuse(part, 'providers of a test must be labels or ids of the config');
}

function isMeant(ref: string, name: string): boolean {
  return ref.endsWith('*') ? name.startsWith(ref.slice(0, -1)) : name === ref || name.startsWith(`${ref}:`);
}

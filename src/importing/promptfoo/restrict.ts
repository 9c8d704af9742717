import { type Draft, LeftOut, quote, type Written } from '../draft.ts';
import type { ConvertedPrompt } from './prompts.ts';

export type NamedPrompt = ConvertedPrompt & { readonly id: string };

/** A provider of the suite and its names in tests. */
export interface NamedProvider {
  readonly id: string;
  readonly names: readonly string[];
}

/** Ids of the prompts that a test names, if any. */
export function restrictPrompts(
  layers: readonly Written[],
  prompts: readonly (NamedPrompt | LeftOut)[],
  draft: Draft,
): readonly string[] | LeftOut | undefined {
  const part = layers.map((layer) => layer.child('prompts')).findLast(({ value }) => value !== undefined);
  if (part === undefined) return undefined;
  const known = prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : [prompt]));
  const isKnown = part.items().every(({ value }) => known.some((prompt) => isNamed(prompt, value)));
  const found = known.filter((prompt) => part.items().some(({ value }) => isNamed(prompt, value)));
  return found.length > 0 && isKnown
    ? found.map(({ id }) => id)
    : draft.refuse(part, 'prompts of a test must be labels of the config');
}

/** Restricts prompts to the providers whose entries name them. */
export function limitPrompts(
  prompts: readonly (NamedPrompt | LeftOut)[],
  providers: readonly { readonly id: string; readonly prompts: Written }[],
  draft: Draft,
): readonly (NamedPrompt | LeftOut)[] {
  for (const { prompts: part } of providers)
    for (const item of part.items())
      if (!prompts.some((prompt) => !(prompt instanceof LeftOut) && isNamed(prompt, item.value)))
        draft.refuse(item, 'prompts of a provider must be labels of the config');
  return prompts.map((prompt) => {
    if (prompt instanceof LeftOut) return prompt;
    const asked = providers.filter(
      ({ prompts: part }) => part.value === undefined || part.items().some(({ value }) => isNamed(prompt, value)),
    );
    if (asked.length === providers.length) return prompt;
    const [first] = providers;
    if (asked.length === 0 && first !== undefined)
      return draft.refuse(first.prompts, `no provider is asked with the prompt "${quote(prompt.label)}"`);
    return { ...prompt, prompt: { ...prompt.prompt, providers: asked.map(({ id }) => id) } };
  });
}

function isNamed({ label }: NamedPrompt, ref: unknown): boolean {
  return [label, label.replace(/^file:\/\//, '')].some((name) => isMeant(String(ref), name));
}

/** Ids of the providers that a test names: by label, id, or prefix before a colon or star. */
export function restrictProviders(
  layers: readonly Written[],
  providers: readonly NamedProvider[],
  draft: Draft,
): readonly string[] | LeftOut | undefined {
  const part = layers.map((layer) => layer.child('providers')).findLast(({ value }) => value !== undefined);
  if (part === undefined) return undefined;
  const wanted = part.items().map(({ value }) => String(value));
  const found = providers.filter(({ names }) => wanted.some((ref) => names.some((name) => isMeant(ref, name))));
  const odd = part.items().find(({ value }) => typeof value !== 'string');
  if (odd !== undefined) return draft.refuse(odd, 'promptfoo takes nothing but labels and ids of the config here');
  if (found.length > 0) return found.map(({ id }) => id);
  return draft.refuse(part, 'providers of a test must be labels or ids of the config');
}

function isMeant(ref: string, name: string): boolean {
  return ref.endsWith('*') ? name.startsWith(ref.slice(0, -1)) : name === ref || name.startsWith(`${ref}:`);
}

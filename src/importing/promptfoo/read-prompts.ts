import { LeftOut, nameOf, placeAt, type Written } from '../draft.ts';
import { changeVars, type VarsChange } from './case-vars.ts';
import { convertPrompt, findPromptConfig, type PromptContext, readNamedPrompts } from './prompts.ts';
import type { NamedPrompt } from './restrict.ts';

/** The prompts of a config, each with an id of its own. */
export async function readPrompts(
  config: Written,
  defaults: Written,
  change: VarsChange | undefined,
  context: Omit<PromptContext, 'isConfigShared' | 'prefix' | 'suffix'>,
): Promise<readonly (NamedPrompt | LeftOut)[]> {
  const options = defaults.child('options');
  const { prefix, suffix } = Object(options.value) as { readonly prefix?: unknown; readonly suffix?: unknown };
  const part = config.child('prompts');
  // Without prompts, promptfoo sends the variable of that name.
  const missing = placeAt('{{prompt}}', config.at());
  const items = part.value === undefined ? [missing] : typeof part.value === 'string' ? [part] : readNamedPrompts(part);
  if (items.length === 0) return [context.draft.refuse(part, 'there are no prompts')];
  const ids = new Set<string>();
  const prompts: (NamedPrompt | LeftOut)[] = [];
  for (const item of items) {
    const converted = await convertPrompt(item, {
      ...context,
      isConfigShared: findPromptConfig(part) !== undefined,
      prefix: typeof prefix === 'string' ? prefix : '',
      suffix: typeof suffix === 'string' ? suffix : '',
    });
    for (const prompt of converted) {
      const changed =
        prompt instanceof LeftOut || change === undefined
          ? prompt
          : changeVars(prompt, change, { written: item, ...context });
      if (changed instanceof LeftOut) prompts.push(changed);
      else prompts.push({ ...changed, id: nameOf(changed.label, ids, 'prompt') });
    }
  }
  return prompts;
}

import { defined } from '../json/defined.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { reportWritten } from './check-params.ts';
import { childOf, itemsOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CompiledPrompt } from './prompts.ts';

interface WrittenContext {
  readonly prompts: Located;
  readonly providers: readonly ProviderConfig[];
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
}

/** Reports params of a prompt that an adapter of its suite writes itself, and a system message that stands in params too. */
export function checkPromptParams({ version }: CompiledPrompt, context: WrittenContext): void {
  const { prompts, providers, adapters, problems } = context;
  const item = itemsOf(prompts).find((prompt) => childOf(prompt, 'id').value === version.id);
  const placeOf = (member: string) => {
    const part = item === undefined ? undefined : childOf(childOf(item, 'params'), member);
    return part?.value === undefined ? version.at : locate(part, 'key');
  };
  const hasSystem = version.messages.some(({ role }) => role === 'system' || role === 'developer');
  for (const provider of providers) {
    const adapter = Object.hasOwn(adapters, provider.adapter) ? adapters[provider.adapter] : undefined;
    const { writes = [], systemMember = '' } = adapter ?? {};
    for (const member of writes) {
      if (Object.hasOwn(version.params, member)) reportWritten(member, problems, placeOf(member));
    }
    const isOwn = Object.hasOwn(version.params, systemMember);
    if (!hasSystem || !(isOwn || Object.hasOwn(provider.params, systemMember))) continue;
    const at = isOwn ? placeOf(systemMember) : provider.at;
    problems.report({
      code: 'invalid-value',
      message: `params: ${systemMember} and the system message of the prompt "${version.id}" exclude each other`,
      hint: `leave ${systemMember} out: the system message of the prompt is sent`,
      ...defined({ at }),
    });
  }
}

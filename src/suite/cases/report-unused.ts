import { defined } from '../../json/defined.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import { addRoots } from './case-checks.ts';
import type { CaseGroup } from './open-case-files.ts';
import { type StubUse, warnOfUndeclared } from './suite-tools.ts';

interface ReadParts {
  readonly problems: Problems;
  readonly defaults: CaseGroup;
  readonly prompts: readonly CompiledPrompt[];
  readonly providers: readonly ProviderConfig[];
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly config: { readonly providers: readonly ProviderConfig[] };
  /** The variables that checks, stubs and classes read. */
  readonly variables: ReadonlySet<string>;
  readonly declaredTools: ReadonlySet<string> | undefined;
  readonly stubUse: StubUse;
}

/**
 * Reports each unused name once. After an error, not all used variables are known. `rows` has the first row that sets
 * each name.
 */
export function reportUnused(rows: ReadonlyMap<string, Located>, parts: ReadParts): void {
  const { problems, defaults, prompts, providers, adapters, variables, declaredTools, stubUse } = parts;
  if (problems.errorCount() > 0) return;
  if (declaredTools !== undefined) warnOfUndeclared(stubUse, declaredTools, problems);
  const sent = providers.flatMap((provider) => adapters[provider.adapter]?.varsOf?.(provider) ?? []);
  const used = new Set([...variables, ...sent, ...Object.keys(defaults.settings.vars ?? {})]);
  if (prompts.some(({ readsAll }) => readsAll === true)) return;
  for (const { templates } of prompts) for (const { template } of templates) addRoots(template.variables, used);
  for (const [name, row] of rows) {
    if (used.has(name)) continue;
    problems.warn({
      code: 'unused-variable',
      message: `no template reads the variable "${name}"`,
      hint: `write {{ ${name} }} in a prompt, or remove it`,
      at: locate(childOf(childOf(row, 'vars'), name), 'key'),
    });
  }
}

/**
 * Warns of variables that the suite's own providers use but no case sets. Skips the config's providers, which other
 * suites use too.
 */
export function warnOfMissing(given: ReadonlySet<string>, { providers, adapters, config, problems }: ReadParts): void {
  if (problems.errorCount() > 0) return;
  for (const provider of providers.filter((one) => !config.providers.includes(one))) {
    for (const name of adapters[provider.adapter]?.varsOf?.(provider) ?? []) {
      if (given.has(name)) continue;
      problems.warn({
        code: 'missing-variable',
        message: `no case has the variable "${name}", which provider "${provider.id}" is sent`,
        hint: didYouMean(name, given) ?? 'add it to the cases, or remove it from the provider',
        ...defined({ at: provider.at }),
      });
    }
  }
}

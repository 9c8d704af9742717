import { dirname } from 'node:path';
import { defined } from '../../json/defined.ts';
import { isSystemRole } from '../../model/run/completion.ts';
import type { PromptModel } from '../../model/suite/prompt-file.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import { hasWorkspace, type PromptVersion, type ProviderConfig, providersOf } from '../../model/suite/suite.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import type { Config } from '../config.ts';
import { checkPart, writtenIds } from '../documents/check-shape.ts';
import { childOf, fixedSource, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import { suiteShape } from '../schema/suite-schema.ts';
import { reportWritten } from './check-params.ts';
import { parseProviders } from './parse-providers.ts';

interface EndpointContext {
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
  readonly files: ProjectFiles;
  readonly config: Config;
  /** True for a prompt file that is run as a suite: its model comes before the config's providers. */
  readonly isPromptFile?: boolean;
}

/** Providers or judges. */
export interface Endpoints {
  readonly list: readonly ProviderConfig[];
  /** All ids in the file, including entries with errors. */
  readonly known: readonly string[];
}

interface SuiteEndpoints extends Endpoints {
  /** The provider of each model that a prompt file names. Unset if the suite or the config names providers. */
  readonly byModel?: ReadonlyMap<string, string>;
}

/** The suite's own providers, else the config's, else the models that the prompt files name. */
export function parseSuiteProviders(
  document: Located,
  prompts: readonly CompiledPrompt[],
  context: EndpointContext,
): SuiteEndpoints {
  const { problems, config, isPromptFile = false } = context;
  const models = prompts.flatMap(({ model }) => model ?? []);
  const isNamed = childOf(document, 'providers').value !== undefined;
  const usesModels = models.length > 0 && (isPromptFile || config.providers.length === 0);
  if (isNamed || !usesModels) {
    if (!isNamed && config.providers.length === 0) {
      problems.refuse(
        document,
        `the ${isPromptFile ? 'prompt names no model' : 'suite has no providers'}, and no config has any`,
        isPromptFile
          ? 'add model: openai/gpt-4o-mini to it, or providers to llmcheck.config.yaml'
          : 'add providers: [openai:gpt-4o-mini], for example',
      );
    }
    return parseEndpoints('providers', document, context);
  }
  const list: ProviderConfig[] = [];
  const byModel = new Map<string, string>();
  for (const model of models) {
    const provider = buildModelProvider(model, context);
    if (provider === undefined) continue;
    byModel.set(model.written, provider.id);
    if (!list.some(({ id }) => id === provider.id)) list.push(provider);
  }
  return { list, known: list.map(({ id }) => id), byModel };
}

/** A provider of the config with the model's own name, else its adapter and model. */
function buildModelProvider(
  { written, use, hint, at }: PromptModel,
  context: EndpointContext,
): ProviderConfig | undefined {
  const { problems, config } = context;
  if (use === undefined && !config.providers.some(({ id }) => id === written)) {
    const message = `no adapter is known for the model "${written}"`;
    problems.report({ code: 'unknown-adapter', message, at, ...defined({ hint }) });
    return undefined;
  }
  const id = config.providers.some((provider) => provider.id === written) ? written : use;
  const located = { value: [id], source: fixedSource({ file: at.file, folder: dirname(at.file) }, at), path: [] };
  const [provider] = parseProviders(located, {
    ...context,
    known: config.providers,
    writtenIds: config.writtenIds,
    noun: 'provider',
  });
  return provider;
}

/** Each prompt runs on the model that its own file names. */
export function restrictToModel({ version, model }: CompiledPrompt, { byModel }: SuiteEndpoints): PromptVersion {
  const provider = model === undefined ? undefined : byModel?.get(model.written);
  return provider === undefined ? version : { ...version, providers: [provider] };
}

/** The suite's own providers or judges, else the config's. */
export function parseEndpoints(key: 'providers' | 'judges', document: Located, context: EndpointContext): Endpoints {
  const { problems, config } = context;
  const written = childOf(document, key);
  if (written.value === undefined) return { list: config[key], known: config[key].map(({ id }) => id) };
  if (checkPart(document, key, suiteShape[key], problems) === undefined) return { list: [], known: [] };
  const noun = key === 'providers' ? 'provider' : 'judge';
  const list = parseProviders(written, { ...context, known: config[key], writtenIds: config.writtenIds, noun });
  return { list, known: writtenIds(written) };
}

/** Reports providers of prompts that the suite lacks, and files for a workspace that a provider lacks. */
export function checkPromptProviders(
  prompts: readonly CompiledPrompt[],
  { list, providers, problems }: { readonly list: Located; readonly providers: Endpoints; readonly problems: Problems },
): void {
  for (const { version } of prompts) {
    const item = itemsOf(list).find((prompt) => childOf(prompt, 'id').value === version.id);
    if (item === undefined) continue;
    for (const [index, name] of (version.providers ?? []).entries()) {
      if (providers.known.includes(name)) continue;
      const hint = didYouMean(name, providers.known) ?? `known: ${providers.known.join(', ')}`;
      const at = locate(childOf(childOf(item, 'providers'), index));
      problems.report({ code: 'unknown-id', message: `"${name}" is not a provider of this suite`, hint, at });
    }
    const without =
      version.workspace && providersOf({ providers: providers.list }, version).find((one) => !hasWorkspace(one));
    if (without === undefined) continue;
    problems.report({
      code: 'invalid-value',
      message: `the prompt "${version.id}" puts files into a workspace, and provider "${without.id}" has none`,
      hint: 'give it workspace: FOLDER, or name the providers of the prompt with providers: […]',
      at: locate(childOf(item, 'workspace'), 'key'),
    });
  }
}

interface ParamsContext {
  /** The prompts as written. */
  readonly list: Located;
  readonly providers: readonly ProviderConfig[];
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
}

/** Reports params of prompts that an adapter of their suite writes itself, and a system message that params repeat. */
export function checkPromptParams(prompts: readonly CompiledPrompt[], context: ParamsContext): void {
  const { list, providers, adapters, problems } = context;
  for (const { version } of prompts) {
    const item = itemsOf(list).find((prompt) => childOf(prompt, 'id').value === version.id);
    const placeOf = (member: string) => {
      const part = item && childOf(childOf(item, 'params'), member);
      return part?.value === undefined ? version.at : locate(part, 'key');
    };
    const hasSystem = version.messages.some(({ role }) => isSystemRole(role));
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
}

import { resolve } from 'node:path';
import { readOrUndefined } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import { suiteVariantKey } from '../model/run/cell.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import type { PromptFileContent } from '../model/suite/prompt-file.ts';
import { type WrittenMessage } from '../model/suite/recorded-settings.ts';
import { type PromptVersion, type ProviderConfig, providersOf, type Suite } from '../model/suite/suite.ts';
import { buildParams } from '../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { loadProjectAtRef } from '../project/project-at-ref.ts';
import { parsePromptFile } from '../prompts/parse-prompt-file.ts';
import { compileWritten } from '../prompts/prompt-template.ts';
import { displayPath } from '../suite/files/project-place.ts';
import { quote } from '../text/shorten.ts';
import type { Prober } from './open-prober.ts';

/** The prompt before the change, asked with the settings of the variant after it. */
export type EarlierPrompt =
  | { readonly is: 'askable'; readonly variant: RenderedVariant; readonly name: string }
  | { readonly is: 'unavailable'; readonly why: string };

/** Finds the earlier prompt of a variant; undefined if there is none. */
export type FindEarlier = (suite: Suite, variant: RenderedVariant) => EarlierPrompt | undefined;

/** True if `--from` names a prompt, not a baseline. */
export function isPromptSource(from: string, { suites }: RunOptions['project']): boolean {
  const isPrompt = suites.some(({ prompts }) => prompts.some(({ id }) => id === from));
  return isPrompt || from.startsWith('git:') || promptFile.test(from);
}

const promptFile = /\.(?:md|txt|prompt|prompty|ya?ml|prompt\.ya?ml)$/i;

/**
 * Opens the source named by `--from`. Without it, or for the name of a baseline, returns the side that a run compares
 * with.
 */
export async function openEarlier(
  from: string | undefined,
  prober: Prober,
  ports: Pick<RunPorts, 'cwd' | 'env'>,
): Promise<FindEarlier> {
  const { project } = prober.options;
  if (from === undefined || !isPromptSource(from, project))
    return (suite, variant) => findAccepted(prober, suite, variant);
  if (from.startsWith('git:')) {
    const paths = project.suites.map(({ path }) => resolve(project.root, path));
    const { suites } = await loadProjectAtRef({ project, paths, against: from, ...ports });
    return (suite, variant) => {
      const old = suites.find(({ id }) => id === suite.id);
      return old === undefined
        ? undefined
        : findInSuite(old, variant, [variant.prompt.id, variant.prompt.replaces], from);
    };
  }
  if (promptFile.test(from)) {
    const prompt = await readPrompt(from, ports.cwd);
    return (_suite, variant) => {
      const params =
        Object.keys(prompt.params).length === 0 ? variant.params : { ...variant.provider.params, ...prompt.params };
      return toEarlier({ prompt, provider: variant.provider, params }, variant, from);
    };
  }
  return (suite, variant) => (variant.prompt.id === from ? undefined : findInSuite(suite, variant, [from], from));
}

function findAccepted(
  { acceptedPrompts, findBaseline }: Prober,
  suite: Suite,
  variant: RenderedVariant,
): EarlierPrompt | undefined {
  const { id, replaces } = variant.prompt;
  const accepted = acceptedPrompts.get(suiteVariantKey({ suite: suite.id, prompt: id, provider: variant.provider.id }));
  // The prompt that it replaces may not be selected.
  if (accepted === undefined)
    return replaces === undefined ? undefined : findInSuite(suite, variant, [replaces], replaces);
  const name = findBaseline(suite) === undefined && replaces !== undefined ? replaces : 'the accepted prompt';
  switch (accepted.state.is) {
    case 'unavailable':
      return { is: 'unavailable', why: accepted.state.why };
    case 'unchanged':
      return { is: 'askable', variant, name };
    case 'askable':
      if (accepted.variant && placedBy(accepted.variant.prompt) !== placedBy(variant.prompt)) return otherFiles;
      return accepted.variant && { is: 'askable', variant: accepted.variant, name };
  }
}

function findInSuite(
  suite: Suite,
  variant: RenderedVariant,
  ids: readonly (string | undefined)[],
  name: string,
): EarlierPrompt | undefined {
  const prompt = ids.flatMap((id) => suite.prompts.find((other) => other.id === id) ?? [])[0];
  if (prompt === undefined) return undefined;
  if (placedBy(prompt) !== placedBy(variant.prompt)) return otherFiles;
  const changed = findChangedFile(prompt, variant.prompt);
  if (changed !== undefined) return { is: 'unavailable', why: `the file ${changed} that it attached has changed` };
  const provider = providersOf(suite, prompt).find(({ id }) => id === variant.provider.id) ?? variant.provider;
  return toEarlier({ prompt, provider, params: buildParams(suite, prompt, provider) }, variant, name);
}

/**
 * Combines the earlier prompt, parameters and model with today's address. An old file must not decide where a key is
 * sent.
 */
function toEarlier(earlier: RenderedVariant, { prompt, provider }: RenderedVariant, name: string): EarlierPrompt {
  const { adapter } = earlier.provider;
  if (adapter !== provider.adapter) return { is: 'unavailable', why: `it was asked through ${adapter}` };
  // Only edits of the prompt are searched. Report other changed settings, or they would look like no cause at all.
  if (settingsOf(earlier.provider) !== settingsOf(provider)) {
    return { is: 'unavailable', why: `other settings of provider ${quote(provider.id)} have changed` };
  }
  if (earlier.prompt.messages.length === 0) {
    return { is: 'unavailable', why: 'code makes its messages, and only today’s code can be run' };
  }
  const { baselineOf: _baselineOf, contract: _contract, ...own } = earlier.prompt;
  return {
    is: 'askable',
    name,
    variant: {
      prompt: { ...own, id: prompt.id, ...defined({ contract: prompt.contract }) },
      provider: withModel(provider, earlier.provider.model),
      params: earlier.params,
    },
  };
}

/** Workspace files are not part of the prompt's text, so the search can't test them. A baseline does not store them. */
const otherFiles: EarlierPrompt = {
  is: 'unavailable',
  why: 'the files that it put into its workspace are others, or not known',
};

function placedBy({ workspace = [] }: PromptVersion): string {
  return JSON.stringify(workspace.map(({ path, sha256 }) => [path, sha256]));
}

/** An attached file that changed since then: the earlier prompt would be sent with today's content. */
function findChangedFile({ attached: earlier = [] }: PromptVersion, { attached = [] }: PromptVersion) {
  return attached.find(({ path, sha256 }) => earlier.some((file) => file.path === path && file.sha256 !== sha256))
    ?.path;
}

/** Provider settings that can change an answer, other than prompt, parameters and model. */
function settingsOf({ baseUrl, headers, options, structured }: ProviderConfig): string {
  return JSON.stringify([baseUrl, headers, options, structured]);
}

/** Drops the price, which belongs to the provider's own model. */
function withModel(provider: ProviderConfig, model: string): ProviderConfig {
  const { price: _price, ...unpriced } = provider;
  return provider.model === model ? provider : { ...unpriced, model };
}

/** Reads a prompt file that no suite names. */
async function readPrompt(from: string, cwd: string): Promise<PromptVersion> {
  const path = resolve(cwd, from);
  const shown = displayPath(path, cwd);
  const text = readOrUndefined(path);
  if (text === undefined) throw unreadable(`--from ${from}: there is no such file`);
  const parsed = await parsePromptFile(
    { path: shown, text },
    { read: (name) => Promise.resolve(readBeside(path, name)) },
  );
  if ('problems' in parsed) throw new UserError(parsed.problems);
  return toPrompt(parsed, path, shown);
}

function readBeside(path: string, name: string) {
  const text = readOrUndefined(resolve(path, '..', name));
  if (text !== undefined) return { text };
  return { fault: { code: 'file-unreadable', message: `${name} does not exist beside ${path}` } } as const;
}

function toPrompt({ messages, whole, params = {} }: PromptFileContent, path: string, file: string): PromptVersion {
  const locateLine: PromptVersion['locateLine'] = (message, line) => {
    const locate = whole?.locate ?? messages[message]?.locate;
    return { file, ...(locate?.(line, 1) ?? { line, column: 1 }) };
  };
  if (whole !== undefined) return { id: file, messages: whole.messages, expand: whole.expand, params, locateLine };
  const written = messages.map(({ role, content }): WrittenMessage => {
    if ('template' in content) {
      const { source, language } = content.template;
      return { role, content: source, ...defined({ language }) };
    }
    if ('source' in content) return { role, content: content.source };
    return { role, content: (readOrUndefined(resolve(path, '..', content.file)) ?? '').replace(/\r?\n$/, '') };
  });
  return { id: file, ...compileWritten(written), params, locateLine };
}

function unreadable(message: string): UserError {
  return new UserError({ code: 'file-unreadable', message });
}

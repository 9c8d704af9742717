import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import {
  type Baseline,
  type BaselineVariant,
  comparedKeys,
  type FindBaseline,
  type StandIn,
  type SuiteBaseline,
} from '../model/comparison/baseline.ts';
import { type Problem, type SourceLocation, UserError } from '../model/problem.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import type { AcceptedPromptState } from '../model/run/record.ts';
import {
  type Project,
  type PromptVersion,
  type ProviderConfig,
  renderMessages,
  type Suite,
  writeMessage,
} from '../model/suite/suite.ts';
import { listOwnFiles, mayAttach } from '../prompts/attached-files.ts';
import { compileWritten } from '../prompts/prompt-template.ts';
import { type Mask, maskJson } from '../secrets/mask-secrets.ts';
import { knowsCase } from '../templates/rendered-table.ts';
import { loadTemplateEngine } from '../templates/template.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attempt } from '../text/attempt.ts';
import { quote } from '../text/shorten.ts';
import { isSameSent, isSameSettings, nameSent, type SentVariant } from '../verdict/variant-differences.ts';
import { restoreProvider, type StoredVariant, whyOtherwise } from './restore-provider.ts';

/** The prompt that was accepted of a variant, and how it can be asked again. */
export interface AcceptedPrompt {
  readonly state: AcceptedPromptState;
  /** The accepted prompt under the candidate's prompt and provider ids; undefined if it can't be asked. */
  readonly variant?: RenderedVariant;
}

interface FindAcceptedPromptOptions {
  /** Why a provider with other settings than today's can't be asked; undefined if it can. */
  readonly refuseModel: (provider: ProviderConfig) => string | undefined;
  /** A variant as a record keeps it, without secrets. */
  readonly describe: (variant: RenderedVariant) => SentVariant;
  /** A text that holds a secret is stored without it. */
  readonly mask: Mask;
  /** The candidate and the variant that it replaces, whose answers count if none of its own were accepted. */
  readonly standIn: StandIn;
}

/** Finds the prompt that a variant is compared with; undefined if the baseline has none. The template engine must be loaded. */
export function findAcceptedPrompt(
  suite: Suite,
  candidate: RenderedVariant,
  found: SuiteBaseline | undefined,
  options: FindAcceptedPromptOptions,
): AcceptedPrompt | undefined {
  const stored = findStored(found, options.standIn);
  if (stored === undefined) return undefined;
  const own = options.describe(candidate);
  const sentName = nameSent(stored);
  const unavailable = (why: string): AcceptedPrompt => ({ state: { is: 'unavailable', why, of: sentName } });
  if (found?.baseline.hasOtherPrompt(stored) === true) {
    return { state: { is: 'unavailable', why: ofSeveralPrompts, isOfSeveral: true, of: sentName } };
  }
  if (stored.options?.['resumedWith'] !== undefined) {
    const why = 'its run was resumed with other headers or options';
    return { state: { is: 'unavailable', why, isOfSeveral: true, of: sentName } };
  }
  const today = findAskedProvider(suite, candidate, stored);
  if (today === undefined) return unavailable(`its provider ${quote(stored.provider)} is not in the suite`);
  const isOther = today !== candidate.provider;
  const provider = restoreProvider(today, stored);
  const asked = { ...candidate, provider };
  const isAsToday =
    stored.model === today.model && isSameSettings(stored, options.describe({ ...candidate, provider: today }));
  const why =
    whyOtherwise(provider, stored, options.describe(asked)) ??
    whyNotAskable(suite, asked, stored, options) ??
    (isAsToday ? undefined : options.refuseModel(provider));
  if (why !== undefined) return unavailable(why);
  if (!isOther && isSameSent(stored, own)) return { state: { is: 'unchanged', of: sentName }, variant: candidate };
  const { prompt } = candidate;
  const variant: RenderedVariant = {
    prompt: {
      id: prompt.id,
      ...compileWritten(stored.messages),
      params: {},
      ...defined({ contract: prompt.contract }),
    },
    // Rows of the accepted side lie under the candidate.
    provider: asProvider(provider, candidate.provider.id),
    params: stored.params,
  };
  const fault = findUnrenderable(suite, variant.prompt);
  return fault === undefined ? { state: { is: 'askable', of: sentName }, variant } : unavailable(`it ${fault.message}`);
}

/** The variant has only the prompt that was accepted last. Older cases may have been accepted with another one. */
const ofSeveralPrompts = 'its cases were accepted with several prompts (accept a run of all cases)';

/** The provider that was asked: the candidate's own, or the replaced one if it is still in the suite. */
function findAskedProvider(
  { providers }: Suite,
  { provider }: RenderedVariant,
  stored: StoredVariant,
): ProviderConfig | undefined {
  return stored.provider === provider.id ? provider : providers.find(({ id }) => id === stored.provider);
}

function findStored(found: SuiteBaseline | undefined, standIn: StandIn): StoredVariant | undefined {
  const variants: readonly StoredVariant[] = found?.baseline.variants ?? [];
  const [stored] = comparedKeys(standIn).flatMap(
    (key) => variants.find((other) => other.prompt === key.prompt && other.provider === key.provider) ?? [],
  );
  return stored;
}

/** Why the accepted prompt can't be asked as it was then; undefined if it can. */
function whyNotAskable(
  { criteria }: Suite,
  { prompt, params }: RenderedVariant,
  stored: StoredVariant,
  { mask }: FindAcceptedPromptOptions,
): string | undefined {
  const messages = [...stored.messages, ...prompt.messages.map(writeMessage)];
  const lines = messages.flatMap(({ content, language }) => [content, ...(language?.rendered?.lines ?? [])]);
  if ([prompt, compileWritten(stored.messages)].some(mayAttach))
    return 'it attaches files, which a baseline does not keep';
  const isSecret = canonicalJson(maskJson(params, mask)) !== canonicalJson(params);
  if (isSecret || lines.some((line) => mask(line) !== line)) {
    return 'it holds a secret, which a baseline does not keep';
  }
  if (criteria.some(({ assertion }) => assertion === 'pairwise')) return 'a check compares the answers of both prompts';
  return undefined;
}

/** A provider that is asked in the name of another one. */
export function asProvider(provider: ProviderConfig, id: string): ProviderConfig {
  return provider.id === id ? provider : { ...provider, id, pricedAs: provider.id };
}

/** Finds a case that a stored prompt can't be rendered for: it may no longer have a variable that only this prompt needs. */
function findUnrenderable(suite: Suite, prompt: PromptVersion) {
  for (const { vars, id, at } of suite.cases()) {
    // A prompt in code is asked about the cases that it was accepted with.
    if (prompt.baselineOf === undefined && !knowsCase(prompt, vars)) continue;
    const fault = attempt(() => renderMessages(prompt, vars), TemplateError);
    if (fault instanceof TemplateError) return { message: `can't be rendered for case ${id}: ${fault.message}`, at };
  }
  return undefined;
}

/**
 * Adds each baseline's own prompt beside the version that is compared with it. Both run interleaved in one invocation, so that
 * drift of the provider affects both and latencies are comparable. Throws a `UserError` if a baseline's prompt can't run.
 * Prompts and providers that the run leaves out are not looked at.
 */
export async function addBaselinePrompts(
  project: Project,
  findBaseline: FindBaseline,
  { selection, describe, onLeftOut }: RerunOptions,
): Promise<Project> {
  await loadTemplateEngine();
  const problems: Problem[] = [];
  const acceptedProvidersOf = (suite: Suite, prompt: PromptVersion, variants: readonly BaselineVariant[]) =>
    new Map(
      suite.providers.flatMap((provider): readonly (readonly [string, ProviderConfig | null])[] => {
        const stored = variants.find((variant) => variant.provider === provider.id);
        if (stored === undefined) return [];
        const restored = restoreProvider(provider, stored);
        const { adapter, model } = restored;
        const sent = { adapter, model, params: stored.params, messages: stored.messages, contract: stored.contract };
        const why = whyOtherwise(restored, stored, { ...sent, ...describe(restored) });
        if (why === undefined) return [[provider.id, restored]];
        onLeftOut(
          `--rerun-baseline: ${suite.id}: the accepted prompt ${prompt.id} is not asked again on ${provider.id}, since ${why}; answers there are compared with the stored ones`,
        );
        return [[provider.id, null]];
      }),
    );
  const suites = project.suites.map((suite) => {
    const prompts = selectById(suite.prompts, selection.prompts);
    const providers = selectById(suite.providers, selection.providers);
    if (prompts.length === 0 || providers.length === 0) return suite;
    const found = findBaseline(suite);
    const variants = found?.baseline.variants ?? [];
    const added = prompts.flatMap((prompt) => {
      const [first, ...others] = findAccepted(prompt, providers, variants);
      if (first === undefined || found === undefined) return [];
      problems.push(...refuseSeveralTexts(prompt, first, others));
      problems.push(...refuseSeveralPrompts(prompt, [first, ...others], found.baseline));
      return [buildPrompt(prompt, [first, ...others], acceptedProvidersOf(suite, prompt, [first, ...others]))];
    });
    if (added.length === 0) {
      const message = `--rerun-baseline: suite ${suite.id} has no baseline file whose prompts could run again`;
      problems.push({ code: 'record', severity: 'error', message, hint: 'accept one with llmcheck baseline accept' });
    }
    problems.push(...prompts.flatMap(refuseInWorkspace), ...added.flatMap(refuseWithFiles));
    for (const prompt of added) {
      const fault = findUnrenderable(suite, prompt);
      if (fault !== undefined) problems.push(toProblem(prompt, fault));
    }
    return { ...suite, prompts: [...suite.prompts, ...added] };
  });
  if (problems.length > 0) throw new UserError(problems);
  return { ...project, suites };
}

interface RerunOptions {
  readonly selection: SelectedVariants;
  /** The settings of a provider, as a record keeps them. */
  readonly describe: (provider: ProviderConfig) => Pick<SentVariant, 'adapterVersion' | 'baseUrl' | 'options'>;
  /** Gets why an accepted prompt does not run on a provider. */
  readonly onLeftOut: (why: string) => void;
}

/** The selected ids of prompts and providers; all if none is named. */
interface SelectedVariants {
  readonly prompts: readonly string[];
  readonly providers: readonly string[];
}

function selectById<T extends { readonly id: string }>(all: readonly T[], ids: readonly string[]): readonly T[] {
  return ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
}

/** The accepted variants of a prompt, else of the replaced prompt. Prefers variants on the run's providers. */
function findAccepted(
  { id, replaces }: PromptVersion,
  providers: readonly ProviderConfig[],
  variants: readonly BaselineVariant[],
): readonly BaselineVariant[] {
  const own = variants.filter(({ prompt }) => prompt === id);
  const found = own.length > 0 ? own : variants.filter(({ prompt }) => prompt === replaces);
  const asked = found.filter(({ provider }) => providers.some((other) => other.id === provider));
  return asked.length > 0 ? asked : found;
}

/**
 * Refuses a prompt accepted with different texts by provider. One prompt runs on all providers, so one would be
 * compared with a text never accepted on it.
 */
function refuseSeveralTexts(
  { id, at }: PromptVersion,
  first: BaselineVariant,
  others: readonly BaselineVariant[],
): readonly Problem[] {
  const other = others.find(({ messages }) => canonicalJson(messages) !== canonicalJson(first.messages));
  if (other === undefined) return [];
  const message = `--rerun-baseline: prompt ${id} was accepted with one text on ${first.provider} and another on ${other.provider}`;
  const hint = 'accept a run on both, or run without the flag: its answers are compared with those of the baseline';
  return [{ code: 'invalid-value', severity: 'error', message, hint, ...defined({ at }) }];
}

/** An earlier prompt passed some cases. If the last one fails them, that would excuse the failures of the new one. */
function refuseSeveralPrompts(
  { id, at }: PromptVersion,
  accepted: readonly BaselineVariant[],
  baseline: Pick<Baseline, 'hasOtherPrompt'>,
): readonly Problem[] {
  if (!accepted.some((variant) => baseline.hasOtherPrompt(variant))) return [];
  const message = `--rerun-baseline: the cases of prompt ${id} were accepted with several prompts`;
  const hint =
    'accept a run of all cases, or run without the flag: its answers are compared with those of the baseline';
  return [{ code: 'invalid-value', severity: 'error', message, hint, ...defined({ at }) }];
}

/**
 * Refuses prompts with a workspace. The files of an earlier skill are gone, so that its prompt would run with other
 * files.
 */
function refuseInWorkspace({ id, workspace, at }: PromptVersion): readonly Problem[] {
  if (workspace === undefined) return [];
  const message = `--rerun-baseline: prompt ${id} puts files into a workspace, which a baseline does not keep`;
  return [{ code: 'invalid-value', severity: 'error', message, hint: runWithoutFlag, ...defined({ at }) }];
}

const runWithoutFlag = 'run without the flag: its answers are compared with those of the baseline';

/**
 * Refuses prompts with attached files. The earlier file is gone, and its change may have broken the cases. A case's own
 * file is the same for both.
 */
function refuseWithFiles(prompt: PromptVersion): readonly Problem[] {
  const files = listOwnFiles(prompt);
  if (files.length === 0) return [];
  const message = `--rerun-baseline: prompt ${prompt.baselineOf ?? ''} attaches ${files.join(', ')}, which a baseline does not keep`;
  return [{ code: 'invalid-value', severity: 'error', message, hint: runWithoutFlag }];
}

function buildPrompt(
  prompt: PromptVersion,
  variants: readonly BaselineVariant[],
  acceptedProviders: NonNullable<PromptVersion['acceptedProviders']>,
): PromptVersion {
  return {
    id: `${prompt.id}@baseline`,
    baselineOf: prompt.id,
    ...compileWritten(variants[0]?.messages ?? []),
    params: {},
    acceptedProviders,
    paramsByProvider: new Map(variants.map(({ provider, params }) => [provider, params])),
    ...defined({ contract: prompt.contract }),
  };
}

function toProblem(
  prompt: PromptVersion,
  { message, at }: { readonly message: string; readonly at: SourceLocation },
): Problem {
  return {
    code: 'missing-variable',
    severity: 'error',
    message: `--rerun-baseline: the baseline's prompt ${prompt.baselineOf ?? ''} ${message}`,
    hint: 'keep the variable in the cases, or run without the flag',
    at,
  };
}

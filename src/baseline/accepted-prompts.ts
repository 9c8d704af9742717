import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { BaselineVariant } from '../model/baseline.ts';
import type { Endpoint } from '../model/provider.ts';
import type { AcceptedPromptState, RecordedVariant } from '../model/record.ts';
import { type ProviderConfig, renderMessages, type Suite, writeMessage } from '../model/suite.ts';
import { describeOptions } from '../plan/describe-plan.ts';
import { isOwnCode } from '../plan/plan-run.ts';
import type { RenderedVariant } from '../plan/render-cells.ts';
import { compileWritten } from '../prompts/prompt-template.ts';
import { type Mask, maskJson } from '../secrets/mask-secrets.ts';
import { TemplateError } from '../templates/template-error.ts';
import { quote } from '../text/shorten.ts';
import type { SuiteBaseline } from './find-baselines.ts';

/** The prompt that was accepted of a variant, and how it can be asked again. */
export interface AcceptedPrompt {
  readonly state: AcceptedPromptState;
  /** The same prompt and provider ids as the candidate's; undefined where it can't be asked. */
  readonly variant?: RenderedVariant;
}

export interface FindAcceptedPromptOptions {
  /** Why a provider with another model than the candidate's can't be asked; undefined where it can. */
  readonly refuseModel: (provider: ProviderConfig) => string | undefined;
  readonly endpointOf: (provider: ProviderConfig) => Pick<Endpoint, 'adapterVersion'>;
  /** A text that holds a secret is stored without it. */
  readonly mask: Mask;
}

type StoredVariant = Pick<
  BaselineVariant & RecordedVariant,
  'prompt' | 'provider' | 'adapter' | 'model' | 'params' | 'messages'
> &
  Pick<RecordedVariant, 'baseUrl' | 'options' | 'adapterVersion'>;

/** Finds the prompt that a variant is compared with; undefined where the baseline has none. The template engine must be loaded. */
export function findAcceptedPrompt(
  suite: Suite,
  candidate: RenderedVariant,
  found: SuiteBaseline | undefined,
  options: FindAcceptedPromptOptions,
): AcceptedPrompt | undefined {
  const stored = findStored(suite, candidate, found);
  if (stored === undefined) return undefined;
  const isOfSeveral = found?.kind === 'file' && found.baseline.hasOtherPrompt(stored);
  const why = isOfSeveral ? ofSeveralPrompts : whyNotAskable(suite, candidate, stored, options);
  if (why !== undefined) return unavailable(why);
  if (isSame(candidate, stored)) return { state: { is: 'unchanged' } };
  const { prompt, provider } = candidate;
  const variant: RenderedVariant = {
    prompt: {
      id: prompt.id,
      ...compileWritten(stored.messages),
      params: {},
      ...defined({ contract: prompt.contract }),
    },
    provider: stored.model === provider.model ? provider : withModel(provider, stored.model),
    params: stored.params,
  };
  const missing = findUnrenderable(suite, variant);
  return missing === undefined ? { state: { is: 'askable' }, variant } : unavailable(missing);
}

/** The variant tells the prompt that was accepted last, and not the one of which an older case was accepted. */
const ofSeveralPrompts = 'its cases were accepted with several prompts (accept a run of all cases)';

function unavailable(why: string): AcceptedPrompt {
  return { state: { is: 'unavailable', why } };
}

function findStored(
  { id }: Suite,
  { prompt, provider }: RenderedVariant,
  found: SuiteBaseline | undefined,
): StoredVariant | undefined {
  const variants: readonly StoredVariant[] =
    found?.kind === 'file'
      ? found.baseline.variants
      : (found?.record.header.suites.find(({ suite }) => suite === id)?.variants ?? []);
  const find = (wanted: string | undefined) =>
    variants.find((other) => other.prompt === wanted && other.provider === provider.id);
  return find(prompt.id) ?? find(prompt.replaces);
}

/** Why the accepted prompt can't be asked as it was then; undefined where it can. */
function whyNotAskable(
  { criteria }: Suite,
  { prompt, provider, params }: RenderedVariant,
  stored: StoredVariant,
  { refuseModel, endpointOf, mask }: FindAcceptedPromptOptions,
): string | undefined {
  // What a program imports is not known.
  if (provider.adapter === 'exec') return `provider ${quote(provider.id)} runs a program, which may have changed`;
  if (isOwnCode(provider) && stored.adapterVersion !== endpointOf(provider).adapterVersion) {
    return `the code of provider ${quote(provider.id)} has changed`;
  }
  if (stored.adapter !== provider.adapter) return `it was asked through ${stored.adapter}`;
  const baseUrl = provider.baseUrl === undefined ? undefined : mask(provider.baseUrl);
  if (stored.baseUrl !== baseUrl) return 'it was asked at another address';
  if (canonicalJson(stored.options ?? {}) !== canonicalJson(maskJson(describeOptions(provider) ?? {}, mask))) {
    return `other settings of provider ${quote(provider.id)} have changed`;
  }
  const messages = [...stored.messages, ...prompt.messages.map(writeMessage)];
  if (messages.some(({ attach = [] }) => attach.length > 0)) return 'it attaches files, which a baseline does not keep';
  const isSecret = canonicalJson(maskJson(params, mask)) !== canonicalJson(params);
  if (isSecret || messages.some(({ content }) => mask(content) !== content)) {
    return 'it holds a secret, which a baseline does not keep';
  }
  if (criteria.some(({ assertion }) => assertion === 'pairwise')) return 'a check compares the answers of both prompts';
  return stored.model === provider.model ? undefined : refuseModel(withModel(provider, stored.model));
}

function isSame({ prompt, provider, params }: RenderedVariant, stored: StoredVariant): boolean {
  return (
    stored.model === provider.model &&
    asSent(stored.params) === asSent(params) &&
    // A baseline keeps the members of a message sorted.
    canonicalJson(stored.messages) === canonicalJson(prompt.messages.map(writeMessage))
  );
}

/** In the order in which it is sent. A baseline keeps that of parameters alone, and sorts the members of all else. */
function asSent(params: JsonObject): string | undefined {
  return writeJson(params);
}

/** The price of a provider is that of its own model. */
function withModel({ price: _price, ...provider }: ProviderConfig, model: string): ProviderConfig {
  return { ...provider, model };
}

/** The cases may no longer have a variable that only the old prompt needs. */
function findUnrenderable(suite: Suite, { prompt }: RenderedVariant): string | undefined {
  for (const { vars, id } of suite.cases()) {
    try {
      renderMessages(prompt, vars);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return `it can't be rendered for case ${id}: ${error.message}`;
    }
  }
  return undefined;
}

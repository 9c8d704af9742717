import { defined } from '../../../json/defined.ts';
import { nameSet } from '../../../text/name-set.ts';
import { type Draft, isMap, LeftOut, quote, takeName, type Written } from '../../draft.ts';
import type { AnswerForm } from '../code/code-files.ts';
import { isCodexAgent } from './agents.ts';
import { convertHttpProvider, type HttpPrompts, isHttpProvider, readPlainHttp } from './http-provider.ts';
import { convertModel, isKnownProvider } from './model-ids.ts';
import { convertOwnProvider, isOwnProvider, type OwnCode } from './own-provider.ts';
import { convertSettings, noteThinking } from './settings.ts';

export type Provider = string | Readonly<Record<string, unknown>>;

export interface ProviderContext {
  readonly draft: Draft;
  /** Settings that win over each provider's: those of the only prompt, or of the test defaults. */
  readonly shared?: Written;
  readonly readData: (reference: string, written: Written) => Promise<unknown>;
  /** Context of the user's own providers; judges are models. */
  readonly own?: OwnCode & HttpPrompts;
}

/** Converts an entry under `providers`, or a judge model. */
export async function convertProvider(written: Written, context: ProviderContext): Promise<Provider | LeftOut> {
  const { draft } = context;
  const { id, parts } = findId(written);
  if (typeof id !== 'string') return draft.refuse(written, 'a provider without an id is not known here');
  if (id === 'echo') return labelOf(parts) === undefined ? 'echo:prompt' : { id: labelOf(parts), use: 'echo:prompt' };
  const { own } = context;
  if (own !== undefined && isHttpProvider(id))
    return readOwnKeys(parts, draft) ?? convertHttpProvider(id, parts, { draft, label: labelOf(parts), ...own });
  if (own !== undefined && isOwnProvider(id))
    return readOwnKeys(parts, draft) ?? convertOwnProvider(id, parts, { draft, label: labelOf(parts), ...own });
  if (isHttpProvider(id)) return draft.refuse({ ...written, value: id }, 'a server that judges has no equivalent here');
  const service = own === undefined ? undefined : convertService(id, parts, labelOf(parts), draft);
  if (service !== undefined && own?.areTexts === false)
    return draft.refuse({ ...written, value: id }, 'a prompt that is no text has no equivalent with this provider');
  if (service !== undefined) return readOwnKeys(parts, draft) ?? service;
  if (!isKnownProvider(id))
    return draft.refuse({ ...written, value: id }, `promptfoo takes no provider "${id.slice(0, 80)}"`);
  const model = convertModel(id);
  if (model === undefined) {
    return draft.refuse(
      { ...written, value: id },
      `the provider "${quote(id)}" has no equivalent here`,
      'programs are exec:, servers http:, files of your own module:',
    );
  }
  const refused = readOwnKeys(parts, draft);
  if (refused !== undefined) return refused;
  if (model.adapter === 'ollama')
    draft.note(written, 'the model is asked over the OpenAI-compatible API of Ollama, with its templates of chats');
  if (id.startsWith('github:'))
    draft.note(written, 'GitHub closed this endpoint on 30 July 2026: name another server of the model');
  const settings = await convertSettings(withShared(parts.child('config'), context.shared), model, context);
  // Only a judge's verdict is used, not its text.
  if (own !== undefined) noteThinking(parts.child('config'), model, settings, draft);
  const { use, api } = model;
  return { id: labelOf(parts) ?? use, use, ...defined({ api }), ...settings };
}

/** Finds the id: a map with a single key has it as the key. */
function findId(written: Written): { readonly id: unknown; readonly parts: Written } {
  const { value } = written;
  const [only, second] = isMap(value) && value['id'] === undefined ? Object.keys(value) : [];
  const isKeyed = only !== undefined && second === undefined && isMap(written.child(only).value);
  if (isKeyed) return { id: only, parts: written.child(only) };
  return { id: typeof value === 'string' ? value : written.child('id').value, parts: written };
}

/** Transform of an entry's answers, if any. */
export function transformOf(written: Written): Written | undefined {
  const part = findId(written).parts.child('transform');
  return part.value === undefined || part.value === '' ? undefined : part;
}

/** Label and id of an entry. */
export function namesOf(written: Written): readonly string[] {
  const { id, parts } = findId(written);
  return [labelOf(parts), id].filter((name) => typeof name === 'string');
}

/** True if every provider is project code or a program, or a server that needs code. */
export function areOwn(items: readonly Written[], prompts: HttpPrompts): boolean {
  const kinds = new Set(
    items.map((item) => {
      const { id, parts } = findId(item);
      // promptfoo reports only Codex's answer, not its actions.
      const isSeen = isOwnProvider(String(id)) && !isCodexAgent(String(id));
      if (!isHttpProvider(String(id))) return isSeen ? 'own' : 'model';
      return readPlainHttp(String(id), parts.child('config').value, prompts) === undefined ? 'own' : 'plain';
    }),
  );
  return kinds.has('own') && !kinds.has('model');
}

/** Prompts that an entry names, if any. */
export function promptsOf(item: Written): Written {
  return findId(item).parts.child('prompts');
}

function labelOf(parts: Written): string | undefined {
  const { label } = Object(parts.value) as { readonly label?: unknown };
  return typeof label === 'string' && label !== '' ? label : undefined;
}

function withShared(config: Written, shared: Written | undefined): Written {
  if (shared === undefined || Object.keys(Object(shared.value) as object).length === 0) return config;
  return {
    ...config,
    value: { ...(Object(config.value) as object), ...(shared.value as object) },
    child: (key) => (shared.child(key).value === undefined ? config.child(key) : shared.child(key)),
  };
}

/** Reads keys other than `config`. promptfoo ignores unknown ones. */
function readOwnKeys(parts: Written, draft: Draft): LeftOut | undefined {
  if (!isMap(parts.value)) return undefined;
  for (const key of Object.keys(parts.value)) {
    const part = parts.child(key);
    if (['id', 'label', 'config', 'prompts'].includes(key)) continue;
    if (key === 'transform') continue;
    if (['env', 'inputs'].includes(key)) return draft.refuse(part, `"${key}" of a provider has no equivalent here`);
    if (key === 'delay') draft.note(part, '"delay" is left out: limits.rpm sets the pace');
    else draft.note(part, `"${key}" of a provider is left out: promptfoo does not read it`);
  }
  return undefined;
}

/**
 * Form of the answer that promptfoo passes to code checks. It parses the answer if a schema is requested or the whole
 * reply is used.
 */
export function findAnswerForm(providers: readonly (Provider | LeftOut)[], keepsState: boolean): AnswerForm {
  const given = providers.filter((provider) => !(provider instanceof LeftOut));
  if (keepsState && given.length > 0) return 'state';
  const parsed = given.filter((provider) => {
    const { params, response } = Object(provider) as { readonly params?: unknown; readonly response?: unknown };
    const {
      response_format: ofOpenAi,
      output_config: output,
      text,
    } = Object(params) as Readonly<Record<string, unknown>>;
    const format = ofOpenAi ?? (isMap(output) ? output : (Object(text) as Readonly<Record<string, unknown>>))['format'];
    return (isMap(format) && format['type'] === 'json_schema') || (isMap(response) && response['text'] === '$');
  });
  return parsed.length === 0 ? 'text' : parsed.length === given.length ? 'json' : 'mixed';
}

/** Drops `vars` if no test has variables. */
export function withoutEmptyVars(provider: Provider | LeftOut): Provider | LeftOut {
  if (provider instanceof LeftOut || typeof provider === 'string') return provider;
  const { vars, ...rest } = provider;
  return Array.isArray(vars) && vars.length === 0 ? rest : provider;
}

/** Sends numbers as text, like promptfoo. Here, a template that is only a variable would keep the type. */
export function sendTexts(provider: Provider | LeftOut, cases: readonly unknown[]): Provider | LeftOut {
  if (provider instanceof LeftOut || typeof provider === 'string' || !isMap(provider['request'])) return provider;
  const isNumber = (name: string) =>
    cases.some((one) =>
      ['number', 'boolean'].includes(typeof (Object(Object(one).vars) as Readonly<Record<string, unknown>>)[name]),
    );
  const text = JSON.stringify(provider['request']).replaceAll(/"\{\{ vars\.(\w+) \}\}"/g, (whole, name: string) =>
    isNumber(name) ? `"{{ vars.${name} | append: '' }}"` : whole,
  );
  return { ...provider, request: JSON.parse(text) as Readonly<Record<string, unknown>> };
}

/** Gives a provider a unique id. promptfoo allows equal labels. */
export function giveId(provider: Provider, item: Written, known: Set<string>, draft: Draft): Provider {
  const wanted = typeof provider === 'string' ? provider : String(provider['id']);
  const id = takeName(wanted, known);
  if (id === wanted) return provider;
  draft.note(item, `a second provider is called "${wanted}": it is "${id}" here`);
  return typeof provider === 'string' ? { id, use: provider } : { ...provider, id };
}

/** Parameters of a text-generation model of Hugging Face. */
const huggingFaceParams = nameSet(
  'top_k top_p temperature repetition_penalty max_new_tokens max_time return_full_text num_return_sequences do_sample use_cache wait_for_model',
);

/**
 * Converts a service whose request promptfoo builds from the prompt's text to a server; undefined for other providers.
 */
function convertService(
  id: string,
  parts: Written,
  label: string | undefined,
  draft: Draft,
): Readonly<Record<string, unknown>> | LeftOut | undefined {
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  const build = (baseURL: string, more: object, path: string) => ({
    id: label ?? id,
    use: `http:${(label ?? id).replaceAll(/[^\w.-]+/g, '-')}`,
    baseURL,
    ...more,
    response: { text: path },
  });
  const [, model] = /^(?:huggingface|hf):text-generation:(.+)$/.exec(id) ?? [];
  if (model !== undefined) {
    const odd = Object.keys(settings).find(
      (key) => !huggingFaceParams.has(key) && !['apiEndpoint', 'apiKey'].includes(key),
    );
    if (odd !== undefined)
      return draft.refuse(
        { ...config.child(odd), value: '…' },
        `"${odd}" of a text-generation model has no equivalent here`,
      );
    const { apiEndpoint, apiKey, ...given } = settings;
    if (apiKey !== undefined)
      draft.note({ ...config.child('apiKey'), value: '…' }, '"apiKey" is left out: set HF_TOKEN where llmcheck runs');
    const url = apiEndpoint ?? `https://router.huggingface.co/hf-inference/models/${model}`;
    if (typeof url !== 'string' || !URL.canParse(url) || url.includes('/v1/chat'))
      return draft.refuse(config.child('apiEndpoint'), '"apiEndpoint" must be the address of a text-generation model');
    const request = { inputs: '{{ prompt }}', parameters: { return_full_text: false, ...given } };
    return build(url, { apiKeyEnv: 'HF_TOKEN', request }, '$[0].generated_text');
  }
  if (!id.startsWith('webhook:')) return undefined;
  const url = id.slice('webhook:'.length);
  if (!/^https?:/.test(url) || !URL.canParse(url))
    return draft.refuse({ ...parts, value: id }, 'a webhook needs an address that is written out');
  if (/\{\{/.test(JSON.stringify(settings)))
    return draft.refuse(config, 'templates in the config of a webhook have no equivalent here');
  return build(url, { request: { prompt: '{{ prompt }}', ...defined({ config: config.value }) } }, '$.output');
}

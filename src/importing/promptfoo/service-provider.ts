import { defined } from '../../json/defined.ts';
import { type Draft, isMap, type LeftOut, type Written } from '../draft.ts';

/** What a text-generation model of Hugging Face is sent beside the text. */
const PARAMETERS = new Set(
  'top_k top_p temperature repetition_penalty max_new_tokens max_time return_full_text num_return_sequences do_sample use_cache wait_for_model'.split(
    ' ',
  ),
);

/** A service whose request promptfoo builds around the prompt's text, as a server; undefined for any other provider. */
export function convertService(
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
    const odd = Object.keys(settings).find((key) => !PARAMETERS.has(key) && !['apiEndpoint', 'apiKey'].includes(key));
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

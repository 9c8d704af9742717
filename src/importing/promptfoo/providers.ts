import { type Draft, isMap, LeftOut, type Written } from '../draft.ts';
import type { CodeModule } from './code-module.ts';
import { convertHttpProvider, isHttpProvider } from './http-provider.ts';
import { convertModel } from './model-ids.ts';
import { convertOwnProvider, findProviderFile } from './own-provider.ts';
import { convertSettings } from './settings.ts';

export type Provider = string | Readonly<Record<string, unknown>>;

interface ProviderContext {
  readonly draft: Draft;
  readonly readData: (reference: string, written: Written) => Promise<unknown>;
  /** What providers of one's own need; judges are models. */
  readonly own?: {
    readonly code: CodeModule;
    readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
    /** The variable that every prompt is, and nothing else. */
    readonly promptVar: string | undefined;
  };
}

/** One entry under `providers`, or the model that grades. */
export async function convertProvider(written: Written, context: ProviderContext): Promise<Provider | LeftOut> {
  const { draft } = context;
  const { value } = written;
  // A map with a single key has its id as that key.
  const [only, second] = isMap(value) && value['id'] === undefined ? Object.keys(value) : [];
  const isKeyed = only !== undefined && second === undefined && isMap(written.child(only).value);
  const parts = isKeyed ? written.child(only) : written;
  const id = typeof value === 'string' ? value : isKeyed ? only : written.child('id').value;
  if (typeof id !== 'string') return draft.refuse(written, 'a provider without an id is not known here');
  if (id === 'echo') return labelOf(parts) === undefined ? 'echo:prompt' : { id: labelOf(parts), use: 'echo:prompt' };
  const { own } = context;
  if (own !== undefined && isHttpProvider(id)) {
    return (
      readOwnKeys(parts, draft) ?? convertHttpProvider(id, parts, labelOf(parts), { draft, promptVar: own.promptVar })
    );
  }
  const path = findProviderFile(id);
  if (own !== undefined && path !== undefined) {
    return (
      readOwnKeys(parts, draft) ?? convertOwnProvider({ id, path, label: labelOf(parts) }, parts, { draft, ...own })
    );
  }
  const model = convertModel(id);
  if (model === undefined) {
    return draft.refuse(
      { ...written, value: id },
      `the provider "${id.slice(0, 80)}" has no equivalent here`,
      'programs are exec:, servers http:, files of your own module:',
    );
  }
  const refused = readOwnKeys(parts, draft);
  if (refused !== undefined) return refused;
  if (model.adapter === 'ollama')
    draft.note(written, 'the model is asked over the OpenAI-compatible API of Ollama, with its templates of chats');
  const settings = await convertSettings(parts.child('config'), model, context);
  const { use, api } = model;
  return { id: labelOf(parts) ?? use, use, ...(api === undefined ? {} : { api }), ...settings };
}

function labelOf(parts: Written): string | undefined {
  const { label } = Object(parts.value) as { readonly label?: unknown };
  return typeof label === 'string' && label !== '' ? label : undefined;
}

/** Keys beside `config`. promptfoo ignores those that it does not know. */
function readOwnKeys(parts: Written, draft: Draft): LeftOut | undefined {
  if (!isMap(parts.value)) return undefined;
  for (const key of Object.keys(parts.value)) {
    const part = parts.child(key);
    if (['id', 'label', 'config'].includes(key)) continue;
    if (['prompts', 'transform', 'env', 'inputs'].includes(key))
      return draft.refuse(part, `"${key}" of a provider has no equivalent here`);
    if (key === 'delay') draft.note(part, '"delay" is left out: limits.rpm sets the pace');
    else draft.note(part, `"${key}" of a provider is left out: promptfoo does not read it`);
  }
  return undefined;
}

/** Which providers are asked for a schema: promptfoo parses such an answer, and checks the JSON without its white space. */
export function findJson(providers: readonly (Provider | LeftOut)[]): 'all' | 'some' | 'none' {
  const given = providers.filter((provider) => !(provider instanceof LeftOut));
  const parsed = given.filter((provider) => {
    const { response_format: format } = Object(Object(provider)['params']) as { readonly response_format?: unknown };
    return isMap(format) && format['type'] === 'json_schema';
  });
  return parsed.length === 0 ? 'none' : parsed.length === given.length ? 'all' : 'some';
}

import { canonicalJson } from '../../json/canonical-json.ts';
import { type Draft, isMap, LeftOut, type Written } from '../draft.ts';
import { convertProvider, type Provider } from './providers.ts';

type Judge = Readonly<Record<string, unknown>>;

/** The provider of an assertion, or of the options of the innermost layer that has one. */
function findNamed(own: Written, layers: readonly Written[]): Written | undefined {
  return [own, ...layers.toReversed().map((layer) => layer.child('options').child('provider'))].find(
    ({ value }) => value !== undefined,
  );
}

/** The models that grade, each with the settings that its config gives. */
export class Judges {
  readonly #draft: Draft;
  readonly #readData: (reference: string, written: Written) => Promise<unknown>;
  readonly #judges = new Map<string, Judge>();

  constructor(draft: Draft, readData: (reference: string, written: Written) => Promise<unknown>) {
    this.#draft = draft;
    this.#readData = readData;
  }

  /** The judge of an assertion: the model of the assertion, of the test, or promptfoo's default. */
  async find(own: Written, layers: readonly Written[]): Promise<string | LeftOut> {
    const named = findNamed(own, layers);
    if (named === undefined) return this.#add({ use: 'openai:gpt-4.1' });
    // Another model may be named for each kind of grading.
    const isByKind = isMap(named.value) && named.value['id'] === undefined && named.value['text'] !== undefined;
    const provider = await convertProvider(isByKind ? named.child('text') : named, {
      draft: this.#draft,
      readData: this.#readData,
    });
    if (provider instanceof LeftOut) return provider;
    if (typeof provider === 'string') return this.#add({ use: provider });
    const { id: _id, ...judge } = provider;
    return this.#add(judge);
  }

  /** The model that embeds texts: of the assertion, of the test, or promptfoo's default. */
  findEmbeddings(own: Written, layers: readonly Written[]): string | LeftOut {
    const named = findNamed(own, layers);
    const part = isMap(named?.value) && named.value['id'] === undefined ? named.child('embedding') : named;
    if (part?.value === undefined) return 'openai:text-embedding-3-large';
    const [, service = '', model = ''] =
      /^(openai|ollama|mistral):embeddings?:(.+)$/.exec(typeof part.value === 'string' ? part.value : '') ?? [];
    return model === ''
      ? this.#draft.refuse(part, 'promptfoo embeds texts with this provider, which has no equivalent here')
      : `${service}:${model}`;
  }

  /** The same model with other settings is another judge. */
  #add(judge: Judge): string {
    const key = canonicalJson(judge);
    const known = this.#judges.get(key);
    if (known !== undefined) return String(known['id']);
    const base = `judge-${String(judge['use']).replaceAll(/[^\w.-]+/g, '-')}`;
    const same = [...this.#judges.values()].filter(({ use }) => use === judge['use']).length;
    const id = same === 0 ? base : `${base}-${same + 1}`;
    this.#judges.set(key, { id, ...judge });
    return id;
  }

  list(providers: readonly (Provider | LeftOut)[]): readonly Judge[] {
    const tested = new Set(
      providers.map((one) => (one instanceof LeftOut ? undefined : typeof one === 'string' ? one : one['use'])),
    );
    return [...this.#judges.values()].map((judge) =>
      tested.has(judge['use']) ? { ...judge, sameModel: true } : judge,
    );
  }
}

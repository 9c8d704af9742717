import { canonicalJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { type Draft, isMap, LeftOut, type Written } from '../../draft.ts';
import { isOwnProvider, type OwnCode } from './own-provider.ts';
import { convertProvider, namesOf, type Provider, withoutEmptyVars } from './providers.ts';

type Judge = Readonly<Record<string, unknown>>;

const defaultJudge = 'openai:gpt-5.5-2026-04-23';

/** Provider of an assertion, else of the innermost layer whose options have one. */
function findNamed(own: Written, layers: readonly Written[]): Written | undefined {
  return [own, ...layers.toReversed().map((layer) => layer.child('options').child('provider'))].find(
    ({ value }) => value !== undefined,
  );
}

/** Judge models with the settings of their config. */
export class Judges {
  readonly #draft: Draft;
  readonly #readData: (reference: string, written: Written) => Promise<unknown>;
  readonly #own: OwnCode;
  readonly #judges = new Map<string, Judge>();
  /** Providers of the config, which a judge may name by id or label. */
  configured: readonly Written[] = [];

  constructor(draft: Draft, readData: (reference: string, written: Written) => Promise<unknown>, own: OwnCode) {
    this.#draft = draft;
    this.#readData = readData;
    this.#own = own;
  }

  /** Finds an assertion's judge: its own, the test's, or promptfoo's default. */
  async find(own: Written, layers: readonly Written[]): Promise<string | LeftOut> {
    const named = findNamed(own, layers);
    if (named === undefined) {
      const isFirst = ![...this.#judges.values()].some(({ use }) => use === defaultJudge);
      if (isFirst)
        this.#draft.note(
          own,
          `promptfoo picks a judge by the keys of the environment: ${defaultJudge} with OPENAI_API_KEY`,
        );
      return this.#add({ use: defaultJudge, params: { temperature: null } });
    }
    // A separate model may be named per kind of grading.
    const isByKind = isMap(named.value) && named.value['id'] === undefined && named.value['text'] !== undefined;
    const part = isByKind ? named.child('text') : named;
    const entry =
      this.configured.find(({ value }) => isMap(value) && value['id'] === part.value) ??
      this.configured.find((one) => namesOf(one).includes(String(part.value)));
    const written = entry ?? part;
    const isOwn = namesOf(written).some(isOwnProvider);
    if (isOwn)
      this.#draft.note(named, 'code that judges gets the question of a judge here, as a JSON text of messages');
    const provider = await convertProvider(written, {
      draft: this.#draft,
      readData: this.#readData,
      ...defined({ own: isOwn ? { ...this.#own, promptVar: undefined, areTexts: false } : undefined }),
    });
    if (provider instanceof LeftOut) return provider;
    if (typeof provider === 'string') return this.#add({ use: provider });
    const { id: _id, ...judge } = withoutEmptyVars(provider) as Judge;
    // The default temperature of a judge here is 0; null removes it.
    return this.#add(isOwn ? judge : { ...judge, params: { temperature: null, ...Object(judge['params']) } });
  }

  /** Finds the embedding model: the assertion's, the test's, or promptfoo's default. */
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

  /** Adds a judge. Other settings make another judge. */
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

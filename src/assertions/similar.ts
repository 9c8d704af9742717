import * as z from 'zod';
import { quote } from '../text/quote.ts';
import { type CheckContext, type CheckOutcome, defineAssertion } from './define.ts';
import { type Embed, embedHere, offlineModel } from './embed-here.ts';
import { minScoreParam, reaches, referencesParam } from './reference-texts.ts';
import { textOf } from './target-text.ts';

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
      .describe(
        'A model of embeddings, as adapter:model or the id of one of the judges; default: a model that is computed here.',
      ),
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
      ...(asks === undefined ? {} : { judgement: { judge: asks, votes: 1, agreement: 1 } }),
    };
  },
});

function askFor({ ports }: CheckContext, model: string): Embed {
  return async (text) => {
    if (ports.ask === undefined) return { error: 'no model may be asked here' };
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
      ? { error: `the reply of ${model} is no embedding: ${quote(reply.text, 80)}` }
      : { vector };
  };
}

const vectorSchema = z.array(z.number()).min(1);

function readVector(text: string): readonly number[] | undefined {
  try {
    return vectorSchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** In [-1, 1]; 0 where a vector has no direction; undefined where the lengths differ. */
function cosineOf(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length !== b.length) return undefined;
  let [dot, squareA, squareB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0;
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? 0 : dot / Math.sqrt(squareA * squareB);
}

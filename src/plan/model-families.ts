import type { ProviderConfig, Suite } from '../model/suite.ts';

/** Vendors by the names of their models, wherever they are hosted. */
const families: readonly (readonly [RegExp, string])[] = [
  [/claude/, 'Claude'],
  [/gemini|gemma|palm/, 'Gemini'],
  [/mistral|mixtral|codestral|ministral|magistral|devstral|pixtral/, 'Mistral'],
  [/qwen|qwq/, 'Qwen'],
  [/deepseek/, 'DeepSeek'],
  [/llama/, 'Llama'],
  [/grok/, 'Grok'],
  [/\bcommand\b|cohere|\baya\b/, 'Command'],
  [/\bnova\b|titan/, 'Nova'],
  [/kimi|moonshot/, 'Kimi'],
  [/\bglm\b/, 'GLM'],
  [/\bphi\b/, 'Phi'],
  [/\bgpt\b|chatgpt|davinci|\bo[134]\b/, 'GPT'],
];

/** The family of a model by its name; undefined where it is not known. */
export function familyOf({ model }: Pick<ProviderConfig, 'model'>): string | undefined {
  const name = model.toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ');
  return families.find(([pattern]) => pattern.test(name))?.[1];
}

/** Names each judge of a suite that is of the family of a candidate: judges favour answers of their own family. */
export function describeFamilies(suite: Suite, candidates: readonly string[]): readonly string[] {
  return suite.providers
    .filter(({ id }) => candidates.includes(id))
    .flatMap((candidate) => {
      const family = familyOf(candidate);
      const judges = suite.askedModels.filter((judge) => family !== undefined && familyOf(judge) === family);
      return judges.map(
        ({ id }) =>
          `judge ${id} of suite ${suite.id} is of the family of ${candidate.id} (${family ?? ''}), and may favour it`,
      );
    });
}

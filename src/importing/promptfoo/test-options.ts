import type { Writable } from '../../json/defined.ts';
import { nameSet } from '../../text/name-set.ts';
import { type Draft, isMap, LeftOut, type Written } from '../draft.ts';

/** Options of the test itself. All others are settings of its providers. */
const testOptions = nameSet(
  'transform postprocess prefix suffix transformVars storeOutputAs rubricPrompt factuality provider repeat runSerially disableVarExpansion disableConversationVar disableDefaultAsserts',
);
const refusedOptions = nameSet('storeOutputAs rubricPrompt factuality disableConversationVar');

/** Provider settings among the options of the defaults. */
export function readSharedSettings(options: Written): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(isMap(options.value) ? options.value : {}).filter(([key]) => isSetting(key)),
  );
}

interface TestOptions {
  readonly transform?: Written;
  readonly repeat?: number;
}

/** Reads a test's options, from the outermost layer to the test. */
export function readOptions(layers: readonly Written[], draft: Draft): TestOptions | LeftOut {
  const found: Writable<TestOptions> = {};
  // The old name applies only if no layer has the new one.
  for (const key of ['postprocess', 'transform'])
    for (const layer of layers) {
      const part = layer.child('options').child(key);
      if (part.value !== undefined && part.value !== null && part.value !== '') found.transform = part;
    }
  for (const [index, layer] of layers.entries()) {
    const options = layer.child('options');
    for (const key of Object.keys(Object(options.value) as object)) {
      const read = readOption(key, options.child(key), { isDefault: index === 0 }, draft);
      if (read instanceof LeftOut) return read;
      Object.assign(found, read);
    }
  }
  return found;
}

function readOption(
  key: string,
  part: Written,
  { isDefault }: { readonly isDefault: boolean },
  draft: Draft,
): TestOptions | LeftOut {
  const { value } = part;
  if (key === 'repeat') return typeof value === 'number' && value >= 1 ? { repeat: value } : {};
  const isAffix = key === 'prefix' || key === 'suffix';
  if (refusedOptions.has(key) || (isAffix && !isDefault) || (key === 'disableVarExpansion' && value === true))
    return draft.refuse(part, `"${key}" of a test's options has no equivalent here`);
  if (!testOptions.has(key) && !isSetting(key))
    draft.note(part, `"${key}" of a test's options is left out: promptfoo does not read it`);
  return {};
}

/** Names under which a test stores its answer for later tests. */
export function findStored(layers: readonly Written[]): readonly string[] {
  const names = layers.map((layer) => layer.child('options').child('storeOutputAs').value);
  return names.filter((name) => typeof name === 'string');
}

/** Finds a key that affects the test but can't be imported. promptfoo ignores keys that it does not know. */
export function findUnknownKey(layers: readonly Written[], draft: Draft): LeftOut | undefined {
  const known = new Set(['vars', 'assert', 'description', 'threshold', 'options', 'prompts', 'provider', 'providers']);
  const meant = new Set(['providerOutput', 'assertScoringFunction', '$ref']);
  for (const layer of layers) {
    for (const key of Object.keys(Object(layer.value))) {
      if (known.has(key)) continue;
      const part = layer.child(key);
      if (meant.has(key)) return draft.refuse(part, `"${key}" of a test has no equivalent here`);
      if (key === 'metadata' && part.child('conversationId').value !== undefined) continue;
      draft.note(part, `"${key}" of a test is left out: it does not affect verdicts`);
    }
  }
  return undefined;
}

/** Threshold of the innermost layer that has one. */
export function findThreshold(layers: readonly Written[], draft: Draft): number | LeftOut | undefined {
  const threshold = layers.map((layer) => layer.child('threshold')).findLast(({ value }) => value !== undefined);
  const value = threshold?.value;
  if (threshold === undefined || (typeof value === 'number' && value > 0 && value <= 1)) return value as number;
  return draft.refuse(threshold, 'a threshold of a test must be a number above 0 and up to 1');
}

/** True for members of a test that affect requests or verdicts. */
export function isPartOfTest(name: string): boolean {
  return /^(?:vars|assert|options|prompts|providers?|providerOutput|assertScoringFunction)$/.test(name);
}

/** Members of a test that code may read, except its variables. */
export function describeTest(layers: readonly Written[]): Readonly<Record<string, unknown>> {
  const own = Object.entries(Object(layers.at(-1)?.value) as object).filter(([key]) => !isPartOfTest(key));
  const metadata: unknown = Object.assign({}, ...layers.map((layer) => layer.child('metadata').value));
  return { ...Object.fromEntries(own), metadata };
}

/** Settings that a test's options or a prompt's config may give to every provider. promptfoo ignores others. */
const providerSettings = nameSet(
  'temperature max_tokens maxOutputTokens max_completion_tokens max_output_tokens top_p top_k topP topK seed stop stop_sequences stopSequences presence_penalty frequency_penalty response_format reasoning_effort reasoning verbosity tools tool_choice functions function_call passthrough thinking generationConfig apiBaseUrl apiHost apiKey apiKeyEnvar headers',
);

export function isSetting(key: string): boolean {
  return providerSettings.has(key);
}

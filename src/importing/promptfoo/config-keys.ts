import { decodePercent } from '../../text/decode-text.ts';
import { nameSet } from '../../text/name-set.ts';
import { type Draft, isMap, LeftOut, nameOf, placeAt, quote, readWritten, type Written, withValue } from '../draft.ts';
import { changeVars, type VarsChange } from './cases/case-vars.ts';
import { convertPrompt, findPromptConfig, type PromptContext, readNamedPrompts } from './prompts.ts';
import type { NamedPrompt } from './restrict.ts';

type ReadText = (reference: string, written: Written) => Promise<string | LeftOut>;

const readKeys = nameSet('prompts providers targets tests defaultTest scenarios description $schema');
/** Keys that change requests or verdicts and have no equivalent in a suite. */
const refusedKeys = nameSet('nunjucksFilters assertScoringFunction');

/** Notes or refuses config keys that are not part of a suite. */
export async function readTopKeys(config: Written, draft: Draft, readText: ReadText): Promise<readonly LeftOut[]> {
  const leftOut: LeftOut[] = [];
  for (const key of Object.keys(Object(config.value))) {
    const part = config.child(key);
    if (readKeys.has(key)) continue;
    if (refusedKeys.has(key)) leftOut.push(draft.refuse(part, `"${key}" has no equivalent here`));
    else if (key === 'redteam') leftOut.push(...readRedteam(config, draft));
    else if (key === 'extensions') leftOut.push(...(await readExtensions(part, draft, readText)));
    else if (key === 'evaluateOptions' || key === 'commandLineOptions')
      leftOut.push(...readRunOptions(key, part, draft));
    else if (key === 'env') leftOut.push(...readEnv(part, draft));
    else draft.note(part, `"${key}" is left out: it does not affect verdicts`);
  }
  return leftOut;
}

/** Reads the default test: a map of the config, or a file that it names. */
export async function readDefaults(config: Written, draft: Draft, readText: ReadText): Promise<Written | LeftOut> {
  const defaults = config.child('defaultTest');
  if (typeof defaults.value !== 'string') return defaults;
  const text = await readText(defaults.value, defaults);
  if (text instanceof LeftOut) return text;
  const parsed = readWritten(defaults.value.replace(/^file:\/\//, ''), text);
  if (!('problems' in parsed)) return parsed;
  return draft.refuse(defaults, `${defaults.value} can't be read as the defaults of tests`);
}

/** Handles `redteam`, which separate commands turn into tests. Existing tests run without it. */
function readRedteam(config: Written, draft: Draft): readonly LeftOut[] {
  const part = config.child('redteam');
  if (config.child('tests').value === undefined && config.child('scenarios').value === undefined) {
    const hint = 'the tests that promptfoo redteam generate writes can be imported';
    return [draft.refuse(part, '"redteam" makes its tests with a service, and the config has no others', hint)];
  }
  draft.note(part, '"redteam" is left out: promptfoo eval does not read it');
  return [];
}

/** Number of repetitions in the config; undefined if not above 1. `commandLineOptions` win. */
export function readRepeat(config: Written): number | undefined {
  const repeats = ['commandLineOptions', 'evaluateOptions'].map((key) => config.child(key).child('repeat').value);
  const repeat = repeats.find((value) => value !== undefined && value !== null);
  return typeof repeat === 'number' && repeat > 1 ? repeat : undefined;
}

/** Handles options that set how and which tests run. promptfoo reads no other filters from a config. */
function readRunOptions(name: string, part: Written, draft: Draft): readonly LeftOut[] {
  return Object.keys(Object(part.value)).flatMap((key) => {
    const option = part.child(key);
    if (/^filter(?:Range|Sample)$/.test(key) && (key === 'filterRange' || name === 'commandLineOptions'))
      return [draft.refuse(option, `"${name}.${key}" selects tests, which has no equivalent here`)];
    const isPace = /^(?:delay|maxConcurrency|timeoutMs|maxEvalTimeMs)$/.test(key);
    const why = isPace ? 'limits of a provider set the pace' : 'it does not affect verdicts';
    if (key !== 'repeat') draft.note(option, `"${name}.${key}" is left out: ${why}`);
    return [];
  });
}

/** Handles extensions. Those that run after tests may log and store scores, but affect no verdict. */
async function readExtensions(part: Written, draft: Draft, readText: ReadText): Promise<readonly LeftOut[]> {
  const leftOut: LeftOut[] = [];
  for (const item of part.items()) {
    const [, path = '', name = ''] = /^file:\/\/(.+?\.\w+)(?::(\w+))?$/.exec(String(item.value)) ?? [];
    const text = /^(?:before|after)(?:Each|All)$/.test(name) || path === '' ? '' : await readText(path, item);
    if (text instanceof LeftOut) leftOut.push(text);
    else if (path === '' || name.startsWith('before') || /before_?(?:All|Each)/i.test(text))
      leftOut.push(
        draft.refuse(item, `the extension ${quote(String(item.value))} may change tests, which no code does here`),
      );
    else draft.note(item, `the extension ${quote(String(item.value))} is left out: it decides no verdict`);
  }
  return leftOut;
}

/** Handles environment variables. Keys are set where llmcheck runs; others may change requests. */
function readEnv(part: Written, draft: Draft): readonly LeftOut[] {
  return Object.keys(Object(part.value)).flatMap((name) => {
    const entry = { ...part.child(name), value: '…' };
    // Variables that providers read are upper-case.
    if (/^[A-Z][A-Z0-9_]*$/.test(name) && !/(?:KEY|TOKEN|SECRET)$|^PROMPTFOO_/.test(name))
      return [draft.refuse(entry, `"env.${name}" is left out: it may change what is sent`)];
    draft.note(entry, `"env.${name}" is left out: set the variable where llmcheck runs`);
    return [];
  });
}

type ReadFile = (path: string) => Promise<{ readonly text: string } | { readonly message: string }>;

/** Most references to follow. No real config has more, and references can multiply. */
const maxFollowed = 10_000;

/** Replaces each `$ref` by its target, like promptfoo. Unresolvable ones stay. */
export async function followReferences(config: Written, read: ReadFile): Promise<Written> {
  if (!JSON.stringify(config.value)?.includes('"$ref"')) return config;
  const files = new Map<string, unknown>([['', config.value]]);
  const load = async (path: string): Promise<unknown> => {
    if (!files.has(path)) {
      const found = /^\w+:/.test(path) ? undefined : await read(path);
      const parsed = found !== undefined && 'text' in found ? readWritten(path, found.text) : undefined;
      files.set(path, parsed === undefined || 'problems' in parsed ? undefined : parsed.value);
    }
    return files.get(path);
  };
  let followed = 0;
  // `within` lists the references on the way here; a circular one stays.
  const follow = async (value: unknown, from: string, within: readonly string[]): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map((item) => follow(item, from, within)));
    if (!isMap(value)) return value;
    const { $ref: reference, ...beside } = value;
    if (typeof reference !== 'string') return followEntries(value, from, within);
    const [path = '', pointer = ''] = reference.split('#');
    const source = path === '' ? from : path;
    const name = `${source}#${pointer}`;
    followed += 1;
    const isLoop = within.includes(name) || followed > maxFollowed;
    const target = isLoop ? undefined : readPointer(await load(source), pointer);
    if (target === undefined) return value;
    const found = await follow(target, source, [...within, name]);
    return isMap(found) ? { ...found, ...beside } : found;
  };
  const followEntries = async (value: Readonly<Record<string, unknown>>, from: string, within: readonly string[]) => {
    const entries: [string, unknown][] = [];
    // Schemas of tools keep their own references.
    for (const [key, item] of Object.entries(value))
      entries.push([key, key === 'parameters' ? item : await follow(item, from, within)]);
    return Object.fromEntries(entries);
  };
  return withValue(config, await follow(config.value, '', []));
}

function readPointer(root: unknown, pointer: string): unknown {
  const keys = pointer.split('/').slice(1);
  return keys.reduce<unknown>((value, key) => {
    const name = decodePercent(key).replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined;
  }, root);
}

/** Reads the prompts of a config and gives each a unique id. */
export async function readPrompts(
  config: Written,
  defaults: Written,
  change: VarsChange | undefined,
  context: Omit<PromptContext, 'isConfigShared' | 'prefix' | 'suffix'>,
): Promise<readonly (NamedPrompt | LeftOut)[]> {
  const options = defaults.child('options');
  const { prefix, suffix } = Object(options.value) as { readonly prefix?: unknown; readonly suffix?: unknown };
  const part = config.child('prompts');
  // Without prompts, promptfoo sends the variable `prompt`.
  const missing = placeAt('{{prompt}}', config.at());
  const items = part.value === undefined ? [missing] : typeof part.value === 'string' ? [part] : readNamedPrompts(part);
  if (items.length === 0) return [context.draft.refuse(part, 'there are no prompts')];
  const ids = new Set<string>();
  const prompts: (NamedPrompt | LeftOut)[] = [];
  for (const item of items) {
    const converted = await convertPrompt(item, {
      ...context,
      isConfigShared: findPromptConfig(part) !== undefined,
      prefix: typeof prefix === 'string' ? prefix : '',
      suffix: typeof suffix === 'string' ? suffix : '',
    });
    for (const prompt of converted) {
      const changed =
        prompt instanceof LeftOut || change === undefined
          ? prompt
          : changeVars(prompt, change, { written: item, ...context });
      if (changed instanceof LeftOut) prompts.push(changed);
      else prompts.push({ ...changed, id: nameOf(changed.label, ids, 'prompt') });
    }
  }
  return prompts;
}

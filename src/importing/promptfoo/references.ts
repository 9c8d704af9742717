import { isMap, readWritten, type Written, withValue } from '../draft.ts';

type ReadFile = (path: string) => Promise<{ readonly text: string } | { readonly message: string }>;

/** More than a config of people has, and few enough where references multiply. */
const MAX_FOLLOWED = 10_000;

/** The config with each `$ref` replaced by what it names, as promptfoo reads it. One that names nothing stays. */
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
  // `within` are the references that led here: one that leads back to itself stays.
  const follow = async (value: unknown, from: string, within: readonly string[]): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map((item) => follow(item, from, within)));
    if (!isMap(value)) return value;
    const { $ref: reference, ...beside } = value;
    if (typeof reference !== 'string') return followEntries(value, from, within);
    const [path = '', pointer = ''] = reference.split('#');
    const source = path === '' ? from : path;
    const name = `${source}#${pointer}`;
    followed += 1;
    const isLoop = within.includes(name) || followed > MAX_FOLLOWED;
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
    const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined;
  }, root);
}

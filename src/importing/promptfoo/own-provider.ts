import { defined } from '../../json/defined.ts';
import { type Draft, isMap, LeftOut, type Written } from '../draft.ts';
import type { CodeModule } from './code-module.ts';

interface OwnProviderContext {
  readonly draft: Draft;
  readonly code: CodeModule;
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
}

/** The path of a JavaScript file that an id names; undefined for any other provider. */
export function findProviderFile(id: string): string | undefined {
  return /^(?:file:\/\/)?(.+\.[cm]?[jt]s)$/.exec(id)?.[1];
}

/** A class that was written for promptfoo, as an export of a module beside the suite. */
export async function convertOwnProvider(
  { id, path, label }: { readonly id: string; readonly path: string; readonly label: string | undefined },
  parts: Written,
  { draft, code, readText }: OwnProviderContext,
): Promise<Readonly<Record<string, unknown>> | LeftOut> {
  const config = parts.child('config');
  const text = await readText(path, parts);
  if (text instanceof LeftOut) return text;
  const fault = findFault(text);
  if (fault !== undefined) return draft.refuse({ ...parts, value: id }, `${path}: ${fault}`);
  const settings = isMap(config.value) ? config.value : {};
  const odd = Object.entries(settings).find(([, value]) => /file:\/\/|\{\{/.test(JSON.stringify(value) ?? ''));
  if (odd !== undefined) return draft.refuse(config.child(odd[0]), `"${odd[0]}" of a provider must be written out`);
  const secret = Object.keys(settings).find((key) => /key|token|secret|password/i.test(key));
  if (secret !== undefined)
    return draft.refuse({ ...config.child(secret), value: '…' }, `"${secret}" is not carried over`, 'read it from env');
  const options = { id, ...defined({ label, config: isMap(config.value) ? config.value : undefined }) };
  const name = code.add(`promptfooProvider(${code.importFile(path)}, ${JSON.stringify(options)})`, parts.at().line);
  const env = [
    ...new Set(
      [...text.matchAll(/\bprocess\.env\.([A-Za-z_]\w*)(?!\w|\s*(?:\|\||\?\?|\?\.))/g)].map(([, one = '']) => one),
    ),
  ];
  const optional = new Set(
    [...text.matchAll(/\bprocess\.env\.([A-Za-z_]\w*)\s*(?:\|\||\?\?|\?\.)/g)].map(([, one = '']) => one),
  );
  for (const one of env) optional.delete(one);
  const more = optional.size === 0 ? '' : `; add ${[...optional].join(', ')} to it where they are set`;
  draft.note(parts, `the code of ${path} sees only the variables under env${more}`);
  return {
    id: label ?? id.replace(/^file:\/\//, ''),
    use: `module:${code.path}`,
    export: name,
    ...(env.length === 0 ? {} : { env }),
  };
}

/** Why code can't answer the same here. */
function findFault(text: string): string | undefined {
  if (/\bvars\b/.test(text)) return 'the code reads the variables of a test, which a provider is not given';
  if (/\bcwd\s*\(/.test(text)) return 'the code reads the working folder, which is another one here';
  if (/process\.env(?!\.\w)/.test(text)) return 'the code reads the whole environment, which a provider is not given';
  return undefined;
}

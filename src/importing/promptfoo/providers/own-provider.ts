import { defined } from '../../../json/defined.ts';
import { splitCommand } from '../../../text/code/command-line.ts';
import { type Draft, isMap, LeftOut, quote, type Written } from '../../draft.ts';
import { type CodeModule, type EnvNames, sortEnv } from '../code/code-files.ts';
import { findPython, findPythonEnv, type PythonFile, readPythonFiles } from '../code/python.ts';
import { convertClaudeAgent, convertCodexAgent, isClaudeAgent, isCodexAgent } from './agents.ts';

type Provider = Readonly<Record<string, unknown>>;

/** Context of the user's own code, besides its config. */
export interface OwnCode {
  readonly code: CodeModule;
  readonly python: PythonFile;
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  readonly glob: (pattern: string) => Promise<readonly string[]>;
  /** Names of all test variables. Grows while tests are read. */
  readonly varNames: readonly string[];
  /** True if every provider is the user's own code: checks then get everything it returns. */
  readonly keepsState: boolean;
}

export interface OwnContext extends OwnCode {
  readonly draft: Draft;
  readonly label: string | undefined;
}

/** True for a provider that is project code, a program or an agent. */
export function isOwnProvider(id: string): boolean {
  const isAgent = isClaudeAgent(id) || isCodexAgent(id);
  return isAgent || id.startsWith('exec:') || findPython(id) !== undefined || findModule(id) !== undefined;
}

function findModule(id: string): string | undefined {
  return /^(?:file:\/\/)?(.+\.[cm]?[jt]s)$/.exec(id)?.[1]?.replaceAll('\\', '/');
}

/** Converts a program, or a class or function written for promptfoo. */
export async function convertOwnProvider(id: string, parts: Written, context: OwnContext): Promise<Provider | LeftOut> {
  const isAgent = isClaudeAgent(id) || isCodexAgent(id);
  const refused = refuseSettings(parts.child('config'), isAgent ? 'apiKey' : '', context.draft);
  if (refused !== undefined) return refused;
  if (isClaudeAgent(id)) return convertClaudeAgent(id, parts, context);
  if (isCodexAgent(id)) return convertCodexAgent(id, parts, context);
  if (id.startsWith('exec:')) return convertExec(id, parts, context);
  const python = findPython(id);
  return python === undefined
    ? convertModule(id, findModule(id) ?? '', parts, context)
    : convertPython(id, python, parts, context);
}

/** Refuses settings that code can't get. `leftOut` is omitted instead. */
function refuseSettings(config: Written, leftOut: string, draft: Draft): LeftOut | undefined {
  const settings = Object.entries(isMap(config.value) ? config.value : {}).filter(([key]) => key !== leftOut);
  const odd = settings.find(([, value]) => /file:\/\/|\{\{/.test(JSON.stringify(value) ?? ''));
  if (odd !== undefined) return draft.refuse(config.child(odd[0]), `"${odd[0]}" of a provider must be written out`);
  const secret = settings.find(
    ([key, value]) => /(?:key|token|secret|password|credential)s?$/i.test(key) && typeof value !== 'number',
  )?.[0];
  if (secret === undefined) return undefined;
  return draft.refuse({ ...config.child(secret), value: '…' }, `"${secret}" is not carried over`, 'read it from env');
}

/** The entry's data that a class or function gets. */
function buildOptions(id: string, label: string | undefined, config: Written) {
  return { id, ...defined({ label, config: isMap(config.value) ? config.value : undefined }) };
}

async function convertModule(
  id: string,
  path: string,
  parts: Written,
  { draft, label, code, readText, varNames, keepsState }: OwnContext,
): Promise<Provider | LeftOut> {
  const text = await readText(path, parts);
  if (text instanceof LeftOut) return text;
  const options = JSON.stringify({
    ...buildOptions(id, label, parts.child('config')),
    ...defined({ state: keepsState || undefined }),
  });
  const call = `promptfooProvider(${code.importFile(path)}, ${options}, ${code.folderUrl()})`;
  const name = code.add(call, parts.at().line);
  const { needed: env, optional } = findNodeEnv(text);
  noteEnv(path, optional, parts, draft);
  return {
    id: label ?? id.replace(/^file:\/\//, ''),
    use: `module:${code.path}`,
    export: name,
    ...listVars(text, varNames),
    ...defined({ env: env.length === 0 ? undefined : env }),
  };
}

/** Finds the environment variables that code reads. All reads without a fixed name count as one optional entry. */
export function findNodeEnv(text: string): EnvNames {
  const read = [...text.matchAll(/\bprocess\.env\.([A-Za-z_]\w*)(\s*(?:\|\||\?\?|\?\.))?/g)];
  const named = (isOptional: boolean) =>
    read.flatMap(([, name = '', mark]) => ((mark !== undefined) === isOptional ? [name] : []));
  const { needed, optional } = sortEnv(named(false), named(true));
  const whole = /process\.env(?!\.\w)/.test(text) ? ['all that it reads of process.env'] : [];
  return { needed, optional: [...optional, ...whole] };
}

export function noteEnv(path: string, optional: readonly string[], parts: Written, draft: Draft): void {
  const names = [...new Set(optional)].join(', ');
  const more = names === '' ? '' : `; add ${names} to it where they are set`;
  draft.note(parts, `the code of ${path} starts in the folder of the config`);
  draft.note(parts, `the code of ${path} sees only the variables under env${more}`);
}

async function convertPython(
  id: string,
  { file, name = 'call_api' }: { readonly file: string; readonly name?: string },
  parts: Written,
  { draft, label, python, readText, glob, varNames, keepsState }: OwnContext,
): Promise<Provider | LeftOut> {
  const read = await readPythonFiles(file, parts, { readText, glob });
  if (read instanceof LeftOut) return read;
  const config = parts.child('config');
  const settings = isMap(config.value) ? config.value : {};
  const { timeout, workers, pythonExecutable } = settings;
  if (pythonExecutable !== undefined)
    draft.note(config.child('pythonExecutable'), '"pythonExecutable" is left out: python3 of PATH runs the code');
  const options = { options: buildOptions(id, label, config), ...defined({ state: keepsState || undefined }) };
  const { needed, optional } = findPythonEnv(read.text);
  const whole = /\bos\.environ(?!\[|\.get|\.setdefault)|\benviron\b.*\bimport\b/.test(read.text)
    ? ['all that it reads of os.environ']
    : [];
  noteEnv(file, [...optional, ...whole], parts, draft);
  const limits = defined({
    timeout: typeof timeout === 'number' && timeout > 0 ? `${timeout}ms` : '5m',
    concurrency: typeof workers === 'number' && workers >= 1 ? workers : undefined,
  });
  return {
    id: label ?? id.replace(/^file:\/\//, ''),
    use: `exec:${python.add('provider', { file, name }, options, parts.at().line)}`,
    files: read.files.map((path) => python.fromSuite(path)),
    ...listVars(read.text, varNames),
    ...defined({ env: needed.length === 0 ? undefined : needed }),
    limits,
  };
}

/** Converts a program. Its last arguments are the prompt, the options and the context. */
function convertExec(
  id: string,
  parts: Written,
  { draft, label, code, varNames, keepsState }: OwnContext,
): Provider | LeftOut {
  const words = splitCommand(id.slice('exec:'.length));
  if (words === undefined || words.length === 0)
    return draft.refuse({ ...parts, value: id }, `${quote(id)} names no program`);
  const config = parts.child('config');
  const { basePath = '.' } = Object(config.value) as { readonly basePath?: unknown };
  const options = JSON.stringify({
    ...buildOptions(id, label, config),
    ...defined({ state: keepsState || undefined }),
  });
  const folder = code.folderUrl(String(basePath));
  const name = code.add(`promptfooExec(${JSON.stringify(words)}, ${options}, ${folder})`, parts.at().line);
  const files = words.filter((word) => /^[\w./-]+\.\w+$/.test(word) && !word.startsWith('-'));
  draft.note(parts, `the program ${words[0] ?? ''} sees only the basic variables and those under env`);
  return {
    id: label ?? id,
    use: `module:${code.path}`,
    export: name,
    ...defined({ files: files.length === 0 ? undefined : files.map((file) => code.fromSuite(file)) }),
    vars: varNames,
  };
}

/** Code that reads variables gets all of them: its text does not show which. */
function listVars(text: string, varNames: readonly string[]): { readonly vars?: readonly string[] } {
  return /\bvars\b/.test(text) ? { vars: varNames } : {};
}

import { canonicalJson, writeJson } from '../../json/canonical-json.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { type ImportContext, isMap, LeftOut, placeAt, readWritten, type Written } from '../draft.ts';
import type { CodeModule } from './code-module.ts';
import { type PythonFile, readPythonFiles } from './python.ts';
import { isSetting } from './shared-settings.ts';

export interface ConvertedPrompt {
  /** As a suite writes it. */
  readonly prompt: Readonly<Record<string, unknown>>;
  readonly label: string;
  readonly variables: readonly string[];
}

/** A map has the source of each prompt as its key, and its label as the value. */
export function readNamedPrompts(part: Written): readonly Written[] {
  if (!isMap(part.value) || 'raw' in part.value || 'id' in part.value) return isMap(part.value) ? [part] : part.items();
  return Object.entries(part.value).map(([raw, label]) => placeAt({ raw, label }, part.child(raw).at()));
}

/** The settings that all prompts share; undefined where they differ. promptfoo takes none of a prompt in a .txt or .md file. */
export function findPromptConfig(part: Written): Readonly<Record<string, unknown>> | undefined {
  const configs = readNamedPrompts(part).map((item) => {
    const { raw, id } = Object(item.value) as { readonly raw?: unknown; readonly id?: unknown };
    const { value } = /\.(?:txt|md)$/.test(String(raw ?? id)) ? { value: {} } : item.child('config');
    return Object.fromEntries(Object.entries(isMap(value) ? value : {}).filter(([key]) => isSetting(key)));
  });
  const [first] = configs;
  return configs.every((one) => canonicalJson(one) === canonicalJson(first)) ? first : undefined;
}

/** The variable that every prompt is, and nothing else: what is sent is its value. */
export function findPromptVar(prompts: unknown): string | undefined {
  if (prompts === undefined) return 'prompt';
  const texts: readonly unknown[] = Array.isArray(prompts) ? prompts : [prompts];
  const names = texts.map((text) => /^\{\{\s*(\w+)\s*\}\}$/.exec(typeof text === 'string' ? text.trim() : '')?.[1]);
  return names.every((name) => name === names[0]) ? names[0] : undefined;
}

interface PromptContext extends ImportContext {
  /** Gets the functions that make prompts. */
  readonly code: CodeModule;
  readonly python: PythonFile;
  /** True where every prompt has the same config. */
  readonly isConfigShared: boolean;
  readonly prefix: string;
  readonly suffix: string;
}

/** The versions that one entry under `prompts` names. */
export async function convertPrompt(
  written: Written,
  context: PromptContext,
): Promise<readonly (ConvertedPrompt | LeftOut)[]> {
  const { draft } = context;
  const { value } = written;
  if (typeof value === 'string') return readPrompt(value, written, value, context);
  if (!isMap(value)) return [draft.refuse(written, 'a prompt must be a text or a map')];
  const { id, label, raw, config, function: code } = value;
  if (code !== undefined) return [draft.refuse(written, 'a prompt with a function has no equivalent here')];
  const isMeant = isMap(config) && Object.keys(config).some(isSetting);
  if (isMeant && /\.(?:txt|md)$/.test(String(raw ?? id)))
    draft.note(
      written.child('config'),
      '"config" of a prompt in a .txt or .md file is left out: promptfoo does not read it',
    );
  else if (isMeant && !context.isConfigShared)
    return [draft.refuse(written.child('config'), 'configs that differ between prompts have no equivalent here')];
  const source = [raw, id].find((part) => typeof part === 'string');
  if (typeof source !== 'string') return [draft.refuse(written, 'a prompt without a text is not known here')];
  return readPrompt(source, written, typeof label === 'string' ? label : typeof id === 'string' ? id : source, context);
}

/** promptfoo takes a text for the path of a file where it ends like one, with the name of a function after it or not. */
function isPromptFile(source: string): boolean {
  if (/\n|(?:portkey|langfuse|helicone):\/\//.test(source)) return false;
  if (source.startsWith('file://')) return true;
  return source
    .split(':')
    .slice(-2)
    .some((part) => /\.(?:txt|md|jsonl?|ya?ml|j2|csv|[cm]?[jt]s|py|rb|sh|bash|exe|bat|cmd|ps1|pl)$/.test(part));
}

const REMOTE_PROMPT = /^(?:portkey|langfuse|helicone):\/\//;

async function readPrompt(
  source: string,
  written: Written,
  label: string,
  context: PromptContext,
): Promise<readonly (ConvertedPrompt | LeftOut)[]> {
  const { draft } = context;
  if (REMOTE_PROMPT.test(source))
    return [draft.refuse(written, `the prompt ${source} is stored by a service, which has no equivalent here`)];
  if (source.startsWith('exec:'))
    return [draft.refuse(written, `the prompt ${source} is a program, which has no equivalent here`)];
  if (/[*?[\]{}]/.test(source) && !source.includes('\n') && /[*/]/.test(source)) {
    const names = /\{\{/.test(source) ? [] : await context.glob(source.replace(/^file:\/\//, ''));
    const found: (ConvertedPrompt | LeftOut)[] = [];
    for (const name of names) found.push(...(await readPrompt(`file://${name}`, written, name, context)));
    if (found.length > 0) return found;
    if (source.startsWith('file://')) return [draft.refuse(written, `no file of the project matches ${source}`)];
  }
  if (!isPromptFile(source)) return [convertText(source, written, label, context)];
  const code = await readCodePrompt(source, written, label, context);
  if (code !== undefined) return [code];
  if (!/\.(?:txt|md|json|ya?ml|j2)$/i.test(source))
    return [draft.refuse(written, `the prompt ${source} is a program or a table, which has no equivalent here`)];
  const text = await context.readText(source, written);
  if (typeof text !== 'string') return [text];
  // A line of three dashes separates the prompts of a text file.
  const texts = /\.txt$/i.test(source)
    ? text
        .split(/\r?\n/)
        .join('\n')
        .split(/^[ \t]*---[ \t]*$/m)
        .map((part) => part.trim())
        .filter((part) => part !== '')
    : [/\.json$/i.test(source) ? minify(text) : text];
  return texts.map((part, index) =>
    convertText(part, written, texts.length === 1 ? label : `${label} ${index + 1}`, context, /\.ya?ml$/i.test(source)),
  );
}

/** A function of the project that makes a prompt; undefined for any other file. */
async function readCodePrompt(
  source: string,
  written: Written,
  label: string,
  context: PromptContext,
): Promise<ConvertedPrompt | LeftOut | undefined> {
  const { code, python, draft } = context;
  const [, path, name] = /^(?:file:\/\/)?(.+?\.(?:[cm]?[jt]s|py))(?::([\w.]+))?$/.exec(source) ?? [];
  if (path === undefined) return undefined;
  if (context.prefix + context.suffix !== '')
    return draft.refuse(written, 'a prefix or suffix of a prompt in code has no equivalent here');
  const { config } = Object(written.value) as { readonly config?: unknown };
  const { line } = written.at();
  if (path.endsWith('.py')) {
    if (name === undefined)
      return draft.refuse(
        written,
        `${source} is run as a whole, which has no equivalent here`,
        'name a function of it',
      );
    const read = await readPythonFiles(path, written, context.readText, context.glob);
    if (read instanceof LeftOut) return read;
    const options = isMap(config) ? { config } : {};
    return { prompt: { exec: python.add('prompt', { file: path, name }, options, line) }, label, variables: [] };
  }
  const text = await context.readText(path, written);
  if (typeof text !== 'string') return text;
  const args = [
    code.importFile(path),
    ...(name === undefined && !isMap(config) ? [] : [JSON.stringify(name) ?? 'undefined']),
  ];
  const call = `promptfooPrompt(${[...args, ...(isMap(config) ? [JSON.stringify(config)] : [])].join(', ')})`;
  return { prompt: { module: code.path, export: code.add(call, line) }, label, variables: [] };
}

function convertText(
  text: string,
  written: Written,
  label: string,
  { draft, prefix, suffix }: PromptContext,
  isYaml = false,
): ConvertedPrompt | LeftOut {
  const messages = readMessages(text, written, isYaml);
  if (messages === undefined && isYaml)
    return draft.refuse(written, 'a prompt in YAML must be a list of chat messages');
  if (messages === undefined && `${prefix}${text}${suffix}`.trim() === '')
    return draft.refuse(written, 'a prompt that is empty has no equivalent here');
  if (messages === undefined) {
    const translated = translateNunjucks(`${prefix}${text}${suffix}`);
    if ('fault' in translated) return draft.refuse(written, translated.fault);
    return { prompt: { text: translated.text }, label, variables: translated.variables };
  }
  if (prefix + suffix !== '')
    return draft.refuse(written, 'a prefix or suffix of chat messages has no equivalent here');
  const variables: string[] = [];
  const converted: { role: string; content: string }[] = [];
  for (const message of messages) {
    const { role, content } = isMap(message) ? message : {};
    if (
      typeof role !== 'string' ||
      !['system', 'developer', 'user', 'assistant'].includes(role) ||
      typeof content !== 'string'
    )
      return draft.refuse(written, 'a chat message must have a role and a text');
    const translated = translateNunjucks(content);
    if ('fault' in translated) return draft.refuse(written, translated.fault);
    variables.push(...translated.variables);
    converted.push({ role, content: translated.text });
  }
  return { prompt: { messages: converted }, label, variables };
}

/** promptfoo sends JSON that is not a chat, without its white space. */
function minify(text: string): string {
  const parsed = parseJsonText(text);
  return 'error' in parsed ? text : (writeJson(plainNumbers(parsed.value)) ?? text);
}

function readMessages(text: string, written: Written, isYaml: boolean): readonly unknown[] | undefined {
  if (!isYaml && !/^\s*\[/.test(text)) return undefined;
  const parsed = readWritten(written.at().file, text);
  if ('problems' in parsed || !Array.isArray(parsed.value)) return undefined;
  const list: readonly unknown[] = parsed.value;
  return list.length > 0 && list.every((item) => isMap(item) && 'role' in item) ? list : undefined;
}

/** A Nunjucks template as a template of a suite, or why it can't be one. */
type Translated =
  | { readonly text: string; readonly variables: readonly string[]; readonly literal?: string }
  | { readonly fault: string };

const FILTERS: Readonly<Record<string, string>> = {
  upper: 'upcase',
  lower: 'downcase',
  trim: 'strip',
  capitalize: 'capitalize',
  length: 'size',
  first: 'first',
  last: 'last',
  reverse: 'reverse',
  join: 'join',
  replace: 'replace',
  dump: 'json',
  safe: '',
  default: 'default',
  d: 'default',
};
const PATH = /^[A-Za-z_][\w-]*(?:\.[A-Za-z_]\w*|\.\d+|\[\d+\]|\[(?:"[^"\]]*"|'[^'\]]*')\])*$/;
const LITERAL = /^(?:"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)$/;

/** Translates outputs and comments. Blocks are refused: the two languages differ in what counts as true. */
export function translateNunjucks(source: string, mayReadEnv = false): Translated {
  if (!/\{[{%#]/.test(source)) return { text: source, variables: [] };
  let text = '';
  let from = 0;
  const variables = new Set<string>();
  for (const match of source.matchAll(
    /\{\{-?((?:\s*'[^']*'|\s*"[^"]*")?[\s\S]*?)-?\}\}|\{#[\s\S]*?#\}|\{%-?\s*(raw)\s*-?%\}([\s\S]*?)\{%-?\s*endraw\s*-?%\}|\{%([\s\S]*?)%\}/g,
  )) {
    const [whole, output, raw, kept, tag] = match;
    text += source.slice(from, match.index);
    from = match.index + whole.length;
    if (raw !== undefined) text += `{% raw %}${kept ?? ''}{% endraw %}`;
    else if (tag !== undefined) return { fault: `the tag {%${tag}%} has no equivalent in a suite's templates` };
    else if (output !== undefined) {
      const translated = translateOutput(output.trim(), mayReadEnv);
      if ('fault' in translated) return translated;
      if (translated.literal !== undefined) {
        text += escapeTemplate(translated.literal);
        continue;
      }
      const trims = [whole.startsWith('{{-') ? '-' : '', whole.endsWith('-}}') ? '-' : ''];
      text += `{{${trims[0] ?? ''} ${translated.text} ${trims[1] ?? ''}}}`;
      for (const name of translated.variables) variables.add(name);
    }
  }
  const rest = source.slice(from);
  if (/\{[{%#]/.test(rest)) return { fault: 'a brace is never closed' };
  return { text: text + rest, variables: [...variables] };
}

function translateOutput(code: string, mayReadEnv: boolean): Translated {
  const [head = '', ...filters] = code.split('|').map((part) => part.trim());
  if (/^_conversation\b/.test(head))
    return {
      fault: `{{ ${head} }} is the conversation so far, which a prompt does not read here: write the turns of a case`,
    };
  if (/^env\b/.test(head) && !mayReadEnv)
    return { fault: `{{ ${head} }} reads the environment, which a prompt is not given` };
  if (!PATH.test(head) && !LITERAL.test(head))
    return { fault: `{{ ${code} }} has no equivalent in a suite's templates` };
  if (LITERAL.test(head) && /\{[{%#]/.test(head) && filters.length === 0)
    return { text: '', literal: head.slice(1, -1), variables: [] };
  let text = head;
  for (const filter of filters) {
    const [, name = '', args] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(filter) ?? [];
    const translated = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
    const given =
      args === undefined || args.trim() === ''
        ? []
        : (args.match(/"[^"]*"|'[^']*'|[^,]+/g) ?? []).map((arg) => arg.trim()).filter((arg) => arg !== '');
    if (translated === undefined || given.some((arg) => !LITERAL.test(arg) && !PATH.test(arg)))
      return { fault: `the filter "${filter}" has no equivalent in a suite's templates` };
    if (translated !== '') text += ` | ${translated}${given.length === 0 ? '' : `: ${given.join(', ')}`}`;
  }
  const root = /^[A-Za-z_][\w-]*/.exec(head)?.[0];
  return { text, variables: root === undefined || LITERAL.test(head) ? [] : [root] };
}

/** A template that renders to exactly this text. */
export function escapeTemplate(text: string): string {
  return text.replaceAll(/\{[{%#]+/g, (braces) => `{% raw %}${braces}{% endraw %}`);
}

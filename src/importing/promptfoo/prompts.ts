import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import { escapeTemplate } from '../../templates/template.ts';
import { type ImportContext, isMap, LeftOut, placeAt, quote, readWritten, type Written } from '../draft.ts';
import { readParts } from './cases/pictures.ts';
import type { CodeModule } from './code/code-files.ts';
import { isPartialTemplate, translateJson, translateNunjucks, withoutConversation } from './code/nunjucks.ts';
import { type PythonFile, readPythonFiles } from './code/python.ts';
import { isSetting } from './test-options.ts';

export interface ConvertedPrompt {
  /** The prompt in a suite's notation. */
  readonly prompt: Readonly<Record<string, unknown>>;
  readonly label: string;
  readonly variables: readonly string[];
  /** Variables sent as pictures beside a message. */
  readonly pictures?: readonly string[];
  /** Form that promptfoo renders: strings of JSON, a whole text, the YAML of a chat, or the result of code. */
  readonly form: 'json' | 'text' | 'yaml' | 'code';
  /** Last message of a chat that repeats the conversation so far. */
  readonly question?: string;
}

/** Reads prompts from a map: the key is the source, the value the label. */
export function readNamedPrompts(part: Written): readonly Written[] {
  if (!isMap(part.value) || 'raw' in part.value || 'id' in part.value) return isMap(part.value) ? [part] : part.items();
  return Object.entries(part.value).map(([raw, label]) => placeAt({ raw, label }, part.child(raw).at()));
}

/** Settings shared by all prompts; undefined if they differ. promptfoo ignores settings of .txt and .md prompts. */
export function findPromptConfig(part: Written): Readonly<Record<string, unknown>> | undefined {
  const configs = readNamedPrompts(part).map((item) => {
    const { raw, id } = Object(item.value) as { readonly raw?: unknown; readonly id?: unknown };
    const { value } = /\.(?:txt|md)$/.test(String(raw ?? id)) ? { value: {} } : item.child('config');
    return Object.fromEntries(Object.entries(isMap(value) ? value : {}).filter(([key]) => isSetting(key)));
  });
  const [first] = configs;
  return configs.every((one) => canonicalJson(one) === canonicalJson(first)) ? first : undefined;
}

/** Finds the variable that makes up every prompt entirely: its value is sent. */
export function findPromptVar(prompts: unknown): string | undefined {
  if (prompts === undefined) return 'prompt';
  const texts: readonly unknown[] = Array.isArray(prompts) ? prompts : [prompts];
  const names = texts.map((text) => /^\{\{\s*(\w+)\s*\}\}$/.exec(typeof text === 'string' ? text.trim() : '')?.[1]);
  return names.every((name) => name === names[0]) ? names[0] : undefined;
}

export interface PromptContext extends ImportContext {
  /** Collects functions that make prompts. */
  readonly code: CodeModule;
  readonly python: PythonFile;
  /** True if all prompts have the same config. */
  readonly isConfigShared: boolean;
  readonly prefix: string;
  readonly suffix: string;
}

/** Converts one entry under `prompts` to its versions. */
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
  if (isMap(label)) return [draft.refuse(written, 'promptfoo takes no map for the label of a prompt')];
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

/** True if promptfoo reads the text as a file path: it ends like one, possibly with a function's name. */
function isPromptFile(source: string): boolean {
  if (/\n|(?:portkey|langfuse|helicone):\/\//.test(source)) return false;
  if (source.startsWith('file://')) return true;
  return source
    .split(':')
    .slice(-2)
    .some((part) => /\.(?:txt|md|jsonl?|ya?ml|j2|csv|[cm]?[jt]s|py|rb|sh|bash|exe|bat|cmd|ps1|pl)$/.test(part));
}

const remotePromptPattern = /^(?:portkey|langfuse|helicone):\/\//;

async function readPrompt(
  source: string,
  written: Written,
  label: string,
  context: PromptContext,
): Promise<readonly (ConvertedPrompt | LeftOut)[]> {
  const { draft } = context;
  if (remotePromptPattern.test(source))
    return [draft.refuse(written, `the prompt ${quote(source)} is stored by a service, which has no equivalent here`)];
  if (source.startsWith('exec:'))
    return [draft.refuse(written, `the prompt ${quote(source)} is a program, which has no equivalent here`)];
  if (/[*?[\]{}]/.test(source) && !source.includes('\n') && /[*/]/.test(source)) {
    const names = /\{\{/.test(source) ? [] : await context.glob(source.replace(/^file:\/\//, ''));
    const found: (ConvertedPrompt | LeftOut)[] = [];
    for (const name of names) found.push(...(await readPrompt(`file://${name}`, written, name, context)));
    if (found.length > 0) return found;
    if (source.startsWith('file://')) return [draft.refuse(written, `no file of the project matches ${quote(source)}`)];
  }
  if (!isPromptFile(source)) return [convertText(source, written, label, context)];
  const code = await readCodePrompt(source, written, label, context);
  if (code !== undefined) return [code];
  if (!/\.(?:txt|md|json|ya?ml|j2)$/i.test(source))
    return [draft.refuse(written, `the prompt ${quote(source)} is a program or a table, which has no equivalent here`)];
  const text = await context.readText(source, written);
  if (typeof text !== 'string') return [text];
  // Three dashes separate the prompts of a text file.
  const texts = /\.txt$/i.test(source)
    ? text
        .split(/\r?\n/)
        .join('\n')
        .split(/^[ \t]*---[ \t]*$/m)
        .map((part) => part.trim())
        .filter((part) => part !== '')
    : [/\.(?:json|ya?ml)$/i.test(source) ? toJson(text, source) : text];
  return texts.map((part, index) =>
    convertText(part, written, texts.length === 1 ? label : `${label} ${index + 1}`, context),
  );
}

/** Reads a project function that makes a prompt; undefined for other files. */
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
    const read = await readPythonFiles(path, written, context);
    if (read instanceof LeftOut) return read;
    const options = isMap(config) ? { config } : {};
    return {
      prompt: { exec: python.add('prompt', { file: path, name }, options, line) },
      label,
      variables: [],
      form: 'code',
    };
  }
  const text = await context.readText(path, written);
  if (typeof text !== 'string') return text;
  const args = [
    code.importFile(path),
    ...(name === undefined && !isMap(config) ? [] : [JSON.stringify(name) ?? 'undefined']),
  ];
  const call = `promptfooPrompt(${[...args, ...(isMap(config) ? [JSON.stringify(config)] : [])].join(', ')})`;
  return { prompt: { module: code.path, export: code.add(call, line) }, label, variables: [], form: 'code' };
}

function convertText(
  text: string,
  written: Written,
  label: string,
  { draft, prefix, suffix }: PromptContext,
): ConvertedPrompt | LeftOut {
  const whole = `${prefix}${text}${suffix}`;
  const single = withoutConversation(text);
  const messages = readMessages(single ?? text, written);
  if (messages === undefined && whole.trim() === '')
    return draft.refuse(written, 'a prompt that is empty has no equivalent here');
  if (messages === undefined) {
    const form = isJson(whole) ? 'json' : 'text';
    if (form === 'text' && isPartialTemplate(whole)) {
      draft.note(written, 'a brace is not closed on its line, and so promptfoo fills nothing into this prompt');
      return { prompt: { text: escapeTemplate(whole) }, label, variables: [], form };
    }
    const translated = form === 'json' ? translateJson(whole) : translateNunjucks(whole);
    if ('fault' in translated) return draft.refuse(written, translated.fault);
    return { prompt: { text: translated.text }, label, variables: translated.variables, form };
  }
  if (prefix + suffix !== '')
    return draft.refuse(written, 'a prefix or suffix of chat messages has no equivalent here');
  const variables: string[] = [];
  const pictures: string[] = [];
  const converted: { role: string; content: string; attach?: readonly string[] }[] = [];
  for (const message of messages) {
    const { role, content } = isMap(message) ? message : {};
    const parts = readParts(content);
    if (typeof role !== 'string' || !['system', 'developer', 'user', 'assistant'].includes(role) || parts === undefined)
      return draft.refuse(written, 'a chat message must have a role, and a text with or without pictures');
    const translated = translateNunjucks(parts.text);
    if ('fault' in translated) return draft.refuse(written, translated.fault);
    variables.push(...translated.variables);
    pictures.push(...parts.pictures);
    const attach = parts.pictures.map((name) => `{{ ${name} }}`);
    converted.push({
      role,
      content: translated.text,
      ...defined({ attach: attach.length === 0 ? undefined : attach }),
    });
  }
  const both = pictures.find((name) => variables.includes(name));
  if (both !== undefined) return draft.refuse(written, `"${both}" is a picture and a text of this prompt`);
  const question = single === undefined ? undefined : converted.at(-1)?.content;
  return {
    prompt: { messages: converted },
    label,
    variables,
    pictures,
    form: isJson(text) ? 'json' : text.trim().startsWith('- role:') ? 'yaml' : 'text',
    ...defined({ question }),
  };
}

/** Converts a JSON or YAML prompt file to JSON, like promptfoo. Other text is returned unchanged. */
function toJson(text: string, file: string): string {
  const parsed = readWritten(file, text);
  return 'problems' in parsed || typeof parsed.value === 'string' ? text : JSON.stringify(parsed.value);
}

function isJson(text: string): boolean {
  return !('error' in parseJsonText(text));
}

function readMessages(text: string, written: Written): readonly unknown[] | undefined {
  if (!/^\s*(?:\[|- role:)/.test(text)) return undefined;
  const outputs: string[] = [];
  // Mask braces: promptfoo fills them in before it parses the YAML.
  const marked = text.trim().startsWith('[')
    ? fillDumps(text)
    : text.replaceAll(/\{\{[\s\S]*?\}\}/g, (output) => `\ue000${outputs.push(output) - 1}\ue000`);
  const parsed = readWritten(written.at().file, marked);
  if ('problems' in parsed || !Array.isArray(parsed.value)) return undefined;
  const list: readonly unknown[] = parsed.value;
  if (list.length === 0 || !list.every((item) => isMap(item) && 'role' in item)) return undefined;
  const fill = (value: unknown) =>
    typeof value === 'string'
      ? value.replaceAll(/\ue000(\d+)\ue000/g, (_, index: string) => outputs[Number(index)] ?? '')
      : value;
  return list.map((item) => Object.fromEntries(Object.entries(item as object).map(([key, one]) => [key, fill(one)])));
}

/** Quotes variables dumped as JSON in a chat that is one template: the text is the content. */
function fillDumps(text: string): string {
  return isJson(text) ? text : text.replaceAll(/(:\s*)(\{\{-?[^{}"]*?)\|\s*dump\s*(-?\}\})/g, '$1"$2$3"');
}

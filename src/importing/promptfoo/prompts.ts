import { writeJson } from '../../json/canonical-json.ts';
import { parseJsonText } from '../../json/json-text.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import type { ImportContext, LeftOut } from '../draft.ts';
import { isMap, readWritten, type Written } from '../written.ts';
import { translateNunjucks } from './templates.ts';

export interface ConvertedPrompt {
  /** As a suite writes it. */
  readonly prompt: Readonly<Record<string, unknown>>;
  readonly label: string;
  readonly variables: readonly string[];
}

export interface PromptContext extends ImportContext {
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
  if (config !== undefined || code !== undefined)
    return [draft.refuse(written, 'a prompt with a config or a function has no equal here')];
  const source = [raw, id].find((part) => typeof part === 'string');
  if (typeof source !== 'string') return [draft.refuse(written, 'a prompt without a text is not known here')];
  return readPrompt(source, written, typeof label === 'string' ? label : typeof id === 'string' ? id : source, context);
}

const PROMPT_FILE = /\.(?:txt|md|json|ya?ml|j2|csv|jsonl|js|mjs|cjs|ts|mts|py|rb|sh)$/i;

async function readPrompt(
  source: string,
  written: Written,
  label: string,
  context: PromptContext,
): Promise<readonly (ConvertedPrompt | LeftOut)[]> {
  const { draft } = context;
  const isFile =
    source.startsWith('file://') || (!source.includes('\n') && !/\s/.test(source) && PROMPT_FILE.test(source));
  if (!isFile) return [convertText(source, written, label, context)];
  if (/[*?[\]{}]/.test(source)) return [draft.refuse(written, `${source} is a pattern`, 'name each file')];
  if (!/\.(?:txt|md|json|ya?ml|j2)$/i.test(source))
    return [draft.refuse(written, `the prompt ${source} is code or a table, which has no equal here`)];
  const text = await context.readText(source, written);
  if (typeof text !== 'string') return [text];
  // A line of three dashes separates the prompts of a text file.
  const texts = /\.txt$/i.test(source)
    ? text
        .split(/\r?\n/)
        .join('\n')
        .split(/^---$/m)
        .map((part) => part.trim())
        .filter((part) => part !== '')
    : [/\.json$/i.test(source) ? minify(text) : text];
  return texts.map((part, index) =>
    convertText(part, written, texts.length === 1 ? label : `${label} ${index + 1}`, context, /\.ya?ml$/i.test(source)),
  );
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
  if (messages === undefined) {
    const translated = translateNunjucks(`${prefix}${text}${suffix}`);
    if ('fault' in translated) return draft.refuse(written, translated.fault);
    return { prompt: { text: translated.text }, label, variables: translated.variables };
  }
  if (prefix + suffix !== '') return draft.refuse(written, 'a prefix or suffix of chat messages has no equal here');
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

/** promptfoo sends JSON that is no chat without its white space. */
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

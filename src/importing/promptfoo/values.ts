import { type Draft, isMap, type LeftOut, type Written } from '../draft.ts';
import { escapeTemplate, translateNunjucks } from './prompts.ts';

interface ValueContext {
  readonly draft: Draft;
  /** Gets the variables that a value reads. */
  readonly onVariables: (names: readonly string[]) => void;
}

/** A text as a template of a suite. An empty one, which is in every answer, is refused as it is in promptfoo. */
export function readText(written: Written, context: ValueContext, mayBeEmpty = false): string | LeftOut {
  const part = written.child('value');
  const { value } = part;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || (value === '' && !mayBeEmpty))
    return context.draft.refuse(part, 'the value must be a text that is not empty');
  if (value.startsWith('file://') || value.startsWith('package:')) {
    return context.draft.refuse(
      part,
      `${value} is not read: a value from a file has no equivalent here`,
      'write the text in its place',
    );
  }
  const translated = translateNunjucks(value);
  if ('fault' in translated) return context.draft.refuse(part, translated.fault);
  context.onVariables(translated.variables);
  return translated.text;
}

export function readList(written: Written, context: ValueContext): readonly string[] | LeftOut {
  const part = written.child('value');
  const { value } = part;
  const texts: readonly unknown[] =
    typeof value === 'string' ? (splitCommas(value) ?? [undefined]) : Array.isArray(value) ? value : [undefined];
  const translated: string[] = [];
  for (const text of texts) {
    const one = typeof text === 'number' || typeof text === 'boolean' ? String(text) : text;
    if (typeof one !== 'string' || one === '' || one.startsWith('file://')) {
      return context.draft.refuse(part, 'the value must be a list of texts that are not empty');
    }
    const result = translateNunjucks(one);
    if ('fault' in result) return context.draft.refuse(part, result.fault);
    context.onVariables(result.variables);
    translated.push(result.text);
  }
  if (translated.length === 0) return context.draft.refuse(part, 'the list is empty');
  return translated;
}

/** Undefined for a text with quotes or templates, whose commas may separate nothing. */
function splitCommas(text: string): readonly string[] | undefined {
  if (/["{]/.test(text)) return undefined;
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Texts in data are no templates in promptfoo, so their braces are escaped. */
export function escapeData(value: unknown): unknown {
  if (typeof value === 'string') return escapeTemplate(value);
  if (Array.isArray(value)) return value.map(escapeData);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapeData(item)]));
}

import { escapeTemplate } from '../../../templates/template.ts';
import { type Draft, LeftOut, mapTexts, placeAt, quote, readWritten, type Written } from '../../draft.ts';
import type { CodeModule } from '../code/code-files.ts';
import { translateNunjucks } from '../code/nunjucks.ts';
import type { PythonFile } from '../code/python.ts';
import type { RubyFile } from '../code/ruby.ts';

/** An assertion in a suite's notation. */
export type Check = Readonly<Record<string, unknown>>;

export interface CheckContext {
  readonly draft: Draft;
  /** Reads a JSON or YAML file that a value names; undefined if unreadable. */
  readonly readData: (reference: string, written: Written) => Promise<unknown>;
  /** Called with the variables that a value reads. */
  readonly onVariables: (names: readonly string[]) => void;
  /** Adds the judge that `written` names, or the default, and returns its id. */
  readonly judge: (written: Written) => Promise<string | LeftOut>;
  /** The embedding model that `written` names, or the default. */
  readonly embeddings: (written: Written) => string | LeftOut;
  /** Reads a project file's text. */
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
  /** Collects checks that are code. */
  readonly code: CodeModule;
  readonly python: PythonFile;
  readonly ruby: RubyFile;
  /** Lists the files of a pattern. */
  readonly glob: (pattern: string) => Promise<readonly string[]>;
  /** Names of the test's variables. */
  readonly varNames: readonly string[];
  /** Data of the test that code may read. */
  readonly test: Readonly<Record<string, unknown>>;
  /** `params` of the test's providers. */
  readonly asked: readonly unknown[];
  /** True if a score decides the test, instead of each check. */
  readonly isScored: boolean;
  /** Transforms of the providers, if any. */
  readonly ofProviders: readonly Written[];
  /** Transforms of providers and test, which run before those of the checks. */
  readonly transforms: readonly Written[];
}

export interface TypeContext extends CheckContext {
  /** The type without `not-`; `inverse` is true if it had the prefix. */
  readonly base: string;
  readonly inverse: boolean;
  readonly threshold: unknown;
  readonly isSelected: boolean;
  /** True if code makes the check's input. */
  readonly isMade: boolean;
}

/** promptfoo reads schemas as draft 7. */
export const draft7 = 'http://json-schema.org/draft-07/schema#';

type ValueContext = Pick<CheckContext, 'draft' | 'readText' | 'onVariables'>;

/** Reads a text as a suite's template. Refuses an empty one like promptfoo, since every answer contains it. */
export async function readText(written: Written, context: ValueContext, mayBeEmpty = false): Promise<string | LeftOut> {
  const file = await readFile(written.child('value'), context);
  if (file instanceof LeftOut) return file;
  const part = file ?? written.child('value');
  const { value } = part;
  if (file !== undefined && typeof value === 'string' && value !== '') return escapeTemplate(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string' || (value === '' && !mayBeEmpty))
    return context.draft.refuse(part, 'the value must be a text that is not empty');
  if (value.startsWith('package:'))
    return context.draft.refuse(part, `${quote(value)} is code, which has no equivalent here`);
  const translated = translateNunjucks(value);
  if ('fault' in translated) return context.draft.refuse(part, translated.fault);
  context.onVariables(translated.variables);
  return translated.text;
}

/** Reads a file's value, which is no template; undefined if the value names no file. */
export async function readFile(
  part: Written,
  { draft, readText }: ValueContext,
): Promise<Written | LeftOut | undefined> {
  const { value } = part;
  if (typeof value !== 'string' || !value.startsWith('file://')) return undefined;
  if (!/\.(?:txt|json|ya?ml)$/i.test(value))
    return draft.refuse(
      part,
      `${quote(value)} is not read: a value is a .txt, .json or .yaml file`,
      'write the text in its place',
    );
  const text = await readText(value, part);
  if (typeof text !== 'string') return text;
  if (/\.txt$/i.test(value)) return placeAt(text.trim(), part.at());
  const parsed = readWritten(value, text);
  return 'problems' in parsed ? draft.refuse(part, `${quote(value)} can't be read`) : placeAt(parsed.value, part.at());
}

export async function readList(written: Written, context: ValueContext): Promise<readonly string[] | LeftOut> {
  const file = await readFile(written.child('value'), context);
  if (file instanceof LeftOut) return file;
  const part = file ?? written.child('value');
  const { value } = part;
  const texts: readonly unknown[] =
    typeof value === 'string' ? (splitCommas(value) ?? [undefined]) : Array.isArray(value) ? value : [undefined];
  const translated: string[] = [];
  for (const text of texts) {
    const one = typeof text === 'number' || typeof text === 'boolean' ? String(text) : text;
    if (typeof one !== 'string' || one === '' || one.startsWith('file://')) {
      return context.draft.refuse(part, 'the value must be a list of texts that are not empty');
    }
    const result = file === undefined ? translateNunjucks(one) : { text: escapeTemplate(one), variables: [] };
    if ('fault' in result) return context.draft.refuse(part, result.fault);
    context.onVariables(result.variables);
    translated.push(result.text);
  }
  if (translated.length === 0) return context.draft.refuse(part, 'the list is empty');
  return translated;
}

/** Splits at commas; undefined for a text with quotes or templates, whose commas may not separate. */
function splitCommas(text: string): readonly string[] | undefined {
  if (/["{]/.test(text)) return undefined;
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Escapes braces in data: promptfoo reads no templates there. */
export function escapeData(value: unknown): unknown {
  return mapTexts(value, escapeTemplate);
}

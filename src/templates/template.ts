import { defined } from '../json/defined.ts';
import type { TemplateEngine } from './liquid-engine.ts';
import { joinErrors, missingVariable, positionIn, refuseLongTemplate, TemplateError } from './template-error.ts';
import { notText, plainText } from './template-values.ts';

/** A compiled template. */
export interface CompiledTemplate {
  readonly source: string;
  /** Paths read, such as `email`, `order.id` or `docs[0].title`. */
  readonly variables: readonly string[];
  /** Set if the template is exactly `{{ path }}`. */
  readonly only?: TemplatePath;
  /** Throws a `TemplateError` if a variable is missing or has no text form. */
  render(vars: Readonly<Record<string, unknown>>): string;
}

interface TemplatePath {
  readonly segments: readonly string[];
  readonly path: string;
  readonly offset: number;
}

/** A literal text or a path. */
export type TemplatePart = string | TemplatePath;

// Words that the engine reads as values or sizes, not as paths.
export const reservedNames = new Set(['true', 'false', 'nil', 'null', 'empty', 'blank', 'size', 'first', 'last']);
const nameSource = String.raw`[\p{L}_][\p{L}\p{N}_-]*`;
const pathPattern = new RegExp(String.raw`^\s*(${nameSource}(?:\.(?:${nameSource}|\d+)|\[\d+\])*)\s*$`, 'u');
const templateSignPattern = /\{\{|\{%|\{#/;
// YAML and JSON escapes that can produce a brace.
const escapedBracePattern = /\\(?:x|u|U)0*7[bB]|\{\\\r?\n/;

let loadedEngine: TemplateEngine | undefined;

/**
 * Compiles a template. Text and `{{ path }}` need no engine; anything else needs `loadTemplateEngine` first. Values are
 * never rendered again, so a variable can't inject a template.
 */
export function compileTemplate(source: string): CompiledTemplate {
  // A text without templates is only copied, and may be a document of any length.
  if (isTemplate(source)) refuseLongTemplate(source);
  const parts = splitPaths(source);
  if (parts !== undefined) return compilePaths(source, parts);
  if (loadedEngine === undefined) {
    throw new TemplateError('the template engine is not loaded', {
      kind: 'syntax',
      hint: 'write the braces of a template without escapes',
    });
  }
  return loadedEngine.compile(source);
}

/** Imports the engine once, in about 40 ms. */
export async function loadTemplateEngine(): Promise<void> {
  loadedEngine ??= (await import('./liquid-engine.ts')).createTemplateEngine();
}

/** True if a text, or a file with templates, may need the engine. */
export function needsTemplateEngine(text: string): boolean {
  return escapedBracePattern.test(text) || splitPaths(text) === undefined;
}

/** True if a text is not only literal. */
export function isTemplate(text: string): boolean {
  return templateSignPattern.test(text);
}

/** Renders a template. Exactly `{{ path }}` returns the value with its type, any other template its text. */
export function renderValue(template: CompiledTemplate, vars: Readonly<Record<string, unknown>>): unknown {
  const { only } = template;
  if (only === undefined) return template.render(vars);
  const value = readPath(vars, only.segments);
  if (value === undefined) throw missingVariable(only.path, positionIn(template.source, only.offset));
  return value;
}

/** Reads the value at a path of own properties; undefined if there is none. */
function readPath(vars: unknown, segments: readonly string[]): unknown {
  let value: unknown = vars;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[segment];
  }
  return value;
}

/** Splits a template into text and plain paths; undefined if it contains anything else. */
export function splitPaths(source: string): readonly TemplatePart[] | undefined {
  const parts: TemplatePart[] = [];
  let from = 0;
  if (source.includes('{%') || source.includes('{#')) return undefined;
  for (;;) {
    const open = source.indexOf('{{', from);
    if (open === -1) break;
    const close = source.indexOf('}}', open + 2);
    if (close === -1) return undefined;
    const path = pathPattern.exec(source.slice(open + 2, close))?.[1];
    if (path === undefined || source[close + 2] === '}') return undefined;
    const segments = path.split(/[.[\]]+/).filter((segment) => segment !== '');
    if (segments.some((segment) => reservedNames.has(segment))) return undefined;
    if (open > from) parts.push(source.slice(from, open));
    parts.push({ segments, path, offset: open });
    from = close + 2;
  }
  if (from < source.length) parts.push(source.slice(from));
  return parts;
}

function compilePaths(source: string, parts: readonly TemplatePart[]): CompiledTemplate {
  const variables = new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.path])));
  const [only] = parts;
  return {
    source,
    variables: [...variables],
    ...defined({ only: parts.length === 1 && typeof only === 'object' ? only : undefined }),
    render(vars) {
      let text = '';
      for (const part of parts) {
        if (typeof part === 'string') text += part;
        else {
          const found = plainText(readPath(vars, part.segments));
          if (found === undefined) throw findErrors(source, parts, vars);
          text += found;
        }
      }
      return text;
    },
  };
}

/** Finds all errors of a template of paths. Returns the first, with the others attached. */
function findErrors(
  source: string,
  parts: readonly TemplatePart[],
  vars: Readonly<Record<string, unknown>>,
): TemplateError {
  const errors = parts.flatMap((part) => {
    if (typeof part === 'string') return [];
    const value = readPath(vars, part.segments);
    if (value === undefined) return [missingVariable(part.path, positionIn(source, part.offset))];
    return plainText(value) === undefined ? [notText(value, part.path, positionIn(source, part.offset))] : [];
  });
  const [first = new TemplateError('the template has no text', { kind: 'not-text' }), ...others] = errors;
  return joinErrors(first, others);
}

/** Escapes a text, so that it renders to itself. */
export function escapeTemplate(text: string): string {
  return text.replaceAll(/\{[{%#]+/g, (braces) => `{% raw %}${braces}{% endraw %}`);
}

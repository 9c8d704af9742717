import { compileTemplate, isTemplate, renderValue } from '../lib/template.ts';
import type { JsonValue } from '../model/json.ts';

/** A JSON value whose strings may be templates, compiled once. */
export type RequestTemplate = (vars: Readonly<Record<string, unknown>>) => JsonValue;

/**
 * Compiles a request. A string that is exactly `{{ path }}` keeps the value's type; every other one becomes text. Keys
 * are no templates. Throws a `TemplateError` for a string that is none; what it gives throws one for a missing variable.
 */
export function compileRequest(value: JsonValue): RequestTemplate {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return () => value;
    const template = compileTemplate(value);
    return (vars) => renderValue(template, vars) as JsonValue;
  }
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map(compileRequest);
    return (vars) => items.map((item) => item(vars));
  }
  if (typeof value !== 'object' || value === null) return () => value;
  const members = Object.entries(value).map(([key, member]) => [key, compileRequest(member)] as const);
  return (vars) => Object.fromEntries(members.map(([key, member]) => [key, member(vars)]));
}

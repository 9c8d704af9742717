import { defined } from '../../json/defined.ts';
import type { ProblemDetails, SourceLocation } from '../../model/problem.ts';
import { type CompiledTemplate, compileTemplate, isTemplate, renderValue } from '../../templates/template.ts';
import { TemplateError } from '../../templates/template-error.ts';
import { attempt } from '../../text/attempt.ts';
import { childOf, type Located } from '../documents/locate.ts';

/** The variables for templates: the case's vars and `expected`. */
export type Scope = Readonly<Record<string, unknown>>;

/** A value whose strings may be templates. */
export interface ValueTemplate {
  /** True without templates: the value is the same for every case. */
  readonly isConstant: boolean;
  readonly variables: readonly string[];
  /** The parts of a list or a map that holds templates. */
  readonly parts?: readonly ValueTemplate[];
  render(scope: Scope): unknown;
}

export function constantOf(value: unknown): ValueTemplate {
  return { isConstant: true, variables: [], render: () => value };
}

/** A template that can't be rendered, and the string that holds it. */
export class RenderError extends Error {
  readonly located: Located;
  readonly error: TemplateError;

  constructor(located: Located, error: TemplateError) {
    super(error.message, { cause: error });
    this.name = 'RenderError';
    this.located = located;
    this.error = error;
  }
}

/** Compiles every string of a value that holds a template; keys are not templates. */
export function compileValue(located: Located, report: (problem: ProblemDetails) => void): ValueTemplate {
  const { value } = located;
  if (typeof value === 'string') {
    return isTemplate(value) ? compileText(value, located, report) : constantOf(value);
  }
  if (Array.isArray(value)) {
    const items = value.map((_, index) => compileValue(childOf(located, index), report));
    return joinParts(value, items, (scope) => items.map((item) => item.render(scope)));
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return constantOf(value);
  }
  const entries = Object.keys(value).map((key) => [key, compileValue(childOf(located, key), report)] as const);
  const parts = entries.map(([, item]) => item);
  // Object.fromEntries defines its keys, so a `__proto__` key stays data.
  return joinParts(value, parts, (scope) =>
    Object.fromEntries(entries.map(([key, item]) => [key, item.render(scope)])),
  );
}

function joinParts(value: unknown, parts: readonly ValueTemplate[], render: (scope: Scope) => unknown): ValueTemplate {
  if (parts.every(({ isConstant }) => isConstant)) return constantOf(value);
  return { isConstant: false, variables: parts.flatMap(({ variables }) => variables), parts, render };
}

/** Finds all errors of rendering some templates, after one has failed. */
export function findRenderErrors(templates: readonly ValueTemplate[], scope: Scope): readonly RenderError[] {
  return templates.flatMap((template) => {
    if (template.parts !== undefined) return findRenderErrors(template.parts, scope);
    const fault = attempt(() => template.render(scope), RenderError);
    if (!(fault instanceof RenderError)) return [];
    return [fault, ...fault.error.also.map((other) => new RenderError(fault.located, other))];
  });
}

/** A problem of a template, at its place in the file. */
export function describeTemplateError(error: TemplateError, at: SourceLocation): ProblemDetails {
  return {
    code: error.kind === 'missing-variable' ? 'missing-variable' : 'invalid-template',
    message: error.message,
    ...defined({ hint: error.hint }),
    at,
  };
}

/** The place of a template's error within a string. */
export function placeOfError(located: Located, error: TemplateError): SourceLocation {
  const { line, column } = error;
  if (line === undefined || column === undefined) return located.source.at(located.path);
  return located.source.within(located.path, line, column);
}

function compileText(text: string, located: Located, report: (problem: ProblemDetails) => void): ValueTemplate {
  const compiled = attempt(() => compileTemplate(text), TemplateError);
  if (!(compiled instanceof TemplateError)) return toValueTemplate(compiled, located);
  for (const one of [compiled, ...compiled.also]) report(describeTemplateError(one, placeOfError(located, one)));
  return compiled.rest === undefined ? constantOf(text) : toValueTemplate(compiled.rest, located);
}

function toValueTemplate(template: CompiledTemplate, located: Located): ValueTemplate {
  return {
    isConstant: false,
    variables: template.variables,
    render(scope) {
      const rendered = attempt(() => renderValue(template, scope), TemplateError);
      if (rendered instanceof TemplateError) throw new RenderError(located, rendered);
      return rendered;
    },
  };
}

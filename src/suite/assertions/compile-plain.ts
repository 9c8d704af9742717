import * as z from 'zod';
import type { JsonObject } from '../../json/json.ts';
import type { AssertionDeclaration } from '../../model/assertion.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { didYouMean } from '../../text/did-you-mean.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { markSpelling } from '../cases/case-hash.ts';
import { type ContractKnowledge, warnOfKeywords } from '../contracts/parse-contract.ts';
import { keysAt, reportIssues } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, type Located, locate, type Path } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { type AskedModels, type FoundModel, withModel } from './asked-models.ts';
import { type Frame, framedSource } from './assertion-frame.ts';
import { type ConstantAssertion, type TemplateAssertion, variableReader } from './compiled-assertion.ts';
import { type Needs, readNeeds, withCode } from './own-code.ts';
import { compileValue, renderTemplate, type Scope, type ValueTemplate } from './value-template.ts';

export interface AssertionContext extends Needs {
  readonly declarations: Readonly<Record<string, AssertionDeclaration>>;
  readonly models: AskedModels;
  readonly contracts?: ContractKnowledge;
  /** The content of a JSON or YAML file that a parameter names. */
  readonly readFile: (namedBy: Located<string>) => Located | undefined;
}

export function compilePlain(
  name: string,
  declaration: AssertionDeclaration,
  written: Located,
  { frame, model }: { readonly frame: Frame; readonly model: FoundModel | undefined },
  context: AssertionContext,
): Omit<ConstantAssertion, 'paths'> | Omit<TemplateAssertion, 'paths'> | undefined {
  const { main, asks } = declaration;
  const isMap = isMapForm(declaration, written.value);
  if (!isMap && main === undefined) {
    context.problems.report({
      code: 'invalid-value',
      message: `${name} takes a map of parameters, not ${describeValue(written.value)}`,
      hint: `for example ${declaration.example}`,
      at: locate(written),
    });
    return undefined;
  }
  const errorsBefore = context.problems.errorCount();
  const templates = new Map<string, ValueTemplate>();
  const places = new Map<string, Located>();
  const keys =
    isMap && typeof written.value === 'object' && written.value !== null
      ? Object.keys(written.value)
      : [main ?? 'value'];
  for (const key of keys) {
    const parameter = isMap ? childOf(written, key) : written;
    const content = readParameter(key, declaration, parameter, context);
    if (content === undefined) continue;
    places.set(key, content);
    if (declaration.schemas?.includes(key) === true) warnOfKeywords(content, context);
    // What comes from a file is data.
    const isFile = content !== parameter;
    templates.set(
      key,
      isFile ? { kind: 'constant', value: content.value } : compileValue(content, context.problems.report),
    );
  }
  const code = readNeeds(name, declaration, { written, places }, context);
  const parts = [...templates];
  const values = parts.map(([, template]) => template);
  const variables = values.flatMap((template) => (template.kind === 'constant' ? [] : template.variables));
  const parse = createParse(
    declaration,
    parts.flatMap(([key, template]) => (template.kind === 'constant' ? [] : [key])),
  );
  const paramContext = {
    written,
    isMap,
    places,
    frame,
    framed: framedSource(frame),
    parse,
    problems: context.problems,
  };
  if (context.problems.errorCount() > errorsBefore) {
    reportConstants(name, declaration, parts, paramContext);
    return variableReader(name, values, variables);
  }
  const build = (params: Readonly<Record<string, unknown>>) => {
    const check = parseParams(name, declaration, params, paramContext);
    return asks === undefined ? withCode(check, code, declaration.plugin) : withModel(check, model, asks, name);
  };
  if (parts.every(([, template]) => template.kind === 'constant')) {
    const check = build(renderParams(parts, {}));
    return check === undefined ? undefined : { kind: 'constant', name, check, variables: [] };
  }
  let isReported = false;
  return {
    kind: 'template',
    name,
    variables,
    templates: values,
    instantiate(scope) {
      let params: Readonly<Record<string, unknown>>;
      try {
        params = renderParams(parts, scope);
      } catch (error) {
        if (!isReported) reportConstants(name, declaration, parts, paramContext);
        isReported = true;
        throw error;
      }
      return build(params);
    },
  };
}

/**
 * Parses parameters of which only `rendered` change from case to case. Once a whole has passed, the others are known to be
 * right, unless the schema looks at several of them together: a tenth of the time for a file of many cases.
 */
function createParse({ params: schema }: AssertionDeclaration, rendered: readonly string[]): ParseParams {
  const parse: ParseParams = (params) => schema.safeParse(params, { reportInput: true });
  const [key] = rendered;
  if (!(schema instanceof z.ZodObject) || schema.def.checks !== undefined || rendered.length !== 1) return parse;
  const field: unknown = key === undefined ? undefined : schema.shape[key];
  if (key === undefined || !(field instanceof z.ZodType)) return parse;
  let first: Readonly<Record<string, unknown>> | undefined;
  return (params) => {
    const part = first === undefined ? undefined : field.safeParse(params[key]);
    if (part?.success && part.data !== undefined) return { success: true, data: { ...first, [key]: part.data } };
    const whole = parse(params);
    if (whole.success) first = toRecord(whole.data);
    return whole;
  };
}

type ParseParams = (params: Readonly<Record<string, unknown>>) => z.ZodSafeParseResult<unknown>;

function toRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function renderParams(
  parts: readonly (readonly [string, ValueTemplate])[],
  scope: Scope,
): Readonly<Record<string, unknown>> {
  const [only] = parts;
  // A computed key is defined too, so a `__proto__` key stays data.
  if (only !== undefined && parts.length === 1) return { [only[0]]: renderTemplate(only[1], scope) };
  return Object.fromEntries(parts.map(([key, template]) => [key, renderTemplate(template, scope)]));
}

/** A map is the parameters where it holds any of their names; else it is the main parameter's value. */
function isMapForm(declaration: AssertionDeclaration, value: unknown): boolean {
  if (declaration.wholeValue === true || typeof value !== 'object' || value === null || Array.isArray(value))
    return false;
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  if (declaration.main === undefined) return true;
  const known = keysAt(declaration.params, []);
  const keys = Object.keys(value);
  // An empty map that is no value lacks its parameters.
  if (keys.length === 0) return !takesMap(declaration, value);
  return (
    keys.some((key) => known.includes(key)) ||
    (keys.every((key) => didYouMean(key, known) !== undefined) && !takesMap(declaration, value))
  );
}

/** True where the main parameter accepts the map as its value, so that it is no mistyped map of parameters. */
function takesMap({ params, main }: AssertionDeclaration, value: object): boolean {
  return main !== undefined && params.safeParse({ [main]: plainNumbers(value) }).success;
}

function readParameter(
  key: string,
  declaration: AssertionDeclaration,
  parameter: Located,
  context: AssertionContext,
): Located | undefined {
  const { value } = parameter;
  if (typeof value !== 'string' || declaration.files?.includes(key) !== true) return parameter;
  return context.readFile({ ...parameter, value });
}

interface ParamContext extends ParamPlaces {
  readonly frame: Frame;
  /** Of the frame, made once for all cases. */
  readonly framed: JsonObject;
  readonly parse: ParseParams;
}

function parseParams(
  name: string,
  declaration: AssertionDeclaration,
  params: Readonly<Record<string, unknown>>,
  { written, isMap, places, frame, framed, parse, problems }: ParamContext,
): CheckSpec | undefined {
  const result = parse(declaration.spelled === true ? params : (toRecord(plainNumbers(params)) ?? params));
  if (result.success) {
    const shown = isMap ? params : params[declaration.main ?? 'value'];
    return {
      assertion: name,
      params: result.data,
      ...frame,
      source: { [name]: markSpelling(declaration.spelled === true ? shown : plainNumbers(shown)), ...framed },
    };
  }
  reportParams(name, declaration, result.error.issues, { written, isMap, places, problems });
  return undefined;
}

/** Where the parameters of an assertion are written. */
interface ParamPlaces {
  readonly written: Located;
  /** False for the short form, `contains: refund`. */
  readonly isMap: boolean;
  readonly places: ReadonlyMap<string, Located>;
  readonly problems: Problems;
}

/** Says what the schema of an assertion's parameters refuses, where each of them stands. */
function reportParams(
  name: string,
  declaration: AssertionDeclaration,
  found: readonly z.core.$ZodIssue[],
  { written, isMap, places, problems }: ParamPlaces,
): void {
  const relocate = (path: Path): Located => {
    const [key, ...rest] = path;
    const place = typeof key === 'string' ? places.get(key) : undefined;
    if (place !== undefined) return { ...place, path: [...place.path, ...rest] };
    return { ...written, path: [...written.path, ...path] };
  };
  // In the short form the main parameter has no name that the user wrote.
  const issues = isMap ? found : found.map((issue) => nameShortForm(issue, declaration.main));
  reportIssues(issues, declaration.params, written, {
    label: name,
    problems,
    relocate: isMap ? relocate : (path) => relocate([declaration.main ?? 'value', ...path]),
  });
}

/** Says what is wrong with the parameters that are no templates, where the others can't be rendered. */
function reportConstants(
  name: string,
  declaration: AssertionDeclaration,
  parts: readonly (readonly [key: string, ValueTemplate])[],
  places: ParamPlaces,
): void {
  const { params, spelled } = declaration;
  if (!(params instanceof z.ZodObject)) return;
  const issues = parts.flatMap(([key, template]): readonly z.core.$ZodIssue[] => {
    const field: unknown = Object.hasOwn(params.shape, key) ? params.shape[key] : undefined;
    if (!(field instanceof z.ZodType)) return [{ code: 'unrecognized_keys', keys: [key], path: [], message: '' }];
    if (template.kind !== 'constant') return [];
    const value = spelled === true ? template.value : plainNumbers(template.value);
    const { error } = field.safeParse(value, { reportInput: true });
    return (error?.issues ?? []).map((issue) => Object.assign({}, issue, { path: [key, ...issue.path] }));
  });
  reportParams(name, declaration, issues, places);
}

function nameShortForm<T extends { readonly path: PropertyKey[] }>(issue: T, main: string | undefined): T {
  return issue.path[0] === main ? { ...issue, path: issue.path.slice(1) } : issue;
}

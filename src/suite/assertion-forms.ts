import * as z from 'zod';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { didYouMean } from '../text/did-you-mean.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { type AskedModels, type FoundModel, withModel } from './asked-models.ts';
import { type Needs, readNeeds, withCode } from './assertion-code.ts';
import { type Frame, findName, framedSource, noFrame, parseFrame } from './assertion-frame.ts';
import { findPaths, type PlacedSelect } from './check-paths.ts';
import {
  type CompiledAssertion,
  type ConstantAssertion,
  instantiateAll,
  type TemplateAssertion,
  variableReader,
  withoutCheck,
} from './compiled-assertion.ts';
import type { ContractKnowledge } from './contracts.ts';
import { describeValue, keysAt } from './describe-issues.ts';
import { childOf, itemsOf, type Located, locate } from './locate.ts';
import { type ParamPlaces, reportConstants, reportParams } from './report-params.ts';
import { markSpelling } from './spelling.ts';
import { compileValue, renderTemplate, type Scope, type ValueTemplate } from './template-values.ts';
import { warnOfKeywords } from './warn-of-keywords.ts';

export interface AssertionContext extends Needs {
  readonly declarations: Readonly<Record<string, AssertionDeclaration>>;
  readonly models: AskedModels;
  readonly contracts?: ContractKnowledge;
  /** The content of a JSON or YAML file that a parameter names. */
  readonly readFile: (namedBy: Located<string>) => Located | undefined;
}

/** Parses a list of assertions; what is wrong is reported, and left out. */
export function compileAssertions(located: Located, context: AssertionContext): readonly CompiledAssertion[] {
  const compiled: CompiledAssertion[] = [];
  for (const item of itemsOf(located)) {
    const assertion = compileAssertion(item, context);
    if (assertion !== undefined) compiled.push(assertion);
  }
  return compiled;
}

/** Children check what their combinator selects, unless they select for themselves. */
function compileAssertion(
  located: Located,
  context: AssertionContext,
  inherited?: PlacedSelect,
): CompiledAssertion | undefined {
  const errorsBefore = context.problems.errorCount();
  const name = findName(located, context);
  const own = parseFrame(located, context.problems) ?? noFrame;
  const isFramed = context.problems.errorCount() === errorsBefore;
  const declaration = name === undefined ? undefined : context.declarations[name];
  if (name === undefined || declaration === undefined) return undefined;
  const ownSelect = childOf(located, 'select');
  const jsonPath = childOf(ownSelect, 'jsonPath');
  const placed =
    own.select === undefined
      ? inherited
      : { select: own.select, at: jsonPath.value === undefined ? ownSelect : jsonPath };
  const frame = { ...own, ...defined({ select: placed?.select }) };
  const written = childOf(located, name);
  if (declaration.children !== undefined) {
    const combined = compileCombinator(name, declaration.children, written, { frame, placed }, context);
    return isFramed ? combined : withoutCheck(name, combined);
  }
  const { asks } = declaration;
  const model = asks === undefined ? undefined : context.models.find(name, asks, written);
  const plain = compilePlain(name, declaration, written, { frame, model }, context);
  if (plain === undefined) return undefined;
  const compiled = { ...plain, paths: findPaths(name, written, placed) };
  if (!isFramed || (asks !== undefined && model === undefined)) return withoutCheck(name, compiled);
  if (model !== undefined) context.models.remember(name, { model, written, frame, declaration, compiled });
  return compiled;
}

interface PlacedFrame {
  readonly frame: Frame;
  readonly placed: PlacedSelect | undefined;
}

function compileCombinator(
  name: string,
  children: 'one' | 'many',
  written: Located,
  { frame, placed }: PlacedFrame,
  context: AssertionContext,
): CompiledAssertion | undefined {
  const items = children === 'one' ? [written] : itemsOf(written);
  if (items.length === 0) {
    context.problems.report({
      code: 'invalid-value',
      message: `${name} takes a list of assertions, not ${Array.isArray(written.value) ? 'an empty one' : describeValue(written.value)}`,
      at: locate(written),
    });
    return undefined;
  }
  const compiled: CompiledAssertion[] = [];
  for (const item of items) {
    refuseWeight(name, item, context);
    const child = compileAssertion(item, context, placed);
    if (child !== undefined) compiled.push(child);
  }
  const templates = compiled.flatMap((child) => (child.kind === 'constant' ? [] : child.templates));
  const variables = compiled.flatMap((child) => child.variables);
  const build = (checks: readonly CheckSpec[]): CheckSpec => ({
    assertion: name,
    params: {},
    ...frame,
    children: checks,
    source: { [name]: checks.map(({ source }) => source), ...framedSource(frame) },
  });
  // Under `not` a path that leads nowhere may be what is wanted; a selection must be there even so.
  const paths = compiled.flatMap((child) => child.paths).filter(({ selects }) => children === 'many' || selects);
  const constants = compiled.flatMap((child) => (child.kind === 'constant' ? [child.check] : []));
  if (constants.length === compiled.length)
    return constants.length < items.length
      ? undefined
      : { kind: 'constant', name, paths, check: build(constants), variables: [] };
  return {
    kind: 'template',
    name,
    paths,
    variables,
    templates,
    instantiate(scope) {
      const checks = instantiateAll(compiled, scope).filter((check) => check !== undefined);
      return checks.length < items.length ? undefined : build(checks);
    },
  };
}

/** A combinator takes the verdicts of its children alike, so a weight of one of them would be ignored. */
function refuseWeight(name: string, child: Located, { problems }: AssertionContext): void {
  for (const key of ['weight', 'required']) {
    const part = childOf(child, key);
    if (part.value === undefined) continue;
    problems.report({
      code: 'invalid-value',
      message: `${key} has no effect on an assertion inside ${name}`,
      hint: `write it beside ${name}`,
      at: locate(part, 'key'),
    });
  }
}

function compilePlain(
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

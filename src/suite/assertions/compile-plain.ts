import * as z from 'zod';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { parseWithSchema } from '../../json/parse-with-schema.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { ToolServers } from '../../model/suite/agent.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { markSpelling } from '../cases/case-hash.ts';
import { warnOfKeywords } from '../contracts/parse-contract.ts';
import { findIssues, keysAt, reportIssues } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate, type Path } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { type AskedModels, type FoundModel, withModel } from './asked-models.ts';
import { type Frame, framedSource } from './assertion-frame.ts';
import { type CompiledAssertion, variableReader } from './compiled-assertion.ts';
import { type Needs, readNeeds, withCode } from './own-code.ts';
import { compileValue, constantOf, type Scope, type ValueTemplate } from './value-template.ts';

export interface AssertionContext extends Needs {
  readonly declarations: Readonly<Record<string, AssertionDeclaration>>;
  readonly models: AskedModels;
  /** The content of a JSON or YAML file that a parameter names. */
  readonly readFile: (namedBy: Located<string>) => Located | undefined;
  /** Access to files that may not exist yet, and to their paths for messages. */
  readonly files: Pick<ProjectFiles, 'findReadFault' | 'hash' | 'display'>;
  /** Finds the servers of the tools that the suite sends, for `mcp: live`. Reports mistakes. */
  readonly findServers: (written: Located, use: 'run' | 'record') => ToolServers | undefined;
  /** Set within `not`. */
  readonly isNegated?: true;
}

/** An assertion without children, as written. */
interface PlainAssertion {
  readonly name: string;
  readonly declaration: AssertionDeclaration;
  readonly written: Located;
  readonly frame: Frame;
  readonly model: FoundModel | undefined;
}

/** Compiles the parameters of an assertion; undefined if they are wrong, which is reported. */
export function compilePlain(
  plain: PlainAssertion,
  context: AssertionContext,
): Omit<CompiledAssertion, 'paths'> | undefined {
  const { name, declaration, written, model } = plain;
  const { main, asks } = declaration;
  const isMap = isMapForm(declaration, written.value);
  if (!isMap && main === undefined) {
    return context.problems.refuse(
      written,
      `${name} takes a map of parameters, not ${describeValue(written.value)}`,
      `for example ${declaration.example}`,
    );
  }
  const errorsBefore = context.problems.errorCount();
  const { problems } = context;
  const params: Params = {
    ...plain,
    ...readParams(plain, isMap, context),
    framed: framedSource(plain.frame),
    isMap,
    isNegated: context.isNegated === true,
    problems,
  };
  const code = readNeeds(name, declaration, params, context);
  const templates = [...params.templates.values()];
  const variables = templates.flatMap((template) => template.variables);
  if (context.problems.errorCount() > errorsBefore) {
    reportConstants(params);
    return variableReader(name, templates, variables);
  }
  const build = (values: Values) => {
    const check = checkParams(values, params);
    return asks === undefined ? withCode(check, code, declaration.plugin) : withModel(check, model, asks, name);
  };
  if (templates.every(({ isConstant }) => isConstant)) {
    const check = build(renderParams(params, {}));
    return check && { name, isConstant: true, variables: [], templates: [], instantiate: () => check };
  }
  let isReported = false;
  const render = (scope: Scope) => {
    try {
      return renderParams(params, scope);
    } catch (error) {
      if (!isReported) reportConstants(params);
      isReported = true;
      throw error;
    }
  };
  return { name, isConstant: false, variables, templates, instantiate: (scope) => build(render(scope)) };
}

/** True if a map contains the name of a parameter. Otherwise it is the main parameter's value. */
export function isMapForm(declaration: AssertionDeclaration, value: unknown): boolean {
  if (declaration.wholeValue === true || typeof value !== 'object' || value === null) return false;
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  if (declaration.main === undefined) return true;
  const known = keysAt(declaration.params, []);
  const keys = Object.keys(value);
  // An empty map that is not a value is a map without its parameters.
  if (keys.length === 0) return !takesMap(declaration, value);
  return (
    keys.some((key) => known.includes(key)) ||
    (keys.every((key) => didYouMean(key, known) !== undefined) && !takesMap(declaration, value))
  );
}

/** True if the main parameter accepts the map as its value. Then it is not a mistyped map of parameters. */
function takesMap({ params, main }: AssertionDeclaration, value: object): boolean {
  return main !== undefined && params.safeParse({ [main]: plainNumbers(value) }).success;
}

type Values = Readonly<Record<string, unknown>>;

interface ReadParams {
  readonly templates: ReadonlyMap<string, ValueTemplate>;
  /** The place of each parameter, in the suite or in the file that it names. */
  readonly places: ReadonlyMap<string, Located>;
}

interface Params extends PlainAssertion, ReadParams {
  /** The frame as a case's hash covers it. */
  readonly framed: JsonObject;
  /** False for the short form, `contains: refund`. */
  readonly isMap: boolean;
  readonly isNegated: boolean;
  readonly problems: AssertionContext['problems'];
}

function readParams({ declaration, written }: PlainAssertion, isMap: boolean, context: AssertionContext): ReadParams {
  const templates = new Map<string, ValueTemplate>();
  const places = new Map<string, Located>();
  for (const key of isMap ? Object.keys(written.value ?? {}) : [declaration.main ?? 'value']) {
    const param = isMap ? childOf(written, key) : written;
    const { value } = param;
    const isFile = typeof value === 'string' && declaration.files?.includes(key) === true;
    const content = isFile ? context.readFile({ ...param, value }) : param;
    if (content === undefined) continue;
    places.set(key, content);
    if (declaration.schemas?.includes(key) === true) warnOfKeywords(content, context.problems);
    const schemas = declaration.calls?.includes(key) === true ? schemasOfCalls(content) : [];
    for (const schema of schemas) warnOfKeywords(schema, context.problems);
    // The content of a file is data, never a template.
    templates.set(key, isFile ? constantOf(content.value) : compileValue(content, context.problems.report));
  }
  return { templates, places };
}

function schemasOfCalls(calls: Located): readonly Located[] {
  if (Array.isArray(calls.value)) return itemsOf(calls).flatMap(schemasOfCalls);
  if (!isJsonObject(calls.value)) return [];
  const keys = Object.keys(calls.value);
  // A map by tools, as `after` has it.
  if (!keys.includes('name')) return keys.flatMap((tool) => schemasOfCalls(childOf(calls, tool)));
  return keys.includes('schema') ? [childOf(calls, 'schema')] : [];
}

function renderParams({ templates }: Params, scope: Scope): Values {
  return Object.fromEntries([...templates].map(([key, template]) => [key, template.render(scope)]));
}

/** Makes a check of rendered parameters. Undefined if the schema refuses them, which is reported. */
function checkParams(values: Values, params: Params): CheckSpec | undefined {
  const { name, declaration, frame, framed, isMap } = params;
  const isSpelled = declaration.spelled === true;
  const given = isSpelled ? values : plainNumbers(values);
  const result = parseWithSchema(declaration.params, given);
  if (!result.success) {
    reportParams(findIssues(given, declaration.params), params);
    return undefined;
  }
  const shown = isMap ? values : values[declaration.main ?? 'value'];
  const source = { [name]: markSpelling(isSpelled ? shown : plainNumbers(shown)), ...framed };
  warnOfIdle(result.data, params);
  return { assertion: name, params: result.data, ...frame, source };
}

/** Warns of a check that no text fails. Skips checks with a selection or under `not`, because they can fail. */
function warnOfIdle(parsed: unknown, { name, declaration, written, frame, isNegated, places, problems }: Params): void {
  const reason = isNegated || frame.select !== undefined ? undefined : declaration.findIdle?.(parsed);
  if (reason === undefined) return;
  problems.warn({
    code: 'invalid-value',
    message: `${name}: ${reason}`,
    hint: 'write + for *, or ^ before and $ after a pattern for the whole text',
    at: locate(places.get(declaration.main ?? 'value') ?? written),
  });
}

/** Reports the schema's issues at the place of each parameter. */
function reportParams(found: readonly z.core.$ZodIssue[], params: Params): void {
  const { name, declaration, written, isMap, places, problems } = params;
  const main = declaration.main ?? 'value';
  const relocate = ([key, ...rest]: Path): Located => {
    const place = typeof key === 'string' ? places.get(key) : undefined;
    if (place !== undefined) return { ...place, path: [...place.path, ...rest] };
    return { ...written, path: key === undefined ? written.path : [...written.path, key, ...rest] };
  };
  // In the short form, the user did not write the main parameter's name.
  const issues = isMap
    ? found
    : found.map((issue) => (issue.path[0] === main ? { ...issue, path: issue.path.slice(1) } : issue));
  reportIssues(issues, declaration.params, written, {
    label: name,
    problems,
    relocate: isMap ? relocate : (path) => relocate([main, ...path]),
  });
}

/** Reports mistakes in the parameters without templates, if the others can't be rendered. */
function reportConstants(params: Params): void {
  const { declaration, templates } = params;
  const { params: schema, spelled } = declaration;
  if (!(schema instanceof z.ZodObject)) return;
  const found = [...templates].flatMap(([key, template]): readonly z.core.$ZodIssue[] => {
    const field: unknown = Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
    if (!(field instanceof z.ZodType)) return [{ code: 'unrecognized_keys', keys: [key], path: [], message: '' }];
    if (!template.isConstant) return [];
    const value = template.render({});
    const issues = findIssues(spelled === true ? value : plainNumbers(value), field);
    return issues.map((issue) => Object.assign({}, issue, { path: [key, ...issue.path] }));
  });
  reportParams(found, params);
}

import { writeJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { type PlainStep, parsePlainPath } from '../../json/plain-path.ts';
import {
  type AgentSettings,
  defaultMaxSteps,
  type RecordTarget,
  type StubAnswer,
  type ToolServers,
  type ToolStub,
  type ToolsCode,
} from '../../model/agent.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { compileValue, renderTemplate, type Scope, type ValueTemplate } from '../assertions/value-template.ts';
import { checkShape } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { stubSchema } from '../schema/tool-schema.ts';
import { readSources } from './tool-sources.ts';

/** What is written under `tools`, with the values of stubs as templates. */
export interface CompiledTools {
  readonly stubs: readonly CompiledStub[];
  readonly module?: ToolsCode;
  /** Where the answers of real tools are recorded. */
  readonly record?: RecordTarget;
  /** The servers that are asked, with `mcp: live`. */
  readonly servers?: ToolServers;
}

interface CompiledStub {
  readonly name: string;
  readonly when?: ValueTemplate;
  readonly compare: 'subset' | 'exact';
  readonly schema?: unknown;
  readonly ignore?: readonly (readonly PlainStep[])[];
  readonly kind: StubAnswer['kind'];
  /** What the tool returns, or the error that it reports. */
  readonly value: ValueTemplate;
}

/** The templates of some stubs: their variables are used. */
export function templatesOf({ stubs }: CompiledTools): readonly ValueTemplate[] {
  return stubs.flatMap(({ when, value }) => (when === undefined ? [value] : [when, value]));
}

/**
 * Compiles stubs: a map of tools, the path of a file that holds one, or a list of these, where the first that matches a
 * call answers it. What is wrong is reported at its place.
 */
export function compileTools(written: Located, context: AssertionContext): CompiledTools {
  const { value } = written;
  if (value === undefined) return { stubs: [] };
  if (Array.isArray(value)) return compileList(itemsOf(written), context);
  if (typeof value === 'string') {
    const content = context.readFile({ ...written, value });
    return content === undefined ? { stubs: [] } : compileMap(content, context, 'file');
  }
  return compileMap(written, context);
}

function compileList(items: readonly Located[], context: AssertionContext): CompiledTools {
  const list = items.map((item) => compileTools(item, context));
  const second = items.filter((_, at) => list[at]?.module !== undefined)[1];
  if (second !== undefined) {
    context.problems.report({
      code: 'invalid-value',
      message: 'tools names two modules, and only the first would be asked',
      hint: 'export the tools of both from one module',
      at: locate(second),
    });
  }
  return joinTools(list);
}

/** Stubs of several places; those that come first answer first. */
export function joinTools(list: readonly (CompiledTools | undefined)[]): CompiledTools {
  const stubs = list.flatMap((tools) => tools?.stubs ?? []);
  const module = list.find((tools) => tools?.module !== undefined)?.module;
  const record = list.find((tools) => tools?.record !== undefined)?.record;
  const servers = list.find((tools) => tools?.servers !== undefined)?.servers;
  return { stubs, ...defined({ module, record, servers }) };
}

function compileMap(written: Located, context: AssertionContext, place: 'suite' | 'file' = 'suite'): CompiledTools {
  const { value } = written;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.problems.report({
      code: 'invalid-value',
      message: `tools must be a map of tools, the path of a file that holds one, or a list of these, not ${describeValue(value)}`,
      hint: 'write tools: { find_order: [{ when: { id: "7" }, returns: { state: shipped } }] }',
      at: locate(written),
    });
    return { stubs: [] };
  }
  const sources = readSources(written, context, place);
  const file = sources.stubs === undefined ? undefined : compileMap(sources.stubs, context, 'file');
  const stubs: CompiledStub[] = [];
  for (const name of Object.keys(value)) {
    const item = childOf(written, name);
    if (name === 'file' && file !== undefined) {
      stubs.push(...file.stubs);
    } else if (!sources.keys.has(name)) {
      for (const stub of Array.isArray(item.value) ? itemsOf(item) : [item]) {
        const compiled = compileStub(name, stub, context);
        if (compiled !== undefined) stubs.push(compiled);
      }
    }
  }
  const { module = file?.module, servers = file?.servers, record } = sources;
  return { stubs, ...defined({ module, record, servers }) };
}

function compileStub(name: string, written: Located, context: AssertionContext): CompiledStub | undefined {
  const { problems } = context;
  const plain = { ...written, value: plainNumbers(written.value) };
  const shape = checkShape(stubSchema, plain, { label: `a stub of the tool "${name}"`, problems });
  if (shape === undefined) return undefined;
  const kind = answerKinds.find((key) => Object.hasOwn(Object(written.value), key)) ?? 'never';
  const when = childOf(written, 'when');
  const compile = (located: Located): ValueTemplate =>
    shape.templates === false ? { kind: 'constant', value: located.value } : compileValue(located, problems.report);
  const schema = readSchema(childOf(written, 'schema'), context);
  return {
    name,
    kind,
    value: compile(childOf(written, kind)),
    compare: shape.compare ?? 'subset',
    ...defined({
      when: when.value === undefined ? undefined : compile(when),
      schema,
      ignore: shape.ignore?.flatMap((path) => {
        const steps = parsePlainPath(path);
        return steps === undefined ? [] : [steps];
      }),
    }),
  };
}

/** A schema may be a file, as everywhere. */
function readSchema(written: Located, context: AssertionContext): unknown {
  const { value } = written;
  return typeof value === 'string' ? context.readFile({ ...written, value })?.value : plainNumbers(value);
}

const answerKinds = ['returns', 'fails', 'never'] as const;

/** What answers the tool calls of a case; undefined where nothing does. Throws a `RenderError` for a missing variable. */
export function renderTools(
  { stubs, module, record, servers }: CompiledTools,
  { maxSteps, turns }: { readonly maxSteps: number | undefined; readonly turns: number },
  scope: Scope,
): AgentSettings | undefined {
  if (stubs.length === 0 && [module, record, servers].every((one) => one === undefined)) return undefined;
  const rendered = stubs.map((stub): ToolStub => {
    const { name, when, compare, schema, ignore } = stub;
    const answer = renderAnswer(stub, scope);
    if (when === undefined && schema === undefined) return { name, answer };
    const args = when === undefined ? undefined : (renderTemplate(when, scope) as Readonly<Record<string, unknown>>);
    return { name, when: { compare, ...defined({ args, schema, ignore }) }, answer };
  });
  return { stubs: rendered, maxSteps: maxSteps ?? defaultMaxSteps + turns, ...defined({ module, record, servers }) };
}

function renderAnswer({ kind, value }: CompiledStub, scope: Scope): StubAnswer {
  if (kind === 'never') return { kind };
  const rendered = renderTemplate(value, scope);
  const text = typeof rendered === 'string' ? rendered : (writeJson(plainNumbers(rendered)) ?? '');
  return kind === 'fails' ? { kind, message: text } : { kind, content: text };
}

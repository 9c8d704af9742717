import { writeJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { type PlainStep, parsePlainPath } from '../../json/plain-path.ts';
import { type AgentSettings, defaultMaxSteps, type StubAnswer, type ToolStub } from '../../model/agent.ts';
import type { CodeSource } from '../../model/own-code.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { compileValue, renderTemplate, type Scope, type ValueTemplate } from '../assertions/value-template.ts';
import { checkShape } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { stubSchema } from '../schema/tool-schema.ts';

/** What is written under `tools`, with the values of stubs as templates. */
export interface CompiledTools {
  readonly stubs: readonly CompiledStub[];
  readonly module?: CodeSource;
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
  if (Array.isArray(value)) return joinTools(itemsOf(written).map((item) => compileTools(item, context)));
  if (typeof value === 'string') {
    const content = context.readFile({ ...written, value });
    return content === undefined ? { stubs: [] } : compileMap(content, context);
  }
  return compileMap(written, context);
}

/** Stubs of several places; those that come first answer first. */
export function joinTools(list: readonly (CompiledTools | undefined)[]): CompiledTools {
  const stubs = list.flatMap((tools) => tools?.stubs ?? []);
  return { stubs, ...defined({ module: list.find((tools) => tools?.module !== undefined)?.module }) };
}

function compileMap(written: Located, context: AssertionContext): CompiledTools {
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
  const stubs: CompiledStub[] = [];
  let module: CodeSource | undefined;
  for (const name of Object.keys(value)) {
    const item = childOf(written, name);
    // A tool's stubs are a map or a list, so that a text is the file of the module.
    if (name === 'module' && typeof item.value === 'string') {
      module = context.readCode('tools', { value: item });
    } else {
      for (const stub of Array.isArray(item.value) ? itemsOf(item) : [item]) {
        const compiled = compileStub(name, stub, context);
        if (compiled !== undefined) stubs.push(compiled);
      }
    }
  }
  return { stubs, ...defined({ module }) };
}

function compileStub(name: string, written: Located, context: AssertionContext): CompiledStub | undefined {
  const { problems } = context;
  const plain = { ...written, value: plainNumbers(written.value) };
  const shape = checkShape(stubSchema, plain, { label: `a stub of the tool "${name}"`, problems });
  if (shape === undefined) return undefined;
  const kind = answerKinds.find((key) => Object.hasOwn(Object(written.value), key)) ?? 'never';
  const when = childOf(written, 'when');
  return {
    name,
    kind,
    value: compileValue(childOf(written, kind), problems.report),
    compare: shape.compare ?? 'subset',
    ...defined({
      when: when.value === undefined ? undefined : compileValue(when, problems.report),
      schema: shape.schema,
      ignore: shape.ignore?.flatMap((path) => {
        const steps = parsePlainPath(path);
        return steps === undefined ? [] : [steps];
      }),
    }),
  };
}

const answerKinds = ['returns', 'fails', 'never'] as const;

/** What answers the tool calls of a case; undefined where nothing does. Throws a `RenderError` for a missing variable. */
export function renderTools(
  { stubs, module }: CompiledTools,
  { maxSteps, turns }: { readonly maxSteps: number | undefined; readonly turns: number },
  scope: Scope,
): AgentSettings | undefined {
  if (stubs.length === 0 && module === undefined) return undefined;
  const rendered = stubs.map((stub): ToolStub => {
    const { name, when, compare, schema, ignore } = stub;
    const answer = renderAnswer(stub, scope);
    if (when === undefined && schema === undefined) return { name, answer };
    const args = when === undefined ? undefined : (renderTemplate(when, scope) as Readonly<Record<string, unknown>>);
    return { name, when: { compare, ...defined({ args, schema, ignore }) }, answer };
  });
  return { stubs: rendered, maxSteps: maxSteps ?? defaultMaxSteps + turns, ...defined({ module }) };
}

function renderAnswer({ kind, value }: CompiledStub, scope: Scope): StubAnswer {
  if (kind === 'never') return { kind };
  const rendered = renderTemplate(value, scope);
  const text = typeof rendered === 'string' ? rendered : (writeJson(plainNumbers(rendered)) ?? '');
  return kind === 'fails' ? { kind, message: text } : { kind, content: text };
}

import { resolve } from 'node:path';
import { writeJson } from '../../json/canonical-json.ts';
import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import { type PlainStep, parsePlainPath } from '../../json/plain-path.ts';
import {
  type AgentSettings,
  defaultMaxSteps,
  type RecordSource,
  type RecordTarget,
  type StubAnswer,
  type ToolServers,
  type ToolStub,
  type ToolsCode,
} from '../../model/suite/agent.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { parseDurationMs } from '../../text/duration.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { compileValue, constantOf, type Scope, type ValueTemplate } from '../assertions/value-template.ts';
import { checkSchema, warnOfKeywords } from '../contracts/parse-contract.ts';
import { checkPart, checkShape } from '../documents/check-shape.ts';
import { describeValue } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import { codeLimits, recordSchema, stubSchema } from '../schema/tool-schema.ts';

/** The compiled `tools` of a suite or case. The values of stubs are templates. */
export interface CompiledTools {
  readonly stubs: readonly CompiledStub[];
  readonly module?: ToolsCode;
  /** The file and tools for recording real answers. */
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
  /** The tool's result or error. */
  readonly value: ValueTemplate;
}

/** The templates of some stubs, whose variables count as used. */
export function templatesOf({ stubs }: CompiledTools): readonly ValueTemplate[] {
  return stubs.flatMap(({ when, value }) => (when === undefined ? [value] : [when, value]));
}

/**
 * Compiles stubs: a map of tools, the path of a file that holds one, or a list of these. In a list, the first stub that
 * matches a call answers it. Reports each mistake at its place.
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
    context.problems.refuse(
      second,
      'tools names two modules, and only the first would be asked',
      'export the tools of both from one module',
    );
  }
  return joinTools(list);
}

/** Joins the stubs of several places. Earlier stubs take precedence. */
export function joinTools(list: readonly (CompiledTools | undefined)[]): CompiledTools {
  const stubs = list.flatMap((tools) => tools?.stubs ?? []);
  const module = list.find((tools) => tools?.module !== undefined)?.module;
  const record = list.find((tools) => tools?.record !== undefined)?.record;
  const servers = list.find((tools) => tools?.servers !== undefined)?.servers;
  return { stubs, ...defined({ module, record, servers }) };
}

function compileMap(written: Located, context: AssertionContext, place: 'suite' | 'file' = 'suite'): CompiledTools {
  const { value } = written;
  if (!isRecord(value)) {
    context.problems.refuse(
      written,
      `tools must be a map of tools, the path of a file that holds one, or a list of these, not ${describeValue(value)}`,
      'write tools: { find_order: [{ when: { id: "7" }, returns: { state: shipped } }] }',
    );
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
      const entries = Array.isArray(item.value) ? itemsOf(item) : [item];
      for (const stub of entries) {
        const compiled = compileStub(name, stub, context);
        if (compiled !== undefined) stubs.push(compiled);
      }
      warnOfUnreached(name, entries, context);
    }
  }
  const { module = file?.module, servers = file?.servers, record } = sources;
  return { stubs, ...defined({ module, record, servers }) };
}

/** Warns of an entry after one that answers every call. It would never answer, and a `never` would never fail. */
function warnOfUnreached(name: string, entries: readonly Located[], { problems }: AssertionContext): void {
  const catchAll = entries.findIndex(({ value }) => {
    const { when, schema, compare } = Object(value) as Readonly<Record<string, unknown>>;
    const isOpen = when === undefined || (compare !== 'exact' && Object.keys(Object(when)).length === 0);
    return isOpen && schema === undefined;
  });
  const unreached = catchAll === -1 ? undefined : entries[catchAll + 1];
  if (unreached === undefined) return;
  problems.warn({
    code: 'invalid-value',
    message: `no call reaches this stub of the tool "${name}": one before it answers every call`,
    hint: 'put the stubs with "when" first',
    at: locate(unreached),
  });
}

function compileStub(name: string, written: Located, context: AssertionContext): CompiledStub | undefined {
  const { problems } = context;
  const plain = { ...written, value: plainNumbers(written.value) };
  const shape = checkShape(stubSchema, plain, { label: `a stub of the tool "${name}"`, problems });
  if (shape === undefined) return undefined;
  const kind = answerKinds.find((key) => Object.hasOwn(Object(written.value), key)) ?? 'never';
  const when = childOf(written, 'when');
  const compile = (located: Located): ValueTemplate =>
    shape.templates === false ? constantOf(located.value) : compileValue(located, problems.report);
  const schema = readSchema(childOf(written, 'schema'), name, context);
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
function readSchema(written: Located, name: string, { readFile, problems }: AssertionContext): unknown {
  const { value } = written;
  const schema = typeof value === 'string' ? readFile({ ...written, value }) : written;
  if (schema?.value === undefined) return undefined;
  if (checkSchema(schema, `the schema of a stub of the tool "${name}": `, problems)) warnOfKeywords(schema, problems);
  return plainNumbers(schema.value);
}

const answerKinds = ['returns', 'fails', 'never'] as const;

/** The tools of a case; undefined if nothing answers its calls. Throws a `RenderError` for a missing variable. */
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
    const args = when === undefined ? undefined : (when.render(scope) as Readonly<Record<string, unknown>>);
    return { name, when: { compare, ...defined({ args, schema, ignore }) }, answer };
  });
  return { stubs: rendered, maxSteps: maxSteps ?? defaultMaxSteps + turns, ...defined({ module, record, servers }) };
}

function renderAnswer({ kind, value }: CompiledStub, scope: Scope): StubAnswer {
  if (kind === 'never') return { kind };
  const rendered = value.render(scope);
  const text = typeof rendered === 'string' ? rendered : (writeJson(plainNumbers(rendered)) ?? '');
  return kind === 'fails' ? { kind, message: text } : { kind, content: text };
}

/** The sources in a map besides its tools: code, a file of stubs, and the real tools. */
interface ToolSources {
  readonly module?: ToolsCode;
  readonly record?: RecordTarget;
  /** With `mcp: live`. */
  readonly servers?: ToolServers;
  /** The content of the file. */
  readonly stubs?: Located;
  /** Keys of the map that are not tools. */
  readonly keys: ReadonlySet<string>;
}

/**
 * Reads the keys that are not tools. The stubs of a tool are a map or a list. So a text is a file or a duration, and a
 * number is a limit. A map under `record` is a stub unless it has a key of real tools.
 */
function readSources(written: Located, context: AssertionContext, place: 'suite' | 'file'): ToolSources {
  const value = (key: string) => childOf(written, key).value;
  const keys = new Set<string>();
  const isText = (key: string) => typeof value(key) === 'string';
  if (isText('module')) {
    keys.add('module');
    for (const key of ['timeout', 'memoryMb'])
      if (value(key) !== undefined && typeof value(key) !== 'object') keys.add(key);
  }
  if (isText('mcp')) keys.add('mcp');
  if (isText('file')) keys.add('file');
  if (isRealTools(value('record'))) keys.add('record');
  // A file that names itself would be read forever.
  const nested = ['file', 'record'].find((key) => keys.has(key));
  if (place === 'file' && nested !== undefined) {
    context.problems.report({
      code: 'invalid-value',
      message: `a file of stubs can't have "${nested}": it stands where the file is named`,
      hint: 'name several files as a list: tools: [stubs/shop.yaml, stubs/mail.yaml]',
      at: locate(childOf(written, nested), 'key'),
    });
    return { keys };
  }
  const module = keys.has('module') ? readModule(written, keys, context) : undefined;
  const record = keys.has('record') ? readTarget(written, context) : undefined;
  const stubs = keys.has('file') ? readStubs(childOf(written, 'file'), keys.has('record'), context) : undefined;
  const servers = keys.has('mcp') ? context.findServers(childOf(written, 'mcp'), 'run') : undefined;
  return { keys, ...defined({ module, record, servers, stubs }) };
}

function isRealTools(value: unknown): boolean {
  return isRecord(value) && !['returns', 'fails', 'never'].some((key) => Object.hasOwn(value, key));
}

function readModule(written: Located, keys: ReadonlySet<string>, context: AssertionContext): ToolsCode | undefined {
  const code = context.readCode('tools', { value: childOf(written, 'module') });
  const timeout = keys.has('timeout') ? checkPart(written, 'timeout', codeLimits.timeout, context.problems) : undefined;
  const memoryMb = keys.has('memoryMb')
    ? checkPart(written, 'memoryMb', codeLimits.memoryMb, context.problems)
    : undefined;
  return code && withLimits(code, { timeout, memoryMb });
}

function withLimits(
  code: ToolsCode,
  limits: { readonly timeout?: unknown; readonly memoryMb?: number | undefined },
): ToolsCode {
  const { timeout, memoryMb } = limits;
  if (timeout === undefined && memoryMb === undefined) return code;
  const timeoutMs = timeout === undefined ? undefined : parseDurationMs(timeout);
  return { ...code, limits: defined({ timeoutMs, memoryMb }) };
}

/** The real tools, and the file that their answers are written to. */
function readTarget(written: Located, context: AssertionContext): RecordTarget | undefined {
  const { problems } = context;
  const record = childOf(written, 'record');
  const shape = checkShape(
    recordSchema,
    { ...record, value: plainNumbers(record.value) },
    { label: 'record', problems },
  );
  if (shape === undefined) return undefined;
  const file = childOf(written, 'file');
  if (typeof file.value !== 'string' || !/\.ya?ml$/.test(file.value)) {
    return problems.refuse(
      file.value === undefined ? record : file,
      'record needs the YAML file that the answers are written to',
      'write tools: { file: stubs/shop.yaml, record: { module: tools/shop.ts } }',
    );
  }
  const source = readSource(record, context);
  if (source === undefined) return undefined;
  const code = withLimits(source.code, defined({ timeout: shape.timeout, memoryMb: shape.memoryMb }));
  const path = resolve(file.source.folder, file.value);
  return { file: path, shown: context.files.display(path), source: { ...source, code } };
}

function readSource(record: Located, context: AssertionContext): RecordSource | undefined {
  const { readCode, problems } = context;
  const env = childOf(record, 'env');
  const mcp = childOf(record, 'mcp');
  if (mcp.value !== undefined) {
    const servers = context.findServers(mcp, 'record');
    return servers && { kind: 'mcp', servers, code: { folder: record.source.folder, hash: '' } };
  }
  const program = childOf(record, 'exec');
  if (typeof program.value !== 'string') {
    const code = readCode('tools', { value: childOf(record, 'module'), env });
    return code && { kind: 'module', code };
  }
  const argv = splitCommand(program.value) ?? [];
  if (argv.length === 0) {
    return problems.refuse(
      program,
      `the command of record can't be read: ${JSON.stringify(program.value)}`,
      'write it like exec: node tools/shop.mjs "an argument"',
    );
  }
  const code = readCode('command', { value: program, env });
  return code && { kind: 'exec', argv, code };
}

/** The stubs of a file; none if they are still to be recorded. */
function readStubs(
  named: Located,
  isRecorded: boolean,
  { files, problems, readFile }: AssertionContext,
): Located | undefined {
  const { value } = named;
  if (typeof value !== 'string') return undefined;
  const path = resolve(named.source.folder, value);
  if (!isRecorded || files.hash(path) !== undefined) return readFile({ ...named, value });
  const fault = files.findReadFault(path);
  if (fault !== undefined) {
    reportFault(fault, problems, named);
    return undefined;
  }
  problems.warn({
    code: 'file-unreadable',
    message: `${files.display(path)} does not exist yet`,
    hint: 'llmcheck run --record-tools asks the real tools and writes it',
    at: locate(named),
  });
  return undefined;
}

import { resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import type { RecordSource, RecordTarget, ToolServers, ToolsCode } from '../../model/agent.ts';
import { splitCommand } from '../../text/command-line.ts';
import { parseDurationMs } from '../../text/duration.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import type { AssertionContext } from '../assertions/compile-plain.ts';
import { checkPart, checkShape } from '../documents/check-shape.ts';
import { childOf, type Located, locate } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import { codeLimits, recordSchema } from '../schema/tool-schema.ts';

/** What stands beside the tools of a map: code, a file of stubs, and the real tools. */
interface ToolSources {
  readonly module?: ToolsCode;
  readonly record?: RecordTarget;
  /** With `mcp: live`. */
  readonly servers?: ToolServers;
  /** The content of the file. */
  readonly stubs?: Located;
  /** Keys of the map that are no tools. */
  readonly keys: ReadonlySet<string>;
}

/**
 * Reads what is no tool. A tool's stubs are a map or a list, so that a text is a file or a duration and a number is a limit; a map
 * under `record` is a stub unless it has one of the keys of real tools.
 */
export function readSources(written: Located, context: AssertionContext, place: 'suite' | 'file'): ToolSources {
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
  // A file that names itself would be read for ever.
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
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !['returns', 'fails', 'never'].some((key) => Object.hasOwn(value, key));
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
    problems.report({
      code: 'invalid-value',
      message: 'record needs the YAML file that the answers are written to',
      hint: 'write tools: { file: stubs/shop.yaml, record: { module: tools/shop.ts } }',
      at: locate(file.value === undefined ? record : file),
    });
    return undefined;
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
    problems.report({
      code: 'invalid-value',
      message: `the command of record can't be read: ${JSON.stringify(program.value)}`,
      hint: 'write it like exec: node tools/shop.mjs "an argument"',
      at: locate(program),
    });
    return undefined;
  }
  const code = readCode('command', { value: program, env });
  return code && { kind: 'exec', argv, code };
}

/** The stubs of a file; none where they are still to be recorded. */
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

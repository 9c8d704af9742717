import { isAbsolute, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { findPackageFault, type VersionOf } from '../../model/optional-packages.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { AssertionDeclaration } from '../../model/suite/assertion.ts';
import type { CodeSource } from '../../model/suite/own-code.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { findInputs } from '../../text/code/find-inputs.ts';
import { type CodeStart, describeReads, describeUnfollowed } from '../../text/code/find-reads.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { isText, itemsOf, type Located, locate, type Problems, textsOf } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from '../files/project-files.ts';

/** The context for compiling an assertion. */
export interface Needs {
  readonly readCode: ReadCode;
  readonly packageVersion: VersionOf;
  readonly problems: Problems;
}

/** The user's own code of an assertion, if it runs any. Reports a missing package. */
export function readNeeds(
  name: string,
  { code, main = 'value', needsPackage }: AssertionDeclaration,
  { written, places }: { readonly written: Located; readonly places: ReadonlyMap<string, Located> },
  { readCode, packageVersion, problems }: Needs,
): CodeSource | undefined {
  const fault = needsPackage === undefined ? undefined : findPackageFault([needsPackage], packageVersion);
  if (fault !== undefined) {
    const message = `${name} needs ${fault.needed}`;
    problems.report({ code: 'environment', message, hint: fault.install, at: locate(written) });
  }
  const value = places.get(main);
  if (code === undefined || value === undefined) return undefined;
  const files = places.get('files');
  const inputs = places.get('inputs');
  const env = places.get('env');
  return readCode(code, { value, ...defined({ files, inputs, env }) });
}

/** The check with its code, whose hash is part of the case hash. */
export function withCode(
  check: CheckSpec | undefined,
  code: CodeSource | undefined,
  plugin?: AssertionDeclaration['plugin'],
): CheckSpec | undefined {
  if (check === undefined) return check;
  if (plugin !== undefined) return { ...check, plugin, source: { check: check.source, code: plugin.hash } };
  if (code === undefined) return check;
  return { ...check, code, source: { check: check.source, code: code.hash } };
}

interface CodeContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
}

/** Finds the user's own code of an assertion. The named file must exist, and its content is hashed. */
export type ReadCode = (kind: 'module' | 'tools' | 'command', written: CodeParams) => CodeSource | undefined;

interface CodeParams {
  readonly value: Located;
  /** The list of further files, if there is one. */
  readonly files?: Located;
  /** The patterns of further files, if there are some. */
  readonly inputs?: Located;
  /** The list of variables that it may see, if there is one. */
  readonly env?: Located;
}

/** Reads each file once, because cases may be built again later in the run, after the file has changed. */
export function createReadCode(context: CodeContext): ReadCode {
  const { files: project, problems } = context;
  const known = new Map<string, DescribedReads>();
  const readOnce = (start: CodeStart): DescribedReads => {
    const key = JSON.stringify(start);
    const found = known.get(key) ?? describeCode(start, project);
    known.set(key, found);
    return found;
  };
  /** Reports a file that must exist, and does not. */
  const checkNamed = (path: string, namedBy: Located): void => {
    const found = project.readText(path);
    const isUnusable = 'fault' in found && (found.fault.code !== 'file-unreadable' || project.hash(path) === undefined);
    if (isUnusable) reportFault(found.fault, problems, namedBy);
  };
  /** Files may be anything, since the words of a command may be. Only a program that is written as a path must exist. */
  const readArgv = (value: Located): readonly string[] => {
    const words = wordsOf(value);
    const [program = ''] = words;
    if (words.some((word) => word.includes('{{'))) reportTemplate(value, problems);
    if (/[/\\]/.test(program) && !isAbsolute(program)) checkNamed(resolve(value.source.folder, program), value);
    return words;
  };
  return (kind, { value, files, inputs, env }) => {
    const { folder } = value.source;
    const errorsBefore = problems.errorCount();
    const named: string[] = [];
    for (const item of [...(kind === 'command' ? [] : [value]), ...(files === undefined ? [] : itemsOf(files))]) {
      if (!isText(item)) continue;
      if (item.value.includes('{{')) reportTemplate(item, problems);
      else {
        checkNamed(resolve(folder, item.value), item);
        named.push(resolve(folder, item.value));
      }
    }
    if (kind === 'tools' && isText(value)) checkToolExports(value, context);
    const argv = kind === 'command' ? readArgv(value) : undefined;
    if (inputs !== undefined) checkInputs(inputs, context);
    if (problems.errorCount() > errorsBefore) return undefined;
    const envNames = env === undefined ? [] : textsOf(itemsOf(env));
    const patterns = inputs === undefined ? undefined : textsOf(itemsOf(inputs));
    const { lines, unfollowed } = readOnce({ folder, named, ...defined({ argv, inputs: patterns }) });
    return {
      folder,
      hash: sha256Hex([argv?.join('\u0000') ?? '', lines].join('\n')).slice(0, 16),
      ...defined({
        file: kind !== 'command' && isText(value) ? resolve(folder, value.value) : undefined,
        envNames: envNames.length === 0 ? undefined : envNames,
        unfollowed: unfollowed.length === 0 ? undefined : unfollowed,
      }),
    };
  };
}

interface DescribedReads {
  /** What is hashed. */
  readonly lines: string;
  /** What can't be followed, in words. */
  readonly unfollowed: readonly string[];
}

export function describeCode(start: CodeStart, files: ProjectFiles): DescribedReads {
  const reads = files.readsOf(start);
  return {
    lines: describeReads(reads, files).join('\n'),
    unfollowed: reads.unfollowed.map((read) => describeUnfollowed(read, (path) => files.display(path))),
  };
}

/** Reports patterns of `inputs` that match nothing, or lead out of the project. */
export function checkInputs(inputs: Located, { files, problems }: CodeContext): void {
  const items = itemsOf(inputs).filter(isText);
  const patterns = items.map(({ value }) => value);
  for (const { index, message, hint, isOutside } of findInputs(patterns, inputs.source.folder, files.openCode())
    .faults) {
    const code = isOutside === true ? 'file-outside-project' : 'invalid-value';
    problems.report({ code, message: `inputs: ${message}`, hint, at: locate(items[index] ?? inputs) });
  }
}

function reportTemplate(at: Located, problems: Problems): void {
  problems.refuse(
    at,
    'the path of code must not be a template: the content of the file is part of the hash',
    'pass the data in args: {…}, where templates are rendered',
  );
}

/** Checks the exports by reading the text, because code only runs in the child process of a cell. */
function checkToolExports(value: Located<string>, { files, problems }: CodeContext): void {
  const found = files.readText(resolve(value.source.folder, value.value));
  if (
    !('text' in found) ||
    /\bexports?\b[^;]*?\b(?:tools|default)\b|\bexport\s*\*|\bmodule\.exports\b/.test(found.text)
  ) {
    return;
  }
  problems.refuse(
    value,
    `${value.value} exports no tools`,
    'write export const tools = { find_order({ order_id }) { return { state: "shipped" }; } }',
  );
}

function wordsOf({ value }: Located): readonly string[] {
  if (typeof value === 'string') return splitCommand(value) ?? [];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

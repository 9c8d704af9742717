import { dirname, resolve } from 'node:path';
import type { FileFault } from '../../files/project-boundary.ts';
import { defined } from '../../json/defined.ts';
import { parseJsonText } from '../../json/parse-json.ts';
import type { PlacedFile } from '../../model/suite/workspace.ts';
import { compareText } from '../../text/compare-text.ts';
import { createLineIndex } from '../../text/line-index.ts';
import { describeLongNumber, findLongNumbers, longNumberHint } from '../../text/yaml/exact-numbers.ts';
import type { YamlError } from '../../text/yaml/explain-yaml.ts';
import { parseYaml } from '../../text/yaml/yaml-text.ts';
import type { FileText, ProjectFiles } from '../files/project-files.ts';
import { isExtensionKey } from './check-shape.ts';
import {
  childOf,
  fixedSource,
  jsonSource,
  type Located,
  locate,
  type Problems,
  type SourceFile,
  yamlSource,
} from './locate.ts';

/** Reads a YAML or JSON file with the places of its values. Reports a failure at the value that names the file. */
export async function readDocument(
  path: string,
  files: ProjectFiles,
  problems: Problems,
  namedBy?: Located,
): Promise<Located | undefined> {
  return parseFound(path, await files.read(path), files, problems, namedBy);
}

/**
 * Reads data files, which contain no templates. Reads each once, because a case may be built again later in the run.
 */
export function createReadData(
  files: ProjectFiles,
  problems: Problems,
): (namedBy: Located<string>) => Located | undefined {
  const known = new Map<string, Located>();
  return (namedBy) => {
    const path = resolve(namedBy.source.folder, namedBy.value);
    const content = known.get(path) ?? parseFound(path, files.readText(path), files, problems, namedBy);
    if (content !== undefined) known.set(path, content);
    return content;
  };
}

function parseFound(
  path: string,
  found: FileText,
  files: ProjectFiles,
  problems: Problems,
  namedBy: Located | undefined,
): Located | undefined {
  if ('text' in found) return parseDocument(path, found.text, files, problems);
  reportFault(found.fault, problems, namedBy);
  return undefined;
}

export function reportFault(fault: FileFault, problems: Problems, namedBy?: Located): void {
  problems.report({ ...fault, ...defined({ at: namedBy && locate(namedBy) }) });
}

/** Parses the text of a YAML or, by its suffix, JSON file. */
export function parseDocument(
  path: string,
  text: string,
  files: ProjectFiles,
  problems: Problems,
): Located | undefined {
  return parseText({ file: files.display(path), folder: dirname(path) }, text, problems);
}

/** Parses a text that was read before. */
export function parseText(names: Names, text: string, problems: Problems): Located | undefined {
  const parsed = names.file.endsWith('.json') ? readJson(names, text, problems) : readYaml(names, text, problems);
  if (parsed === undefined) return undefined;
  const located: Located = { ...parsed, path: [] };
  const before = problems.list().length;
  refuseLongNumbers(located, problems);
  return problems.list().length > before ? undefined : located;
}

/** Cases and their checks keep every digit of a number; any other number is a double. */
const exactKeys: ReadonlySet<unknown> = new Set(['cases', 'defaults', 'tools']);

function refuseLongNumbers(located: Located, problems: Problems): void {
  if (Array.isArray(located.value)) return;
  for (const { path, number } of findLongNumbers(located.value)) {
    if (exactKeys.has(path[0]) || isExtensionKey(path[0])) continue;
    problems.refuse({ ...located, path }, describeLongNumber(number), longNumberHint);
  }
}

interface Names {
  readonly file: string;
  readonly folder: string;
}

interface Parsed {
  readonly value: unknown;
  readonly source: SourceFile;
}

function readYaml(names: Names, text: string, problems: Problems): Parsed | undefined {
  const yaml = parseYaml(text);
  const describe = ({ message, offset, hint }: YamlError) =>
    ({ code: 'syntax', message, ...defined({ hint }), at: placeOf(names, text, offset) }) as const;
  for (const warning of yaml.warnings) problems.warn(describe(warning));
  for (const error of yaml.errors) problems.report(describe(error));
  return yaml.errors.length === 0 ? { value: yaml.value, source: yamlSource(names, text, yaml) } : undefined;
}

function readJson(names: Names, text: string, problems: Problems): Parsed | undefined {
  const json = parseJsonText(text);
  if (!('error' in json)) return { value: json.value, source: jsonSource(names, text) };
  const { message, offset } = json.error;
  const isLines = message === 'unexpected "{"' && !('error' in parseJsonText(text.slice(0, offset)));
  const hint = isLines ? 'a file with one JSON object on each line ends in .jsonl' : undefined;
  problems.report({ code: 'syntax', message, ...defined({ hint }), at: placeOf(names, text, offset) });
  return undefined;
}

function placeOf(names: Names, text: string, offset: number) {
  const lines = createLineIndex(text);
  const position = lines.positionAt(offset);
  return fixedSource(names, { file: names.file, ...position, excerpt: lines.excerptAround(position) }).at([]);
}

/** The files that a prompt or a case adds to a workspace, sorted by path. Reports files that can't be read. */
export function readPlacedFiles(
  located: Located,
  { files, problems }: { readonly files: ProjectFiles; readonly problems: Problems },
): readonly PlacedFile[] {
  const placed = Object.entries(located.value ?? {}).flatMap(([path, written]): readonly PlacedFile[] => {
    const at = childOf(located, path);
    const absolute = resolve(at.source.folder, String(written));
    const from = files.relative(absolute);
    const sha256 = files.hash(absolute);
    if (sha256 !== undefined && !from.startsWith('../')) return [{ path, from, sha256 }];
    const fault = files.findReadFault(absolute);
    const shown = files.display(absolute);
    if (fault !== undefined) reportFault(fault, problems, at);
    else {
      const message = sha256 === undefined ? `${shown} does not exist` : `${shown} is outside the project`;
      const hint = 'name a file of the project: PATH IN THE WORKSPACE: FILE';
      problems.report({ code: 'file-unreadable', message, hint, at: locate(at) });
    }
    return [];
  });
  return placed.toSorted((one, other) => compareText(one.path, other.path));
}

import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { Document, type Node, stringify, YAMLMap, type YAMLSeq } from 'yaml';
import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { findSuitePaths, loadProject } from '../project/load-project.ts';
import { openProjectFiles } from '../suite/files/project-files.ts';
import { findProject, kindOfPath } from '../suite/files/project-place.ts';
import { openWorkingTree, type ProjectSnapshot } from '../suite/open-project.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { type ImportedSuite, LeftOut } from './draft.ts';
import { type Importer, readFirst } from './importer.ts';
import { refusePacked } from './traces/read-trace-file.ts';

interface ImportOptions {
  readonly importer: Importer;
  /** The file, or its folder. */
  readonly path: string;
  readonly cwd: string;
  /** Writes parts that can't be imported as comments, instead of refusing them. */
  readonly partial: boolean;
  /** Path of the suite, if not the default. */
  readonly output?: string;
  /** Data set field with the golden answer; false if there is none. */
  readonly expected?: string | false;
}

interface ImportedText {
  readonly text: string;
  /** Path to write, relative to the working folder. */
  readonly path: string;
  /** Modules beside it, relative to the working folder. */
  readonly code: readonly { readonly path: string; readonly text: string }[];
  readonly counts: { readonly prompts: number; readonly providers: number; readonly cases: number };
  readonly leftOut: number;
  readonly warnings: readonly Problem[];
}

/** Converts another tool's file to the text of a suite. Reads only project files and runs nothing. */
export async function importSuite(options: ImportOptions): Promise<ImportedText> {
  const { importer, cwd, partial, expected } = options;
  const files = openProjectFiles(findProject(cwd), cwd);
  const path = (importer.findFile ?? refuseFolder)(resolve(cwd, options.path), options.path);
  const found = await files.read(path);
  const shown = files.display(path);
  if ('fault' in found) {
    const raw = await files.readBytes(path);
    if ('bytes' in raw) refusePacked(readFirst(raw.bytes, 4), shown);
    throw new UserError({ ...found.fault });
  }
  const target = options.output ?? nameTarget(path, cwd, importer);
  const { text } = found;
  const imported = await importer.read({ path, shown, text, files, cwd, target, ...defined({ expected }) });
  if ('problems' in imported) throw new UserError(imported.problems);
  const { suite, leftOut = [], refused, notes, code = [] } = imported;
  if (refused.length > 0 && !partial) {
    const hint = '--partial writes the rest, with these as comments';
    throw new UserError(
      refused.map((problem, index) =>
        index === refused.length - 1 && problem.hint === undefined ? { ...problem, hint } : problem,
      ),
    );
  }
  if (count(suite['prompts']) === 0) {
    const message = `no prompt of ${shown} can be carried over, so there is no suite to write`;
    throw new UserError([...refused, { code: 'not-carried-over', severity: 'error', message }]);
  }
  const head = ` Imported from ${shown} (${importer.name}).${summarize(refused)}`;
  return {
    text: writeSuite(withProvider(suite), [head, ...leftOut.map(describe)]),
    path: target,
    code: code.map((one) => ({ path: join(dirname(target), one.path), text: one.text })),
    counts: { prompts: count(suite['prompts']), providers: count(suite['providers']), cases: count(suite['cases']) },
    leftOut: refused.length,
    warnings: [...refused.map((problem): Problem => ({ ...problem, severity: 'warning' })), ...notes],
  };
}

function refuseFolder(path: string, given: string): string {
  if (kindOfPath(path) !== 'folder') return path;
  throw new UserError({ code: 'usage', message: `${given} is a folder`, hint: 'name the file' });
}

/** Default path of the suite. */
function nameTarget(path: string, cwd: string, { nameOf }: Importer): string {
  const name = nameOf?.(path) ?? basename(path, extname(path));
  return relative(cwd, join(cwd, 'evals', `${name.replaceAll(/[^\w.-]+/g, '-') || 'imported'}.eval.yaml`));
}

/** Adds a provider if none could be imported. It replays answers that are recorded later. */
function withProvider(suite: ImportedSuite['suite']): ImportedSuite['suite'] {
  const { providers } = suite;
  return count(providers) > 0 || !Array.isArray(providers)
    ? suite
    : { ...suite, providers: [...providers, 'replay:imported'] };
}

function count(list: unknown): number {
  return Array.isArray(list) ? list.filter((item) => !(item instanceof LeftOut)).length : 0;
}

/** Writes the imported suite behind comments. Omitted parts become comments at their places. */
function writeSuite(suite: ImportedSuite['suite'], comments: readonly string[]): string {
  const root = new YAMLMap();
  const document = new Document(root, { version: '1.2' });
  for (const [key, value] of Object.entries(suite)) root.set(document.createNode(key), build(value, document));
  document.commentBefore = comments.join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Lists all omitted parts, including provider settings that have no place in a suite. */
function summarize(refused: readonly Problem[]): string {
  if (refused.length === 0) return '';
  const lines = refused.map(({ at, message }) => `   ${`${at?.line}:${at?.column}`.padEnd(8)} ${message}`);
  return `\n\n Not carried over, by line:\n${lines.join('\n')}`;
}

function build(value: unknown, document: Document): Node {
  if (Array.isArray(value)) return buildList(value, document);
  if (typeof value !== 'object' || value === null) return document.createNode(value) as Node;
  const map = document.createNode({}) as YAMLMap;
  const comments: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    // A list with only omitted items must not become an empty list.
    if (isAllLeftOut(item)) comments.push(...item.map(describe));
    else map.set(document.createNode(key), build(item, document));
  }
  if (comments.length > 0) map.comment = comments.join('\n');
  return map;
}

function isAllLeftOut(value: unknown): value is readonly LeftOut[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof LeftOut);
}

/** Builds a list. Comments go before the next remaining item, or after the last. */
function buildList(items: readonly unknown[], document: Document): Node {
  const list = document.createNode([]) as YAMLSeq;
  let waiting: string[] = [];
  for (const item of items) {
    if (item instanceof LeftOut) waiting.push(describe(item));
    else {
      const node = build(item, document);
      node.commentBefore = waiting.join('\n');
      waiting = [];
      list.add(node);
    }
  }
  if (waiting.length > 0) list.comment = waiting.join('\n');
  return list;
}

function describe({ reason, at, value }: LeftOut): string {
  const written = value === undefined ? '' : stringify(value, { lineWidth: 0 }).trimEnd();
  const shown = written.length > 2000 ? `${written.slice(0, 2000)}…` : written;
  return [
    ` not carried over (${at.file}:${at.line}): ${reason}`,
    ...shown.split('\n').map((line) => `   ${line}`),
  ].join('\n');
}

/**
 * Validates files before they are written, the suite first, and returns the warnings. Throws a `UserError` if they are
 * invalid.
 */
export async function checkWritten(written: ReadonlyMap<string, string>, cwd: string): Promise<readonly Problem[]> {
  const [suite = ''] = written.keys();
  try {
    const { warnings } = await loadProject({
      paths: [suite],
      cwd,
      // An import runs nothing.
      callsNoPrompts: true,
      snapshot: overlay(openWorkingTree({ cwd }), written),
    });
    return warnings;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      error.problems.map((problem) =>
        problem.severity === 'error'
          ? { ...problem, message: `what would be written is not valid: ${problem.message}` }
          : problem,
      ),
    );
  }
}

/** False if a run finds the suite only by name, because of its folder or file name. */
export async function isFoundByRun(path: string, cwd: string): Promise<boolean> {
  return (await findSuitePaths(cwd)).includes(path);
}

/** Overlays the project with these files. */
function overlay(tree: ProjectSnapshot, written: ReadonlyMap<string, string>): ProjectSnapshot {
  const { files } = tree;
  const readText: typeof files.readText = (path) => {
    const text = written.get(path);
    return text === undefined ? files.readText(path) : { text };
  };
  return {
    place: tree.place,
    kindOf: (path) => (written.has(path) ? 'file' : tree.kindOf(path)),
    files: {
      ...files,
      readText,
      async read(path) {
        const text = written.get(path);
        if (text === undefined) return files.read(path);
        if (needsTemplateEngine(text)) await loadTemplateEngine();
        return { text };
      },
      findReadFault: (path) => (written.has(path) ? undefined : files.findReadFault(path)),
      hash: (path) => (written.has(path) ? 'unwritten' : files.hash(path)),
    },
  };
}

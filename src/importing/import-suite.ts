import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import { openProjectFiles, type ProjectFiles } from '../suite/files/project-files.ts';
import { findProject, kindOfPath } from '../suite/files/project-place.ts';
import { importJsonl } from './jsonl-data.ts';
import { importOpenaiEvals } from './openai-evals.ts';
import { type ImportedSuite, importPromptfoo } from './promptfoo.ts';
import { writeSuite } from './write-suite.ts';

export const importFormats = ['promptfoo', 'openai-evals', 'jsonl'] as const;
export type ImportFormat = (typeof importFormats)[number];

export interface ImportOptions {
  readonly format: ImportFormat;
  /** The file, or the folder that holds it. */
  readonly path: string;
  readonly cwd: string;
  /** Writes what can't be carried over as comments, in place of refusing it. */
  readonly partial: boolean;
  /** The field of a data set that holds the golden answer. */
  readonly expected?: string;
}

export interface ImportedText {
  readonly text: string;
  /** Where it belongs unless the user says otherwise, from the working folder. */
  readonly path: string;
  readonly counts: { readonly prompts: number; readonly providers: number; readonly cases: number };
  readonly leftOut: number;
  readonly warnings: readonly Problem[];
}

/** Turns another tool's file into the text of a suite. Reads files of the project alone, and runs nothing. */
export async function importSuite(options: ImportOptions): Promise<ImportedText> {
  const { format, cwd, partial } = options;
  const files = openProjectFiles(findProject(cwd), cwd);
  const path = findFile(resolve(cwd, options.path), options);
  const found = await files.read(path);
  if ('fault' in found) throw new UserError([{ ...found.fault, severity: 'error' }]);
  const shown = files.display(path);
  const imported = await readFormat(options, shown, found.text, path, files);
  if ('problems' in imported) throw new UserError(imported.problems);
  const { suite, refused, notes } = imported;
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
  const folder = basename(dirname(path));
  const base = basename(path, extname(path));
  const name = base === 'promptfooconfig' ? folder : base;
  return {
    text: writeSuite(withProvider(suite), ` Imported from ${shown} (${format}).`),
    path: relative(cwd, join(cwd, 'evals', `${name.replaceAll(/[^\w.-]+/g, '-') || 'imported'}.eval.yaml`)),
    counts: { prompts: count(suite['prompts']), providers: count(suite['providers']), cases: count(suite['cases']) },
    leftOut: refused.length,
    warnings: [...refused.map((problem): Problem => ({ ...problem, severity: 'warning' })), ...notes],
  };
}

/** A suite needs a provider: where none could be carried over, answers that are recorded later stand in. */
function withProvider(suite: ImportedSuite['suite']): ImportedSuite['suite'] {
  const { providers } = suite;
  return count(providers) > 0 || !Array.isArray(providers)
    ? suite
    : { ...suite, providers: [...providers, 'replay:imported'] };
}

function count(list: unknown): number {
  return Array.isArray(list)
    ? list.filter((item) => !(typeof item === 'object' && item !== null && 'reason' in item)).length
    : 0;
}

function readFormat(
  { format, expected }: ImportOptions,
  shown: string,
  text: string,
  path: string,
  files: ProjectFiles,
): Promise<ImportedSuite | { readonly problems: readonly Problem[] }> {
  if (format === 'openai-evals') return Promise.resolve(importOpenaiEvals(shown, text));
  if (format === 'jsonl') return Promise.resolve(importJsonl(shown, text, expected === undefined ? {} : { expected }));
  return importPromptfoo(shown, text, {
    async read(name) {
      const found = await files.read(resolve(dirname(path), name));
      return 'text' in found ? found : { message: found.fault.message };
    },
  });
}

function findFile(path: string, { format, path: given }: ImportOptions): string {
  if (kindOfPath(path) !== 'folder') return path;
  const names = ['promptfooconfig.yaml', 'promptfooconfig.yml', 'promptfooconfig.json'];
  const found = format === 'promptfoo' ? names.find((name) => kindOfPath(join(path, name)) === 'file') : undefined;
  if (found !== undefined) return join(path, found);
  const message = format === 'promptfoo' ? `${given} holds no ${names[0] ?? ''}` : `${given} is a folder`;
  throw new UserError([{ code: 'usage', severity: 'error', message, hint: 'name the file' }]);
}

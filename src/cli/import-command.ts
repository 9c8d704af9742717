import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { type ImportFormat, importSuite } from '../importing/import-suite.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { loadProject } from '../project/load-project.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { wantsColor } from './style.ts';
import { writeFile } from './write-file.ts';

export interface ImportFlags {
  readonly output?: string;
  readonly partial?: boolean;
  readonly force?: boolean;
  readonly expected?: string;
  readonly color?: boolean;
}

/** `llmcheck import`: writes the suite that another tool's file stands for, and checks that it is one. */
export async function importCommand(format: ImportFormat, path: string, flags: ImportFlags, io: Io): Promise<number> {
  const imported = await importSuite({
    format,
    path,
    cwd: io.cwd,
    partial: flags.partial === true,
    ...defined({ expected: flags.expected }),
  });
  const shown = flags.output ?? imported.path;
  const target = resolve(io.cwd, shown);
  const write = () => writeFile(target, [imported.text]);
  if (flags.force === true) write();
  else if (existsSync(target)) throw isThere(shown);
  else {
    withFileLock(target, () => {
      // Another import may have been faster.
      if (existsSync(target)) throw isThere(shown);
      write();
    });
  }
  const color = wantsColor(io.stderr, io.env, flags.color !== false);
  if (imported.warnings.length > 0) io.stderr.write(describeProblems(imported.warnings, { color }));
  const { prompts, providers, cases } = imported.counts;
  const left = imported.leftOut === 0 ? '' : `; ${imported.leftOut} left out, as comments`;
  io.stdout.write(`wrote ${shown}: prompts ${prompts}, providers ${providers}, cases ${cases}${left}\n`);
  // What is no suite yet is said with its place in the new file.
  const { warnings } = await loadProject({ paths: [target], cwd: io.cwd });
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color }));
  return exitCodes.passed;
}

function isThere(shown: string): UserError {
  const message = `${shown} is there already`;
  const hint = 'name another file with -o, or overwrite it with --force';
  return new UserError([{ code: 'usage', severity: 'error', message, hint }]);
}

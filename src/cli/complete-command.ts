import type { Command } from 'commander';
import { defined } from '../json/defined.ts';
import { listReporters } from '../listing/list-parts.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import { loadIds } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { type Candidate, completeWords, type Source } from './complete-words.ts';
import type { Io } from './io.ts';

/**
 * What a shell asks when a key is pressed: a line for each word that may stand at the cursor, with a tab before what it
 * means; `:files` where the shell's own file names are to be offered. Nothing is said of what is wrong in a file.
 */
export async function completeCommand(program: Command, words: readonly string[], io: Io): Promise<number> {
  const typed = words.at(-1) ?? '';
  const { words: fixed, sources, prefix } = completeWords(program, words);
  const found = [...fixed];
  for (const source of sources) {
    if (source === 'files') io.stdout.write(':files\n');
    else found.push(...(await lookUp(source, configOf(words), io)));
  }
  const lines = new Map(found.map(({ value, description = '' }) => [`${prefix}${value}`, description]));
  for (const [value, description] of lines) {
    // A line or a tab in an id would be read as two words.
    if (!value.startsWith(typed) || /\p{Cc}/u.test(value)) continue;
    io.stdout.write(`${value}\t${description.replaceAll(/[\p{Cc}\s]+/gu, ' ')}\n`);
  }
  return exitCodes.passed;
}

function configOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === '--config' || word === '-c');
  return at === -1 || at + 2 >= words.length ? undefined : words[at + 1];
}

async function lookUp(source: Source, configPath: string | undefined, io: Io): Promise<readonly Candidate[]> {
  try {
    return await findCandidates(source, configPath ?? io.env['LLMCHECK_CONFIG'], io);
  } catch (error) {
    // Mistakes are told by the command itself, not while it is typed.
    if (error instanceof UserError) return [];
    throw error;
  }
}

async function findCandidates(source: Source, configPath: string | undefined, io: Io): Promise<readonly Candidate[]> {
  if (source === 'reporters') {
    return listReporters([]).map(({ reporter, summary }) => ({
      value: String(reporter),
      description: String(summary),
    }));
  }
  if (source === 'runs') {
    const root = findProjectRoot(io.cwd, configPath);
    return listStoredRuns({ root })
      .slice(0, maxRuns)
      .map(({ id }) => ({ value: id }));
  }
  const withCases = source === 'cases' || source === 'tags';
  const suites = await loadIds({ cwd: io.cwd, ...defined({ configPath }), withCases });
  return suites.flatMap(({ suite, cases, ...ids }): readonly Candidate[] => {
    switch (source) {
      case 'suites':
        return [{ value: suite }];
      case 'cases':
        return [{ value: suite, description: 'suite' }, ...cases.map((id) => ({ value: `${suite}/${id}` }))];
      case 'prompts':
      case 'providers':
      case 'tags':
        return ids[source].map((value) => ({ value, description: suite }));
      case 'files':
        return [];
    }
  });
}

const maxRuns = 50;

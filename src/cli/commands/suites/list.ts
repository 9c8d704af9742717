import { Argument } from 'commander';
import { defined } from '../../../json/defined.ts';
import {
  type ListedRow,
  listAssertions,
  listCases,
  listProviders,
  listReporters,
  listRuns,
  listSuites,
} from '../../../listing/list-parts.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError, usageProblem } from '../../../model/problem.ts';
import { loadPlugins } from '../../../project/load-project.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { didYouMean } from '../../../text/words/did-you-mean.ts';
import type { Io } from '../../io.ts';
import { loadSuites } from '../../load-suites.ts';
import { cellText, printRows } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

const subjects = ['suites', 'cases', 'providers', 'assertions', 'reporters', 'runs'] as const;

type Subject = (typeof subjects)[number];

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .addArgument(new Argument('<what>', 'what to list').choices(subjects))
    .argument('[paths...]', 'suite files, folders or globs; of assertions their names')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck list cases evals/triage.eval.yaml\n  $ llmcheck list assertions rouge bleu\n  $ llmcheck list assertions --json',
    )
    .action(async (subject: Subject, paths: string[], { config, json = false }: Flags) => {
      const rows = await findRows(subject, paths, config, io);
      // Assertions are too wide for a table.
      if (subject === 'assertions' && !json) io.stdout.write(rows.map(describeRow).join('\n'));
      else printRows(rows, { json, noun: subject }, io);
      exit(exitCodes.passed);
    });
};

async function findRows(
  subject: Subject,
  paths: readonly string[],
  config: string | undefined,
  io: Io,
): Promise<readonly ListedRow[]> {
  const plugins = () => loadPlugins({ cwd: io.cwd, ...defined({ configPath: config }) });
  switch (subject) {
    case 'suites':
      return listSuites(await loadSuites(paths, config, io));
    case 'cases':
      return listCases(await loadSuites(paths, config, io));
    case 'providers':
      return listProviders(await loadSuites(paths, config, io), io.env);
    case 'assertions':
      return selectNamed(await listAssertions(findProjectRoot(io.cwd, config), await plugins()), paths);
    case 'reporters':
      return listReporters(await plugins());
    case 'runs':
      return listRuns(findProjectRoot(io.cwd, config));
  }
}

function selectNamed(rows: readonly ListedRow[], names: readonly string[]): readonly ListedRow[] {
  if (names.length === 0) return rows;
  const known = rows.map(({ assertion }) => String(assertion));
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UserError(
      unknown.map((name) => usageProblem(`there is no assertion "${name}"`, didYouMean(name, known))),
    );
  }
  return rows.filter(({ assertion }) => names.includes(String(assertion)));
}

/** A row as a block of lines, its first two values as the head. */
function describeRow(row: ListedRow): string {
  const [name, family, ...entries] = Object.entries(row);
  const lines = entries.map(([key, value]) => `  ${key.padEnd(11)} ${cellText(value)}\n`);
  return `${cellText(name?.[1])} (${cellText(family?.[1])})\n${lines.join('')}`;
}

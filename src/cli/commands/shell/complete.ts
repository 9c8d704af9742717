import type { Command, Option } from 'commander';
import { defined } from '../../../json/defined.ts';
import { listReporters } from '../../../listing/list-parts.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError } from '../../../model/problem.ts';
import { loadIds } from '../../../project/load-project.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { listStoredRuns } from '../../../project/stored-runs.ts';
import { runFlags } from '../../flags/run-flags.ts';
import type { Io } from '../../io.ts';
import type { DefineCommand } from '../define.ts';

export const define: DefineCommand = (command, { program, io, exit }) => {
  command
    .argument('[words...]', 'the words behind the program, the one at the cursor last')
    .addHelpText('after', '\nExample:\n  $ llmcheck complete -- run --prompt ""')
    .action(async (words: string[]) => exit(await complete(program, words, io)));
};

/**
 * A shell calls this at each press of Tab. Prints a line for each word that fits at the cursor, with a tab before its
 * description. `:files` tells the shell to offer file names. Mistakes in files print nothing.
 */
async function complete(program: Command, words: readonly string[], io: Io): Promise<number> {
  const typed = words.at(-1) ?? '';
  const { words: fixed, sources, prefix } = findExpected(program, words);
  const found = [...fixed];
  for (const source of sources) {
    if (source === 'files') io.stdout.write(':files\n');
    else found.push(...(await lookUp(source, configOf(words), io)));
  }
  const lines = new Map(found.map(({ value, description = '' }) => [`${prefix}${value}`, description]));
  for (const [value, description] of lines) {
    // A line break or a tab in an id would split it into two words.
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
    // The command reports mistakes when it is called.
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

/** A word that fits at the cursor. */
interface Candidate {
  readonly value: string;
  readonly description?: string;
}

type Source = 'suites' | 'cases' | 'prompts' | 'providers' | 'tags' | 'runs' | 'reporters' | 'files';

/** The possible words at the cursor: fixed words, and sources of more words. */
interface Expectation {
  readonly words: readonly Candidate[];
  readonly sources: readonly Source[];
  /** The complete part of the word, such as `v1,` of a list. */
  readonly prefix: string;
}

const nothing: Expectation = { words: [], sources: [], prefix: '' };

/** The sources of a flag's values, for flags without listed choices. */
const flagSources: Readonly<Record<string, readonly Source[]>> = {
  '--filter': ['cases'],
  '--case': ['cases'],
  '--tag': ['tags'],
  '--prompt': ['prompts'],
  '--provider': ['providers'],
  '--suite': ['suites'],
  '--compare': ['prompts'],
  '--reporter': ['reporters'],
  '--resume': ['runs'],
  '--run': ['runs'],
  '--baseline': ['runs', 'files'],
  '--from': ['runs', 'files'],
  '--config': ['files'],
  '--env-file': ['files'],
};

const argumentSources: Readonly<Record<string, readonly Source[]>> = {
  run: ['runs', 'files'],
  A: ['runs', 'prompts', 'files'],
  B: ['runs', 'prompts', 'files'],
  others: ['runs', 'prompts', 'files'],
};

const lists: ReadonlySet<string> = new Set(['--tag', '--prompt', '--provider', '--compare', '--suite']);

/** Finds the possible words at the cursor. The last of `words` is the text typed so far. */
function findExpected(program: Command, words: readonly string[]): Expectation {
  const typed = words.at(-1) ?? '';
  const { command, rest } = walk(program, words.slice(0, -1));
  const before = rest.at(-1);
  const flag = before === undefined || rest.includes('--') ? undefined : findOption(command, before);
  if (flag?.required === true) return { words: choicesOf(flag), ...valueOf(flag, typed) };
  const [, name, value] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  const inline = name === undefined ? undefined : findOption(command, name);
  if (inline !== undefined && value !== undefined) {
    const { sources, prefix } = valueOf(inline, value);
    return { words: choicesOf(inline), sources, prefix: `${name}=${prefix}` };
  }
  if (typed.startsWith('-')) return { words: flagsOf(command), sources: [], prefix: '' };
  const optional = flag?.optional === true ? valueOf(flag, typed).sources : [];
  const named = visible(command).map((sub) => ({ value: sub.name(), description: sub.description() }));
  const isAnother = rest.some((word) => !word.startsWith('-'));
  if (named.length > 0) return isAnother ? nothing : { words: named, sources: [], prefix: '' };
  const { choices, sources } = argumentAt(command, rest);
  return { words: choices, sources: [...new Set([...optional, ...sources])], prefix: '' };
}

/** The command that the words lead to, and the words behind its name. */
function walk(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program;
  let start = 0;
  for (const [index, word] of words.entries()) {
    const found = command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));
    if (found === undefined) continue;
    command = found;
    start = index + 1;
    if (command.commands.length === 0) break;
  }
  return { command, rest: words.slice(start) };
}

function findOption(command: Command, word: string): Option | undefined {
  return command.options.find(({ long, short }) => long === word || short === word);
}

function choicesOf({ argChoices, flags }: Option): readonly Candidate[] {
  const choices = argChoices ?? runFlags.find((definition) => definition.flags === flags)?.choices ?? [];
  return choices.map((value) => ({ value }));
}

function valueOf({ long }: Option, typed: string): Pick<Expectation, 'sources' | 'prefix'> {
  const name = long ?? '';
  const prefix = lists.has(name) ? typed.slice(0, typed.lastIndexOf(',') + 1) : '';
  return { sources: flagSources[name] ?? [], prefix };
}

function flagsOf(command: Command): readonly Candidate[] {
  const own = command.options.filter(({ hidden }) => !hidden);
  return [
    ...own.flatMap(({ long, description }) => (long == null ? [] : [{ value: long, description }])),
    { value: '--help', description: 'display help for command' },
  ];
}

function visible(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

/** The positional argument at the cursor; flags with a value take the word behind them. */
function argumentAt(
  command: Command,
  rest: readonly string[],
): { readonly choices: readonly Candidate[]; readonly sources: readonly Source[] } {
  let position = 0;
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (!word.startsWith('-')) position += 1;
    else if (findOption(command, word)?.required === true) index += 1;
  }
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return { choices: [], sources: [] };
  const choices = (argument.argChoices ?? []).map((value) => ({ value }));
  return { choices, sources: choices.length > 0 ? [] : (argumentSources[argument.name()] ?? ['files']) };
}

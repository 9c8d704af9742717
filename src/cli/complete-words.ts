import type { Command, Option } from 'commander';
import { runFlags } from './run-flags.ts';

/** A word that may stand at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

export type Source = 'suites' | 'cases' | 'prompts' | 'providers' | 'tags' | 'runs' | 'reporters' | 'files';

/** What stands at the cursor: fixed words, and where more are looked up. */
export interface Expectation {
  readonly words: readonly Candidate[];
  readonly sources: readonly Source[];
  /** What was typed of the word before the part that is completed, as in `v1,`. */
  readonly prefix: string;
}

const nothing: Expectation = { words: [], sources: [], prefix: '' };

/** What a flag's value is, where the flag does not list its choices itself. */
const flagSources: Readonly<Record<string, readonly Source[]>> = {
  '--filter': ['cases'],
  '--tag': ['tags'],
  '--prompt': ['prompts'],
  '--provider': ['providers'],
  '--suite': ['suites'],
  '--compare': ['prompts'],
  '--reporter': ['reporters'],
  '--resume': ['runs'],
  '--run': ['runs'],
  '--baseline': ['runs', 'files'],
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

/** Finds what may stand at the cursor, from the words before it and the part of the word that is typed already. */
export function completeWords(program: Command, words: readonly string[]): Expectation {
  const typed = words.at(-1) ?? '';
  const { command, rest } = walk(program, words.slice(0, -1));
  const before = rest.at(-1);
  const flag = before === undefined || rest.includes('--') ? undefined : findOption(command, before);
  if (flag !== undefined && flag.required) return { words: choicesOf(flag), ...valueOf(flag, typed) };
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

/** The positional argument whose turn it is; flags with a value take the word behind them. */
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

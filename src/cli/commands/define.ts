import type { Command } from 'commander';
import type { Io } from '../io.ts';

interface CommandContext {
  readonly program: Command;
  readonly io: Io;
  readonly exit: (code: number) => void;
}

/** Declares the arguments, flags, examples and action of a command. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

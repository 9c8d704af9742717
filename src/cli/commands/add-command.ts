import type { Command } from 'commander';
import type { Io } from '../io.ts';

/** Registers a command. `program.command(name)` inherits the streams and the exit override; `addCommand` does not. */
export type AddCommand = (program: Command, io: Io, setExitCode: (code: number) => void) => void;

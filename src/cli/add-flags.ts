import { type Command, Option } from 'commander';
import type { FlagDefinition } from './run-flags.ts';

/** Declares flags on a command. Values stay text here: they are read together with the environment and the config. */
export function addFlags(command: Command, definitions: readonly FlagDefinition[]): void {
  for (const { flags, description, kind, key } of definitions) {
    const option = new Option(flags, description);
    if (kind === 'list')
      option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    // Commander stores `--no-baseline` as `baseline: false`, which would hide the other flag.
    if (flags.startsWith('--no-')) {
      option.attributeName = () => key;
      option.negate = false;
    }
    command.addOption(option);
  }
}

import { Argument } from 'commander';
import type { SchemaName } from '../schema-command.ts';
import type { AddCommand } from './add-command.ts';

const names = ['suite', 'config', 'report', 'baseline'] satisfies SchemaName[];

export const addSchema: AddCommand = (program, io, setExitCode) => {
  program
    .command('schema')
    .description('Print the JSON Schema of a file format.')
    .addArgument(new Argument('<format>', 'which format').choices(names))
    .addHelpText('after', '\nExample:\n  $ llmcheck schema suite > suite.schema.json')
    .action(async (name: SchemaName) => {
      const { schemaCommand } = await import('../schema-command.ts');
      setExitCode(await schemaCommand(name, io));
    });
};

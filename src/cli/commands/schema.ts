import { Argument } from 'commander';
import type { AddCommand } from './add-command.ts';

export const schemaNames = ['suite', 'config', 'report', 'baseline'] as const;

export type SchemaName = (typeof schemaNames)[number];

export const addSchema: AddCommand = (program, io, setExitCode) => {
  program
    .command('schema')
    .description('Print the JSON Schema of a file format.')
    .addArgument(new Argument('<format>', 'which format').choices(schemaNames))
    .addHelpText('after', '\nExample:\n  $ llmcheck schema suite > suite.schema.json')
    .action(async (name: SchemaName) => {
      const { schemaCommand } = await import('../schema-command.ts');
      setExitCode(await schemaCommand(name, io));
    });
};

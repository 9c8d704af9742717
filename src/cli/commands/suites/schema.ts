import { Argument } from 'commander';
import { buildSchema } from '../../../listing/build-schema.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

const formats = ['suite', 'config', 'report', 'baseline'] as const;

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .addArgument(new Argument('<format>', 'which format').choices(formats))
    .addHelpText('after', '\nExample:\n  $ llmcheck schema suite > suite.schema.json')
    .action((format: (typeof formats)[number]) => {
      printJson(buildSchema(format), io);
      exit(exitCodes.passed);
    });
};

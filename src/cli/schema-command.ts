import { buildSchema } from '../listing/build-schema.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Io } from './io.ts';

export type SchemaName = 'suite' | 'config' | 'report' | 'baseline';

/** `llmcheck schema`: the JSON Schema of a format on stdout. */
export async function schemaCommand(name: SchemaName, io: Io): Promise<number> {
  io.stdout.write(`${JSON.stringify(buildSchema(name), undefined, 2)}\n`);
  return exitCodes.passed;
}

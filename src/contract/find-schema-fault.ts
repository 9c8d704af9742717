import { openSchema } from './schema-document.ts';
import { SchemaProblem } from './schema-problem.ts';

export interface SchemaFault {
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** Where and why a schema can't be compared; undefined where it can. References are followed, never fetched. */
export function findSchemaFault(schema: unknown): SchemaFault | undefined {
  try {
    openSchema(schema);
    return undefined;
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const { pointer, message, hint } = error;
    return hint === undefined ? { pointer, message } : { pointer, message, hint };
  }
}

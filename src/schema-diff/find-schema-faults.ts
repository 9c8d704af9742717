import { openSchema } from './schema-document.ts';
import { SchemaProblem } from './schema-problem.ts';

export interface SchemaFault {
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** Where and why a schema can't be compared; none where it can. References are followed, never fetched. */
export function findSchemaFaults(schema: unknown): readonly SchemaFault[] {
  try {
    openSchema(schema);
    return [];
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    return [error, ...error.others].map(({ pointer, message, hint }) =>
      hint === undefined ? { pointer, message } : { pointer, message, hint },
    );
  }
}

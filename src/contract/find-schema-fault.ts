import { openSchema } from './schema-document.ts';
import { SchemaProblem } from './schema-problem.ts';

/** Where and why a schema can't be compared; undefined where it can. References are followed, never fetched. */
export function findSchemaFault(schema: unknown): { readonly pointer: string; readonly message: string } | undefined {
  try {
    openSchema(schema);
    return undefined;
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    return { pointer: error.pointer, message: error.message };
  }
}

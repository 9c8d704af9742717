import * as z from 'zod';
import { compileJsonSchema, JsonSchemaError } from '../lib/json-schema.ts';

/** A JSON Schema, as written: the object itself goes on, so that it is compiled once. */
export const schemaParam = z
  .unknown()
  .superRefine((schema, context) => {
    try {
      compileJsonSchema(schema);
    } catch (error) {
      if (!(error instanceof JsonSchemaError)) throw error;
      context.addIssue({
        code: 'custom',
        message: error.message,
        path: [...error.place],
        params: { hint: error.hint },
      });
    }
  })
  .meta({ type: ['object', 'boolean'], description: 'JSON Schema 2020-12, or draft-07 where $schema says so.' });

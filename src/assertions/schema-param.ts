import * as z from 'zod';
import { compileJsonSchema, JsonSchemaError } from '../json/json-schema.ts';
import { describeLongNumber, findLongNumbers, longNumberHint } from '../text/spelled-number.ts';

/** A JSON Schema, as written: the object itself goes on, so that it is compiled once. */
export const schemaParam = z
  .unknown()
  .superRefine((schema, context) => {
    for (const { path, number } of findLongNumbers(schema))
      context.addIssue({
        code: 'custom',
        path: [...path],
        message: describeLongNumber(number),
        params: { hint: longNumberHint },
      });
    if (context.issues.length > 0) return;
    try {
      compileJsonSchema(schema);
    } catch (error) {
      if (!(error instanceof JsonSchemaError)) throw error;
      for (const { message, place, hint } of [error, ...error.others])
        context.addIssue({ code: 'custom', message, path: [...place], params: { hint } });
    }
  })
  .meta({ type: ['object', 'boolean'], description: 'JSON Schema 2020-12, or draft-07 where $schema says so.' });

import * as z from 'zod';

const words = z.string().min(1, { error: 'must not be empty' });

const jsonSchemaOrFile = z
  .unknown()
  .refine(
    (value) => ['string', 'boolean', 'object'].includes(typeof value) && value !== null && !Array.isArray(value),
    {
      error: 'must be a JSON Schema or the path of one',
    },
  )
  .meta({ type: ['object', 'boolean', 'string'] });

const pointer = words.refine((value) => value.startsWith('/'), { error: 'must be a JSON Pointer: it begins with "/"' });

/** The keys under `contract:`. */
export const contract = z.strictObject({
  input: jsonSchemaOrFile.optional().describe("JSON Schema 2020-12 that every case's vars must satisfy, or its file."),
  output: jsonSchemaOrFile.optional().describe('JSON Schema 2020-12 that every answer must satisfy, or its file.'),
  approved: z.array(words).optional().describe('Fingerprints of contract findings that are let through.'),
  policy: z
    .enum(['practical', 'formal', 'lenient'], { error: 'must be practical, formal or lenient' })
    .optional()
    .describe('How changes are judged; default practical.'),
  overrides: z
    .record(words, z.enum(['error', 'warn', 'info', 'off'], { error: 'must be error, warn, info or off' }))
    .optional()
    .describe('Severities by rule, such as enum-value-added: warn.'),
  ignore: z
    .array(pointer)
    .optional()
    .describe('JSON Pointers whose findings are left out, such as /outputSchema/properties/debug; * is one step.'),
  strictConsumers: z
    .boolean({ error: 'must be true or false' })
    .optional()
    .describe('Consumers refuse properties that they do not know.'),
  removed: z
    .array(words)
    .optional()
    .describe('What was removed on purpose: properties of the root, or JSON Pointers. Its removal is no error.'),
});

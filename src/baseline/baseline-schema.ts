import * as z from 'zod';
import { baselineCaseSchema, baselineHeaderSchema, baselineVariantSchema } from '../model/comparison/baseline.ts';
import { storedChecksSchema } from '../model/run/deciding-lines.ts';

/** The JSON Schema of one line of a baseline file. */
export function buildBaselineJsonSchema(): unknown {
  const line = z.union([baselineHeaderSchema, baselineVariantSchema, baselineCaseSchema, storedChecksSchema]);
  return z.toJSONSchema(line.meta({ title: 'A line of an llmcheck baseline file' }), {
    io: 'input',
    unrepresentable: 'any',
    reused: 'ref',
  });
}

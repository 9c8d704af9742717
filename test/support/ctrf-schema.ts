import * as z from 'zod';

const count = z.int().nonnegative();
const extra = z.record(z.string(), z.unknown());
const status = z.enum(['passed', 'failed', 'skipped', 'pending', 'other']);

const test = z.strictObject({
  name: z.string().min(1),
  status,
  duration: count,
  suite: z.array(z.string()).min(1).optional(),
  message: z.string().optional(),
  trace: z.string().optional(),
  line: z.int().optional(),
  filePath: z.string().optional(),
  rawStatus: z.string().optional(),
  flaky: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  extra: extra.optional(),
});

/** What the Common Test Report Format allows, as far as a report uses it; anything else is refused, as there. */
export const ctrfSchema = z.strictObject({
  reportFormat: z.literal('CTRF'),
  specVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  reportId: z.uuid().optional(),
  timestamp: z.iso.datetime().optional(),
  generatedBy: z.string().optional(),
  extra: extra.optional(),
  results: z.strictObject({
    tool: z.strictObject({ name: z.string().min(1), version: z.string().optional() }),
    summary: z.strictObject({
      tests: count,
      passed: count,
      failed: count,
      skipped: count,
      pending: count,
      other: count,
      flaky: count.optional(),
      suites: count.optional(),
      start: z.int(),
      stop: z.int(),
      duration: count.optional(),
    }),
    tests: z.array(test),
    extra: extra.optional(),
  }),
});

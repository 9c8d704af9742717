import * as z from 'zod';
import { cacheSchema } from './cache-schema.ts';
import { contract } from './contract-schema.ts';
import { anyProvider, defaultsSchema, gateSchema, judges, priceSchema, words } from './schema.ts';

/** The keys of llmcheck.config.yaml. */
export const configShape = {
  suites: z
    .union([words, z.array(words).min(1, { error: 'needs at least one glob' })], {
      error: 'must be a glob or a list of globs',
    })
    .optional()
    .describe('Where suites are; default evals/**/*.eval.{yaml,yml,ts,js}.'),
  providers: z
    .array(anyProvider)
    .min(1, { error: 'needs at least one provider, or leave it out' })
    .optional()
    .describe('Providers that suites name by id; those of suites without their own.'),
  judges: judges.optional().describe('Judges that suites name by id; those of suites without their own.'),
  defaults: defaultsSchema.optional().describe("Where a suite's defaults say nothing."),
  gate: gateSchema.optional().describe("Where a suite's gate says nothing."),
  contract: contract.optional().describe("Where a suite's contract says nothing."),
  plugins: z
    .array(words)
    .min(1, { error: 'needs at least one plug-in, or leave it out' })
    .optional()
    .describe('Modules and packages that bring assertions, providers and reporters of your own.'),
  prices: z.record(z.string(), priceSchema).optional().describe('Prices by model, or by adapter:model.'),
  cache: z
    .union([words, cacheSchema], { error: 'must be an address, or a map with url or urlEnv' })
    .optional()
    .describe('A cache that several machines share, behind the local one: redis://host:6379/0 or s3://bucket/folder.'),
  run: z.record(z.string(), z.unknown()).optional().describe('Defaults of the flags of run, such as maxCost.'),
};

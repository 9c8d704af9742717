import * as z from 'zod';
import type { Report } from '../../model/report.ts';
import { amount, count, metric } from './variant-schema.ts';

const swapVerdict = z
  .enum(['better', 'holds', 'undecided', 'partial', 'worse'])
  .describe('`partial`: not every case was compared. `undecided`: something looks worse and is not settled.');

/** What can take the place of a provider. */
export const swapSchema = z.object({
  provider: z.string(),
  conclusion: z.string().describe('What the run says, in a sentence.'),
  cheapest: z.array(z.string()).describe('The cheapest candidates that hold everywhere; empty where none is known.'),
  candidates: z.array(
    z.object({
      candidate: z.string(),
      model: z.string(),
      verdict: swapVerdict,
      cellCostUsd: amount.describe('USD of a judged cell on average; null where a price is not known.'),
      costUsd: metric.describe('Over the compared cases of all suites.'),
      latencyMs: metric,
    }),
  ),
  rows: z.array(
    z.object({
      candidate: z.string(),
      suite: z.string(),
      prompt: z.string(),
      verdict: swapVerdict,
      reasons: z.array(z.string()).describe('Why it does not hold.'),
      cases: count.describe('Compared ones.'),
      broken: z.array(z.string()).describe('Cases whose failure is confirmed.'),
      passRate: metric,
      unseen: z.number().nullable().optional().describe('The drop that could go unnoticed; null where any could.'),
      costUsd: metric,
      latencyMs: metric,
    }),
  ),
});

/** Absent where the run was not about candidates. */
export function buildJsonSwaps({ swaps }: Report): z.input<typeof swapSchema>[] | undefined {
  return swaps?.map(({ provider, conclusion, cheapest, candidates, rows }) => ({
    provider,
    conclusion,
    cheapest: [...cheapest],
    candidates: candidates.map((one) => ({ ...one })),
    rows: rows.map(({ reasons, broken, ...row }) => ({ ...row, reasons: [...reasons], broken: [...broken] })),
  }));
}

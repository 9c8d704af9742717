import * as z from 'zod';
import { defineAssertion } from './define.ts';
import { durationParam } from './param-schemas.ts';

export const latency = defineAssertion({
  summary: 'the answer came within a duration; waiting and retries do not count',
  family: 'budget',
  example: 'latency: { max: 2s }',
  failsOn: { latencyMs: 2500 },
  definition: 'the successful attempt alone, on a monotonic clock',
  main: 'max',
  params: z.strictObject({ max: durationParam }),
  check(_target, { max }, { completion }) {
    const { latencyMs } = completion;
    if (latencyMs === undefined) {
      return { error: 'the latency is not known: an answer of a batch, or one recorded by hand, was not timed' };
    }
    return {
      pass: latencyMs <= max,
      reason: `took ${Number(latencyMs.toFixed(1))} ms, wanted at most ${Number(max.toFixed(1))} ms`,
    };
  },
});

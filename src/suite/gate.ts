import type * as z from 'zod';
import type { GatePolicy, MetricLimits } from '../model/suite.ts';
import { parseDurationMs } from '../text/duration.ts';
import { type gateSchema, toFraction } from './schema.ts';

type Gate = z.output<typeof gateSchema>;

/** The suite's gate, with the config's where it says nothing, key by key. */
export function buildGate(suite: Gate = {}, config: Gate = {}): GatePolicy {
  const cases = { ...config.cases, ...suite.cases };
  const latency = { ...config.latency, ...suite.latency };
  return {
    alpha: suite.alpha ?? config.alpha ?? 0.05,
    scope: suite.scope ?? config.scope ?? 'population',
    cases: { broken: cases.broken ?? 'fail', added: cases.added ?? 'fail' },
    passRate: toLimits({ ...config.passRate, ...suite.passRate }),
    score: toLimits({ ...config.score, ...suite.score }),
    cost: toLimits({ ...config.cost, ...suite.cost }),
    latency: {
      ...toLimits({ maxIncrease: latency.maxIncrease }),
      ...(latency.p95Max === undefined ? {} : { p95MaxMs: parseDurationMs(latency.p95Max) }),
    },
  };
}

type Limit = 'min' | 'max' | 'maxDrop' | 'maxIncrease';

function toLimits(limits: { readonly [Key in Limit]?: unknown }): MetricLimits {
  const written = Object.entries(limits).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written.map(([key, value]) => [key, toFraction(value)]));
}

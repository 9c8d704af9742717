import type * as z from 'zod';
import { defined } from '../json/defined.ts';
import { defaultGate, type GatePolicy, type SliceLimits } from '../model/suite/gate-policy.ts';
import { type Case } from '../model/suite/suite.ts';
import { parseDurationMs } from '../text/duration.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { checkPart } from './documents/check-shape.ts';
import { childOf, type Located, locate, type Problems } from './documents/locate.ts';
import type { gateSchema } from './schema/suite-schema.ts';

export type Gate = z.output<typeof gateSchema>;

/** Parses the gate of a suite or of the config. */
export function parseGate(
  document: Located,
  schema: z.ZodType<Gate | undefined>,
  problems: Problems,
): Gate | undefined {
  const name = childOf(childOf(childOf(document, 'gate'), 'slices'), '__proto__');
  // The schema check below drops it.
  if (name.value !== undefined) {
    const message = 'a slice can not have the name "__proto__"';
    problems.report({ code: 'invalid-value', message, hint: 'give the cases another tag', at: locate(name, 'key') });
  }
  return checkPart(document, 'gate', schema, problems);
}

/** The suite's gate. Missing keys come from the config's gate. Slices without a case in the suite are left out. */
export function buildGate(
  suite: Gate | undefined = {},
  config: Gate | undefined = {},
  tags: ReadonlySet<string>,
): GatePolicy {
  const { maxIncrease, p95Max, firstTokenP95Max } = { ...config.latency, ...suite.latency };
  const [p95MaxMs, firstTokenP95MaxMs] = [p95Max, firstTokenP95Max].map((most) =>
    most === undefined ? undefined : parseDurationMs(most),
  );
  return {
    ...defaultGate,
    ...defined({
      alpha: suite.alpha ?? config.alpha,
      scope: suite.scope ?? config.scope,
      certify: suite.certify ?? config.certify,
      erosion: suite.erosion ?? config.erosion,
      unsettled: suite.unsettled ?? config.unsettled,
    }),
    cases: { ...defaultGate.cases, ...defined({ ...config.cases, ...suite.cases }) },
    confirm: buildConfirm({ ...config.confirm, ...suite.confirm }),
    passRate: defined({ ...config.passRate, ...suite.passRate }),
    score: defined({ ...config.score, ...suite.score }),
    cost: defined({ ...config.cost, ...suite.cost }),
    latency: defined({ maxIncrease, p95MaxMs, firstTokenP95MaxMs }),
    ...buildStepLimits(suite, config),
    ...buildSlices(suite, config, tags),
  };
}

function buildConfirm({ cases, budget }: NonNullable<Gate['confirm']>): GatePolicy['confirm'] {
  return { ...defaultGate.confirm, ...defined({ cases, budget }) };
}

function buildStepLimits({ steps: own }: Gate, { steps: general }: Gate): Pick<GatePolicy, 'steps'> {
  return own === undefined && general === undefined ? {} : { steps: defined({ ...general, ...own }) };
}

/** The slices in the gates of suite and config. Leaves out slices without a case of the suite. */
function buildSlices(suite: Gate, config: Gate, tags: ReadonlySet<string>): Pick<GatePolicy, 'slices'> {
  const [own, general] = [suite.slices ?? {}, config.slices ?? {}];
  const names = [...new Set([...Object.keys(general), ...Object.keys(own)])].filter((name) => tags.has(name));
  if (names.length === 0) return {};
  const limits = names.map((name): [string, SliceLimits] => [
    name,
    { passRate: defined({ ...general[name]?.passRate, ...own[name]?.passRate }) },
  ]);
  return { slices: Object.fromEntries(limits) };
}

/** True if a gate names a slice. Only then are the cases read again, which takes time for a large suite. */
export function hasSlices(...gates: readonly (Gate | undefined)[]): boolean {
  return gates.some((gate) => gate?.slices !== undefined);
}

/** Collects the tags of all cases. */
export function collectTags(suites: Iterable<Iterable<Pick<Case, 'tags'>>>): ReadonlySet<string> {
  const tags = new Set<string>();
  for (const cases of suites) for (const testCase of cases) for (const tag of testCase.tags) tags.add(tag);
  return tags;
}

/** Warns of a gate's slices without cases, and returns the warnings. */
export function reportEmptySlices(gate: Located, tags: ReadonlySet<string>, problems: Problems): readonly string[] {
  const slices = childOf(gate, 'slices');
  const empty = Object.keys(slices.value ?? {}).filter((name) => !tags.has(name));
  return empty.map((name) => {
    const message = `slice ${name}: no case has this tag`;
    const known = tags.size === 0 ? 'no case has a tag' : `there are: ${[...tags].sort().slice(0, maxTags).join(', ')}`;
    const at = locate(childOf(slices, name), 'key');
    problems.warn({ code: 'selects-nothing', message, hint: didYouMean(name, tags) ?? known, at });
    return message;
  });
}

const maxTags = 10;

/** What a breach is about, and what follows from it. */
export interface BreachRule {
  /**
   * `case`: a single case. `average`: a metric of a variant against its baseline. `limit`: a metric against a limit that the
   * suite sets. `contract`, `reference`: the output contract, the pinned reference. `open`: the run is not decided.
   */
  readonly kind: 'case' | 'average' | 'limit' | 'contract' | 'reference' | 'open';
  /** True if failing cases of the variant cause it, so that reports show these as failures. */
  readonly byCases?: true;
  /**
   * What it says of drift. `shows`: answers to accepted requests got worse. `follows`: a limit that such answers break too.
   * Absent if a change of prompt or contract causes it.
   */
  readonly drift?: 'shows' | 'follows';
  /** For a case: what happened to it, as a headline says it. */
  readonly verb?: 'broke' | 'drifted' | 'fail' | 'are loosened';
}

/** Every breach. Whatever depends on a breach's code stands here. */
export const breachRules = {
  'must-pass': { kind: 'case', drift: 'shows', verb: 'broke' },
  'case-broken': { kind: 'case', verb: 'broke' },
  'case-drifted': { kind: 'case', drift: 'shows', verb: 'drifted' },
  'case-added-failed': { kind: 'case', verb: 'fail' },
  'case-loosened': { kind: 'case', verb: 'are loosened' },
  'pass-rate-regressed': { kind: 'average', byCases: true, drift: 'shows' },
  'pass-rate-drifted': { kind: 'average', byCases: true, drift: 'shows' },
  'score-regressed': { kind: 'average', byCases: true, drift: 'shows' },
  'cost-regressed': { kind: 'average', drift: 'shows' },
  'steps-regressed': { kind: 'average', drift: 'shows' },
  'latency-regressed': { kind: 'average', drift: 'shows' },
  'recall-regressed': { kind: 'average', drift: 'shows' },
  'f1-regressed': { kind: 'average', byCases: true, drift: 'shows' },
  'slice-regressed': { kind: 'average', drift: 'shows' },
  'pass-rate-min': { kind: 'limit', byCases: true, drift: 'follows' },
  'score-min': { kind: 'limit', byCases: true, drift: 'follows' },
  'cost-max': { kind: 'limit', drift: 'follows' },
  'steps-max': { kind: 'limit', drift: 'follows' },
  'latency-p95-max': { kind: 'limit', drift: 'follows' },
  'first-token-p95-max': { kind: 'limit', drift: 'follows' },
  'recall-min': { kind: 'limit', drift: 'follows' },
  'precision-min': { kind: 'limit', byCases: true, drift: 'follows' },
  'f1-min': { kind: 'limit', byCases: true, drift: 'follows' },
  'slice-min': { kind: 'limit', drift: 'follows' },
  'contract-broken': { kind: 'contract' },
  erosion: { kind: 'reference', drift: 'shows' },
  'errors-exceeded': { kind: 'open' },
  drift: { kind: 'open' },
  'nothing-evaluated': { kind: 'open' },
  stopped: { kind: 'open' },
  unpriced: { kind: 'open' },
  untimed: { kind: 'open' },
  'judge-unvalidated': { kind: 'open' },
  unsettled: { kind: 'open' },
  'record-incomplete': { kind: 'open' },
  inconclusive: { kind: 'open' },
} as const satisfies Readonly<Record<string, BreachRule>>;

export type BreachCode = keyof typeof breachRules;

export const breachCodes = Object.keys(breachRules) as readonly BreachCode[];

export function breachRule(code: BreachCode): BreachRule {
  return breachRules[code];
}

/** True for a breach that leaves the run undecided. */
export function isOpenBreach({ code }: { readonly code: BreachCode }): boolean {
  return breachRule(code).kind === 'open';
}

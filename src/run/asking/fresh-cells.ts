import type { AcceptedPrompt } from '../../baseline/accepted-prompts.ts';
import { defined } from '../../json/defined.ts';
import {
  type Cell,
  type CellKey,
  caseKey,
  firstAcceptedTrial,
  firstFreshTrial,
  suiteVariantKey,
} from '../../model/run/cell.ts';
import { type RenderedVariant } from '../../model/run/plan.ts';
import type { CaseSummary, RunSummary } from '../../model/run/summary.ts';
import { type Case, type ProviderConfig, type Suite } from '../../model/suite/suite.ts';
import { providerKey } from '../../plan/build-plan.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';
import {
  boundJudges,
  boundRequests,
  countJudgeRequests,
  countRequests,
  pricedModel,
} from '../../plan/price-variants.ts';
import { createRenderer } from '../../plan/render-cells.ts';
import { knowsCase } from '../../templates/rendered-table.ts';
import { groupBy } from '../../text/group-by.ts';
import { sha256Hex } from '../../text/sha256.ts';
import type { AskedSide } from '../../verdict/confirm/case-evidence.ts';
import type { NextTrials, Spend } from '../../verdict/confirm/choose-next.ts';
import { freshTrialsOf } from '../../verdict/confirm/settle.ts';

/** The cells of fresh trials of one run. */
export interface FreshCells {
  /** Renders the cells by provider key. The two sides of a case are next to each other. */
  render(wanted: readonly NextTrials[], summary: RunSummary): ReadonlyMap<string, readonly Cell[]>;
  readonly spendOf: (id: string, side: AskedSide) => Spend;
  /** The requests and cost of all fresh trials in the record. */
  spentOn(summary: RunSummary): Spend;
}

export interface FreshCellsOptions {
  readonly planned: PlannedRun;
  /** The accepted prompts by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
}

/** A case on a variant, with the cells of both sides. */
interface AskedPlace {
  readonly suite: Suite;
  readonly testCase: Case;
  readonly asked: Readonly<Record<AskedSide, RenderedVariant | undefined>>;
}

export function createFreshCells({ planned, acceptedPrompts }: FreshCellsOptions): FreshCells {
  const places = findPlaces(planned, acceptedPrompts);
  const spends = new Map<string, Spend>();

  function render(id: string, side: AskedSide, count: number, firstTrial: number): readonly Cell[] {
    const place = places.get(id);
    const asked = place?.asked[side];
    if (place === undefined || asked === undefined) return [];
    const cells = createRenderer(place.suite, asked, planned.rendering)(place.testCase, count, firstTrial);
    return cells.map((cell) => ({
      ...cell,
      confirmation: true,
      ...defined({ side: side === 'accepted' ? side : undefined }),
    }));
  }

  function spendOf(id: string, side: AskedSide): Spend {
    const key = `${side} ${id}`;
    const [cell] = spends.has(key) ? [] : render(id, side, 1, 0);
    const provider = places.get(id)?.asked[side]?.provider;
    const spend =
      spends.get(key) ??
      (cell === undefined || provider === undefined ? nothing : spendOfCell(planned, provider, cell));
    spends.set(key, spend);
    return spend;
  }

  return {
    render(wanted, summary) {
      const cells = new Map<string, Cell[]>();
      const summaries = indexCases(summary);
      for (const [id, ofCase] of groupBy(wanted, (trials) => trials.id)) {
        const [place, summarized] = [places.get(id), summaries.get(id)];
        if (place === undefined || summarized === undefined) continue;
        const fresh = freshTrialsOf(summarized);
        const most = new Map<AskedSide, number>();
        for (const { side, count } of ofCase) most.set(side, Math.max(count, most.get(side) ?? 0));
        for (const side of inTurn(id)) {
          const provider = place.asked[side]?.provider;
          const asked = fresh[side].length;
          const count = (most.get(side) ?? 0) - asked;
          if (provider === undefined || count <= 0) continue;
          const key = providerKey(provider);
          const rendered = render(id, side, count, firstTrialOf(summarized, side) + asked);
          cells.set(key, [...(cells.get(key) ?? []), ...rendered]);
        }
      }
      return cells;
    },
    spendOf,
    spentOn: (summary) => sumSpent(summary, spendOf),
  };
}

function sumSpent(summary: RunSummary, spendOf: FreshCells['spendOf']): Spend {
  let spent = nothing;
  for (const [id, found] of indexCases(summary)) {
    if (found.confirmations.length + found.accepted.length === 0) continue;
    const { candidate, accepted } = freshTrialsOf(found);
    spent = addSpend(spent, timesSpend(spendOf(id, 'candidate'), candidate.length));
    spent = addSpend(spent, timesSpend(spendOf(id, 'accepted'), accepted.length));
  }
  return spent;
}

/** The cells of both sides of each case, by `caseKey`. */
function findPlaces(
  { plan }: PlannedRun,
  acceptedPrompts: FreshCellsOptions['acceptedPrompts'],
): ReadonlyMap<string, AskedPlace> {
  const places = new Map<string, AskedPlace>();
  for (const { suite, variants } of plan.suites) {
    for (const testCase of suite.cases()) {
      for (const variant of variants) {
        const { prompt, provider } = variant;
        const key = caseKey({ suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id });
        const found = acceptedPrompts.get(
          suiteVariantKey({ suite: suite.id, prompt: prompt.id, provider: provider.id }),
        )?.variant;
        const accepted = found !== undefined && knowsCase(found.prompt, testCase.vars) ? found : undefined;
        const asked = { candidate: variant, accepted };
        places.set(key, { suite, testCase, asked });
      }
    }
  }
  return places;
}

/** The cells that ask the accepted prompts, by the candidate's cells. Each suite's cases are read at its first cell. */
export function createAcceptedCells(
  { plan, rendering }: PlannedRun,
  acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>,
): (key: CellKey) => Cell | undefined {
  const cases = new Map<string, ReadonlyMap<string, Case>>();
  return ({ suite: suiteId, prompt, provider, caseId }) => {
    const variant = acceptedPrompts.get(suiteVariantKey({ suite: suiteId, prompt, provider }))?.variant;
    const suite = plan.suites.find((planned) => planned.suite.id === suiteId)?.suite;
    if (variant === undefined || suite === undefined) return undefined;
    const byId = cases.get(suiteId) ?? new Map(Array.from(suite.cases(), (found) => [found.id, found]));
    cases.set(suiteId, byId);
    const testCase = byId.get(caseId);
    if (testCase === undefined || !knowsCase(variant.prompt, testCase.vars)) return undefined;
    return createRenderer(suite, variant, rendering)(testCase, 1)[0];
  };
}

function indexCases({ suites }: RunSummary): ReadonlyMap<string, CaseSummary> {
  const found = new Map<string, CaseSummary>();
  for (const { recorded, variants } of suites) {
    for (const { recorded: variant, cases } of variants) {
      for (const summary of cases.values()) {
        const { prompt, provider } = variant;
        found.set(caseKey({ suite: recorded.suite, prompt, provider, caseId: summary.caseId }), summary);
      }
    }
  }
  return found;
}

/** The sides of a case in the order in which they are asked. It alternates, so that a slower provider affects both equally. */
function inTurn(id: string): readonly AskedSide[] {
  const isReversed = Number.parseInt(sha256Hex(id).slice(0, 1), 16) % 2 === 1;
  return isReversed ? ['accepted', 'candidate'] : ['candidate', 'accepted'];
}

/**
 * The number of a case's first fresh trial on a side. It depends on the planned answers: if these come from the cache, so do
 * the fresh trials of that time; if they are new, both sides are asked again.
 */
function firstTrialOf({ trials }: CaseSummary, side: AskedSide): number {
  const answers = trials.map(({ answerId }) => answerId ?? '').join(' ');
  const first = side === 'candidate' ? firstFreshTrial : firstAcceptedTrial;
  return first + Number.parseInt(sha256Hex(answers).slice(0, 7), 16);
}

const nothing: Spend = { calls: 0, usd: undefined };

/** The maximum requests and cost of a cell, and its models whose cost has no bound. */
export interface CellSpend extends Spend {
  readonly uncounted: readonly string[];
}

/** The maximum requests and cost of a cell, including its judges. */
export function spendOfCell(planned: PlannedRun, provider: ProviderConfig, cell: Cell): CellSpend {
  const usd = boundRequests(planned, provider, cell);
  const suite = planned.plan.suites.find((other) => other.suite.id === cell.key.suite)?.suite;
  const judges = suite === undefined ? undefined : boundJudges(planned, suite, cell);
  return {
    calls: countRequests(cell) + countJudgeRequests(cell),
    usd: addUsd(usd, judges?.usd),
    uncounted: usd === undefined ? [whyUnbounded(planned, provider)] : [],
  };
}

/** Why the cost of a provider's requests has no bound. */
export function whyUnbounded({ pricer, endpointOf }: PlannedRun, provider: ProviderConfig): string {
  const isPriced = pricer.hasPrice(pricedModel(provider, endpointOf(provider)));
  return `${provider.id}: ${provider.model} has no ${isPriced ? 'limit on output tokens' : 'price'}`;
}

/**
 * Finds the maximum cost of the more expensive side of a cell. The accepted prompt may be longer or use another model.
 */
export function createSpendOfSides(
  planned: PlannedRun,
  acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>,
): (provider: ProviderConfig, cell: Cell) => CellSpend {
  const acceptedCellOf = createAcceptedCells(planned, acceptedPrompts);
  return (provider, cell) => {
    const own = spendOfCell(planned, provider, cell);
    const { suite, prompt, provider: providerId } = cell.key;
    const variant = acceptedPrompts.get(suiteVariantKey({ suite, prompt, provider: providerId }))?.variant;
    const accepted = variant === undefined ? undefined : acceptedCellOf(cell.key);
    if (variant === undefined || accepted === undefined) return own;
    const other = spendOfCell(planned, variant.provider, accepted);
    const usd = own.usd === undefined ? other.usd : Math.max(own.usd, other.usd ?? 0);
    return { calls: Math.max(own.calls, other.calls), usd, uncounted: [...own.uncounted, ...other.uncounted] };
  };
}

export function addSpend(a: Spend, b: Spend): Spend {
  return {
    calls: a.calls + b.calls,
    usd: addUsd(a.usd, b.usd),
  };
}

/** The sum of the known values; undefined if both are unknown. */
export function addUsd(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a + b;
}

export function timesSpend({ calls, usd }: Spend, factor: number): Spend {
  return { calls: calls * factor, usd: usd === undefined ? undefined : usd * factor };
}

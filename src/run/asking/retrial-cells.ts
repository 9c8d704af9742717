import type { AcceptedPrompt } from '../../baseline/accepted-prompts.ts';
import { defined } from '../../json/defined.ts';
import { type Cell, type CellKey, caseKey, firstAcceptedTrial, suiteVariantKey } from '../../model/run/cell.ts';
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
import type { RetrialSpend } from '../../verdict/confirm/choose-retrials.ts';
import type { RetrialSide, WantedRetrials } from '../../verdict/confirm/judge-case.ts';

/** The cells of confirmation trials of one run. */
export interface RetrialCells {
  /** Renders the cells by provider key. The two sides of a case are next to each other. */
  render(wanted: readonly WantedRetrials[], summary: RunSummary): ReadonlyMap<string, readonly Cell[]>;
  readonly spendOf: (wanted: Pick<WantedRetrials, 'id' | 'side'>) => RetrialSpend;
  /** The requests and cost of all confirmation trials in the record. */
  spentOn(summary: RunSummary): RetrialSpend;
}

export interface RetrialCellsOptions {
  readonly planned: PlannedRun;
  /** The accepted prompts by `suiteVariantKey`. */
  readonly acceptedPrompts: ReadonlyMap<string, AcceptedPrompt>;
}

/** A case on a variant, with the cells of both sides. */
interface RetriedPlace {
  readonly suite: Suite;
  readonly testCase: Case;
  readonly asked: Readonly<Record<RetrialSide, RenderedVariant | undefined>>;
}

export function createRetrialCells({ planned, acceptedPrompts }: RetrialCellsOptions): RetrialCells {
  const places = findPlaces(planned, acceptedPrompts);
  const spends = new Map<string, RetrialSpend>();

  function render(id: string, side: RetrialSide, count: number, firstTrial: number): readonly Cell[] {
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

  function spendOf({ id, side }: Pick<WantedRetrials, 'id' | 'side'>): RetrialSpend {
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
      for (const [id, ofCase] of groupBy(wanted, (retrials) => retrials.id)) {
        const [place, summarized] = [places.get(id), summaries.get(id)];
        if (place === undefined || summarized === undefined) continue;
        for (const { side, count } of alternate(ofCase, id)) {
          const provider = place.asked[side]?.provider;
          if (provider === undefined) continue;
          const rendered = render(id, side, count, nextTrial(summarized, side));
          const key = providerKey(provider);
          const own = cells.get(key) ?? [];
          own.push(...rendered);
          cells.set(key, own);
        }
      }
      return cells;
    },
    spendOf,
    spentOn(summary) {
      let spent = nothing;
      for (const [id, { confirmations, accepted }] of indexCases(summary)) {
        if (confirmations.length + accepted.length === 0) continue;
        spent = addSpend(spent, timesSpend(spendOf({ id, side: 'candidate' }), confirmations.length));
        spent = addSpend(spent, timesSpend(spendOf({ id, side: 'accepted' }), accepted.length));
      }
      return spent;
    },
  };
}

/** The cells of both sides of each case, by `caseKey`. */
function findPlaces(
  { plan }: PlannedRun,
  acceptedPrompts: RetrialCellsOptions['acceptedPrompts'],
): ReadonlyMap<string, RetriedPlace> {
  const places = new Map<string, RetriedPlace>();
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

/** Alternates by case which side is asked first. A provider that becomes slower then affects both sides equally. */
function alternate(wanted: readonly WantedRetrials[], id: string): readonly WantedRetrials[] {
  const isReversed = Number.parseInt(sha256Hex(id).slice(0, 1), 16) % 2 === 1;
  return isReversed ? [...wanted].reverse() : wanted;
}

/**
 * The trial numbers of the accepted prompt depend on the candidate's answers. If the cache has the candidate's answers,
 * it also has the accepted prompt's answers from the same time. If the candidate's answers are new, the accepted prompt
 * is asked again too.
 */
function nextTrial({ trials, confirmations, accepted }: CaseSummary, side: RetrialSide): number {
  if (side === 'candidate') return Math.max(-1, ...[...trials, ...confirmations].map(({ trial }) => trial)) + 1;
  const answers = trials.map(({ answerId }) => answerId ?? '').join(' ');
  const first = firstAcceptedTrial + Number.parseInt(sha256Hex(answers).slice(0, 7), 16);
  return Math.max(first - 1, ...accepted.map(({ trial }) => trial)) + 1;
}

const nothing: RetrialSpend = { calls: 0, usd: undefined };

/** The maximum requests and cost of a cell, and its models whose cost has no bound. */
export interface CellSpend extends RetrialSpend {
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

export function addSpend(a: RetrialSpend, b: RetrialSpend): RetrialSpend {
  return {
    calls: a.calls + b.calls,
    usd: addUsd(a.usd, b.usd),
  };
}

/** The sum of the known values; undefined if both are unknown. */
export function addUsd(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a + b;
}

export function timesSpend({ calls, usd }: RetrialSpend, factor: number): RetrialSpend {
  return { calls: calls * factor, usd: usd === undefined ? undefined : usd * factor };
}

import type { Cell } from '../model/run/cell.ts';
import type { PlannedSuite, PlannedVariant } from '../model/run/plan.ts';
import type { Endpoint } from '../model/suite/provider.ts';
import { type Case, type PromptVersion, type ProviderConfig, providersOf, type Suite } from '../model/suite/suite.ts';
import { sha256Hex } from '../text/sha256.ts';
import { buildParams, createRenderer, type RenderOptions, runsOn } from './render-cells.ts';
import { buildCasePredicate, isNarrowed, type Selection } from './select-cases.ts';

/** The cells that will run: counted at once, rendered one by one. */
export interface Plan {
  readonly suites: readonly PlannedSuite[];
  readonly cellCount: number;
  /**
   * The cells of one provider: cases in file order, with the prompt versions of a case side by side in each trial.
   * `isWanted` leaves out cases that it returns false for.
   */
  cells(key: string, isWanted?: (suiteId: string, caseId: string) => boolean): Iterable<Cell>;
  /** Keys (`providerKey`) of the providers that have cells, in suite order. */
  readonly providerKeys: readonly string[];
}

export interface PlanOptions extends RenderOptions {
  readonly selection: Selection;
  /** The version that the others are compared with, if the user named one. */
  readonly firstPrompt?: string;
}

/** Plans lazily: memory grows with variants, not with cases. */
export function buildPlan(suites: readonly Suite[], options: PlanOptions): Plan {
  const { selection, firstPrompt } = options;
  const isSelected = buildCasePredicate(suites, selection);
  const planned = suites.map((suite) => countSuite(suite, selection, isSelected));
  const variants = planned.flatMap((suite) => suite.variants);
  return {
    suites: planned,
    cellCount: variants.reduce((sum, variant) => sum + countCells(variant), 0),
    providerKeys: [
      ...new Set(variants.filter((variant) => countCells(variant) > 0).map(({ provider }) => providerKey(provider))),
    ],
    *cells(key, isWanted = () => true) {
      for (const { suite, variants: all } of planned) {
        const own = all.filter(({ provider }) => providerKey(provider) === key);
        if (own.length === 0) continue;
        const renderers = inOrder(suite, own, firstPrompt).map((variant) => createRenderer(suite, variant, options));
        const canReverse = renderers.length > 1 && suite.criteria.length === 0;
        for (const testCase of suite.cases()) {
          if (!isSelected(suite, testCase) || !isWanted(suite.id, testCase.id)) continue;
          const inTurn = canReverse && isReversed(testCase) ? renderers.toReversed() : renderers;
          const trials = selection.trials ?? testCase.trials;
          const rendered = inTurn.map((render) => render(testCase, trials));
          // Trial by trial, so that equal requests of two versions are in flight together and share one answer.
          for (let trial = 0; trial < trials; trial += 1) yield* rendered.flatMap((cells) => cells[trial] ?? []);
        }
      }
    },
  };
}

/**
 * Half of the cases ask their prompt versions in reverse order. A provider that becomes slower then affects all
 * versions equally.
 */
function isReversed({ id }: Case): boolean {
  return Number.parseInt(sha256Hex(id).slice(0, 1), 16) % 2 === 1;
}

function countCells({ planned, observed }: PlannedVariant): number {
  return planned + observed;
}

/** Providers with the same configuration share a key, and so their limits, in whatever suite they are. */
export function providerKey(provider: ProviderConfig): string {
  const { at: _at, id, ...rest } = provider;
  // The members are not sorted, because an adapter may send its options in their order.
  return `${id}\u0000${JSON.stringify(rest)}`;
}

/**
 * A check that compares the answers of two versions waits for the other one. So a version comes after the one it is
 * compared with.
 */
function inOrder(
  { criteria, prompts }: Suite,
  variants: readonly PlannedVariant[],
  firstPrompt: string | undefined,
): readonly PlannedVariant[] {
  if (criteria.length === 0) return variants;
  const rankOf = ({ id, baselineOf, replaces }: PromptVersion): number => {
    if (baselineOf !== undefined || id === firstPrompt) return -1;
    const before = prompts.find((other) => other.id === replaces);
    return before === undefined ? 0 : rankOf(before) + 1;
  };
  return variants.toSorted((a, b) => rankOf(a.prompt) - rankOf(b.prompt));
}

function countSuite(
  suite: Suite,
  selection: Selection,
  isSelected: (suite: Suite, testCase: Case) => boolean,
): PlannedSuite {
  const variants = suite.prompts
    .filter(({ id, baselineOf }) => selection.prompts.length === 0 || selection.prompts.includes(baselineOf ?? id))
    .flatMap((prompt) =>
      providersOf(suite, prompt)
        .filter(({ id }) => selection.providers.length === 0 || selection.providers.includes(id))
        .map((provider) => ({
          prompt,
          provider,
          params: buildParams(suite, prompt, provider),
          planned: 0,
          observed: 0,
        })),
    );
  let selectedCases = 0;
  for (const testCase of suite.cases()) {
    if (!isSelected(suite, testCase)) continue;
    selectedCases += 1;
    const trials = selection.trials ?? testCase.trials;
    for (const variant of variants) {
      if (!runsOn(testCase, variant.prompt.baselineOf ?? variant.prompt.id, variant.provider.id)) continue;
      if (testCase.observe) variant.observed += trials;
      else variant.planned += trials;
    }
  }
  return { suite, selectedCases, filtered: isNarrowed(selection), variants };
}

/** Calls to one address with one key share its limits. A program or a module has its own. */
export function accountId(config: ProviderConfig, { baseUrl, apiKeyEnv }: Endpoint): string {
  if (baseUrl === undefined) return providerKey(config);
  const variables = Object.values(config.headers).map((value) => (typeof value === 'string' ? '' : value.env));
  return [baseUrl, apiKeyEnv, ...variables.toSorted()].join('\n');
}

import { canonicalJson } from '../json/canonical-json.ts';
import type { Writable } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { Cell } from '../model/cell.ts';
import type { Attachment, CompletionRequest, Message } from '../model/completion.ts';
import type { SourceLocation } from '../model/problem.ts';
import {
  type Case,
  type PromptVersion,
  type ProviderConfig,
  providersOf,
  renderMessages,
  type Suite,
} from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type AskedIdentityOptions, createAskedIdentity } from './asked-identity.ts';
import { buildParams } from './build-params.ts';
import { buildCasePredicate, isNarrowed, type Selection } from './select-cases.ts';

export interface PlannedVariant {
  readonly prompt: PromptVersion;
  readonly provider: ProviderConfig;
  readonly params: JsonObject;
  /** Cells; those under `observe` counted apart. */
  readonly planned: number;
  readonly observed: number;
}

export interface PlannedSuite {
  readonly suite: Suite;
  readonly variants: readonly PlannedVariant[];
  readonly filtered: boolean;
  /** Cases that the selection kept, on whatever variants they run. */
  readonly selectedCases: number;
}

/** What is going to run: counted at once, rendered cell by cell. */
export interface Plan {
  readonly suites: readonly PlannedSuite[];
  readonly cellCount: number;
  /** The cells of one provider, cases in file order, prompt versions and trials of a case side by side. */
  cells(providerId: string): Iterable<Cell>;
  /** Ids of the providers that have cells, in suite order. */
  readonly providerIds: readonly string[];
}

/** `endpointOf`: the same id in two suites may be configured differently. */
export interface PlanOptions extends AskedIdentityOptions {
  readonly selection: Selection;
  /** What a request says of a file, named from the suite file's folder; throws a UserError where it can't be read. */
  describeFile(suite: Suite, path: string): Attachment;
  /** The check that a contract's output schema adds to every completion. */
  contractCheck(schema: JsonObject | boolean): CheckSpec;
  /** The version that the others are compared with, where the user named one. */
  readonly firstPrompt?: string;
}

/** Plans lazily: memory grows with variants, not with cases. */
export function buildPlan(suites: readonly Suite[], options: PlanOptions): Plan {
  const { selection } = options;
  const isSelected = buildCasePredicate(suites, selection);
  const planned = suites.map((suite) => countSuite(suite, selection, isSelected));
  const providerIds = [
    ...new Set(
      planned.flatMap(({ variants }) =>
        variants.filter((v) => v.planned + v.observed > 0).map(({ provider }) => laneId(provider)),
      ),
    ),
  ];
  return {
    suites: planned,
    cellCount: planned.reduce((sum, { variants }) => sum + variants.reduce((n, v) => n + v.planned + v.observed, 0), 0),
    providerIds,
    *cells(lane) {
      for (const { suite, variants } of planned) {
        const own = inOrder(
          suite,
          variants.filter(({ provider }) => laneId(provider) === lane),
          options.firstPrompt,
        );
        if (own.length === 0) continue;
        const renderers = own.map((variant) => buildRenderer(suite, variant, options));
        for (const testCase of suite.cases()) {
          if (!isSelected(suite, testCase)) continue;
          for (const render of renderers) {
            for (const cell of render(testCase, selection.trials ?? testCase.trials)) yield cell;
          }
        }
      }
    },
  };
}

/** Where a judge may compare answers, a version comes after the one it is compared with: its checks wait for that answer. */
function inOrder(
  { criteria, prompts }: Suite,
  variants: readonly PlannedVariant[],
  firstPrompt: string | undefined,
): readonly PlannedVariant[] {
  if (criteria.length === 0) return variants;
  const rankOf = ({ id, baselineOf, replaces }: PromptVersion, depth = 0): number => {
    if (baselineOf !== undefined || id === firstPrompt) return -1;
    const before = prompts.find((other) => other.id === replaces);
    // A circle of versions has no order.
    return before === undefined || depth > prompts.length ? 0 : rankOf(before, depth + 1) + 1;
  };
  return variants.toSorted((a, b) => rankOf(a.prompt) - rankOf(b.prompt));
}

/** Providers that are configured alike share a lane (and so its limits), whatever suite they stand in. */
export function laneId(provider: ProviderConfig): string {
  const { at: _at, id, ...rest } = provider;
  // In the order of its members, in which options of an adapter may be sent.
  return `${id}\u0000${JSON.stringify(rest)}`;
}

/** Cells of a case on one variant, or none where the case is restricted to others. */
export function runsOn(testCase: Case, promptId: string, providerId: string): boolean {
  return (
    (testCase.prompts === undefined || testCase.prompts.includes(promptId)) &&
    (testCase.providers === undefined || testCase.providers.includes(providerId))
  );
}

function countSuite(
  suite: Suite,
  selection: Selection,
  isSelected: (suite: Suite, testCase: Case) => boolean,
): PlannedSuite {
  const counts = suite.prompts
    .filter(({ id, baselineOf }) => selection.prompts.length === 0 || selection.prompts.includes(baselineOf ?? id))
    .flatMap((prompt) =>
      providersOf(suite, prompt)
        .filter(({ id }) => selection.providers.length === 0 || selection.providers.includes(id))
        .map((provider) => ({ prompt, provider, planned: 0, observed: 0 })),
    );
  let selectedCases = 0;
  for (const testCase of suite.cases()) {
    if (!isSelected(suite, testCase)) continue;
    selectedCases += 1;
    const trials = selection.trials ?? testCase.trials;
    for (const count of counts) {
      if (!runsOn(testCase, count.prompt.baselineOf ?? count.prompt.id, count.provider.id)) continue;
      if (testCase.observe) count.observed += trials;
      else count.planned += trials;
    }
  }
  return {
    suite,
    selectedCases,
    filtered: isNarrowed(selection),
    variants: counts.map(({ prompt, provider, planned, observed }) => ({
      prompt,
      provider,
      planned,
      observed,
      params: buildParams(suite, prompt, provider),
    })),
  };
}

export type CellRenderer = (testCase: Case, trials: number, firstTrial?: number) => readonly Cell[];

/** Renders the cells of one variant; what does not depend on the case is made once. */
export function buildRenderer(suite: Suite, variant: PlannedVariant, options: PlanOptions): CellRenderer {
  const { prompt, provider, params } = variant;
  const endpoint = options.endpointOf(provider);
  const outputSchema = prompt.contract?.output ?? suite.contract.output;
  const contract = outputSchema === undefined ? [] : [options.contractCheck(outputSchema)];
  const contractIdentity = outputSchema === undefined ? '' : `.${sha256Hex(canonicalJson(outputSchema)).slice(0, 12)}`;
  const askedIdentity = createAskedIdentity(suite, options);
  const { adapter, model } = provider;
  const { adapterVersion, baseUrl } = endpoint;
  const promptId = prompt.baselineOf ?? prompt.id;
  return function renderCells(testCase, trials, firstTrial = 0) {
    if (!runsOn(testCase, promptId, provider.id)) return [];
    const cells: Cell[] = [];
    const { vars, turns, tags, description, threshold, mustPass, observe, skip } = testCase;
    const at = withoutExcerpt(testCase.at);
    const messages: Message[] = renderMessages(prompt, vars).map(({ role, content, attach }) => {
      if (attach.length === 0) return { role, content };
      return { role, content, attachments: attach.map((path) => options.describeFile(suite, path)) };
    });
    const checks = contract.length === 0 ? testCase.checks : [...contract, ...testCase.checks];
    const stamp = `${testCase.stamp}${askedIdentity(testCase)}`;
    const identity = `${identityOf(testCase, stamp)}${contractIdentity}`;
    const origin = { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id };
    for (let trial = firstTrial; trial < firstTrial + trials; trial += 1) {
      // Member by member: a spread for each that may be missing would cost more than the rendering.
      const request: Writable<CompletionRequest> = { adapter, adapterVersion, model, messages, params, trial, origin };
      if (baseUrl !== undefined) request.baseUrl = baseUrl;
      const key = { suite: suite.id, prompt: prompt.id, provider: provider.id, caseId: testCase.id, trial };
      const cell: Writable<Cell> = { key, request, vars, turns, checks, mustPass, observe, stamp, identity, at };
      if (tags.length > 0) cell.tags = tags;
      if (description !== undefined) cell.description = description;
      if (threshold !== undefined) cell.threshold = threshold;
      if (skip !== undefined) cell.skip = skip;
      cells.push(cell);
    }
    return cells;
  };
}

function withoutExcerpt(at: SourceLocation): SourceLocation {
  const { file, line, column, excerpt } = at;
  return excerpt === undefined ? at : { file, line, column };
}

/** The part of a cell's identity that neither its request's key nor its variant holds; a stamp covers turns and checks. */
function identityOf({ observe, mustPass, skip }: Case, stamp: string): string {
  return `${stamp}${observe ? '.observe' : ''}${mustPass ? '.mustPass' : ''}${skip === undefined ? '' : '.skip'}`;
}

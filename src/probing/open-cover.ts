import { relative } from 'node:path';
import * as z from 'zod';
import { comparesOther } from '../assertions/index.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Cell } from '../model/run/cell.ts';
import { type RenderedVariant } from '../model/run/plan.ts';
import { type Case, type Suite } from '../model/suite/suite.ts';
import { runsOn } from '../plan/render-cells.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { defineKeptList } from '../project/kept-list.ts';
import { coveragePathOf } from '../project/project-paths.ts';
import { type CellSpend, timesSpend } from '../run/asking/fresh-cells.ts';
import { withoutUserinfo } from '../text/addresses/store-urls.ts';
import { sha256Hex } from '../text/sha256.ts';
import { type AskedPrompt, askedBy, haveOneLanguage } from './asked-prompt.ts';
import { comparedCases, comparedTrials, coverLimits, type SensingCase } from './cover-instruction.ts';
import { limitProbes, mostSpend, sumSpends } from './limit-probes.ts';
import { type Instruction, listInstructions } from './list-instructions.ts';
import { type Prober, whyUnaskable } from './open-prober.ts';

/** The search of one prompt on one provider, before anything is asked. */
export interface PromptSearch {
  readonly suite: Suite;
  readonly variant: RenderedVariant;
  readonly asked: AskedPrompt;
  readonly cases: readonly SensingCase[];
  readonly instructions: readonly OpenInstruction[];
  /** Path of the stored coverage. */
  readonly path: string;
  readonly shown: string;
  readonly why?: string;
}

interface OpenInstruction {
  readonly instruction: Instruction;
  readonly hash: string;
  readonly stored?: StoredCoverage;
  /** Cases not yet asked. */
  readonly cases: readonly SensingCase[];
}

export function openSearches(
  prober: Prober,
  { all, run }: { readonly all: boolean; readonly run: RunOptions },
  cwd: string,
): readonly PromptSearch[] {
  return prober.planned.plan.suites.flatMap(({ suite, variants }) => {
    const path = coveragePathOf(run.project.root, suite.path);
    const shown = relative(cwd, path);
    const stored = all ? [] : readCoverage(path, shown);
    const older = new Set(suite.prompts.map(({ replaces }) => replaces));
    const isNamed = (id: string) => run.selection.prompts.includes(id);
    return variants
      .filter(({ prompt: { id, baselineOf } }) => baselineOf === undefined && (!older.has(id) || isNamed(id)))
      .map((variant) => openSearch(prober, { suite, variant, path, shown, stored }));
  });
}

interface SearchPlace extends Pick<PromptSearch, 'suite' | 'variant' | 'path' | 'shown'> {
  readonly stored: readonly StoredCoverage[];
}

function openSearch(prober: Prober, { stored, ...place }: SearchPlace): PromptSearch {
  const { suite, variant } = place;
  const asked = askedBy(variant);
  const cases = sensingCases(prober, suite, variant);
  const { provider } = variant;
  const own = ownOrReplaced(suite, variant.prompt.id).flatMap((id) =>
    stored.filter((one) => one.prompt === id && one.provider === provider.id && one.model === provider.model),
  );
  const search = { ...place, asked, cases };
  const why = whyNot(prober, search);
  if (why !== undefined) return { ...search, instructions: [], why };
  const counts = new Map<string, number>();
  const instructions = listInstructions(asked).map((instruction): OpenInstruction => {
    const { kind, name = '', text } = instruction;
    const identity = canonicalJson([kind, name, text]);
    // Equal instructions have a verdict each.
    const earlier = counts.get(identity) ?? 0;
    counts.set(identity, earlier + 1);
    const hash = sha256Hex(earlier === 0 ? identity : `${identity}\n${earlier}`).slice(0, 16);
    const latest = own.find((one) => one.instruction === hash);
    const known = latest && isCurrent(latest, cases) ? latest : undefined;
    const unasked = cases.filter((one) => known?.cases.includes(one.hash) !== true);
    const isDone = known?.is === 'guarded' || unasked.length === 0;
    return { instruction, hash, ...defined({ stored: known }), cases: isDone ? [] : unasked };
  });
  return {
    ...search,
    instructions,
    ...defined({ why: instructions.length === 0 ? 'it has no instructions' : undefined }),
  };
}

/** Ids of a prompt and the prompts that it replaces. Their stored verdicts hold for instructions that were kept. */
function ownOrReplaced({ prompts }: Suite, id: string): readonly string[] {
  const ids = new Set<string>();
  for (let next: string | undefined = id; next !== undefined && !ids.has(next); ) {
    ids.add(next);
    const current: string = next;
    next = prompts.find((prompt) => prompt.id === current)?.replaces;
  }
  return [...ids];
}

/**
 * True if the stored verdict still holds. The case that guards an instruction, or whose answers changed, must be
 * unchanged.
 */
function isCurrent(stored: StoredCoverage, now: readonly SensingCase[]): boolean {
  if (stored.is === 'noEffect') return askedOf(stored, now) > 0;
  const own = now.find(({ testCase }) => testCase.id === stored.caseId);
  return own !== undefined && stored.cases.includes(own.hash);
}

/** Lower bound on today's cases that were asked without the instruction. A removed case may have been one of them. */
export function askedOf({ is, cases, asked = 0 }: StoredCoverage, now: readonly SensingCase[]): number {
  const gone = cases.filter((hash) => !now.some((one) => one.hash === hash));
  return Math.max(is === 'unnoticed' ? 1 : 0, asked - gone.length);
}

function sensingCases(prober: Prober, suite: Suite, variant: RenderedVariant): readonly SensingCase[] {
  const { prompt, provider } = variant;
  const wanted = (testCase: Case) =>
    testCase.skip === undefined && !testCase.observe && runsOn(testCase, prompt.id, provider.id);
  return Array.from(suite.cases())
    .filter(wanted)
    .flatMap((testCase): readonly SensingCase[] => {
      const cell = prober.render({ suite, variant, testCase }, variant);
      if (cell === undefined || cell.checks.some(comparesOther)) return [];
      return [{ testCase, hash: hashSense(prober, variant, cell), whole: { cell, made: variant } }];
    });
}

/**
 * Hashes the case and the provider's configuration, for which a verdict holds. Tools are excluded: like texts, they
 * belong to the prompt.
 */
function hashSense({ planned: { rendering } }: Prober, { provider }: RenderedVariant, cell: Cell): string {
  const { adapter, adapterVersion, baseUrl, params } = cell.request;
  const { tools: _tools, functions: _functions, ...settings } = params;
  const address = baseUrl === undefined ? null : withoutUserinfo(baseUrl);
  const attached = cell.request.messages.flatMap(({ attachments = [] }) => attachments.map(({ sha256 }) => sha256));
  const asked = [adapter, adapterVersion, address, settings, attached, rendering.optionsOf(provider) ?? null];
  return `${cell.cellHash}.${sha256Hex(canonicalJson(asked)).slice(0, 12)}`;
}

function whyNot(
  prober: Prober,
  { suite, variant, asked, cases }: Pick<PromptSearch, 'suite' | 'variant' | 'asked' | 'cases'>,
): string | undefined {
  if (!haveOneLanguage(asked, asked)) return 'code of the project makes this prompt';
  const why = whyUnaskable(prober, suite, [variant]);
  return why ?? (cases.length === 0 ? 'no case of the suite can notice anything' : undefined);
}

/** Upper bounds for a search, computed without sending anything. */
export interface CoverForecast {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly cases: number;
  readonly instructions: number;
  /** Instructions without a stored verdict. */
  readonly open: number;
  readonly calls: number;
  /** Undefined if a price or an output token limit is unknown. */
  readonly usd: number | undefined;
  readonly uncounted: readonly string[];
  readonly why?: string;
}

/** Forecasts the search of one prompt. */
export function forecastSearch(
  prober: Prober,
  { suite, variant, cases, instructions, why }: PromptSearch,
): CoverForecast {
  const names = { suite: suite.id, prompt: variant.prompt.id, provider: variant.provider.id, cases: cases.length };
  const open = instructions.filter((one) => one.cases.length > 0);
  const counts = { ...names, instructions: instructions.length, open: open.length };
  const nothing = { calls: 0, usd: 0, uncounted: [] };
  if (why !== undefined || open.length === 0) return { ...counts, ...nothing, ...defined({ why }) };
  const limits = coverLimits(cases.length);
  const spends = new Map(cases.map((one) => [one, limitProbes(prober.planned, [one.whole])]));
  const spendOf = (one: SensingCase): CellSpend => spends.get(one) ?? nothing;
  const most = mostSpend([...spends.values()]);
  const further = limits.confirmations + comparedCases * comparedTrials;
  const asked = [
    ...cases.map((one) => timesSpend(spendOf(one), limits.whole)),
    ...open.flatMap((one) => [...one.cases.map(spendOf), timesSpend(most, further)]),
  ];
  const uncounted = [...new Set([...spends.values()].flatMap((spend) => spend.uncounted))];
  return { ...counts, ...sumSpends(asked), uncounted };
}

/** Stored verdict on an instruction, so later searches ask only about new ones. */
const storedCoverage = z
  .object({
    prompt: z.string(),
    provider: z.string(),
    model: z.string(),
    /** Hash of the instruction's kind, name and text. */
    instruction: z.string(),
    /** Start of the instruction's text, for readers of the file. */
    text: z.string(),
    is: z.enum(['guarded', 'unnoticed', 'noEffect']),
    caseId: z.string().exactOptional(),
    /** Hashes of the cases considered. For a guarded instruction, only the case that guards it. */
    cases: z.array(z.string()).min(1),
    /**
     * Number of these cases asked without the instruction; the others fail with the whole prompt. Absent if guarded.
     */
    asked: z.int().min(1).exactOptional(),
  })
  .refine(({ is, caseId }) => is === 'noEffect' || caseId !== undefined, { error: 'the case is missing' })
  .refine(({ is, asked }) => is === 'guarded' || asked !== undefined, { error: 'asked is missing' });

export type StoredCoverage = Readonly<z.infer<typeof storedCoverage>>;

const kept = defineKeptList<StoredCoverage>({
  name: 'instructions',
  format: 1,
  row: storedCoverage,
  keyOf: ({ prompt, provider, model, text, instruction }) => [prompt, provider, model, text, instruction],
  lack: 'does not say what guards a prompt',
  command: 'llmcheck prompt cover',
});

/** Reads and writes the stored verdicts of a suite. */
export const { read: readCoverage, write: writeCoverage } = kept;

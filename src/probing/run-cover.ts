import { relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Case, Suite } from '../model/suite.ts';
import { pricedModel } from '../plan/price-variants.ts';
import { comparesOther, type RenderedVariant, runsOn } from '../plan/render-cells.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { coveragePathOf } from '../project/project-paths.ts';
import { addSpend, type CellSpend, timesSpend } from '../run/retrial-cells.ts';
import { TemplateError } from '../templates/template-error.ts';
import { sha256Hex } from '../text/sha256.ts';
import { shortenText } from '../text/shorten.ts';
import {
  type AskedCell,
  type Coverage,
  type CoverPorts,
  comparedCases,
  comparedTrials,
  coverInstruction,
  coverLimits,
  orderByRelevance,
  type SensingCase,
} from './cover-instruction.ts';
import { readCoverage, type StoredCoverage, writeCoverage } from './cover-store.ts';
import { type Instruction, listInstructions } from './list-instructions.ts';
import { type AskedPrompt, askedBy, haveOneLanguage, variantOf } from './made-prompt.ts';
import { limitProbes, openProber, type Prober, type ProbeSpending, type ProbeTrial } from './open-prober.ts';
import { type FileLines, fileLines } from './prompt-change.ts';

export interface RunCoverOptions {
  readonly run: RunOptions;
  /** Ask of every instruction, whatever is stored. */
  readonly all: boolean;
  /** Called with each prompt that is done. */
  readonly onPrompt?: (covered: CoveredPrompt) => void;
}

export interface CoveredInstruction {
  readonly instruction: Pick<Instruction, 'kind' | 'text' | 'name'>;
  /** Undefined where its text is in no file. */
  readonly file?: FileLines;
  readonly coverage: Coverage;
  /** True where an earlier search found it and nothing was asked. */
  readonly isStored: boolean;
}

export interface CoveredPrompt {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  /** Cases that may notice something. */
  readonly cases: number;
  readonly instructions: readonly CoveredInstruction[];
  /** Why nothing was asked. */
  readonly why?: string;
}

export interface CoverOutcome {
  readonly prompts: readonly CoveredPrompt[];
  /** Files that were written, relative to the working folder. */
  readonly written: readonly string[];
  readonly spending: ProbeSpending;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** What a search would do at most, without sending anything. */
export interface CoverForecast {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly cases: number;
  readonly instructions: number;
  /** Of these, those of which nothing is stored. */
  readonly open: number;
  readonly calls: number;
  /** Undefined where a price or a limit on output tokens is not known. */
  readonly usd: number | undefined;
  readonly uncounted: readonly string[];
  readonly why?: string;
}

/** Removes each instruction in turn, and asks the cases until one fails. */
export async function runCover(options: RunCoverOptions, ports: RunPorts): Promise<CoverOutcome> {
  const prober = await openProber(withoutRecord(options.run), ports);
  try {
    const prompts: CoveredPrompt[] = [];
    const written = new Set<string>();
    for (const search of openSearches(prober, options, ports.cwd)) {
      const covered = await coverPrompt(prober, search);
      if (keepCoverage(search, covered)) written.add(relative(ports.cwd, search.path));
      prompts.push(covered);
      options.onPrompt?.(covered);
    }
    return {
      prompts,
      written: [...written],
      spending: prober.spending,
      ...defined({ interrupted: prober.interrupted() }),
    };
  } finally {
    await prober.close();
  }
}

export async function forecastCover(options: RunCoverOptions, ports: RunPorts): Promise<readonly CoverForecast[]> {
  const prober = await openProber(withoutRecord(options.run), ports);
  try {
    return openSearches(prober, options, ports.cwd).map((search) => forecast(prober, search));
  } finally {
    await prober.close();
  }
}

function withoutRecord(run: RunOptions): RunOptions {
  const { early: _early, bail: _bail, queue: _queue, resume: _resume, ...rest } = run;
  const off = { record: false, recordTools: false, batch: false, rerunBaseline: false, updateBaseline: false };
  return { ...rest, ...off };
}

/** One prompt on one provider, before anything is asked. */
interface PromptSearch {
  readonly suite: Suite;
  readonly variant: RenderedVariant;
  readonly asked: AskedPrompt;
  readonly cases: readonly SensingCase[];
  readonly instructions: readonly OpenInstruction[];
  /** Of the stored coverage. */
  readonly path: string;
  readonly shown: string;
  readonly why?: string;
}

interface OpenInstruction {
  readonly instruction: Instruction;
  readonly hash: string;
  readonly stored?: StoredCoverage;
  /** The cases that are still to be asked. */
  readonly cases: readonly SensingCase[];
}

function openSearches(prober: Prober, { all, run }: RunCoverOptions, cwd: string): readonly PromptSearch[] {
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
  const own = stored.filter((one) => one.provider === provider.id && one.model === provider.model);
  const search = { ...place, asked, cases };
  const why = whyNot(prober, search);
  if (why !== undefined) return { ...search, instructions: [], why };
  const instructions = listInstructions(asked).map((instruction): OpenInstruction => {
    const { kind, name = '', text } = instruction;
    const hash = sha256Hex(canonicalJson([kind, name, text])).slice(0, 16);
    const known = own.find((one) => one.instruction === hash && isCurrent(one, cases));
    const unasked = cases.filter(({ testCase }) => known?.cases.includes(testCase.caseHash) !== true);
    const isDone = known?.is === 'guarded' || unasked.length === 0;
    return { instruction, hash, ...defined({ stored: known }), cases: isDone ? [] : unasked };
  });
  return { ...search, instructions, ...(instructions.length === 0 && { why: 'it has no instructions' }) };
}

/** The case that guards an instruction, or whose answers changed, must be as it was. */
function isCurrent({ is, caseId, cases }: StoredCoverage, now: readonly SensingCase[]): boolean {
  const own = now.find(({ testCase }) => testCase.id === caseId);
  return is === 'noEffect' || (own !== undefined && cases.includes(own.testCase.caseHash));
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
      return [{ testCase, whole: { cell, made: variant } }];
    });
}

function whyNot(
  prober: Prober,
  { suite, variant, asked, cases }: Pick<PromptSearch, 'suite' | 'variant' | 'asked' | 'cases'>,
): string | undefined {
  if (!haveOneLanguage(asked, asked)) return 'code of the project makes this prompt';
  if (prober.isReplayed(suite)) return 'stored answers alone answer this suite: --cache use asks its provider';
  if (cases.length === 0) return 'no case of the suite can notice anything';
  const { pricer, endpointOf } = prober.planned;
  const isPriced = pricer.hasPrice(pricedModel(variant.provider, endpointOf(variant.provider)));
  if (prober.options.settings.maxCostUsd === undefined || isPriced) return undefined;
  return `no price is known for ${variant.provider.model}, so --max-cost can't be held`;
}

async function coverPrompt(prober: Prober, search: PromptSearch): Promise<CoveredPrompt> {
  const { suite, variant, cases, instructions, why } = search;
  const ask = createAsk(prober);
  const limits = coverLimits(cases.length);
  const covered = await Promise.all(
    instructions.map(async ({ instruction, stored, cases: open }): Promise<CoveredInstruction> => {
      const ports: CoverPorts = { limits, ask, without: createWithout(prober, search, instruction) };
      const known = stored && asCoverage(stored);
      const isStored = known !== undefined && open.length === 0;
      const coverage = isStored
        ? known
        : addStored(await coverInstruction(orderByRelevance(instruction.text, open), ports), known);
      const { kind, text, name, place } = instruction;
      const file = place && fileLines(variant.prompt, place);
      return { instruction: { kind, text, ...defined({ name }) }, ...defined({ file }), coverage, isStored };
    }),
  );
  const of = { suite: suite.id, prompt: variant.prompt.id, provider: variant.provider.id };
  return { ...of, cases: cases.length, instructions: covered, ...defined({ why }) };
}

/** Each trial is made once, also where several instructions need it. */
function createAsk(prober: Prober): CoverPorts['ask'] {
  const made = new Map<string, Promise<ProbeTrial>>();
  return ({ cell, made: variant }, trial) => {
    const key = `${cell.key.caseId}\u0000${prober.keyOf(cell)}\u0000${trial}`;
    const known = made.get(key) ?? prober.ask(cell, variant, trial);
    made.set(key, known);
    return known;
  };
}

function createWithout(
  prober: Prober,
  { suite, variant, cases }: PromptSearch,
  instruction: Instruction,
): CoverPorts['without'] {
  const made = compile(variant, instruction);
  const wholeOf = new Map(cases.map(({ testCase, whole }) => [testCase, whole]));
  return (testCase) => {
    const whole = wholeOf.get(testCase);
    const cell = made && prober.render({ suite, variant, testCase }, made);
    if (whole === undefined || made === undefined || cell === undefined) return undefined;
    const isShorter = limitProbes(prober.planned, [whole]).allows(cell);
    return isShorter ? ({ cell, made } satisfies AskedCell) : undefined;
  };
}

function compile(variant: RenderedVariant, instruction: Instruction): RenderedVariant | undefined {
  try {
    return variantOf(variant, instruction.without());
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return undefined;
  }
}

function asCoverage({ is, caseId = '', cases }: StoredCoverage): Coverage {
  switch (is) {
    case 'guarded':
      return { is, caseId, without: { passed: 0, failed: 0 }, whole: { passed: 0, failed: 0 } };
    case 'unnoticed':
      return { is, caseId, asked: cases.length, p: 0 };
    case 'noEffect':
      return { is, asked: cases.length };
  }
}

/** What new cases show, together with what the older ones showed. */
function addStored(found: Coverage, stored: Coverage | undefined): Coverage {
  if (stored === undefined || found.is === 'guarded' || stored.is === 'guarded' || stored.is === 'undecided')
    return found;
  if (found.is === 'noEffect' && stored.is === 'unnoticed') return { ...stored, asked: stored.asked + found.asked };
  return { ...found, asked: stored.asked + found.asked };
}

/** Keeps what was decided of this prompt; what is stored of other prompts and models stays. */
function keepCoverage({ variant, instructions, cases, path, shown }: PromptSearch, covered: CoveredPrompt): boolean {
  const { id: provider, model } = variant.provider;
  const kept = instructions.flatMap(({ hash, stored, cases: open, instruction }, index): readonly StoredCoverage[] => {
    const { coverage, isStored } = covered.instructions[index] ?? {};
    if (isStored === true && stored !== undefined) return [stored];
    if (coverage === undefined || coverage.is === 'undecided') return stored === undefined ? [] : [stored];
    const of = { provider, model, instruction: hash, text: shortenText(instruction.text, 80), is: coverage.is };
    const caseId = coverage.is === 'noEffect' ? undefined : coverage.caseId;
    const asked = [...(stored?.cases ?? []), ...open.map(({ testCase }) => testCase.caseHash)];
    const guard = cases.filter(({ testCase }) => testCase.id === caseId).map(({ testCase }) => testCase.caseHash);
    return [{ ...of, ...defined({ caseId }), cases: coverage.is === 'guarded' ? guard : asked }];
  });
  if (kept.length === 0) return false;
  const hashes = new Set(instructions.map(({ hash }) => hash));
  return withFileLock(path, () => {
    const others = readCoverage(path, shown).filter(
      (one) => one.provider !== provider || one.model !== model || !hashes.has(one.instruction),
    );
    return writeCoverage(path, [...others, ...kept]);
  });
}

function forecast(prober: Prober, { suite, variant, cases, instructions, why }: PromptSearch): CoverForecast {
  const of = { suite: suite.id, prompt: variant.prompt.id, provider: variant.provider.id, cases: cases.length };
  const open = instructions.filter((one) => one.cases.length > 0);
  const counts = { ...of, instructions: instructions.length, open: open.length };
  const nothing = { calls: 0, usd: 0, uncounted: [] };
  if (why !== undefined || open.length === 0) return { ...counts, ...nothing, ...defined({ why }) };
  const limits = coverLimits(cases.length);
  const spends = new Map(cases.map((one) => [one, limitProbes(prober.planned, [one.whole])]));
  const spendOf = (one: SensingCase): CellSpend => spends.get(one) ?? nothing;
  const most = [...spends.values()].reduce<CellSpend>(
    (so, { calls, usd }) => ({
      ...nothing,
      calls: Math.max(so.calls, calls),
      usd: so.usd === undefined || usd === undefined ? undefined : Math.max(so.usd, usd),
    }),
    nothing,
  );
  const further = limits.confirmations + comparedCases * comparedTrials;
  const asked = [
    ...cases.map((one) => timesSpend(spendOf(one), limits.whole)),
    ...open.flatMap((one) => [...one.cases.map(spendOf), timesSpend(most, further)]),
  ];
  const isKnown = asked.every(({ usd }) => usd !== undefined);
  const { calls, usd } = asked.reduce(addSpend, { calls: 0, usd: 0 });
  const uncounted = [...new Set([...spends.values()].flatMap((spend) => spend.uncounted))];
  return { ...counts, calls, usd: isKnown ? usd : undefined, uncounted };
}

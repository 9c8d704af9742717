import { relative } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { defined } from '../json/defined.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attemptOr } from '../text/attempt.ts';
import { shortenText } from '../text/shorten.ts';
import { variantOf } from './asked-prompt.ts';
import {
  type Coverage,
  type CoverPorts,
  coverInstruction,
  coverLimits,
  orderByRelevance,
} from './cover-instruction.ts';
import { limitProbes } from './limit-probes.ts';
import type { Instruction } from './list-instructions.ts';
import {
  askedOf,
  type CoverForecast,
  forecastSearch,
  openSearches,
  type PromptSearch,
  readCoverage,
  type StoredCoverage,
  writeCoverage,
} from './open-cover.ts';
import {
  type AskedCell,
  numbered,
  type Prober,
  type ProbeSpending,
  type ProbeTrial,
  withProber,
} from './open-prober.ts';
import { type FileLines, fileLines } from './prompt-change.ts';

export interface RunCoverOptions {
  readonly run: RunOptions;
  /** Ask about every instruction, even if a verdict is stored. */
  readonly all: boolean;
  /**
   * Store no verdict on an unguarded instruction, so each search asks again until one without this option accepts it.
   */
  readonly requireGuards: boolean;
  /** Called with each finished prompt. */
  readonly onPrompt?: (covered: CoveredPrompt) => void;
}

export interface CoveredInstruction {
  readonly instruction: Pick<Instruction, 'kind' | 'text' | 'name'>;
  /** Undefined if the text is in no file. */
  readonly file?: FileLines;
  readonly coverage: Coverage;
  /** True if the verdict comes from an earlier search. */
  readonly isStored: boolean;
}

export interface CoveredPrompt {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  /** Number of cases that may notice a missing instruction. */
  readonly cases: number;
  readonly instructions: readonly CoveredInstruction[];
  /** Why nothing was asked. */
  readonly why?: string;
}

export interface CoverOutcome {
  readonly prompts: readonly CoveredPrompt[];
  /** Written files, relative to the working folder. */
  readonly written: readonly string[];
  readonly spending: ProbeSpending;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** Removes each instruction in turn and asks the cases until one fails. */
export async function runCover(options: RunCoverOptions, ports: RunPorts): Promise<CoverOutcome> {
  return withProber(options.run, ports, async (prober) => {
    const prompts: CoveredPrompt[] = [];
    const written = new Set<string>();
    for (const search of openSearches(prober, options, ports.cwd)) {
      const covered = await coverPrompt(prober, search);
      if (keepCoverage(search, covered, options)) written.add(relative(ports.cwd, search.path));
      prompts.push(covered);
      options.onPrompt?.(covered);
    }
    return {
      prompts,
      written: [...written],
      spending: prober.spending,
      ...defined({ interrupted: prober.interrupted() }),
    };
  });
}

export async function forecastCover(options: RunCoverOptions, ports: RunPorts): Promise<readonly CoverForecast[]> {
  return withProber(options.run, ports, (prober) =>
    openSearches(prober, options, ports.cwd).map((search) => forecastSearch(prober, search)),
  );
}

async function coverPrompt(prober: Prober, search: PromptSearch): Promise<CoveredPrompt> {
  const { suite, variant, cases, instructions, why } = search;
  const ask = createAsk(prober);
  const limits = coverLimits(cases.length);
  const names = { suite: suite.id, prompt: variant.prompt.id, provider: variant.provider.id, cases: cases.length };
  const pending = prober.options.batch && why === undefined ? await askFirstTrials(prober, search, ask) : [];
  if (pending.length > 0) return { ...names, instructions: [], why: pending.join('; ') };
  const covered = await Promise.all(
    instructions.map(async ({ instruction, stored, cases: open }): Promise<CoveredInstruction> => {
      const ports: CoverPorts = { limits, ask, without: createWithout(prober, search, instruction) };
      const known = stored && asCoverage(stored, askedOf(stored, cases));
      const isStored = known !== undefined && open.length === 0;
      const coverage = isStored
        ? known
        : addStored(await coverInstruction(orderByRelevance(instruction.text, open), ports), known);
      const { kind, text, name, place } = instruction;
      const file = place && fileLines(variant.prompt, place);
      return { instruction: { kind, text, ...defined({ name }) }, ...defined({ file }), coverage, isStored };
    }),
  );
  return { ...names, instructions: covered, ...defined({ why }) };
}

/** Cases asked per instruction in the first batch. The second batch asks the rest if none of these failed. */
const firstBatch = 3;

/**
 * Asks the first trials through batch APIs, in two rounds. Returns a note for each pending batch; empty if all ended.
 */
async function askFirstTrials(
  prober: Prober,
  search: PromptSearch,
  ask: CoverPorts['ask'],
): Promise<readonly string[]> {
  const open = search.instructions.map(({ instruction, cases }) => {
    const without = createWithout(prober, search, instruction);
    return orderByRelevance(instruction.text, cases).flatMap(({ testCase, whole }) => {
      const asked = without(testCase);
      return asked === undefined ? [] : [{ whole, without: asked }];
    });
  });
  const rounds = [
    () => open.map((cases) => cases.slice(0, firstBatch)),
    async () => {
      const failed = await Promise.all(
        open.map((cases) => Promise.all(cases.slice(0, firstBatch).map(({ without }) => ask(without, 0)))),
      );
      return open.map((cases, index) =>
        failed[index]?.some(({ is }) => is === 'failed') === true ? [] : cases.slice(firstBatch),
      );
    },
  ];
  for (const round of rounds) {
    const trials = (await round())
      .flat()
      .flatMap(({ whole, without }) => [[whole, 0] as const, [whole, 1] as const, [without, 0] as const]);
    const pending = await prober.askBatch(
      trials.map(([{ cell, made }, trial]) => ({ cell: numbered(cell, trial), made })),
    );
    if (pending.length > 0) return pending;
    // This puts the answers into the cache.
    await Promise.all(trials.map(([asked, trial]) => ask(asked, trial)));
  }
  return [];
}

/** Asks for each trial once, even if several instructions need it. */
function createAsk(prober: Prober): CoverPorts['ask'] {
  const trials = new Map<string, Promise<ProbeTrial>>();
  return ({ cell, made: variant }, trial) => {
    const key = `${cell.key.caseId}\u0000${prober.keyOf(cell)}\u0000${trial}`;
    const asked = trials.get(key) ?? prober.ask(cell, variant, trial);
    trials.set(key, asked);
    return asked;
  };
}

function createWithout(
  prober: Prober,
  { suite, variant, cases }: PromptSearch,
  instruction: Instruction,
): CoverPorts['without'] {
  const made = attemptOr(() => variantOf(variant, instruction.without()), TemplateError, undefined);
  const wholeOf = new Map(cases.map(({ testCase, whole }) => [testCase, whole]));
  return (testCase) => {
    const whole = wholeOf.get(testCase);
    const cell = made && prober.render({ suite, variant, testCase }, made);
    if (whole === undefined || made === undefined || cell === undefined) return undefined;
    const isShorter = limitProbes(prober.planned, [whole]).allows(cell);
    return isShorter ? ({ cell, made } satisfies AskedCell) : undefined;
  };
}

function asCoverage({ is, caseId = '' }: StoredCoverage, asked: number): Coverage {
  switch (is) {
    case 'guarded':
      return { is, caseId, without: { passed: 0, failed: 0 }, whole: { passed: 0, failed: 0 } };
    case 'unnoticed':
      return { is, caseId, asked, p: 0 };
    case 'noEffect':
      return { is, asked };
  }
}

/** Merges the result of new cases with the stored result of older ones. */
function addStored(found: Coverage, stored: Coverage | undefined): Coverage {
  if (stored === undefined || found.is === 'guarded' || stored.is === 'guarded' || stored.is === 'undecided')
    return found;
  if (found.is === 'noEffect' && stored.is === 'unnoticed') return { ...stored, asked: stored.asked + found.asked };
  return { ...found, asked: stored.asked + found.asked };
}

/** Stores the verdicts on this prompt. Verdicts on other prompts and models stay. */
function keepCoverage(
  { variant, instructions, cases, path, shown }: PromptSearch,
  covered: CoveredPrompt,
  { requireGuards }: RunCoverOptions,
): boolean {
  const { id: provider, model } = variant.provider;
  const prompt = variant.prompt.id;
  const kept = instructions.flatMap(({ hash, stored, cases: open, instruction }, index): readonly StoredCoverage[] => {
    const { coverage, isStored } = covered.instructions[index] ?? {};
    if (coverage === undefined || isStopped(coverage)) return [];
    if (stored !== undefined && isStored === true) return [{ ...stored, prompt }];
    if (coverage.is === 'undecided' || (requireGuards && coverage.is !== 'guarded'))
      return stored === undefined ? [] : [{ ...stored, prompt }];
    const verdict = {
      prompt,
      provider,
      model,
      instruction: hash,
      text: shortenText(instruction.text, 80),
      is: coverage.is,
    };
    const caseId = coverage.is === 'noEffect' ? undefined : coverage.caseId;
    if (coverage.is === 'guarded') {
      const guard = cases.filter(({ testCase }) => testCase.id === caseId);
      return [{ ...verdict, ...defined({ caseId }), cases: guard.map((one) => one.hash) }];
    }
    // Drop cases that no longer exist.
    const seen = cases.filter((one) => open.includes(one) || stored?.cases.includes(one.hash) === true);
    return [{ ...verdict, ...defined({ caseId }), cases: seen.map((one) => one.hash), asked: coverage.asked }];
  });
  // Keep the stored verdict if this search could not ask.
  const answered = instructions.filter((_, index) => {
    const { coverage } = covered.instructions[index] ?? {};
    return coverage !== undefined && !isStopped(coverage);
  });
  const hashes = new Set(answered.map(({ hash }) => hash));
  return withFileLock(path, () => {
    const known = readCoverage(path, shown);
    const others = known.filter(
      (one) =>
        one.prompt !== prompt || one.provider !== provider || one.model !== model || !hashes.has(one.instruction),
    );
    const now = [...others, ...kept];
    return now.length === 0 && known.length === 0 ? false : writeCoverage(path, now);
  });
}

function isStopped(coverage: Coverage): boolean {
  return coverage.is === 'undecided' && coverage.stopped !== undefined;
}

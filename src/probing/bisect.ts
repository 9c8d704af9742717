import { comparesOther } from '../assertions/index.ts';
import { defined } from '../json/defined.ts';
import type { SourceLocation } from '../model/problem.ts';
import type { Cell } from '../model/run/cell.ts';
import type { RenderedVariant } from '../model/run/plan.ts';
import type { HistoryCommit } from '../project/git/git-files.ts';
import { TemplateError } from '../templates/template-error.ts';
import { attemptOr } from '../text/attempt.ts';
import { askedBy, askedLiterally, haveOneLanguage, variantOf } from './asked-prompt.ts';
import { type BreakingChange, findBreaking, linkHunks } from './find-breaking.ts';
import type { EarlierPrompt } from './find-earlier.ts';
import { limitProbes, type ProbeLimit } from './limit-probes.ts';
import { nameProbed, type ProbedCase, type Prober, whyUnaskable } from './open-prober.ts';
import { leadFor, type ProbeAnswer, probeCase, type StopCause } from './probe-case.ts';
import { type FileLines, fileLines, type Hunk, type PromptChange, splitChange } from './prompt-change.ts';

/** The result of the search for one case. */
export type BisectVerdict =
  /** All breaking sets of hunks were found: the change without them passes. */
  | { readonly is: 'found'; readonly change: BreakingChange }
  | { readonly is: 'same' }
  | { readonly is: 'passes'; readonly now: ProbeAnswer }
  | { readonly is: 'failed-before'; readonly before: ProbeAnswer }
  | {
      readonly is: 'undecided';
      readonly why: string;
      readonly stopped?: StopCause;
      /** The sets found before the search ended. */
      readonly change?: BreakingChange;
    };

export interface BisectedCase {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  /** Name of the prompt before the change. */
  readonly earlier: string;
  readonly at: SourceLocation;
  readonly hunks: readonly PlacedHunk[];
  readonly verdict: BisectVerdict;
  /** Commits that make up the change, if history was searched. Several if they could not be told apart. */
  readonly commits?: readonly HistoryCommit[];
  /** Number of made prompts that were asked. */
  readonly probes: number;
}

export interface PlacedHunk extends Hunk {
  /** Undefined if the text is in no file. */
  readonly file?: FileLines;
}

/** Upper bounds for a search, computed without sending anything. */
export interface BisectForecast {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly hunks: number;
  readonly probes: number;
  readonly calls: number;
  /** Undefined if a price or an output token limit is unknown. */
  readonly usd: number | undefined;
  readonly uncounted: readonly string[];
  /** Why the case can't be searched. */
  readonly why?: string;
}

/** Probability that any case is blamed on a wrong set. */
export const searchError = 0.025;

/** Most prompts made for one case. */
export function mostProbes(hunks: number): number {
  return 4 * Math.ceil(Math.log2(Math.max(1, hunks))) + 10;
}

/** A case and the change that may have broken it, before anything is asked. */
export interface OpenedSearch {
  readonly probed: ProbedCase;
  readonly earlier: string;
  readonly hunks: readonly PlacedHunk[];
  readonly groups: readonly (readonly number[])[];
  readonly limit: ProbeLimit;
  /** Makes the prompt with some hunks applied; undefined if it is not valid. */
  readonly prepare: (hunks: ReadonlySet<number>) => { readonly made: RenderedVariant; readonly cell: Cell } | undefined;
}

/** Splits the change of one case into hunks, or returns why it can't be searched. */
export function openSearch(
  prober: Prober,
  probed: ProbedCase,
  earlier: EarlierPrompt,
): OpenedSearch | { readonly why: string } {
  if (earlier.is === 'unavailable') return { why: `the earlier prompt can't be asked: ${earlier.why}` };
  const sides = askedSides(probed, earlier.variant);
  if (sides === undefined) return { why: "the earlier prompt can't be rendered for this case" };
  const change = splitChange(sides.before, sides.after);
  const prepare = createPrepare(prober, probed, change);
  const [before, after] = [prepare(new Set()), prepare(new Set(change.hunks.keys()))];
  if (before === undefined || after === undefined) return { why: "the earlier prompt can't be rendered for this case" };
  if (after.cell.checks.some(comparesOther)) return { why: 'a check compares the answers of both prompts' };
  const why = whyUnaskable(prober, probed.suite, [before.made, after.made]);
  if (why !== undefined) return { why };
  const limit = limitProbes(prober.planned, [before, after]);
  const within = (hunks: ReadonlySet<number>) => {
    const prepared = prepare(hunks);
    return prepared !== undefined && limit.allows(prepared.cell) ? prepared : undefined;
  };
  const isLiteral = sides.after.isLiteral === true;
  const hunks = change.hunks.map((hunk) => placeHunk(hunk, isLiteral, probed.variant, earlier.variant));
  const groups = linkHunks(hunks.length, (own) => within(own) !== undefined);
  return { probed, earlier: earlier.name, hunks, groups, limit, prepare: within };
}

function askedSides({ variant, testCase }: ProbedCase, earlier: RenderedVariant) {
  const [before, after] = [askedBy(earlier), askedBy(variant)];
  if (haveOneLanguage(before, after)) return { before, after };
  return attemptOr(
    () => ({ before: askedLiterally(earlier, testCase.vars), after: askedLiterally(variant, testCase.vars) }),
    TemplateError,
    undefined,
  );
}

function createPrepare(prober: Prober, probed: ProbedCase, change: PromptChange): OpenedSearch['prepare'] {
  return (hunks) => {
    const made = attemptOr(() => variantOf(probed.variant, change.make(hunks)), TemplateError, undefined);
    const cell = made && prober.render(probed, made);
    return cell && { made, cell };
  };
}

function placeHunk(hunk: Hunk, isLiteral: boolean, after: RenderedVariant, before: RenderedVariant): PlacedHunk {
  const { place } = hunk;
  if (place === undefined || isLiteral) return hunk;
  return { ...hunk, ...defined({ file: fileLines((place.side === 'before' ? before : after).prompt, place) }) };
}

/** Most trials of one search. */
export function mostTrialsOf(hunks: number, cases: number): number {
  const probes = mostProbes(hunks);
  return probes * (leadOf(probes, cases) + 2);
}

function leadOf(probes: number, cases: number): number {
  return leadFor(probes * Math.max(1, cases), searchError);
}

export interface BisectOptions {
  /** Number of cases of the invocation, which share the error. */
  readonly cases: number;
  /** Texts of the hunk sets that broke other cases. */
  readonly known: readonly (readonly string[])[];
}

/** Confirms that the change breaks the case, then finds the breaking hunks. */
export async function bisectCase(
  prober: Prober,
  search: OpenedSearch,
  { cases, known }: BisectOptions,
): Promise<BisectedCase> {
  const { probed, hunks, groups } = search;
  const { ports, count } = createProbes(prober, search, cases);
  const verdict = await judge();
  const { earlier } = search;
  return { ...nameProbed(probed), earlier, at: probed.testCase.at, hunks, verdict, probes: count() };

  async function judge(): Promise<BisectVerdict> {
    if (hunks.length === 0) return { is: 'same' };
    const all = new Set(hunks.keys());
    const now = await ports.probe(all);
    if (now.is === 'passes') return { is: 'passes', now };
    if (now.is !== 'fails') return { is: 'undecided', ...whyOf(now, 'the prompt of today') };
    const before = await ports.probe(new Set());
    if (before.is === 'fails') return { is: 'failed-before', before };
    if (before.is !== 'passes') return { is: 'undecided', ...whyOf(before, 'the earlier prompt') };
    const change = await findBreaking(groups, ports, knownHunks(hunks, known));
    if (change.open === undefined) return { is: 'found', change };
    const { why, stopped } = change.open;
    return { is: 'undecided', why, change, ...defined({ stopped }) };
  }
}

function whyOf(answer: ProbeAnswer, who: string): { readonly why: string; readonly stopped?: StopCause } {
  if (answer.is === 'stopped') return { why: answer.why.message, stopped: answer.why };
  return { why: answer.is === 'unresolved' ? `with ${who}, ${answer.why}` : '' };
}

/** Finds the hunks of this change whose texts broke another case. */
function knownHunks(hunks: readonly Hunk[], known: BisectOptions['known']): readonly (readonly number[])[] {
  const texts = hunks.map(textOfHunk);
  const found = known.map((set) => set.map((text) => texts.indexOf(text)));
  return found.filter((set) => !set.includes(-1));
}

export function textOfHunk({ kind, name, before, after }: Hunk): string {
  return JSON.stringify([kind, name, before, after]);
}

/** Asks each made prompt once. One limit applies to all of them. */
function createProbes(prober: Prober, { hunks, prepare }: OpenedSearch, cases: number) {
  const most = mostProbes(hunks.length);
  const lead = leadOf(most, cases);
  const asked = new Map<string, Promise<ProbeAnswer>>();
  let left = mostTrialsOf(hunks.length, cases);
  const none = { passed: 0, failed: 0 };
  const ask = async (prepared: NonNullable<ReturnType<typeof prepare>>): Promise<ProbeAnswer> => {
    const before = prober.spending.trials;
    const answer = await probeCase(prober, prepared, { lead, left });
    left -= prober.spending.trials - before;
    return answer;
  };
  return {
    count: () => asked.size,
    ports: {
      isValid: (own: ReadonlySet<number>) => prepare(own) !== undefined,
      async probe(own: ReadonlySet<number>): Promise<ProbeAnswer> {
        const prepared = prepare(own);
        if (prepared === undefined) return { is: 'unresolved', why: 'these lines make no valid prompt', ...none };
        const key = prober.keyOf(prepared.cell);
        const known = asked.get(key);
        if (known !== undefined) return known;
        if (asked.size >= most) {
          const why = { cause: 'limit', message: `the search has made its most prompts, ${most}` } as const;
          return { is: 'stopped', why, ...none };
        }
        const answer = ask(prepared);
        asked.set(key, answer);
        return answer;
      },
    },
  };
}

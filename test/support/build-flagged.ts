import type { CellStatus } from '../../src/model/run/cell.ts';
import type { CaseEvidence, FreshTrials, TrialRow } from '../../src/verdict/confirm/case-evidence.ts';
import type { AskedAverage, Flagged, FlaggedCase, Settled } from '../../src/verdict/confirm/settle.ts';

const statuses: Readonly<Record<string, CellStatus>> = { p: 'passed', f: 'failed', e: 'errored' };

export function buildTrial(letter: string): TrialRow {
  const status = statuses[letter] ?? 'skipped';
  return { status, score: status === 'passed' ? 1 : 0, costUsd: 0.001 };
}

/** `fff|pp`: the fresh trials of the candidate by letter, and behind the bar those of the accepted prompt. */
export function freshOf(outcomes: string): FreshTrials {
  const [candidate = '', accepted = ''] = outcomes.split('|');
  return { candidate: candidate.split('').map(buildTrial), accepted: accepted.split('').map(buildTrial) };
}

/** A suspect of a suite and variant, at the usual level, with both prompts to ask. */
export function buildFlaggedCase(id: string, outcomes = '', overrides: Partial<FlaggedCase> = {}): FlaggedCase {
  return {
    id,
    suite: 'triage',
    variant: 'v1 × p',
    group: undefined,
    rule: 'suspect',
    askable: 'both',
    fresh: freshOf(outcomes),
    level: 0.025,
    isGated: true,
    maxConfirmed: 10,
    ...overrides,
  };
}

export interface AverageOptions extends Partial<AskedAverage> {
  /** The fresh trials of each case. */
  readonly outcomes?: string;
  /** The p of each look, whatever it sees. */
  readonly look?: number | null;
}

/** A flagged average over so many cases of one planned trial. */
export function buildAverage(count: number, options: AverageOptions = {}): AskedAverage {
  const { id = 'pass rate', outcomes = '', look = 0.05, ...rest } = options;
  const cases = Array.from({ length: count }, (_, index) => {
    const caseId = `${id}-${index}`;
    return { id: caseId, caseId, fresh: freshOf(outcomes) };
  });
  return {
    id,
    variant: 'v1 × p',
    cases,
    plannedTrials: count,
    p: 0.05,
    level: 0.025,
    asksAccepted: true,
    test: () => look,
    ...rest,
  };
}

export function buildFlagged(cases: readonly FlaggedCase[], rest: Partial<Flagged> = {}): Flagged {
  return { cases, averages: [], storedAverages: 0, casesOfOtherShards: 0, shards: 1, ...rest };
}

/** `broken 6:6` with the fresh trials that count on each side, or `ask candidate 2`. */
export function shortenCase({ outcome, asked, acceptedAsked, wanted }: CaseEvidence): string {
  return outcome === 'open' ? `ask ${wanted?.side} ${wanted?.count}` : `${outcome} ${asked}:${acceptedAsked}`;
}

/** The outcomes by id. */
export function shortenSettled({ cases, averages }: Settled): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...Array.from(cases, ([id, { outcome }]) => [id, outcome]),
    ...Array.from(averages, ([id, { kind }]) => [id, kind]),
  ]);
}

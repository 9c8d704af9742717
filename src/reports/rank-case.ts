import type { CaseReport } from '../model/report.ts';
import type { Standing } from './find-standing.ts';

/** Cases that did not do well, by how much they should alarm; what is first is read first. */
export const caseRanks = ['regressed', 'broken', 'new', 'failing', 'flaky', 'tolerated'] as const;

export type CaseRank = (typeof caseRanks)[number];

/** Where a case belongs in a list of what broke; undefined for one that is not listed by itself. */
export function rankCase(entry: CaseReport, standing: Standing): CaseRank | undefined {
  if (standing.kind !== 'failure' && standing.kind !== 'tolerated') return undefined;
  if (standing.kind === 'tolerated' && standing.because !== 'within-limits') return 'tolerated';
  if (entry.change === 'regressed') return 'regressed';
  if (standing.kind === 'failure' && standing.isNamed) return 'broken';
  if (entry.status === 'flaky' || entry.change === 'flaky') return 'flaky';
  if (entry.change === 'added' || entry.change === 'redefined') return 'new';
  return standing.kind === 'failure' ? 'failing' : 'tolerated';
}

/** The one word that stands beside a case; empty where its standing says it all. */
export function rankWord(entry: CaseReport, rank: CaseRank): string {
  if (entry.change === 'regressed') return 'regressed';
  if (entry.status === 'flaky' || entry.change === 'flaky') return 'flaky';
  if (entry.change === 'added') return 'new';
  if (entry.change === 'redefined') return 'redefined';
  return rank === 'broken' || rank === 'failing' ? rankNouns[rank] : '';
}

/** For counts: `3 regressed, 1 flaky`. */
export const rankNouns: Readonly<Record<CaseRank, string>> = {
  regressed: 'regressed',
  broken: 'broken',
  new: 'new',
  failing: 'failing',
  flaky: 'flaky',
  tolerated: 'tolerated',
};

import type { ErosionFinding, RunSincePin } from '../model/erosion.ts';
import type { Report } from '../model/report.ts';
import { formatPercent } from '../text/format-amount.ts';

/** The variants of a suite that fell below their pinned reference, for a list of the runs since. */
export function listErosion({ erosion = [] }: Report, suite: string): readonly ErosionFinding[] {
  return erosion.filter((finding) => finding.suite === suite && finding.outcome === 'eroded');
}

/** `2026-11-24`, `97.0 %`, `#12`, `feature/tone`, `1a2b3c4d`: what is known of a run since the pin. */
export function describeRunSince({ run, startedAt, passRate, commit, branch, pullRequest }: RunSincePin): {
  readonly date: string;
  readonly rate: string;
  readonly change: string;
  readonly commit: string;
  readonly run: string;
} {
  const parts = [...(pullRequest === undefined ? [] : [`#${pullRequest}`]), ...(branch === undefined ? [] : [branch])];
  return {
    date: startedAt.slice(0, 10),
    rate: passRate === null ? '–' : formatPercent(passRate),
    change: parts.length === 0 ? '–' : parts.join(' '),
    commit: commit?.slice(0, 8) ?? '–',
    run,
  };
}

/** The latest of the runs since a pin that a text report shows. */
export const maxRunsSince = 30;

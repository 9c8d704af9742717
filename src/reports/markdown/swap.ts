import type { Report } from '../../model/report.ts';
import { formatPercent, formatPoints } from '../../text/format-amount.ts';
import { describeRatio } from '../comparison.ts';
import { codeCell, codeSpan, proseOrCode, type Section, tableHead, tableRow } from './text.ts';

/** Candidates by suites, and which one to take. */
export function swapSections({ swaps = [] }: Report): readonly Section[] {
  return swaps.map(({ provider, conclusion, rows }) => ({
    head: `**${codeSpan(provider, 60)} and what could take its place:** ${proseOrCode(conclusion, 400)}\n\n${tableHead(heads)}`,
    items: rows.map(({ candidate, suite, verdict, broken, passRate, costUsd, latencyMs }) => () => {
      const { candidate: rate, delta } = passRate;
      return tableRow([
        codeCell(candidate, 40),
        codeCell(suite, 30),
        broken.length === 0 ? verdict : `${verdict}, ${broken.length} broken`,
        rate === null || delta === null ? '–' : `${formatPercent(rate)}, ${formatPoints(delta)}`,
        describeRatio(costUsd) ?? 'unknown',
        describeRatio(latencyMs) ?? '–',
      ]);
    }),
    tail: '\n',
    noun: 'candidates',
  }));
}

const heads = ['candidate', 'suite', 'verdict', 'pass rate', 'cost', 'latency'];

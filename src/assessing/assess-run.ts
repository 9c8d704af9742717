import { openBaselines } from '../baseline/find-baselines.ts';
import { noSides, openRecordedSides } from '../baseline/recorded-sides.ts';
import { readRunsSince, readTrends } from '../history/read-trends.ts';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import type { ContractsLine } from '../model/run/deciding-lines.ts';
import { createRecordPricer } from '../plan/price-variants.ts';
import { buildReport } from '../record/build-report.ts';
import { openStoredRecord, readRunHeader } from '../record/read-run-record.ts';
import { assess, type DecidedRecord, decideRecord } from '../verdict/decide-record.ts';
import { judgeContracts } from './judge-contracts.ts';
import { judgeSwaps } from './judge-swap.ts';

export interface ReportOptions {
  readonly contracts: ContractsLine | undefined;
  /** The project's root. Trends are read from the stored runs there. */
  readonly root?: string;
}

/** The report of a decided record. Nothing that is read here changes the decision. */
export function reportDecided(decided: DecidedRecord, { contracts, root }: ReportOptions): Report {
  const { record, decision, erosion, verdict } = decided;
  const { header, end, summary } = record;
  const findings = erosion.findings.map((finding) =>
    finding.outcome === 'eroded' && root !== undefined
      ? { ...finding, since: readRunsSince(record, finding, { root, until: finding.until }) }
      : finding,
  );
  return buildReport({
    header,
    end: end === undefined ? undefined : { ...end, notes: [...end.notes, ...record.warnings] },
    summary,
    decision,
    readRow: record.readRow,
    recordPath: record.shownPath,
    comparisons: new Map(verdict.comparisons.map(({ variant, report }) => [variant, report])),
    compared: new Map(verdict.comparisons.map(({ variant, compared }) => [variant, compared])),
    ...defined({
      contracts: contracts === undefined || contracts.contracts.length === 0 ? undefined : contracts.contracts,
      erosion: findings.length === 0 ? undefined : findings,
      swaps:
        header.settings.swap === undefined
          ? undefined
          : judgeSwaps({ summary, settings: header.settings, judged: verdict, decision }),
      trends: root === undefined ? undefined : () => readTrends({ root }, { header, summary }),
    }),
  });
}

export interface ReportOnRunOptions {
  readonly path: string;
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reports on a record that anybody may have written. It is compared with what is committed here. No suite is loaded, no
 * answer is judged, and neither the verdicts of the record on accepted answers nor what it was compared with are believed.
 */
export async function reportOnUntrusted({ path, ...options }: ReportOnRunOptions): Promise<Report> {
  const header = readRunHeader(path);
  const findBaseline = openBaselines({ source: 'git:HEAD' }, options);
  const record = openStoredRecord(path, options.cwd);
  const costOf = await createRecordPricer(header.suites);
  const assessment = assess({ record, findBaseline, judged: [], costOf });
  const contracts = undefined;
  return reportDecided(decideRecord(assessment, { ...noSides, contracts }), { contracts });
}

/** Reports on a stored run, from its record alone. */
export async function reportOnRun({
  path,
  cwd,
  root,
}: Pick<ReportOnRunOptions, 'path' | 'cwd' | 'root'>): Promise<Report> {
  const record = openStoredRecord(path, cwd);
  const { findBaseline, findReference } = record.sides === undefined ? noSides : openRecordedSides(record.sides);
  const costOf = await createRecordPricer(record.header.suites);
  const assessment = assess({ record, findBaseline, judged: record.judged, costOf });
  // A run that was killed has not compared them.
  const contracts = record.contracts ?? (await judgeContracts(assessment));
  return reportDecided(decideRecord(assessment, { findReference, contracts }), { contracts, root });
}

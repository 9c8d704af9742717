import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { firstFreshTrial } from '../../src/model/run/cell.ts';
import { type CliOptions, type CliResult, runCli } from './run-cli.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/cli');

/** A copy of a fixture, so that what a run writes never lands among the fixtures. Removed when the test has ended. */
export interface TempProject {
  readonly root: string;
  path(name: string): string;
  write(name: string, text: string): void;
  read(name: string): string;
  /** Every file below a folder, relative to the root, sorted. */
  files(folder?: string): readonly string[];
  /** Runs the program here, through its real entry. */
  run(argv: readonly string[], options?: Omit<CliOptions, 'cwd'>): Promise<CliResult>;
  /** The same with `-r json`, its report parsed and its books checked. */
  report(
    argv: readonly string[],
    options?: Omit<CliOptions, 'cwd'>,
  ): Promise<CliResult & { readonly report: JsonReport }>;
}

/** Opens the fixture of a theme, or an empty folder. */
export function openTempProject(theme?: string): TempProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-test-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  if (theme !== undefined) cpSync(join(fixtures, theme), root, { recursive: true });
  const path = (name: string) => join(root, name);
  const run: TempProject['run'] = (argv, options) => runCli(argv, { cwd: root, ...options });
  return {
    root,
    path,
    run,
    write(name, text) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
    },
    read: (name) => readFileSync(path(name), 'utf8'),
    files(folder = '.') {
      if (!existsSync(path(folder))) return [];
      return readdirSync(path(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .sort();
    },
    async report(argv, options) {
      const result = await run([...argv, '-r', 'json'], options);
      // Whoever reads a wrong exit code wants to see what the program said.
      if (!result.stdout.startsWith('{')) throw new Error(`no report (exit ${result.code}):\n${result.stderr}`);
      const report = JSON.parse(result.stdout) as JsonReport;
      expectBalanced(report);
      expect(report.decision.exitCode).toBe(result.code);
      return { ...result, report };
    },
  };
}

/** planned = passed + failed + errored + skipped, in every place where a report says so. */
function expectBalanced({ totals, suites }: JsonReport): void {
  for (const counts of [totals, ...suites.flatMap(({ variants }) => variants)]) {
    const { planned, passed, failed, errored, skipped } = counts;
    expect(passed + failed + errored + skipped).toBe(planned);
  }
}

/** Every trial of a report, with the names of its cell. */
export function trialsOf({ suites }: JsonReport): readonly (JsonTrial & JsonCellName)[] {
  return suites.flatMap(({ suite, cases }) =>
    cases.flatMap(({ caseId, prompt, provider, trials }) =>
      trials.map((trial) => ({ suite, caseId, prompt, provider, ...trial })),
    ),
  );
}

/** Without the fresh trials of cases that failed. */
export function plannedTrialsOf(report: JsonReport): ReturnType<typeof trialsOf> {
  return trialsOf(report).filter(({ confirmation }) => confirmation !== true);
}

export function statusesOf(report: JsonReport): Readonly<Record<string, string>> {
  const cases = report.suites.flatMap((suite) => suite.cases);
  return Object.fromEntries(cases.map(({ caseId, status }) => [caseId, status]));
}

/** A report without what may differ between two runs of the same thing: id, times, spend. */
export function withoutTimes({ run: _run, totals, suites, ...rest }: JsonReport): unknown {
  const { spentUsd: _spentUsd, cached: _cached, ...counts } = totals;
  return {
    ...rest,
    totals: counts,
    suites: suites.map(({ variants, cases, ...suite }) => ({
      ...suite,
      variants: variants.map(({ latencyMs: _latencyMs, spentUsd: _spent, cached: _hits, ...variant }) => variant),
      cases: cases.map(({ trials, ...entry }) => ({
        ...entry,
        trials: trials.map(({ latencyMs: _latencyMs, cached: _hit, ...trial }) => trial),
      })),
    })),
  };
}

/** A report without times and without the numbers of fresh trials, which two runs draw apart. */
export function withoutDraws(report: JsonReport): unknown {
  return JSON.parse(JSON.stringify(withoutTimes(report)), (key, value) =>
    key === 'index' && value >= firstFreshTrial ? 'fresh' : value,
  );
}

interface JsonCounts {
  readonly planned: number;
  readonly passed: number;
  readonly failed: number;
  readonly errored: number;
  readonly skipped: number;
  readonly notAsked?: number;
  readonly observed: number;
  readonly cached: number;
  readonly costUsd: number | null;
  readonly spentUsd: number | null;
}

interface JsonCellName {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
}

export interface JsonTrial {
  readonly index: number;
  readonly status: string;
  readonly confirmation?: true;
  readonly score?: number;
  readonly output: string | null;
  readonly class?: string | null;
  readonly checks: readonly {
    readonly assertion: string;
    readonly name?: string;
    readonly pass: boolean;
    readonly score: number;
    readonly reason: string;
    readonly turn?: number;
  }[];
  readonly latencyMs: number | null;
  readonly costUsd: number | null;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
  readonly cached: boolean;
  readonly error?: {
    readonly kind: string;
    readonly message: string;
    readonly status?: number;
    readonly attempts: number;
  };
  readonly skip?: { readonly reason: string; readonly message?: string };
}

/** What the tests read of `-r json`. */
export interface JsonReport {
  readonly notes: readonly string[];
  readonly format: number;
  readonly run: {
    readonly id: string;
    readonly startedAt: string;
    readonly complete: boolean;
    readonly stopReason: string | null;
  };
  readonly decision: {
    readonly outcome: string;
    readonly exitCode: number;
    readonly certainty?: { readonly kind: string; readonly cases: number; readonly drop?: number | null };
    readonly breaches: readonly { readonly code: string; readonly caseId?: string; readonly message: string }[];
    readonly warnings: readonly string[];
  };
  readonly totals: JsonCounts & { readonly judgeCostUsd: number | null };
  readonly contracts: readonly {
    readonly prompt: string;
    readonly findings: readonly {
      readonly ruleId: string;
      readonly direction: string;
      readonly severity: string;
      readonly path: string;
      readonly message: string;
      readonly fingerprint: string;
      readonly at?: { readonly file: string; readonly line: number; readonly column: number };
    }[];
    readonly observed: readonly { readonly total: number; readonly rejected: number; readonly unjudged?: number }[];
  }[];
  readonly suites: readonly {
    readonly suite: string;
    readonly path: string;
    readonly variants: readonly (JsonCounts & {
      readonly prompt: string;
      readonly provider: string;
      readonly passRate: { readonly value: number | null; readonly n: number };
      readonly score: { readonly mean: number | null };
      readonly latencyMs: { readonly p50: number | null };
      readonly classes?: object;
    })[];
    readonly cases: readonly {
      readonly caseId: string;
      readonly prompt: string;
      readonly provider: string;
      readonly status: string;
      readonly observe?: boolean;
      readonly change?: string;
      readonly trials: readonly JsonTrial[];
      /** Fresh trials of the accepted prompt. */
      readonly acceptedTrials?: readonly JsonTrial[];
    }[];
  }[];
}

import { defined } from '../../../json/defined.ts';
import type { JsonObject } from '../../../json/json.ts';
import { exitCodeOfSignal, exitCodes } from '../../../model/comparison/exit-code.ts';
import { usageError } from '../../../model/problem.ts';
import type { RunPorts } from '../../../plan/run-options.ts';
import type { BisectedCase, BisectForecast } from '../../../probing/bisect.ts';
import { breakingHunks, describeBisected, hunksOf } from '../../../probing/describe-findings.ts';
import { sumSpends } from '../../../probing/limit-probes.ts';
import { type BisectOutcome, forecastBisect, type RunBisectOptions, runBisect } from '../../../probing/run-bisect.ts';
import { formatCount, formatUsd } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import type { Io } from '../../io.ts';
import { maskError } from '../../output/mask.ts';
import { openProgress } from '../../output/progress.ts';
import { collect } from '../../output/reports.ts';
import { printJson } from '../../output/table.ts';
import { prepareRun } from '../../run/prepare-run.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly case?: readonly string[];
  readonly from?: string;
  readonly commits?: boolean;
  readonly json?: boolean;
  readonly [flag: string]: unknown;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--case <id>', 'a case, as id or suite/id (repeatable; default: what failed in the latest run)', collect)
    .option(
      '--from <source>',
      'the prompt before the change: git:REF, a prompt id, a prompt file, a baseline or a run id',
    )
    .option('--commits', 'find the commit first, among those since --from git:REF')
    .option('--prompt <id>', 'only this prompt version (repeatable)', collect)
    .option('--provider <id>', 'only this provider (repeatable)', collect)
    .option('--max-cost <usd>', 'stop before spending more than this')
    .option('--cache <mode>', 'use, refresh, replay (send nothing) or off')
    .option('-j, --concurrency <n>', 'calls in flight at most')
    .option('--timeout <duration>', 'time for a call, all attempts together (default 60s)')
    .option('--deadline <duration>', 'time for the whole search')
    .option('--env-file <file>', 'read variables from a file; those already set win')
    .option('--dry-run', 'show the hunks and the most that the search may send; send nothing')
    .option('-q, --quiet', 'no progress')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Asks the cases with prompts that have only a part of the change, until it is known which part breaks them.
Answers are cached: a search that was stopped goes on where it was, and pays nothing twice.

Examples:
  $ llmcheck bisect                                    the cases that failed in the latest run
  $ llmcheck bisect --case refund --max-cost 1         one case, within a budget
  $ llmcheck bisect --case refund --from git:main      against the prompt of the main branch
  $ llmcheck bisect --commits --from git:v1.2          which commit since then
  $ llmcheck bisect --case refund --dry-run            the most that it may send

Exit codes: 0 every case has an answer, 2 usage, 3 provider errors, 4 undecided, 70 bug, 130/143 interrupted.`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await bisect(paths, flags, io)));
};

async function bisect(paths: readonly string[], flags: Flags, givenIo: Io): Promise<number> {
  const { case: cases = [], from, commits = false, json, ...runFlags } = flags;
  if (commits && from?.startsWith('git:') !== true) {
    throw usageError('--commits searches the commits since a ref', 'name the ref: --commits --from git:main');
  }
  const prepared = await prepareRun(paths, runFlags, givenIo);
  const { options: run, mask, io, values, quiet, color } = prepared;
  const progress = openProgress(io, color, quiet || values.dryRun === true || json === true);
  const ports: RunPorts = { ...prepared.ports, onProgress: progress.onEvent };
  const options: RunBisectOptions = { run, cases, commits, ...defined({ from }) };
  try {
    if (values.dryRun === true) {
      const forecasts = await forecastBisect(options, ports);
      if (json === true) printJson({ format, searches: forecasts.map(toJsonForecast), ...sumSpends(forecasts) }, io);
      else io.stdout.write(mask(describeForecasts(forecasts)));
      return exitCodes.passed;
    }
    const outcome = await runBisect(options, ports);
    progress.close();
    io.stdout.write(mask(json === true ? `${JSON.stringify(toJson(outcome), undefined, 2)}\n` : describe(outcome)));
    if (outcome.cases.length === 0 && outcome.interrupted === undefined) io.stderr.write(`${describeNothing(cases)}\n`);
    return exitCodeOf(outcome);
  } catch (error) {
    throw maskError(error, mask);
  } finally {
    progress.close();
  }
}

function describeNothing(cases: readonly string[]): string {
  if (cases.length === 0) return 'no case failed in the latest run: name one with --case';
  return 'the named cases run on none of the selected prompts and providers: select others with --prompt or --provider';
}

const format = 1;

function exitCodeOf({ cases, interrupted }: BisectOutcome): number {
  if (interrupted !== undefined) return exitCodeOfSignal(interrupted);
  const open = cases.flatMap(({ verdict }) => (verdict.is === 'undecided' ? [verdict] : []));
  if (open.some(({ stopped }) => stopped?.cause === 'provider')) return exitCodes.provider;
  return open.length > 0 || cases.length === 0 ? exitCodes.incomplete : exitCodes.passed;
}

function describe({ cases, spending }: BisectOutcome): string {
  const lines = cases.flatMap((found) => [nameOf(found), `  ${describeBisected(found)}`, ...showHunks(found), '']);
  const { trials, cached, usd } = spending;
  const probes = cases.reduce((sum, found) => sum + found.probes, 0);
  const cost = usd === undefined ? 'cost unknown' : formatUsd(usd);
  const end = `${formatCount(probes, 'prompt')} asked in ${formatCount(trials, 'trial')} (${cached} cached), ${cost}`;
  return [...lines, end].map((line) => `${toSafeLine(line)}\n`).join('');
}

function nameOf({
  suite,
  caseId,
  prompt,
  provider,
}: Pick<BisectedCase, 'suite' | 'caseId' | 'prompt' | 'provider'>): string {
  return `${suite}/${caseId} · ${prompt} × ${provider}`;
}

/** The breaking edit, as a diff. */
function showHunks(found: BisectedCase): readonly string[] {
  return breakingHunks(found).flatMap(({ before, after }) => [
    ...(before === undefined ? [] : before.split('\n').map((line) => `    - ${line}`)),
    ...(after === undefined ? [] : after.split('\n').map((line) => `    + ${line}`)),
  ]);
}

function describeForecasts(forecasts: readonly BisectForecast[]): string {
  const lines = forecasts.flatMap(({ hunks, probes, calls, usd, why, uncounted, ...of }) => {
    if (why !== undefined) return [nameOf(of), `  nothing to ask: ${why}`];
    const cost = usd === undefined ? `no bound of the cost (${uncounted.join('; ')})` : `at most ${formatUsd(usd)}`;
    return [
      nameOf(of),
      `  ${formatCount(hunks, 'hunk')}: at most ${probes} prompts, ${formatCount(calls, 'call')}, ${cost}`,
    ];
  });
  const { calls, usd } = sumSpends(forecasts);
  const total = `at most ${formatCount(calls, 'call')}${usd === undefined ? '' : `, ${formatUsd(usd)}`}; nothing was sent`;
  return [...lines, total].map((line) => `${toSafeLine(line)}\n`).join('');
}

function toJsonForecast({ usd, ...forecast }: BisectForecast): JsonObject {
  return { ...forecast, usd: usd ?? null };
}

function toJson({ cases, spending: { usd, ...spending } }: BisectOutcome): object {
  return {
    format,
    cases: cases.map((found) => {
      const { suite, caseId, prompt, provider, earlier, at, hunks, verdict, probes } = found;
      const change = 'change' in verdict ? verdict.change : undefined;
      return {
        suite,
        caseId,
        prompt,
        provider,
        earlier,
        at: { file: at.file, line: at.line },
        verdict: verdict.is,
        sentence: describeBisected(found),
        ...defined({ why: verdict.is === 'undecided' ? verdict.why : undefined, commits: found.commits }),
        hunks: hunks.length,
        probes,
        sets: (change?.sets ?? []).map(({ hunks: own, alone, isMinimal }) => ({
          hunks: hunksOf(own, hunks).map(({ place: _place, ...hunk }) => hunk),
          isMinimal,
          alone: { passed: alone.passed, failed: alone.failed },
        })),
        without:
          change?.without === undefined ? null : { passed: change.without.passed, failed: change.without.failed },
      };
    }),
    spent: { ...spending, usd: usd ?? null },
  };
}

import { defined } from '../../../json/defined.ts';
import type { JsonObject } from '../../../json/json.ts';
import { exitCodeOfSignal, exitCodes } from '../../../model/comparison/exit-code.ts';
import type { RunPorts } from '../../../plan/run-options.ts';
import {
  coverageNames,
  describeCoverage,
  describeInstruction,
  placeOf,
  summarizeCover,
  tokensOf,
} from '../../../probing/describe-findings.ts';
import type { CoverForecast } from '../../../probing/open-cover.ts';
import {
  type CoveredPrompt,
  type CoverOutcome,
  forecastCover,
  type RunCoverOptions,
  runCover,
} from '../../../probing/run-cover.ts';
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
  readonly all?: boolean;
  readonly requireGuards?: boolean;
  readonly json?: boolean;
  readonly [flag: string]: unknown;
}

export const define: DefineCommand = (prompt, { io, exit }) => {
  prompt.addHelpText(
    'after',
    `
Examples:
  $ llmcheck prompt cover evals/triage.eval.yaml   which instructions have a case that fails without them`,
  );
  prompt
    .command('cover')
    .description('Find the instructions of a prompt that no case would miss.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--all', 'ask of every instruction, also of those that an earlier search decided')
    .option(
      '--require-guards',
      'exit with 1 where an instruction that was asked of now has no case that guards it; keep no such verdict',
    )
    .option('--prompt <id>', 'only this prompt version (repeatable; default: those that no other replaces)', collect)
    .option('--provider <id>', 'only this provider (repeatable)', collect)
    .option('--max-cost <usd>', 'stop before spending more than this')
    .option('--batch', "ask first trials through the providers' batch APIs: cheaper, within a day")
    .option('--cache <mode>', 'use, refresh, replay (send nothing) or off')
    .option('-j, --concurrency <n>', 'calls in flight at most')
    .option('--timeout <duration>', 'time for a call, all attempts together (default 60s)')
    .option('--deadline <duration>', 'time for the whole search')
    .option('--env-file <file>', 'read variables from a file; those already set win')
    .option('--dry-run', 'show the instructions and the most that the search may send; send nothing')
    .option('-q, --quiet', 'no progress')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Removes each paragraph, list item, example and tool description in turn, and asks the cases until one fails.
What was found is kept beside the suite in SUITE.cover.json: the next search asks only of what is new.

Examples:
  $ llmcheck prompt cover evals/triage.eval.yaml --dry-run         the most that it may send
  $ llmcheck prompt cover evals/triage.eval.yaml --max-cost 2      within a budget
  $ llmcheck prompt cover --require-guards                         in CI: each new instruction needs a case

Exit codes: 0 every instruction has an answer, 1 an instruction without a guard (--require-guards), 2 usage,
3 provider errors, 4 undecided, 70 bug, 130/143 interrupted.`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await cover(paths, flags, io)));
};

async function cover(paths: readonly string[], flags: Flags, givenIo: Io): Promise<number> {
  const { all = false, requireGuards = false, json = false, ...runFlags } = flags;
  const prepared = await prepareRun(paths, runFlags, givenIo);
  const { options: run, mask, io, values, quiet, color } = prepared;
  const progress = openProgress(io, color, quiet || values.dryRun === true || json);
  const ports: RunPorts = { ...prepared.ports, onProgress: progress.onEvent };
  const options: RunCoverOptions = { run, all, requireGuards };
  try {
    if (values.dryRun === true) {
      const forecasts = await forecastCover(options, ports);
      if (json) printJson({ format, prompts: forecasts.map(toJsonForecast) }, io);
      else io.stdout.write(mask(describeForecasts(forecasts)));
      return exitCodes.passed;
    }
    const outcome = await runCover(options, ports);
    progress.close();
    io.stdout.write(mask(json ? `${JSON.stringify(toJson(outcome), undefined, 2)}\n` : describe(outcome)));
    return exitCodeOf(outcome, requireGuards);
  } catch (error) {
    throw maskError(error, mask);
  } finally {
    progress.close();
  }
}

const format = 1;

function exitCodeOf({ prompts, interrupted }: CoverOutcome, requireGuards: boolean): number {
  if (interrupted !== undefined) return exitCodeOfSignal(interrupted);
  const found = prompts.flatMap(({ instructions }) => instructions);
  const undecided = found.flatMap(({ coverage }) => (coverage.is === 'undecided' ? [coverage] : []));
  if (undecided.some(({ stopped }) => stopped?.cause === 'provider')) return exitCodes.provider;
  const isUnguarded = found.some(
    ({ coverage, isStored }) => !isStored && (coverage.is === 'unnoticed' || coverage.is === 'noEffect'),
  );
  if (requireGuards && isUnguarded) return exitCodes.failed;
  const isOpen = undecided.length > 0 || prompts.length === 0 || prompts.some(({ why }) => why !== undefined);
  return isOpen ? exitCodes.incomplete : exitCodes.passed;
}

function describe({ prompts, spending, written }: CoverOutcome): string {
  const { trials, cached, usd } = spending;
  const cost = usd === undefined ? 'cost unknown' : formatUsd(usd);
  const lines = [
    ...prompts.flatMap(describePrompt),
    ...(prompts.length === 0 ? ['no prompt was selected'] : []),
    ...written.map((file) => `wrote ${file}`),
    `${formatCount(trials, 'trial')} (${cached} cached), ${cost}`,
  ];
  return lines.map((line) => `${toSafeLine(line)}\n`).join('');
}

function describePrompt(covered: CoveredPrompt): readonly string[] {
  const { suite, prompt, provider, cases, instructions, why } = covered;
  const head = `${suite} · ${prompt} × ${provider}`;
  if (why !== undefined) return [head, `  not asked: ${why}`, ''];
  return [
    `${head}: ${formatCount(instructions.length, 'instruction')}, ${formatCount(cases, 'case')}`,
    ...instructions.flatMap((found) => [
      `  ${placeOf(found)} ${describeInstruction(found)}`,
      `    ${coverageNames[found.coverage.is]}: ${describeCoverage(found)}`,
    ]),
    ...summarizeCover(covered).map((line) => `  ${line}`),
    '',
  ];
}

function describeForecasts(forecasts: readonly CoverForecast[]): string {
  const lines = forecasts.flatMap(
    ({ suite, prompt, provider, cases, instructions, open, calls, usd, why, uncounted }) => {
      const head = `${suite} · ${prompt} × ${provider}`;
      if (why !== undefined) return [head, `  nothing to ask: ${why}`];
      const cost = usd === undefined ? `no bound of the cost (${uncounted.join('; ')})` : `at most ${formatUsd(usd)}`;
      const counts = `${open} of ${formatCount(instructions, 'instruction')} to ask of, ${formatCount(cases, 'case')}`;
      return [head, `  ${counts}: at most ${formatCount(calls, 'call')}, ${cost}`];
    },
  );
  return [...lines, 'nothing was sent'].map((line) => `${toSafeLine(line)}\n`).join('');
}

function toJsonForecast({ usd, ...forecast }: CoverForecast): JsonObject {
  return { ...forecast, usd: usd ?? null };
}

function toJson({ prompts, spending: { usd, ...spending }, written }: CoverOutcome): object {
  return {
    format,
    prompts: prompts.map(({ instructions, ...covered }) => ({
      ...covered,
      instructions: instructions.map((found) => {
        const { instruction, file, coverage, isStored } = found;
        const { is: verdict, ...details } = coverage;
        return {
          ...instruction,
          ...defined({ file }),
          tokens: tokensOf(instruction.text),
          verdict,
          sentence: describeCoverage(found),
          isStored,
          ...details,
        };
      }),
    })),
    written,
    spent: { ...spending, usd: usd ?? null },
  };
}

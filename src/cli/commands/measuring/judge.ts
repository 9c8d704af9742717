import { defined } from '../../../json/defined.ts';
import { type CheckedJudges, type CheckedSuite, checkJudges } from '../../../measuring/check-judges.ts';
import { systemClock } from '../../../model/clock.ts';
import { exitCodeOfSignal, exitCodes } from '../../../model/comparison/exit-code.ts';
import { cacheModes } from '../../../model/run/record.ts';
import { validationAlpha } from '../../../model/run/verdict.ts';
import { findMisdirectedKeys } from '../../../plan/check-providers.ts';
import { loadProject } from '../../../project/load-project.ts';
import { maskFor } from '../../../project/mask-for.ts';
import { judgeError } from '../../../stats/agreement.ts';
import { docsUrl } from '../../../text/addresses/docs-url.ts';
import { formatPercent, formatUsd } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { quote } from '../../../text/shorten.ts';
import { type FlagReader, openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { printProblems } from '../../output/problems.ts';
import type { DefineCommand } from '../define.ts';
import { define as defineLabel } from './judge-label.ts';

interface Flags {
  readonly judge?: string;
  readonly cache: string;
  readonly record?: boolean;
  readonly maxCost?: string;
  readonly concurrency?: string;
  readonly timeout: string;
  readonly keep: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (judge, context) => {
  const { io, exit } = context;
  judge.addHelpText('after', '\nExamples:\n  $ llmcheck judge label evals/triage.eval.yaml\n  $ llmcheck judge check');
  defineLabel(judge.command('label'), context);
  judge
    .command('check')
    .description('Compare judges with the labels of people, and store how well they agree.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--judge <id,…>', 'only these judges')
    .option('--cache <mode>', 'use, refresh, replay or off', 'use')
    .option('--record', "write the suites' recordings from the judges' replies")
    .option('--max-cost <usd>', 'stop before this is spent')
    .option('-j, --concurrency <n>', 'calls in flight at most (default: from 8 on, as many as the judges take)')
    .option('--timeout <duration>', 'for one call, all attempts together', '60s')
    .option('--no-keep', 'show the result and write no file')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Labelled answers are rows of the file that labels: of a judge names; llmcheck judge label writes them.
The result is written beside the suite. Each run compares it with minKappa: of the judge.
Exit code 4 where a judge is below its minKappa or nothing is labelled, 3 where replies are missing.

Examples:
  $ llmcheck judge check
  $ llmcheck judge check evals/triage.eval.yaml --judge strict --json`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await check(paths, flags, io)));
};

async function check(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const { cwd, env, now, random, onSignal } = io;
  const { project, warnings } = await loadProject({ paths, cwd, ...defined({ configPath: flags.config }) });
  const reader = openFlagReader();
  const settings = readSettings(flags, reader);
  const judges = flags.judge?.split(',') ?? [];
  const known = new Set(project.suites.flatMap(({ criteria }) => criteria.map(({ judge }) => judge.id)));
  for (const id of judges) {
    if (!known.has(id)) reader.refuse(`--judge ${id}: no check asks it`, `there are: ${[...known].join(', ')}`);
  }
  reader.check();
  printProblems([...warnings, ...findMisdirectedKeys(project, { env, fileVariables: new Set() })], io);
  const mask = maskFor(project, env);
  const checked = await checkJudges(
    {
      project,
      judges,
      keep: flags.keep,
      record: flags.record === true,
      isCacheModeChosen: flags.cache !== 'use',
      ...settings,
    },
    {
      env,
      cwd,
      clock: systemClock,
      now,
      random,
      mask,
      onProgress: (event) => {
        if (event.type === 'note') io.stderr.write(`${mask(event.message)}\n`);
      },
      onSignal,
    },
  );
  io.stdout.write(mask(flags.json === true ? buildJson(checked) : describe(checked)));
  if (checked.suites.length === 0) {
    io.stderr.write(`no answer is labelled: a judge names them with labels: FILE, see ${docsUrl('judges.md')}\n`);
  }
  return exitCodeOf(checked);
}

function readSettings(flags: Flags, reader: FlagReader) {
  const cacheMode = cacheModes.find((mode) => mode === flags.cache);
  if (cacheMode === undefined) reader.refuse(`--cache ${flags.cache}: no such mode`, cacheModes.join(', '));
  const maxCostUsd = flags.maxCost === undefined ? undefined : Number(flags.maxCost);
  if (maxCostUsd !== undefined && !(maxCostUsd > 0)) {
    reader.refuse(`--max-cost: "${flags.maxCost ?? ''}" is not an amount above 0`, 'write --max-cost 0.50');
  }
  const range = { min: 1, max: 10_000 };
  const concurrency = flags.concurrency === undefined ? undefined : reader.readCount('-j', flags.concurrency, range);
  return {
    settings: { cacheMode: cacheMode ?? 'use', ...defined({ maxCostUsd }) },
    timeoutMs: reader.readDuration('--timeout', flags.timeout, 'write --timeout 60s'),
    ...defined({ concurrency }),
  };
}

/** 4 if a judge may not decide, 3 if it gave no verdict. */
function exitCodeOf({ suites, interrupted }: CheckedJudges): number {
  if (interrupted !== undefined) return exitCodeOfSignal(interrupted);
  const criteria = suites.flatMap((suite) => suite.criteria);
  if (criteria.some(({ errored }) => errored > 0)) return exitCodes.provider;
  if (criteria.length === 0 || criteria.some(({ lack }) => lack !== undefined)) return exitCodes.incomplete;
  return exitCodes.passed;
}

const format = 1;
/** The most wrong verdicts to show. The JSON output has all. */
const maxShownWrong = 10;

function describe({ suites, spentUsd }: CheckedJudges): string {
  if (suites.length === 0) return '';
  const lines = suites.flatMap((suite) => [
    ...suite.criteria.flatMap((found) => [...describeCriterion(suite.suite, found), '']),
    ...(suite.file === undefined ? [] : [`${suite.isChanged ? 'wrote' : 'unchanged'} ${suite.file}`]),
  ]);
  return `${[...lines, `spent ${spentUsd === undefined ? 'unknown' : formatUsd(spentUsd)}`].join('\n')}\n`;
}

type Found = CheckedSuite['criteria'][number];

function describeCriterion(suite: string, found: Found): readonly string[] {
  const { validation, criterion, errored, confusion, positions, lengthBias, lack } = found;
  const { judge, assertion, name, cases, agreement, kappa, low, high } = validation;
  const head = `${suite}: judge ${judge} on ${assertion}${name === undefined ? '' : ` ${quote(name)}`} (${criterion.judge.adapter}:${criterion.judge.model})`;
  return [
    toSafeLine(head),
    row('labelled', `${cases}${errored === 0 ? '' : `, and ${errored} without a verdict of the judge`}`),
    row('agreement', agreement === null ? '–' : formatPercent(agreement)),
    row('kappa', kappa === null ? 'unknown: the labels or the verdicts are all alike' : interval(kappa, low, high)),
    ...describeJudgeError(validation),
    ...confusion
      .filter(({ said, label, count }) => said !== label && count > 0)
      .map(({ said, label, count }) =>
        row('', `${count} × said ${wordOf(said, assertion)}, labelled ${wordOf(label, assertion)}`),
      ),
    ...(positions === undefined
      ? []
      : [row('position', `first won ${positions.first}, second ${positions.second}, neither ${positions.tie}`)]),
    row(
      'length',
      lengthBias.rho === null
        ? describeNoCorrelation(agreement)
        : `rank correlation ${interval(lengthBias.rho, lengthBias.low, lengthBias.high)} of length and excess`,
    ),
    ...describeWrong(found),
    ...(lack === undefined ? [] : [toSafeLine(`  ${lack}`)]),
  ];
}

/** How many good and bad answers the judge finds, and how much of a true drop it shows. */
function describeJudgeError({ counts }: Found['validation']): readonly string[] {
  if (counts === undefined) return [];
  const { sensitivity, specificity, youden, youdenLow } = judgeError(counts, validationAlpha);
  const describe = ({ value, low, high }: typeof sensitivity, found: string) =>
    value === null ? 'unknown: none is labelled' : `${interval(value, low, high)}, ${found}`;
  const passed = `passed ${shortCount(counts.passesFound)} of ${shortCount(counts.passes)} good answers`;
  const failed = `failed ${shortCount(counts.failuresFound)} of ${shortCount(counts.failures)} bad answers`;
  return [
    row('sensitivity', describe(sensitivity, passed)),
    row('specificity', describe(specificity, failed)),
    row(
      "Youden's J",
      youden === null || youdenLow === null
        ? 'unknown: it needs good and bad answers'
        : `${round(youden)}, at least ${round(youdenLow)} (one-sided 80 %)`,
    ),
  ];
}

/** Weighted counts have a fraction. */
function shortCount(count: number): string {
  return `${Number(count.toFixed(1))}`;
}

function describeWrong({ wrong, validation: { assertion } }: Found): readonly string[] {
  const shown = wrong.slice(0, maxShownWrong).map(({ label, said, verdict, error }) => {
    const { file, line } = label.at;
    const word =
      said === undefined
        ? `no verdict: ${error ?? ''}`
        : `said ${wordOf(said, assertion)}, labelled ${wordOf(label.label, assertion)}: ${verdict?.reason ?? ''}`;
    return toSafeLine(`  ${file}:${line} ${label.id}: ${word}`);
  });
  return wrong.length > maxShownWrong
    ? [...shown, `  and ${wrong.length - maxShownWrong} more (--json has all)`]
    : shown;
}

/** A judge that is never wrong shows no bias. For other judges the correlation can be unknown. */
function describeNoCorrelation(agreement: number | null): string {
  return agreement === 1 ? 'no bias visible' : 'unknown: the answers are all of one length, or too few were judged';
}

/** A comparison has other words for its verdicts. */
function wordOf(word: string, assertion: string): string {
  if (assertion !== 'pairwise') return word;
  return word === 'pass' ? 'win' : word === 'fail' ? 'loss' : word;
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(11)}  ${value}`;
}

function interval(value: number, low: number | null, high: number | null): string {
  return low === null || high === null ? round(value) : `${round(value)} [${round(low)}, ${round(high)}]`;
}

/** Without the minus of a zero. */
function round(value: number): string {
  return value.toFixed(2).replace(/^-(?=0\.00$)/, '');
}

/** For scripts, with every wrong case. */
function buildJson({ suites, spentUsd }: CheckedJudges): string {
  const shown = suites.map(({ suite, criteria, file }) => ({
    suite,
    ...defined({ file }),
    judges: criteria.map(({ validation, errored, confusion, positions, lengthBias, wrong, lack, criterion }) => ({
      ...validation,
      ...(validation.counts === undefined ? {} : judgeError(validation.counts, validationAlpha)),
      minKappa: criterion.judge.judging?.minKappa ?? null,
      mayDecide: lack === undefined,
      ...defined({ why: lack }),
      errored,
      confusion,
      positions: positions ?? null,
      lengthBias,
      wrong: wrong.map(({ label, said, verdict, error }) => ({
        id: label.id,
        at: { file: label.at.file, line: label.at.line },
        label: label.label,
        said: said ?? null,
        reason: verdict?.reason ?? error ?? '',
        answer: label.answer,
      })),
    })),
  }));
  return `${JSON.stringify({ format, spentUsd: spentUsd ?? null, suites: shown }, undefined, 2)}\n`;
}

import { exitCodes } from '../../../model/comparison/exit-code.ts';
import {
  type Calibration,
  type EventRate,
  measureFalseAlarms,
  type RunCalibration,
  type VariantCalibration,
} from '../../../sizing/measure-false-alarms.ts';
import { wrapLines } from '../../../terminal/display-width.ts';
import { formatCount, formatPercent, listFirst } from '../../../text/format-amount.ts';
import { createRandom } from '../../../text/random.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { loadSuites, noGatedCaseText } from '../../load-suites.ts';
import { printProblems } from '../../output/problems.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly runs: string;
  readonly seed: string;
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--runs <n>', 'how many simulated runs', '2000')
    .option('--seed <n>', 'of the simulation; the same seed gives the same report', '1')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Sends nothing: it simulates runs from stored trials, of one run or of several.
Exit code 4 where no case has two of them.

Examples:
  $ llmcheck calibrate
  $ llmcheck run --trials 6 && llmcheck calibrate evals/triage.eval.yaml --runs 10000`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await run(paths, flags, io)));
};

const format = 1;

async function run(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const reader = openFlagReader();
  const comparisons = reader.readCount('--runs', flags.runs, { min: 1, max: 1_000_000 });
  const seed = reader.readCount('--seed', flags.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  reader.check();
  const project = await loadSuites(paths, flags.config, io);
  const random = createRandom(seed);
  const { warnings, ...calibration } = await measureFalseAlarms({ project, cwd: io.cwd, comparisons, random });
  printProblems(warnings, io);
  if (flags.json === true) printJson({ format, comparisons, seed, ...calibration }, io);
  else io.stdout.write(wrapLines(describe(calibration, { comparisons, seed }), io.stdout.columns()));
  io.stderr.write(describeInsufficient(calibration));
  return calibration.run === null ? exitCodes.incomplete : exitCodes.passed;
}

type Found = Omit<Calibration, 'warnings'>;

/** The rates of each variant beside the gate's promised rates, then the rates of a whole run. */
function describe(
  { variants, run: whole }: Found,
  { comparisons, seed }: { readonly comparisons: number; readonly seed: number },
): string {
  if (whole === null) return '';
  const blocks = variants.map((variant) => describeVariant(variant).join('\n'));
  const alpha = Math.max(...variants.map((variant) => variant.alpha));
  const terms = `${formatCount(comparisons, 'simulated run')} without a change, seed ${seed}; rates with their 95 % interval, which covers what the stored trials leave open.`;
  return `${[...blocks, describeRun(whole, variants.length, alpha).join('\n'), terms].join('\n\n')}\n`;
}

function describeRun(whole: RunCalibration, variants: number, alpha: number): string[] {
  const rates = [
    row('failed', whole.failed, 'for any reason'),
    row('- average', whole.regressed, promise(alpha)),
    row('- single case', whole.caseFailed, promise(alpha)),
    row('drifted', whole.drifted, driftedMeaning),
    row('inconclusive', whole.inconclusive, inconclusiveMeaning),
  ];
  const { average, most, forAverages, forCases } = whole.extraCalls;
  return [
    ...(variants > 1 ? [`the ${variants} variants judged together, as one run does:`, ...rates] : ['a whole run:']),
    `  fresh trials: ${formatPercent(average)} of the planned ones on average (averages ${formatPercent(forAverages)}, single cases ${formatPercent(forCases)}), at most ${formatPercent(most)}`,
  ];
}

/** The run that variants with too few stored trials need first; empty if there are none. */
function describeInsufficient({ insufficient, run: whole }: Found): string {
  if (insufficient.length === 0) return whole === null ? noGatedCaseText : '';
  const names = insufficient.map(({ suite, prompt, provider }) => toSafeLine(`  ${suite}  ${prompt} × ${provider}`));
  // A suite with recordings answers only from its file, so further trials must be recorded first.
  const record = insufficient.some(({ isHermetic }) => isHermetic)
    ? ' (with --record where a suite has recordings)'
    : '';
  return [
    "flaky cases can't be told from broken ones, since no case has two stored trials of one version:",
    ...names,
    `make them by \`llmcheck run --trials 6\`${record}\n`,
  ].join('\n');
}

function describeVariant(found: VariantCalibration): string[] {
  const { suite, prompt, provider, cases, suiteCases, trials, runs, usesBaseline, alpha } = found;
  const places = [
    ...(runs.length > 0 ? [formatCount(runs.length, 'run')] : []),
    ...(usesBaseline ? ['the accepted baseline'] : []),
  ];
  const left = suiteCases - cases;
  return [
    toSafeLine(`${suite}  ${prompt} × ${provider}`),
    `  ${formatCount(cases, 'case')}, from ${formatCount(trials, 'trial')} in ${places.join(' and ')}`,
    ...(left > 0 ? [`  ${formatCount(left, 'case')} without a stored trial left out`] : []),
    row('failed', found.failed, 'for any reason'),
    row('- average', found.regressed, promise(alpha)),
    row('- case broken', found.caseBroken, promise(alpha)),
    ...(found.mustPass.count > 0 ? [row('- must-pass', found.mustPass, 'a contract that is not kept every time')] : []),
    row('drifted', found.drifted, driftedMeaning),
    row('inconclusive', found.inconclusive, inconclusiveMeaning),
    row('- average', found.openAverages, ''),
    row('- single case', found.openCases, ''),
    row('passed', found.passed, ''),
    ...describeBroken(found),
  ];
}

function describeBroken({ brokenCases, passed, drifted, inconclusive, failed }: VariantCalibration): string[] {
  if (brokenCases.length === 0) return [];
  const comparisons = passed.count + drifted.count + inconclusive.count + failed.count;
  const named = brokenCases.map(({ caseId, count }) => `${toSafeLine(caseId)} (${formatPercent(count / comparisons)})`);
  return [`  called broken: ${listFirst(named, maxShownCases)}`];
}

const maxShownCases = 5;

function row(name: string, { value, low, high }: EventRate, meaning: string): string {
  const rate = `${formatPercent(value)} [${formatPercent(low)}, ${formatPercent(high)}]`;
  return `  ${name.padEnd(13)}  ${rate.padEnd(24)}  ${meaning}`.trimEnd();
}

const driftedMeaning = 'exit code 3: more than maxDrop fails with the accepted prompt too';
const inconclusiveMeaning = 'exit code 4: something looks worse and is not settled';

function promise(alpha: number): string {
  return `promised: at most ${formatPercent(alpha / 2)}`;
}

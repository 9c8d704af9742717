import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { type Growth, planSize, type VariantSize } from '../../../sizing/plan-size.ts';
import type { RunSize } from '../../../sizing/price-size.ts';
import { wrapLines } from '../../../terminal/display-width.ts';
import { formatCount, formatPercent, formatUsd } from '../../../text/format-amount.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { openFlagReader } from '../../flags/flag-reader.ts';
import type { Io } from '../../io.ts';
import { loadSuites, noGatedCaseText } from '../../load-suites.ts';
import { printProblems } from '../../output/problems.ts';
import { printJson } from '../../output/table.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly drop?: string;
  readonly power: string;
  readonly run?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--drop <share>', "the drop of the pass rate to plan for (default: the gate's maxDrop)")
    .option('--power <share>', 'the wanted chance of a clear answer', '0.8')
    .option('--run <id|file>', 'plan from this run alone (default: every stored run and the baseline)')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Sends nothing. Without a stored run it assumes that one trial in twenty flakes, and says so.

Examples:
  $ llmcheck plan-size                                    what each suite can see today
  $ llmcheck plan-size evals/triage.eval.yaml --drop 2%   how large it must be for 2 points`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await plan(paths, flags, io)));
};

const format = 1;

async function plan(paths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const reader = openFlagReader();
  const drop = flags.drop === undefined ? undefined : reader.readShare('--drop', flags.drop);
  const power = reader.readShare('--power', flags.power);
  reader.check();
  const project = await loadSuites(paths, flags.config, io);
  const { variants, warnings } = await planSize({
    project,
    cwd: io.cwd,
    power,
    ...defined({ drop, run: flags.run }),
  });
  printProblems(warnings, io);
  if (flags.json === true) printJson({ format, variants }, io);
  else io.stdout.write(wrapLines(describe(variants), io.stdout.columns()));
  if (variants.length > 0) return exitCodes.passed;
  io.stderr.write(noGatedCaseText);
  return exitCodes.incomplete;
}

/** A paragraph for each variant, then the common assumptions. */
function describe(variants: readonly VariantSize[]): string {
  if (variants.length === 0) return '';
  const blocks = variants.map((variant) => describeVariant(variant).join('\n'));
  return `${[...blocks, describeTerms(variants).join('\n')].join('\n\n')}\n`;
}

function describeVariant(size: VariantSize): string[] {
  const { suite, prompt, provider, cases, drop, scope, run, baselineTrials, visibleDrop, excludableDrop } = size;
  const trials = size.trials.min === size.trials.max ? trialsText(run.trials) : spanText(size.trials);
  const onThese = scope === 'suite' ? ', on these cases only' : '';
  return [
    toSafeLine(`${suite}  ${prompt} × ${provider}`),
    ...describePilot(size),
    ...(baselineTrials === null ? [] : [item(`the accepted baseline has ${trialsText(baselineTrials)} a case`)]),
    ...describeEvidence(size),
    `  now: ${formatCount(cases, 'case')} × ${trials}, ${costText(run)}`,
    ...describeConfirmation(size),
    item(
      visibleDrop === null
        ? 'these are too few cases to be sure of seeing a drop of any size'
        : `a drop below ${points(visibleDrop, Math.ceil)} can go unseen`,
    ),
    item(
      excludableDrop === null
        ? 'these are too few cases to exclude a drop of any size'
        : `a drop beyond ${points(excludableDrop, Math.ceil)} can be excluded where nothing has changed${onThese}`,
    ),
    ...describeSingleCase(size),
    `  to see a drop of ${points(drop)}:`,
    ...describeGrowth(size.see, size, visibleDrop),
    `  to exclude a drop of ${points(drop)}:`,
    ...describeGrowth(size.exclude, size, excludableDrop),
  ];
}

function describePilot({ pilot, isHermetic }: VariantSize): string[] {
  const { cases, trials, runs, usesBaseline, passRate, flakeRate, flakyCases, isAssumed } = pilot;
  const flake = formatPercent(flakeRate);
  if (passRate === null) {
    const run = isHermetic ? 'llmcheck run --record --trials 3' : 'llmcheck run --trials 3';
    return ['  no stored trial', item(`a flake rate of ${flake} is assumed; \`${run}\` would tell`)];
  }
  const places = [
    ...(runs.length > 0 ? [formatCount(runs.length, 'run')] : []),
    ...(usesBaseline ? ['the accepted baseline'] : []),
  ];
  return [
    `  stored: ${formatCount(trials, 'trial')} of ${formatCount(cases, 'case')} in ${places.join(' and ')}`,
    item(`pass rate ${formatPercent(passRate)}`),
    item(
      isAssumed
        ? `a flake rate of ${flake} is assumed, since no case was tried twice`
        : `flake rate ${flake}, ${formatCount(flakyCases, 'flaky case')}`,
    ),
  ];
}

/** Reasons why cases or verdicts are weaker evidence than their number suggests. */
function describeEvidence({ groups, judge, cases }: VariantSize): string[] {
  const lines: string[] = [];
  if (groups !== null) {
    lines.push(
      groups.designEffect > 1
        ? `cases of one group resemble each other: these ${cases} say as much as ${Math.floor(cases / groups.designEffect)} independent ones`
        : 'the stored trials show no likeness within groups: cases count as independent',
    );
  }
  if (judge?.shown === null)
    lines.push("no judge is measured: a drop is one of the judge's verdicts (llmcheck judge check)");
  else if (judge !== null)
    lines.push(`the judge shows ${formatPercent(judge.shown)} of a drop, as measured against labels`);
  return lines.map(item);
}

function describeConfirmation({ confirmation, isHermetic, asksAccepted }: VariantSize): string[] {
  if (confirmation === null) {
    return [
      item(
        isHermetic
          ? 'recorded answers say nothing new: stored trials decide'
          : 'gate.confirm.budget is 0, so nothing is asked again',
      ),
    ];
  }
  return [
    ...(asksAccepted
      ? []
      : [item("the accepted prompt can't be asked again: fresh trials are compared with the accepted ones")]),
    item(`where something looks worse in a run, at most ${amountText(confirmation)} more settle it`),
  ];
}

function describeSingleCase({ singleCase, isHermetic }: VariantSize): string[] {
  if (singleCase === null) {
    return [
      isHermetic
        ? '  a single case that fails all its trials counts at once'
        : '  a single case that fails is not settled: exit code 4',
    ];
  }
  const { trials, acceptedTrials, calls, mostTrials } = singleCase;
  const { brokenForGood, brokenAfterFlaking, failsMostly, failsHalf } = singleCase;
  const sides = acceptedTrials === 0 ? 'of the new prompt' : 'of each prompt';
  const count = calls === null ? 'an unknown number of calls' : formatCount(calls, 'call');
  return [
    `  a single case that breaks for good is found with a chance of ${formatPercent(brokenForGood)}`,
    item(`if it failed one time in ten before: ${formatPercent(brokenAfterFlaking)}`),
    item(
      `if it now fails nine times in ten: ${formatPercent(failsMostly)}; half of the time: ${formatPercent(failsHalf)}`,
    ),
    item(
      `${trialsText(trials)} ${sides} confirm it, ${count}${mostTrials > trials ? `; ${mostTrials} of each where the accepted prompt fails at times` : ''}`,
    ),
  ];
}

/** The sizes that reach the wanted drop, and a warning if more trials alone can't reach it. */
function describeGrowth(growth: Growth, size: VariantSize, reached: number | null): string[] {
  if (reached !== null && reached <= size.drop) return [item('this suite does')];
  const ways = [growth.byCases, growth.byBoth, growth.byTrials]
    .filter((way) => way !== null)
    .map((way) => item(`~${formatCount(way.cases, 'case')} × ${trialsText(way.trials)}, ${costText(way)}`));
  const cases = size.cases === 1 ? 'this case' : `these ${size.cases} cases`;
  return [
    ...new Set(ways),
    ...(growth.byTrials === null ? [item(`more trials on ${cases} cannot do it: add cases`)] : []),
  ];
}

function describeTerms(variants: readonly VariantSize[]): string[] {
  const powers = [...new Set(variants.map(({ power }) => `${Math.round(power * 1000) / 10} %`))].join(', ');
  const alphas = [...new Set(variants.map(({ alpha }) => alpha))].join(', ');
  const averages = Math.max(...variants.map((variant) => variant.averages));
  return [
    `Each with a chance of ${powers}, at gate.alpha ${alphas}; for more trials the baseline needs as many.`,
    ...(variants.some(({ confirmation }) => confirmation !== null)
      ? ['A drop is seen if the planned trials flag it and fresh trials confirm it; every case fails more often by it.']
      : []),
    ...(averages > 1
      ? [
          `${averages} averages are judged in one run, and the more of them look worse, the stronger the evidence must be.`,
        ]
      : []),
  ];
}

function item(text: string): string {
  return `    ${text}`;
}

function costText(size: RunSize): string {
  return `${amountText(size)} a run`;
}

function amountText({ calls, costUsd }: Pick<RunSize, 'calls' | 'costUsd'>): string {
  const count = calls === null ? 'an unknown number of calls' : formatCount(calls, 'call');
  return `${count} and ${costUsd === null ? 'an unknown cost' : formatUsd(costUsd)}`;
}

function trialsText(trials: number): string {
  return formatCount(Math.round(trials * 10) / 10, 'trial');
}

function spanText({ min, max }: VariantSize['trials']): string {
  return `${min} to ${max} trials`;
}

/** Whole points from 10 on, tenths below. */
function points(share: number, round: (value: number) => number = Math.round): string {
  const value = share * 100;
  const rounded = value >= 10 ? round(value - 1e-9) : round((value - 1e-9) * 10) / 10;
  return `${rounded} ${rounded === 1 ? 'point' : 'points'}`;
}

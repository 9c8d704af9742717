import type { Calibration, EventRate, VariantCalibration } from '../planning/calibrate.ts';
import { formatCount, formatPercent } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';

type Found = Omit<Calibration, 'warnings'>;

/** What `calibrate` prints: the rates of each variant beside what the gate promises, then those of a whole run. */
export function describeCalibration(
  { variants, run }: Found,
  { comparisons, seed }: { readonly comparisons: number; readonly seed: number },
): string {
  if (run === null) return '';
  const blocks = variants.map((variant) => describeVariant(variant).join('\n'));
  const alpha = Math.max(...variants.map((variant) => variant.alpha));
  const together = [
    `the ${variants.length} variants judged together, as one run does:`,
    row('regressed', run.regressed, promise(alpha)),
    row('failed', run.failed, 'for any reason'),
  ];
  const terms = `${formatCount(comparisons, 'comparison')} of each version with itself, seed ${seed}; rates with their 95 % Wilson interval.`;
  return `${[...blocks, ...(variants.length > 1 ? [together.join('\n')] : []), terms].join('\n\n')}\n`;
}

/** What to run first for the variants that have nothing to split; empty where there are none. */
export function describeUnsplit({ unsplit, run }: Pick<Found, 'unsplit' | 'run'>): string {
  if (unsplit.length === 0) {
    return run === null ? 'no suite with a gated case was found: `llmcheck init` writes one\n' : '';
  }
  const names = unsplit.map(({ suite, prompt, provider }) => toSafeLine(`  ${suite}  ${prompt} × ${provider}`));
  // Recorded answers come one by one from their file: further trials must be recorded first.
  const record = unsplit.some(({ isHermetic }) => isHermetic) ? ' (with --record where a suite has recordings)' : '';
  return [
    'nothing to split, for want of a case with two stored trials of one version:',
    ...names,
    `make them by \`llmcheck run --trials 6\`${record}\n`,
  ].join('\n');
}

function describeVariant(found: VariantCalibration): string[] {
  const { suite, prompt, provider, cases, suiteCases, trials, runs, usesBaseline, trialsPerSide, alpha } = found;
  const { min, max } = trialsPerSide;
  const places = [
    ...(runs.length > 0 ? [formatCount(runs.length, 'run')] : []),
    ...(usesBaseline ? ['the accepted baseline'] : []),
  ];
  const sides = min === max ? formatCount(min, 'trial') : `${min} to ${max} trials`;
  const left = suiteCases - cases;
  return [
    toSafeLine(`${suite}  ${prompt} × ${provider}`),
    `  ${formatCount(cases, 'case')}, ${sides} a side; from ${trials} trials in ${places.join(' and ')}`,
    ...(left > 0 ? [`  ${formatCount(left, 'case')} with fewer than two stored trials left out`] : []),
    row('failed', found.failed, 'for any reason'),
    row('- regressed', found.regressed, promise(alpha)),
    row('- case broken', found.caseBroken, `${promise(alpha)} while no case fails more than one time in five`),
    ...(found.mustPass.count > 0 ? [row('- must-pass', found.mustPass, 'a contract that is not kept every time')] : []),
    row('inconclusive', found.inconclusive, 'too few cases or trials to exclude a drop'),
    row('passed', found.passed, ''),
    ...describeBroken(found),
  ];
}

function describeBroken({ brokenCases, passed, inconclusive, failed }: VariantCalibration): string[] {
  const comparisons = passed.count + inconclusive.count + failed.count;
  const shown = brokenCases.slice(0, maxShownCases).map(({ caseId, count }) => {
    return `${toSafeLine(caseId)} (${formatPercent(count / comparisons)})`;
  });
  const more = brokenCases.length - shown.length;
  if (shown.length === 0) return [];
  return [`  called broken: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

const maxShownCases = 5;

function row(name: string, { value, low, high }: EventRate, meaning: string): string {
  const rate = `${formatPercent(value)} [${formatPercent(low)}, ${formatPercent(high)}]`;
  return `  ${name.padEnd(13)}  ${rate.padEnd(24)}  ${meaning}`.trimEnd();
}

function promise(alpha: number): string {
  return `promised: at most ${formatPercent(alpha / 2)}`;
}

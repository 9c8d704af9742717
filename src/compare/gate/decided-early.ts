import type { Breach } from '../../model/gate.ts';
import type { RunSummary, VariantSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { JudgedRun } from './judge-comparisons.ts';
import type { GatedVariant } from './judge-variant.ts';
import { describeOpen } from './wording.ts';

/** Cells that an early end left out, of variants that the others do not decide: these cells did not pass. */
export function findUndecided(
  summary: RunSummary,
  gates: readonly GatedVariant[],
  judged: Pick<JudgedRun, 'comparisons'>,
): readonly Breach[] {
  const decided = findDecided(summary, gates, judged);
  const open = summary.suites.flatMap(({ variants }) => variants).filter((variant) => !decided.has(variant));
  const notAsked = open.reduce((sum, variant) => sum + variant.notAsked, 0);
  if (notAsked === 0) return [];
  const verb = notAsked === 1 ? 'was' : 'were';
  const undecided = gates.filter(({ variant }) => open.includes(variant)).flatMap((gate) => gate.undecided);
  const message = `${formatCount(notAsked, 'planned cell')} ${verb} not asked (decided early), and what was asked does not decide the run: run it again without --early${describeOpen(undecided)}`;
  return [{ code: 'stopped', message }];
}

/**
 * The variants of an early run whose cases need not all be asked: those asked exclude a drop, and meet every limit. A
 * version that another one replaces is asked for that one alone.
 */
export function findDecided(
  { suites }: RunSummary,
  gates: readonly GatedVariant[],
  { comparisons }: Pick<JudgedRun, 'comparisons'>,
): ReadonlySet<VariantSummary> {
  const certain = new Set(
    comparisons.flatMap(({ variant, partial }) => (partial?.isCertain === true ? [variant] : [])),
  );
  const isOpen = new Set(gates.flatMap(({ variant, undecided }) => (undecided.length > 0 ? [variant] : [])));
  return new Set(
    suites.flatMap(({ variants }) =>
      variants.filter((variant) => {
        const { prompt, provider } = variant.recorded;
        const onProvider = variants.filter(({ recorded }) => recorded.provider === provider);
        const own = onProvider.find(({ recorded }) => recorded.prompt === (variant.replacedBy ?? prompt));
        // Versions that are compared with this one in the run need its answers.
        const beside = comparisons.flatMap((one) => {
          const { accepted, recorded } = one.compared.baseline;
          return accepted !== undefined && recorded.prompt === prompt && onProvider.includes(one.variant)
            ? [one.variant]
            : [];
        });
        return [own, ...beside].every((one) => one !== undefined && certain.has(one) && !isOpen.has(one));
      }),
    ),
  );
}

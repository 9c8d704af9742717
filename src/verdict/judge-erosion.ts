import { canonicalJson } from '../json/canonical-json.ts';
import type { FindReference, Reference } from '../model/comparison/baseline.ts';
import { comparedKeys } from '../model/comparison/baseline.ts';
import type { Breach } from '../model/comparison/gate.ts';
import type { ErosionFinding } from '../model/report/history.ts';
import type { CaseSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import { isSameCase } from '../model/suite/same-case.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { mean, sharedGroups } from '../stats/descriptive.ts';
import { testErosion } from '../stats/trend.ts';
import { shellWord } from '../text/code/command-line.ts';
import { formatCount } from '../text/format-amount.ts';
import { defaultMaxDrop } from './default-margins.ts';
import { percent, points } from './gate/wording.ts';
import { validResults } from './pair-cases.ts';

/** What pinned references add to a decision. */
export interface JudgedErosion {
  readonly findings: readonly ErosionFinding[];
  readonly failures: readonly Breach[];
  readonly warnings: readonly string[];
}

/**
 * Compares each variant with its pinned reference. A run that left cases out, or was stopped, says nothing of the suite's rate and
 * is not compared.
 */
export function judgeErosion(record: StoredRecord, findReference: FindReference): JudgedErosion {
  const findings: ErosionFinding[] = [];
  const failures: Breach[] = [];
  const warnings: string[] = [];
  for (const suite of record.summary.suites) {
    const { suite: id, path, filtered, gate } = suite.recorded;
    const reference = findReference({ id, path });
    if (filtered || record.summary.stopReason !== undefined) continue;
    if (reference === undefined) {
      const isAsked = gate.erosion === 'fail' && record.header.settings.baseline !== 'none';
      const hint = `pin with \`llmcheck baseline pin ${shellWord(path)}\``;
      if (isAsked) warnings.push(`suite ${id}: gate.erosion is not applied, since nothing is pinned; ${hint}`);
      continue;
    }
    for (const variant of suite.variants) {
      if (variant.replacedBy !== undefined || variant.planned === 0) continue;
      const found = compareWithReference(suite, variant, reference);
      findings.push({ ...found, since: [] });
      if (found.outcome === 'held') continue;
      const { suite: _suite, prompt, provider, passRate, message } = found;
      if (found.outcome === 'eroded' && gate.erosion === 'fail') {
        const sides = { baseline: passRate.reference ?? 0, candidate: passRate.candidate ?? 0 };
        failures.push({ code: 'erosion', suite: id, prompt, provider, metric: 'passRate', ...sides, message });
      } else warnings.push(`${id} · ${prompt} × ${provider}: ${message}`);
    }
  }
  return { findings, failures, warnings };
}

interface PairedRate {
  readonly reference: number;
  readonly candidate: number;
  readonly group: string | undefined;
}

function compareWithReference(
  { recorded: { suite, path, gate } }: SuiteSummary,
  variant: VariantSummary,
  { source, baseline, pin }: Reference,
): Omit<ErosionFinding, 'since'> {
  const { prompt, provider, contract } = variant.recorded;
  const { cases, output } = findReferenceVariant(variant, baseline);
  const hasSameContract = canonicalJson(output ?? null) === canonicalJson(contract.output ?? null);
  const same = [...cases.values()].filter(
    ({ caseId, caseHash }) => hasSameContract && isSameCase(variant.cases.get(caseId)?.caseHash, caseHash),
  );
  const pairs = same.flatMap((found) => pairRates(found, variant.cases.get(found.caseId)));
  const margin = gate.passRate.maxDrop ?? defaultMaxDrop;
  const where = { kind: 'erosion' as const, suite, prompt, provider, source, until: pin.until, margin };
  const counts = { cases: pairs.length, of: cases.size };
  const nothing = { reference: null, candidate: null, delta: null };
  const again = `pin again with \`llmcheck baseline pin ${shellWord(path)}\``;
  const silent = (why: string) => {
    const message = `the pinned reference ${source} no longer speaks: ${why}; ${again}`;
    return { ...where, ...counts, outcome: 'silent' as const, passRate: nothing, z: null, message };
  };
  if (cases.size === 0) return silent(`it has no case of ${prompt} × ${provider}`);
  if (same.length * 2 < cases.size) {
    const changed = hasSameContract ? '' : ' (the output contract changed)';
    return silent(`${same.length} of its ${formatCount(cases.size, 'case')} remain with the same checks${changed}`);
  }
  if (pairs.length < 2) return silent(`${formatCount(pairs.length, 'case')} of it can be compared`);
  const groups = sharedGroups(pairs.map(({ group }) => group));
  const { delta, z, isEroded } = testErosion(
    pairs.map(({ reference, candidate }) => candidate - reference),
    margin,
    groups,
  );
  const passRate = {
    reference: mean(pairs.map(({ reference }) => reference)),
    candidate: mean(pairs.map(({ candidate }) => candidate)),
    delta,
  };
  const sides = `${percent(passRate.reference)} → ${percent(passRate.candidate)}`;
  const evidence = `${formatCount(pairs.length, 'case')}${z === null ? '' : `, z ${z.toFixed(1)}`}`;
  const message = isEroded
    ? `erosion: the pass rate fell from ${sides} since the reference was pinned, by more than the ${points(margin)} that are tolerated (${evidence})`
    : `pass rate ${sides} since the reference was pinned (${evidence})`;
  return { ...where, ...counts, outcome: isEroded ? 'eroded' : 'held', passRate, z, message };
}

/** The reference's own rows of the variant, else those of what it replaces. */
function findReferenceVariant({ recorded }: VariantSummary, baseline: Reference['baseline']) {
  for (const { prompt, provider } of comparedKeys(recorded)) {
    const cases = baseline.casesOf({ prompt, provider });
    const variant = baseline.variants.find((row) => row.prompt === prompt && row.provider === provider);
    if (cases.size > 0) return { cases, output: variant?.contract.output };
  }
  return { cases: new Map<string, CaseSummary>(), output: undefined };
}

function pairRates(reference: CaseSummary, candidate: CaseSummary | undefined): readonly PairedRate[] {
  if (candidate === undefined || candidate.observe) return [];
  const [before, after] = [validResults(reference), validResults(candidate)];
  if (before.length === 0 || after.length === 0) return [];
  return [{ reference: mean(before), candidate: mean(after), group: candidate.group }];
}

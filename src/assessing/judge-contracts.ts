import { type AnsweredVariant, compareContracts } from '../contracts/compare-contracts.ts';
import { answersOfBaseline, answersOfRecord } from '../contracts/observe-answers.ts';
import { defined } from '../json/defined.ts';
import { comparedKeys } from '../model/comparison/baseline.ts';
import type { ComparedSide } from '../model/comparison/comparison.ts';
import { describeContractWarnings, isBreak, type PromptFindings } from '../model/comparison/finding.ts';
import type { Breach } from '../model/comparison/gate.ts';
import type { SourceLocation } from '../model/problem.ts';
import type { ContractsLine } from '../model/run/deciding-lines.ts';
import type { SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { findVariant } from '../record/summarize-run.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import type { Assessment } from '../verdict/decide-record.ts';
import type { GatedComparison } from '../verdict/gate/gated-comparison.ts';

export interface JudgeContractsOptions {
  /** Where a part of a prompt's contract is written, while its files are at hand. */
  readonly locate?: (suite: string, prompt: string, pointer: string) => Promise<SourceLocation | undefined>;
}

/** Compares the contract of every compared prompt with the one that its baseline was accepted with. */
export async function judgeContracts(
  assessment: Assessment,
  { locate }: JudgeContractsOptions = {},
): Promise<ContractsLine> {
  const { record, gated } = assessment;
  const contracts: PromptFindings[] = [];
  const failures: Breach[] = [];
  const warnings: string[] = [];
  for (const suite of record.summary.suites) {
    const id = suite.recorded.suite;
    const pairs = gated.filter((comparison) => comparison.suite === suite && isHeldToBaseline(comparison, record));
    for (const prompt of new Set(pairs.map(({ variant }) => variant.recorded.prompt))) {
      const ofPrompt = pairs.filter(({ variant }) => variant.recorded.prompt === prompt);
      try {
        const [entry] = await compareContracts({
          suite: id,
          against: ofPrompt[0]?.compared.baseline.source ?? '',
          old: ofPrompt.map(({ variant, compared }) => findOld(suite, variant, compared.baseline, assessment)),
          replacement: ofPrompt.map(({ variant }) => ({
            variant: variant.recorded,
            answers: () => answersOfRecord(variant, record.readRow),
          })),
          isPart: true,
          contract: {},
          ...defined({
            locate: locate === undefined ? undefined : (name: string, pointer: string) => locate(id, name, pointer),
          }),
        });
        if (entry === undefined) continue;
        contracts.push(entry);
        failures.push(...describeFailures(entry));
        warnings.push(...describeContractWarnings(entry));
      } catch (error) {
        if (!(error instanceof SchemaProblem)) throw error;
        const side = error.side === 'old' ? 'the baseline' : 'this run';
        warnings.push(
          `${id}: the contract of prompt ${prompt} was not compared: in ${side}, ${error.pointer} ${error.message}`,
        );
      }
    }
  }
  return { type: 'contracts', contracts, failures, warnings };
}

/** Two versions side by side are held to a contract only once one of them is accepted, or with `--compare`. */
function isHeldToBaseline({ compared }: GatedComparison, { header }: StoredRecord): boolean {
  return compared.baseline.kind !== 'run' || header.settings.compare !== undefined;
}

/** The baseline's own contract, even where its prompt ran again beside the new one. */
function findOld(
  { recorded: { suite, path } }: SuiteSummary,
  variant: VariantSummary,
  side: ComparedSide,
  { findBaseline, record }: Pick<Assessment, 'findBaseline' | 'record'>,
): AnsweredVariant {
  const prompt = side.recorded.baselineOf === undefined ? side.recorded.prompt : variant.recorded.prompt;
  const baseline = side.kind === 'run' ? undefined : findBaseline({ id: suite, path })?.baseline;
  const [accepted] = comparedKeys({ ...variant.recorded, prompt }).flatMap(
    (key) => baseline?.variants.find((other) => other.prompt === key.prompt && other.provider === key.provider) ?? [],
  );
  if (baseline !== undefined && accepted !== undefined) {
    return asOld(accepted, variant, () => answersOfBaseline(baseline, accepted));
  }
  const beside = findVariant(record.summary, { ...side.recorded, suite });
  return asOld(side.recorded, variant, () => (beside === undefined ? [] : answersOfRecord(beside, record.readRow)));
}

/** Named like the new prompt, so that the contracts of both are compared. */
function asOld(
  old: AnsweredVariant['variant'],
  { recorded }: VariantSummary,
  answers: AnsweredVariant['answers'],
): AnsweredVariant {
  return { variant: { ...old, prompt: recorded.prompt }, answers };
}

const maxNamed = 20;

function describeFailures({ suite, prompt, findings }: PromptFindings): readonly Breach[] {
  const broken = findings.filter(isBreak);
  const named = broken.slice(0, maxNamed).map(
    ({ ruleId, direction, path, message, fingerprint }): Breach => ({
      code: 'contract-broken',
      suite,
      prompt,
      message: `${direction} contract, ${ruleId} at ${path}: ${message} Approve it with contract.approved: [${fingerprint}]`,
    }),
  );
  const more = broken.length - named.length;
  if (more <= 0) return named;
  const message = `and ${more} more; \`llmcheck contract check\` lists them`;
  return [...named, { code: 'contract-broken', suite, prompt, message }];
}

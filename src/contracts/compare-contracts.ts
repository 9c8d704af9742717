import { defined } from '../json/defined.ts';
import { appendPointer } from '../json/json-pointer.ts';
import type { Finding, LocatedFinding, PromptFindings } from '../model/comparison/finding.ts';
import type { SourceLocation } from '../model/problem.ts';
import type { RecordedVariant } from '../model/run/record.ts';
import type { Project, Vars } from '../model/suite/suite.ts';
import { change } from '../schema-diff/compare/change.ts';
import { applyApprovals, gradeChanges } from '../schema-diff/grade-changes.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { comparePrefixes } from './compare-prefixes.ts';
import { comparePromptSets, type PromptComparisonOptions, type PromptSetFindings } from './compare-prompts.ts';
import { type ContractVariant, describeContract } from './describe-contract.ts';
import { observeAnswers, type StoredAnswer } from './observe-answers.ts';

/** A variant with the answers that were stored with it. */
export interface AnsweredVariant {
  readonly variant: ContractVariant;
  readonly answers: () => Iterable<StoredAnswer>;
}

export interface SuiteContracts {
  readonly suite: string;
  /** The name of the old side in messages. */
  readonly against: string;
  readonly old: readonly AnsweredVariant[];
  readonly replacement: readonly AnsweredVariant[];
  /** Leaves out prompts that the new side does not have: a filtered run has not all. */
  readonly isPart: boolean;
  /** The contract of removed prompts, and the default for the others. */
  readonly contract: RecordedVariant['contract'];
  readonly locate?: (prompt: string, pointer: string) => Promise<SourceLocation | undefined>;
  /** The variables of today's cases, if known. Then the cacheable prefixes of both sides are compared. */
  readonly cases?: () => Iterable<Vars>;
}

/**
 * Compares the contracts of a suite's prompts. A prompt on several providers is compared on each and reported once.
 * Throws a `SchemaProblem` for a schema that can't be read.
 */
export async function compareContracts(suite: SuiteContracts): Promise<readonly PromptFindings[]> {
  const contents = [...suite.old, ...suite.replacement].flatMap(({ variant }) => variant.messages);
  if (contents.some(({ content }) => needsTemplateEngine(content))) await loadTemplateEngine();
  const contracts = new Map(suite.replacement.map(({ variant }) => [variant.prompt, variant.contract]));
  const contractOf = (prompt: string) => contracts.get(prompt) ?? suite.contract;
  const found = new Map<string, Map<string, Finding>>();
  for (const { promptId, findings } of compareOnProviders(suite, (id) => optionsOf(contractOf(id)))) {
    const known = found.get(promptId) ?? new Map<string, Finding>();
    for (const finding of findings) known.set(finding.fingerprint, finding);
    found.set(promptId, known);
  }
  for (const [promptId, finding] of findShortenedPrefixes(suite, (id) => optionsOf(contractOf(id)))) {
    found.get(promptId)?.set(finding.fingerprint, finding);
  }
  const entries: PromptFindings[] = [];
  for (const [prompt, findings] of found) {
    const observed = observePrompt(prompt, suite);
    // A renamed prompt's findings are approved by the contract of its new name.
    const renamed = suite.replacement.find(({ variant }) => variant.replaces === prompt)?.variant.prompt ?? prompt;
    const approved = contractOf(contracts.has(prompt) ? prompt : renamed).approved ?? [];
    entries.push({
      suite: suite.suite,
      prompt,
      against: suite.against,
      findings: await locateFindings(applyApprovals([...findings.values()], approved), prompt, suite),
      ...defined({ observed: observed.length > 0 ? observed : undefined }),
    });
  }
  return entries;
}

interface GoneSuite extends Pick<SuiteContracts, 'suite' | 'against' | 'contract'> {
  readonly prompts: readonly string[];
}

/** Reports the contracts of a suite that is gone as removed. Any remaining suite can approve that. */
export function describeGone(gone: GoneSuite, { suites }: Pick<Project, 'suites'>): readonly PromptFindings[] {
  const { suite, against, contract, prompts } = gone;
  const approved = suites.flatMap((one) => [one, ...one.prompts].flatMap((part) => part.contract?.approved ?? []));
  return prompts.map((prompt) => {
    const path = appendPointer(appendPointer('/suites', suite), prompt);
    const removed = change('prompt-removed', path, `The prompt "${prompt}" was removed with its suite.`, {
      old: prompt,
    });
    const findings = gradeChanges([removed], { ...optionsOf(contract), direction: 'output', promptId: prompt });
    return { suite, prompt, against, findings: applyApprovals(findings, approved) };
  });
}

function compareOnProviders(
  { old, replacement, isPart }: SuiteContracts,
  optionsOfPrompt: (promptId: string) => PromptComparisonOptions,
): readonly PromptSetFindings[] {
  return pairProviders(old, replacement, isPart).flatMap(([former, provider]) => {
    const before = onProvider(old, former);
    const after = onProvider(replacement, provider);
    const kept = new Set(after.flatMap(({ prompt, replaces }) => [prompt, replaces]));
    return comparePromptSets(
      before.filter(({ prompt }) => !isPart || kept.has(prompt)).map(describeContract),
      after.map(describeContract),
      optionsOfPrompt,
    ).filter(({ promptId }) => !isPart || after.some(({ prompt }) => prompt === promptId));
  });
}

/** Pairs providers by id, and the rest in order: one may have been renamed. Part of a run cannot show that. */
function pairProviders(
  old: readonly AnsweredVariant[],
  replacement: readonly AnsweredVariant[],
  isPart: boolean,
): readonly (readonly [string, string])[] {
  const [before, after] = [idsOf(old), idsOf(replacement)];
  const kept = [...after].filter((id) => before.has(id));
  const added = [...after].filter((id) => !before.has(id));
  const lost = isPart && kept.length > 0 ? [] : [...before].filter((id) => !after.has(id));
  const renamed = lost.flatMap((id, index) => {
    const heir = added[index];
    return heir === undefined ? [] : [[id, heir] as const];
  });
  return [...kept.map((id) => [id, id] as const), ...renamed];
}

function idsOf(variants: readonly AnsweredVariant[]): ReadonlySet<string> {
  return new Set(variants.map(({ variant }) => variant.provider));
}

function* findShortenedPrefixes(
  { old, replacement, cases }: SuiteContracts,
  optionsOfPrompt: (promptId: string) => PromptComparisonOptions,
): Iterable<readonly [string, Finding]> {
  if (cases === undefined) return;
  for (const { variant } of replacement) {
    const { prompt: promptId, provider, replaces } = variant;
    const find = (id: string | undefined) =>
      old.find(({ variant: other }) => other.prompt === id && other.provider === provider)?.variant;
    const before = find(promptId) ?? find(replaces);
    if (before === undefined) continue;
    const changes = comparePrefixes({ variant: before, cases: cases() }, { variant, cases: cases() });
    const graded = { ...optionsOfPrompt(promptId), direction: 'output', promptId } as const;
    for (const finding of gradeChanges(changes, graded)) yield [promptId, finding];
  }
}

/** Lists each prompt once: on this provider, or on any other if it did not run on this one. */
function onProvider(variants: readonly AnsweredVariant[], provider: string): readonly ContractVariant[] {
  const byPrompt = new Map<string, ContractVariant>();
  for (const { variant } of variants) {
    if (!byPrompt.has(variant.prompt) || variant.provider === provider) byPrompt.set(variant.prompt, variant);
  }
  return [...byPrompt.values()];
}

function optionsOf(contract: RecordedVariant['contract']): PromptComparisonOptions {
  const { policy, overrides, ignore, strictConsumers, removed } = contract;
  return defined({ policy, overrides, ignore, strictConsumers, removed });
}

function observePrompt(prompt: string, { old, replacement }: SuiteContracts) {
  const after = replacement.filter(({ variant }) => variant.prompt === prompt);
  const replaces = after[0]?.variant.replaces;
  const own = old.filter(({ variant }) => variant.prompt === prompt);
  const before = own.length > 0 ? own : old.filter(({ variant }) => variant.prompt === replaces);
  const [first, second] = [before[0], after[0]];
  if (first === undefined || second === undefined) return [];
  return observeAnswers({
    old: describeContract(first.variant).outputSchema,
    replacement: describeContract(second.variant).outputSchema,
    baselineAnswers: answersOf(before),
    newAnswers: answersOf(after),
  });
}

function* answersOf(variants: readonly AnsweredVariant[]): Iterable<StoredAnswer> {
  for (const { answers } of variants) yield* answers();
}

async function locateFindings(
  findings: readonly Finding[],
  prompt: string,
  { locate }: SuiteContracts,
): Promise<readonly LocatedFinding[]> {
  const located: LocatedFinding[] = [];
  for (const finding of findings) {
    const at = await locate?.(prompt, finding.path);
    located.push(at === undefined ? finding : { ...finding, at });
  }
  return located;
}

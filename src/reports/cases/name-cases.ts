import type { SuiteReport, VariantReport } from '../../model/report/report.ts';
import type { VariantName } from './failed-cases.ts';

/** Writes a name from outside in the report's language, such as a code span in Markdown. */
export type WriteName = (name: string) => string;

/** How a report writes names and sentences from outside. */
export interface HeadlineStyle {
  readonly name: WriteName;
  /** A sentence of the gate, with names in it. */
  readonly sentence: WriteName;
}

/** The shortest unambiguous name of variants in a suite: `v2 (mini and big)`, `v1 × mini`, `all 4 variants`. */
export function nameVariants(found: readonly VariantName[], suite: SuiteReport, write: WriteName): string {
  const gated = suite.variants.filter(({ replacedBy }) => replacedBy === undefined);
  if (found.length > 2 && found.length >= gated.length) return `all ${found.length} variants`;
  const variants = suite.variants.filter(({ prompt, provider }) =>
    found.some((one) => one.prompt === prompt && one.provider === provider),
  );
  const prompts = distinct(variants.map(({ prompt }) => prompt));
  const providers = distinct(variants.map(({ provider }) => provider));
  const isGrid = variants.length === prompts.length * providers.length;
  if (!isGrid || variants.length === 1) {
    return joinNames(variants.map(({ prompt, provider }) => `${write(prompt)} × ${write(provider)}`));
  }
  return `${joinNames(prompts.map(write))} (${joinNames(providers.map(write))})`;
}

const maxNames = 3;

/** `shipping-1 … shipping-9 (9 cases)`, or the first names and the number of others. */
export function nameCases(caseIds: readonly string[], write: WriteName): string {
  const [first, last] = [caseIds[0], caseIds.at(-1)];
  if (first === undefined || last === undefined) return 'no case';
  if (caseIds.length <= maxNames) return caseIds.map(write).join(', ');
  if (isRange(caseIds)) return `${write(first)} … ${write(last)} (${caseIds.length} cases)`;
  const names = caseIds.slice(0, maxNames).map(write).join(', ');
  return `${names} and ${caseIds.length - maxNames} more (${caseIds.length} cases)`;
}

/** True if the ids differ only in their last number, and most of the numbers in between exist. */
function isRange(caseIds: readonly string[]): boolean {
  const parts = caseIds.map((id) => /^(.*?)(\d{1,9})(\D*)$/s.exec(id));
  const [first] = parts;
  if (first == null) return false;
  const isAlike = parts.every((part) => part != null && part[1] === first[1] && part[3] === first[3]);
  return isAlike && Number(parts.at(-1)?.[2]) - Number(first[2]) < 2 * caseIds.length;
}

/** `mini`, `mini and big`, `mini, big and 3 more`. */
function joinNames(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ');
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

/** The number of a suite's cases. Each variant has the same cases, but may lack a verdict on some. */
export function countCases(variants: readonly VariantReport[]): number {
  return Math.max(0, ...variants.map(({ passRate }) => passRate.n));
}

import { type Finding, isBreak } from '../model/finding.ts';

/** Marks the findings whose fingerprints the suite lets through; what is marked no longer breaks the contract. */
export function applyApprovals(findings: readonly Finding[], approved: readonly string[]): readonly Finding[] {
  const known = new Set(approved.map((fingerprint) => fingerprint.trim().toLowerCase()));
  return findings.map((finding) => (known.has(finding.fingerprint) ? { ...finding, approved: true } : finding));
}

/** True where a finding that nobody approved is an error. */
export function isContractBroken(findings: readonly Finding[]): boolean {
  return findings.some(isBreak);
}

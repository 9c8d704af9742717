import { canonicalJson } from '../json/canonical-json.ts';
import { appendPointer, splitPointer } from '../json/json-pointer.ts';
import {
  type ContractPolicy,
  type Direction,
  type Finding,
  type FindingSeverity,
  isBreak,
  type SeverityOverride,
} from '../model/finding.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { Change } from './compare/change.ts';
import { type Rule, ruleFor, ruleIdOf } from './rules.ts';

export interface GradeOptions {
  readonly direction: Direction;
  /** Default `practical`. */
  readonly policy?: ContractPolicy;
  /** The last one that fits wins. */
  readonly overrides?: readonly SeverityOverride[];
  /** Consumers refuse what they don't know: opening a closed object fails. */
  readonly strictConsumers?: boolean;
  /** JSON Pointers whose findings, and those below them, are left out; a `*` matches one token. */
  readonly ignore?: readonly string[];
  /** Tombstones: JSON Pointers of what was removed on purpose, or names of properties of the root. */
  readonly removed?: readonly string[];
  /** Part of the fingerprint, so that an approval holds for one prompt. */
  readonly promptId?: string;
  /** Put before the rule ids; overrides may leave it out. */
  readonly rulePrefix?: string;
  /** Put before the paths. */
  readonly pathPrefix?: string;
}

/** Turns changes into findings of one direction, each difference once. */
export function gradeChanges(changes: readonly Change[], options: GradeOptions): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const change of changes) {
    const finding = gradeChange(change, options);
    if (finding !== undefined && !findings.has(finding.fingerprint)) findings.set(finding.fingerprint, finding);
  }
  return [...findings.values()];
}

function gradeChange(change: Change, options: GradeOptions): Finding | undefined {
  const { direction, rulePrefix = '', pathPrefix = '' } = options;
  const baseId = ruleIdOf(change.rule);
  const ruleId = rulePrefix + baseId;
  const path = pathPrefix + change.path;
  if (options.ignore?.some((pattern) => isWithin(path, pattern)) === true) return undefined;
  const override = options.overrides?.findLast(
    ({ rule, path: pattern }) =>
      (rule === undefined || rule === ruleId || rule === baseId) && (pattern === undefined || isWithin(path, pattern)),
  );
  const severity = override?.severity ?? findSeverity(change, path, options);
  if (severity === 'none' || severity === 'off') return undefined;
  const identity = [
    ruleId,
    direction,
    options.promptId ?? '',
    path,
    canonicalJson(change.old),
    canonicalJson(change.new),
  ];
  return {
    ruleId,
    direction,
    severity,
    path,
    old: change.old,
    new: change.new,
    message: change.message,
    fingerprint: sha256Hex(identity.join('|')).slice(0, 12),
  };
}

function findSeverity(change: Change, path: string, options: GradeOptions): FindingSeverity | 'none' {
  const rule = ruleFor(change.rule);
  const severity = severityByPolicy(rule, options);
  const announced = change.announced === true || (rule.kind === 'remove' && isAnnounced(path, change, options.removed));
  if (!announced || severity === 'none') return severity;
  return severity === 'error' ? 'warn' : 'info';
}

function severityByPolicy(rule: Rule, options: GradeOptions): FindingSeverity | 'none' {
  const practical = rule[options.direction];
  if (options.policy === 'formal' && practical !== 'none') {
    const breaks = options.direction === 'input' ? rule.narrows : rule.widens;
    return breaks ? 'error' : 'info';
  }
  const isStrict = rule.strict === true && options.strictConsumers === true && options.direction === 'output';
  const severity = isStrict ? 'error' : practical;
  return options.policy === 'lenient' && severity === 'error' && rule.kind === undefined ? 'warn' : severity;
}

/** A tombstone names a place, a property of the root, or a value at a place (`/properties/queue/legal`). */
function isAnnounced(path: string, change: Change, removed: readonly string[] = []): boolean {
  const value = typeof change.old === 'string' ? appendPointer(path, change.old) : path;
  return removed.some((name) => name === path || name === value || appendPointer('/properties', name) === change.path);
}

function isWithin(path: string, pattern: string): boolean {
  const tokens = splitPointer(path) ?? [];
  const wanted = splitPointer(pattern);
  if (wanted === undefined || wanted.length > tokens.length) return false;
  return wanted.every((token, index) => token === '*' || token === tokens[index]);
}

/** Marks the findings whose fingerprints are approved; they no longer break the contract. */
export function applyApprovals(findings: readonly Finding[], approved: readonly string[]): readonly Finding[] {
  const known = new Set(approved.map((fingerprint) => fingerprint.trim().toLowerCase()));
  return findings.map((finding) => (known.has(finding.fingerprint) ? { ...finding, approved: true } : finding));
}

/** True where an error is not approved. */
export function isContractBroken(findings: readonly Finding[]): boolean {
  return findings.some(isBreak);
}

import { canonicalJson } from '../json/canonical-json.ts';
import { appendPointer, splitPointer } from '../json/json-pointer.ts';
import { type Direction, type Finding, type FindingSeverity, isBreak } from '../model/comparison/finding.ts';
import { type ContractPolicy, type SeverityOverride } from '../model/suite/recorded-settings.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { Change } from './compare/change.ts';
import { type Rule, ruleFor, ruleIdOf } from './rules.ts';

export interface GradeOptions {
  readonly direction: Direction;
  /** Default `practical`. */
  readonly policy?: ContractPolicy;
  /** The last match wins. */
  readonly overrides?: readonly SeverityOverride[];
  /** True if consumers refuse unknown properties: opening a closed object is then an error. */
  readonly strictConsumers?: boolean;
  /** JSON Pointers to ignore, with everything below them. A `*` matches one token. */
  readonly ignore?: readonly string[];
  /** Tombstones: JSON Pointers of parts removed on purpose, or names of root properties. */
  readonly removed?: readonly string[];
  /** Part of the fingerprint, so an approval applies to one prompt. */
  readonly promptId?: string;
  /** Prefix of rule ids. Overrides may omit it. */
  readonly rulePrefix?: string;
  /** Prefix of paths. */
  readonly pathPrefix?: string;
}

/** Grades changes for one direction. Equal findings are merged. */
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

/** True if a tombstone names the place, the root property or the value at a place (`/properties/queue/legal`). */
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

/** Marks findings with an approved fingerprint; they no longer break the contract. */
export function applyApprovals(findings: readonly Finding[], approved: readonly string[]): readonly Finding[] {
  const known = new Set(approved.map((fingerprint) => fingerprint.trim().toLowerCase()));
  return findings.map((finding) => (known.has(finding.fingerprint) ? { ...finding, approved: true } : finding));
}

/** True if an error is not approved. */
export function isContractBroken(findings: readonly Finding[]): boolean {
  return findings.some(isBreak);
}

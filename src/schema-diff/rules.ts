import type { FindingSeverity } from '../model/comparison/finding.ts';

/** A rule in one context. */
export interface Rule {
  /** The new schema refuses a value that the old one accepted. Breaks an input contract. */
  readonly narrows: boolean;
  /** The new schema accepts a value that the old one refused. Breaks an output contract. */
  readonly widens: boolean;
  /** `none`: not reported. */
  readonly input: FindingSeverity | 'none';
  readonly output: FindingSeverity | 'none';
  /** Kinds that fail even under the lenient policy. */
  readonly kind?: 'remove' | 'rename' | 'retype';
  /** Breaks only consumers that refuse unknown properties: an error under `strictConsumers`. */
  readonly strict?: true;
  /** The comparison could prove neither containment nor a break. */
  readonly undecided?: true;
}

export type RuleKey = keyof typeof rules;

const refuses = { narrows: true, widens: false };
const admits = { narrows: false, widens: true };
const replaces = { narrows: true, widens: true };
const keeps = { narrows: false, widens: false };

/**
 * All rules, by id or `id/context` if the severity depends on the context. Severities deviate from the subset rule in
 * three cases: providers don't enforce the keyword, only strict consumers break, or the runner fills in a default.
 */
export const rules = {
  'property-added-required/open': { ...refuses, input: 'error', output: 'info' },
  'property-added-required/closed': { ...replaces, input: 'error', output: 'warn', strict: true },
  'property-added-required/default': { ...refuses, input: 'info', output: 'info' },
  'property-added-required/closed-default': { ...replaces, input: 'info', output: 'warn', strict: true },
  'property-added-optional/open': { ...refuses, input: 'info', output: 'info' },
  'property-added-optional/redundant': { ...keeps, input: 'info', output: 'info' },
  'property-added-optional/closed': { ...admits, input: 'info', output: 'warn', strict: true },
  'property-removed-required/open': { ...admits, input: 'warn', output: 'error', kind: 'remove' },
  'property-removed-required/closed': { ...replaces, input: 'error', output: 'error', kind: 'remove' },
  'property-removed-optional/open': { ...admits, input: 'warn', output: 'warn', kind: 'remove' },
  'property-removed-optional/redundant': { ...keeps, input: 'warn', output: 'warn', kind: 'remove' },
  'property-removed-optional/closed': { ...refuses, input: 'error', output: 'warn', kind: 'remove' },
  'property-renamed': { ...replaces, input: 'error', output: 'error', kind: 'rename' },
  'property-became-required': { ...refuses, input: 'error', output: 'info' },
  'property-became-required/default': { ...refuses, input: 'info', output: 'info' },
  'property-became-optional': { ...admits, input: 'info', output: 'error' },
  'became-nullable': { ...admits, input: 'info', output: 'error' },
  'became-not-nullable': { ...refuses, input: 'error', output: 'info' },
  'type-generalized': { ...admits, input: 'info', output: 'error', kind: 'retype' },
  'type-specialized': { ...refuses, input: 'error', output: 'info', kind: 'retype' },
  'type-changed': { ...replaces, input: 'error', output: 'error', kind: 'retype' },
  'type-union-widened': { ...admits, input: 'info', output: 'error', kind: 'retype' },
  'type-union-narrowed': { ...refuses, input: 'error', output: 'info', kind: 'retype' },
  'constraint-dropped-to-any': { ...admits, input: 'info', output: 'error', kind: 'retype' },
  'constraint-added-to-any': { ...refuses, input: 'error', output: 'info', kind: 'retype' },
  'schema-forbidden': { ...refuses, input: 'error', output: 'info', kind: 'remove' },
  'schema-allowed': { ...admits, input: 'info', output: 'error' },
  'enum-value-added': { ...admits, input: 'info', output: 'error' },
  'enum-value-added/extensible': { ...admits, input: 'info', output: 'info' },
  'enum-value-added/newly-extensible': { ...admits, input: 'info', output: 'warn' },
  'enum-value-removed': { ...refuses, input: 'error', output: 'info', kind: 'remove' },
  'became-enum': { ...refuses, input: 'error', output: 'info' },
  'enum-dropped': { ...admits, input: 'info', output: 'error' },
  'const-added': { ...refuses, input: 'error', output: 'info' },
  'const-removed': { ...admits, input: 'info', output: 'error' },
  'const-changed': { ...replaces, input: 'error', output: 'error', kind: 'retype' },
  'default-changed': { ...keeps, input: 'warn', output: 'info' },
  'pattern-added': { ...refuses, input: 'error', output: 'info' },
  'pattern-removed': { ...admits, input: 'info', output: 'warn' },
  'pattern-changed': { ...replaces, input: 'warn', output: 'warn' },
  'format-added': { ...refuses, input: 'warn', output: 'info' },
  'format-removed': { ...admits, input: 'info', output: 'warn' },
  'format-changed': { ...replaces, input: 'warn', output: 'warn' },
  'min-length-raised': { ...refuses, input: 'error', output: 'info' },
  'min-length-lowered': { ...admits, input: 'info', output: 'error' },
  'max-length-lowered': { ...refuses, input: 'error', output: 'info' },
  'max-length-raised': { ...admits, input: 'info', output: 'error' },
  'minimum-raised': { ...refuses, input: 'error', output: 'info' },
  'minimum-lowered': { ...admits, input: 'info', output: 'error' },
  'maximum-lowered': { ...refuses, input: 'error', output: 'info' },
  'maximum-raised': { ...admits, input: 'info', output: 'error' },
  'inclusive-to-exclusive': { ...refuses, input: 'error', output: 'info' },
  'exclusive-to-inclusive': { ...admits, input: 'info', output: 'error' },
  'multiple-of-added': { ...refuses, input: 'error', output: 'info' },
  'multiple-of-removed': { ...admits, input: 'info', output: 'error' },
  'min-items-raised': { ...refuses, input: 'error', output: 'info' },
  'min-items-lowered': { ...admits, input: 'info', output: 'error' },
  'max-items-lowered': { ...refuses, input: 'error', output: 'info' },
  'max-items-raised': { ...admits, input: 'info', output: 'warn' },
  'unique-items-added': { ...refuses, input: 'error', output: 'info' },
  'unique-items-removed': { ...admits, input: 'info', output: 'warn' },
  'items-narrowed': { ...refuses, input: 'error', output: 'info', kind: 'retype' },
  'items-widened': { ...admits, input: 'info', output: 'error', kind: 'retype' },
  'prefix-items-changed': { ...replaces, input: 'error', output: 'error', kind: 'retype' },
  'contains-added': { ...refuses, input: 'error', output: 'info' },
  'contains-removed': { ...admits, input: 'info', output: 'error' },
  'contains-narrowed': { ...refuses, input: 'error', output: 'info' },
  'contains-widened': { ...admits, input: 'info', output: 'error' },
  'object-closed': { ...refuses, input: 'error', output: 'info' },
  'object-opened': { ...admits, input: 'info', output: 'warn', strict: true },
  'map-value-narrowed': { ...refuses, input: 'error', output: 'info', kind: 'retype' },
  'map-value-widened': { ...admits, input: 'info', output: 'error', kind: 'retype' },
  'property-names-added': { ...refuses, input: 'error', output: 'info' },
  'property-names-removed': { ...admits, input: 'info', output: 'error' },
  'pattern-property-added/open': { ...refuses, input: 'error', output: 'info' },
  'pattern-property-added/closed': { ...admits, input: 'info', output: 'warn', strict: true },
  'pattern-property-added/mixed': { ...replaces, input: 'error', output: 'error' },
  'pattern-property-removed/open': { ...admits, input: 'info', output: 'error', kind: 'remove' },
  'pattern-property-removed/closed': { ...refuses, input: 'error', output: 'info', kind: 'remove' },
  'pattern-property-removed/mixed': { ...replaces, input: 'error', output: 'error', kind: 'remove' },
  'min-properties-raised': { ...refuses, input: 'error', output: 'info' },
  'min-properties-lowered': { ...admits, input: 'info', output: 'error' },
  'max-properties-lowered': { ...refuses, input: 'error', output: 'info' },
  'max-properties-raised': { ...admits, input: 'info', output: 'error' },
  'dependent-required-added': { ...refuses, input: 'error', output: 'info' },
  'dependent-required-removed': { ...admits, input: 'info', output: 'error' },
  'dependent-schema-added': { ...refuses, input: 'error', output: 'info' },
  'dependent-schema-removed': { ...admits, input: 'info', output: 'error' },
  'any-of-branch-added': { ...admits, input: 'info', output: 'error' },
  'any-of-branch-removed': { ...refuses, input: 'error', output: 'info', kind: 'remove' },
  'one-of-branch-added/disjoint': { ...admits, input: 'info', output: 'error' },
  'one-of-branch-added/within': { ...refuses, input: 'error', output: 'warn' },
  'one-of-branch-added/overlapping': { ...replaces, input: 'error', output: 'error' },
  'one-of-branch-added/unclear': { ...replaces, input: 'warn', output: 'error', undecided: true },
  'one-of-branch-removed/disjoint': { ...refuses, input: 'error', output: 'info', kind: 'remove' },
  'one-of-branch-removed/overlapping': { ...replaces, input: 'error', output: 'warn', kind: 'remove' },
  'union-added': { ...refuses, input: 'error', output: 'info' },
  'union-removed': { ...admits, input: 'info', output: 'error' },
  'all-of-branch-added': { ...refuses, input: 'error', output: 'info' },
  'all-of-branch-removed': { ...admits, input: 'info', output: 'error' },
  'not-added': { ...refuses, input: 'error', output: 'info' },
  'not-removed': { ...admits, input: 'info', output: 'error' },
  'not-changed/refuses-more': { ...refuses, input: 'error', output: 'info' },
  'not-changed/refuses-less': { ...admits, input: 'info', output: 'error' },
  'not-changed/both': { ...replaces, input: 'error', output: 'error' },
  'if-then-added': { ...refuses, input: 'error', output: 'info' },
  'if-then-removed': { ...admits, input: 'info', output: 'error' },
  'discriminator-property-renamed': { ...replaces, input: 'error', output: 'error', kind: 'rename' },
  'description-or-title-changed': { ...keeps, input: 'none', output: 'info' },
  'property-order-changed': { ...keeps, input: 'none', output: 'info' },
  'annotation-changed': { ...keeps, input: 'none', output: 'info' },
  'unknown-keyword-changed': { ...replaces, input: 'warn', output: 'warn', undecided: true },
  undecided: { ...replaces, input: 'warn', output: 'warn', undecided: true },
  // A prompt's contract besides its schemas.
  'input-schema-added': { ...refuses, input: 'warn', output: 'none' },
  'input-schema-removed': { ...admits, input: 'info', output: 'none' },
  'input-variable-added': { ...refuses, input: 'error', output: 'none' },
  'input-variable-added/default': { ...keeps, input: 'info', output: 'none' },
  'input-variable-unused': { ...keeps, input: 'warn', output: 'none' },
  'input-default-changed': { ...keeps, input: 'warn', output: 'none' },
  'output-format-changed': { ...replaces, input: 'none', output: 'error', kind: 'retype' },
  'output-schema-added': { ...refuses, input: 'none', output: 'info' },
  'output-schema-removed': { ...admits, input: 'none', output: 'error', kind: 'remove' },
  'tool-added': { ...admits, input: 'none', output: 'warn' },
  'tool-removed': { ...refuses, input: 'none', output: 'error', kind: 'remove' },
  'tool-renamed': { ...replaces, input: 'none', output: 'error', kind: 'rename' },
  'schema-enforcement-added': { ...refuses, input: 'none', output: 'info' },
  'schema-enforcement-removed': { ...admits, input: 'none', output: 'warn' },
  'model-changed': { ...keeps, input: 'none', output: 'info' },
  'provider-changed': { ...keeps, input: 'none', output: 'info' },
  'param-changed': { ...keeps, input: 'none', output: 'info' },
  'max-output-tokens-lowered': { ...keeps, input: 'none', output: 'warn' },
  'cacheable-prefix-shortened': { ...keeps, input: 'none', output: 'warn' },
  'role-structure-changed': { ...keeps, input: 'none', output: 'info' },
  'prompt-removed': { ...replaces, input: 'error', output: 'error', kind: 'remove' },
  'prompt-renamed': { ...replaces, input: 'error', output: 'error', kind: 'rename' },
  'version-not-bumped': { ...keeps, input: 'warn', output: 'warn' },
} as const satisfies Record<string, Rule>;

/** Public id of a rule: its key without the context. */
export function ruleIdOf(key: RuleKey): string {
  const slash = key.indexOf('/');
  return slash === -1 ? key : key.slice(0, slash);
}

/** The rule with its optional fields. */
export function ruleFor(key: RuleKey): Rule {
  return rules[key];
}

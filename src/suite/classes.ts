import { distance } from 'fastest-levenshtein';
import { defined } from '../json/defined.ts';
import type { ClassPolicy } from '../model/suite/classes.ts';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { parseSelect } from './assertions/select.ts';
import { compileValue } from './assertions/value-template.ts';
import type { ClassUse } from './cases/build-cases.ts';
import { listClasses, placeOfTruth, type TruthSource } from './cases/case-checks.ts';
import { checkPart } from './documents/check-shape.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from './documents/locate.ts';
import { suiteShape } from './schema/suite-schema.ts';

export interface ParsedClasses {
  /** The policy without the names of the classes, which come from the cases. */
  readonly policy: Omit<ClassPolicy, 'names'>;
  readonly truth: TruthSource;
}

/** Parses `classes`; undefined if the suite has none, or only invalid ones. */
export function parseClasses(document: Located, problems: Problems): ParsedClasses | undefined {
  const written = checkPart(document, 'classes', suiteShape.classes, problems);
  if (written === undefined) return undefined;
  const classes = childOf(document, 'classes');
  const truthAt = childOf(classes, 'truth');
  const template = compileValue(truthAt, problems.report);
  if (template.variables.length === 0) {
    problems.refuse(
      truthAt,
      'classes.truth reads no variable, so all cases would be of one class',
      'write a template that gives the class of each case, such as "{{expected}}"',
    );
  }
  const found = parseFound(childOf(classes, 'found'), problems);
  if (found === undefined) return undefined;
  const { recall = {}, precision = {}, f1 = {} } = written.gate ?? {};
  const limits = Object.entries(recall).map(([name, limit]) => [name, defined(limit)] as const);
  const names = written.names === undefined ? undefined : new Set(written.names);
  return {
    policy: { truth: written.truth, found, recall: Object.fromEntries(limits), precision, f1: defined(f1) },
    truth: { template, names },
  };
}

function parseFound(located: Located, problems: Problems): ClassPolicy['found'] | undefined {
  const found = parseSelect({ ...located, value: plainNumbers(located.value) }, problems, { label: 'classes.found' });
  if (found?.kind !== 'toolCalls') return found;
  return problems.refuse(
    located,
    'classes.found must select a text, a number or a boolean: toolCalls is a list',
    'select the part of the answer that names its class, such as {jsonPath: $.queue}',
  );
}

/** Reports classes without a case, whose limits could never fail, and classes that are most likely misspelt. */
export function reportClassMistakes(
  document: Located,
  { truth }: ParsedClasses,
  known: ReadonlyMap<string, ClassUse>,
  problems: Problems,
): void {
  const classes = childOf(document, 'classes');
  const names = new Set(known.keys());
  const reportUnknown = (name: string, label: string, at: ReturnType<typeof locate>) => {
    const message = `${label}: no case is of the class "${name}"`;
    problems.report({ code: 'unknown-id', message, hint: didYouMean(name, names) ?? listClasses(names), at });
  };
  for (const item of itemsOf(childOf(classes, 'names'))) {
    const name = String(item.value);
    if (!known.has(name)) reportUnknown(name, 'classes.names', locate(item));
  }
  for (const metric of ['recall', 'precision'] as const) {
    const limits = childOf(childOf(classes, 'gate'), metric);
    for (const name of Object.keys(limits.value ?? {})) {
      // The schema check drops it.
      if (name === '__proto__') {
        problems.refuse(childOf(limits, name), 'a class with a limit can not have the name "__proto__"');
      } else if (!known.has(name)) reportUnknown(name, `classes.gate.${metric}`, locate(childOf(limits, name), 'key'));
    }
  }
  if (truth.names === undefined) reportMisspelt(truth, known, problems);
}

/**
 * Reports a class with a single case whose name is close to another class. If the suite lists its classes, no name is
 * doubtful.
 */
function reportMisspelt(truth: TruthSource, known: ReadonlyMap<string, ClassUse>, problems: Problems): void {
  const frequent = [...known].filter(([, { cases }]) => cases >= 3).map(([name]) => name);
  for (const [name, { cases, first }] of known) {
    const meant = cases > 1 ? undefined : frequent.find((other) => isMisspelt(name, other));
    if (meant === undefined) continue;
    problems.report({
      code: 'invalid-value',
      message: `case "${first.id}" alone is of the class "${name}", and ${known.get(meant)?.cases} cases are of "${meant}"`,
      hint: `did you mean "${meant}"? If both are classes, list them all under classes.names`,
      at: placeOfTruth(truth, first.row),
    });
  }
}

/**
 * True if two names differ only by a likely typing error. Not for `valid` and `invalid`, `import` and `export`, or
 * `class1` and `class2`.
 */
function isMisspelt(name: string, other: string): boolean {
  const [a, b] = [name.toLowerCase(), other.toLowerCase()];
  if (a === b) return true;
  if (Math.min(a.length, b.length) < leastLength || a[0] !== b[0]) return false;
  const hasSameDigits = a.replace(/\D/g, '') === b.replace(/\D/g, '');
  return hasSameDigits && distance(a, b) <= 2;
}

/** The least length of a name. Shorter names are often similar by chance. */
const leastLength = 5;

import { SpelledNumber } from '../text/yaml/exact-numbers.ts';

/** A step of a plain path: a key, an index, or any of them. */
export type PlainStep = string | number | typeof anyStep;

const anyStep = Symbol('*');

const stepPattern = /^(?:\.([A-Za-z_][\w-]*|\*)|\[(\d{1,9}|\*|'[^']*'|"[^"]*")\])/;

/** Reads a path of names, indexes and `*`, such as `$.items[*].id`; undefined for any other JSONPath. */
export function parsePlainPath(path: string): readonly PlainStep[] | undefined {
  if (!path.startsWith('$') || path.length === 1) return undefined;
  const steps: PlainStep[] = [];
  for (let rest = path.slice(1); rest !== ''; ) {
    const match = stepPattern.exec(rest);
    if (match === null) return undefined;
    const [text, name, bracket = ''] = match;
    if ((name ?? bracket) === '*') steps.push(anyStep);
    else if (name !== undefined) steps.push(name);
    else steps.push(/^\d/.test(bracket) ? Number(bracket) : bracket.slice(1, -1));
    rest = rest.slice(text.length);
  }
  return steps;
}

/**
 * A copy of a JSON value without the values at the paths. A list item becomes null, so that the others keep their
 * index.
 */
export function dropPaths(value: unknown, paths: readonly (readonly PlainStep[])[]): unknown {
  return paths.reduce((rest, path) => drop(rest, path), value);
}

function drop(value: unknown, [step, ...rest]: readonly PlainStep[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => {
      if (step !== anyStep && step !== index) return item;
      return rest.length === 0 ? null : drop(item, rest);
    });
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      if (step !== anyStep && step !== key) return [[key, item]];
      return rest.length === 0 ? [] : [[key, drop(item, rest)]];
    }),
  );
}

/** The expected arguments of a tool call. */
export interface ArgumentMatch {
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** `subset`: there may be further arguments. */
  readonly compare: 'subset' | 'exact';
  readonly schema?: unknown;
  /** Paths in the arguments that are not compared. */
  readonly ignore?: readonly (readonly PlainStep[])[] | undefined;
}

import type { Problem, SourceLocation } from '../model/problem.ts';
import { describeLongNumber, findLongNumbers, longNumberHint, plainNumbers } from '../text/exact-numbers.ts';
import { createLineIndex } from '../text/line-index.ts';
import { parseYaml } from '../text/yaml-text.ts';

/** A value of another tool's file, with its place. */
export interface Written<T = unknown> {
  readonly value: T;
  readonly at: (part?: 'key' | 'value') => SourceLocation;
  child(key: PropertyKey): Written;
  items(): readonly Written[];
}

/** The whole of a YAML or JSON text: JSON is YAML. */
export function readWritten(file: string, text: string): Written | { readonly problems: readonly Problem[] } {
  const yaml = parseYaml(text);
  const lines = createLineIndex(text);
  const locate = (offset: number): SourceLocation => {
    const position = lines.positionAt(offset);
    return { file, ...position, excerpt: lines.excerptAround(position) };
  };
  if (yaml.errors.length > 0) {
    const problems = yaml.errors.map(({ message, offset, hint }): Problem => {
      const problem = { code: 'syntax', severity: 'error', message, at: locate(offset) } as const;
      return hint === undefined ? problem : { ...problem, hint };
    });
    return { problems };
  }
  const long = findLongNumbers(yaml.value);
  if (long.length > 0) {
    const problems = long.map(({ path, number }): Problem => {
      const at = locate(yaml.find(path, 'value'));
      return {
        code: 'invalid-value',
        severity: 'error',
        message: describeLongNumber(number),
        hint: longNumberHint,
        at,
      };
    });
    return { problems };
  }
  // The other tool reads plain numbers: 1.0 is 1 there.
  return place(plainNumbers(yaml.value), [], (path, part) => locate(yaml.find(path, part)));
}

type Find = (path: readonly PropertyKey[], part: 'key' | 'value') => SourceLocation;

function place(value: unknown, path: readonly PropertyKey[], find: Find): Written {
  return {
    value,
    at: (part = 'value') => find(path, part),
    child: (key) => place(readOwn(value, key), [...path, key], find),
    items: () => (Array.isArray(value) ? value.map((item: unknown, index) => place(item, [...path, index], find)) : []),
  };
}

/** A value that has one place as a whole, such as a row of a CSV. */
export function placeAt(value: unknown, at: SourceLocation): Written {
  return place(value, [], () => at);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readOwn(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[key];
}

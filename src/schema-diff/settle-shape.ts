import { acceptByShape } from './accept-value.ts';
import { isMultiple } from './is-multiple.ts';
import { alterShape, openShape } from './make-shape.ts';
import { type SchemaNode, type Shape, typeOfValue } from './shape.ts';

/** Drops what no value can tell: constants that other keywords refuse, keywords that constants make idle. */
export function settleShape(shape: Shape, any: SchemaNode): Shape {
  return settleValues(settleMultiples(shape), any);
}

function settleMultiples(shape: Shape): Shape {
  if (shape.multiples.length === 0) return shape;
  const integer = shape.integer || shape.multiples.some((multiple) => isMultiple(multiple, 1));
  const multiples = shape.multiples.filter((multiple) => !(integer && isMultiple(1, multiple)));
  if (integer === shape.integer && multiples.length === shape.multiples.length) return shape;
  return alterShape(shape, { integer, multiples });
}

function settleValues(shape: Shape, any: SchemaNode): Shape {
  if (shape.values === undefined) return shape;
  const rest = alterShape(shape, { values: undefined });
  const answers = [...shape.values].map(([text, value]) => ({ text, value, answer: acceptByShape(rest, value) }));
  const kept = answers.filter(({ answer }) => answer !== false);
  const values = new Map(kept.map(({ text, value }) => [text, value]));
  const types = new Set(kept.map(({ value }) => typeOfValue(value)));
  if (kept.some(({ answer }) => answer === undefined)) return alterShape(shape, { values, types });
  const plain = alterShape(openShape(any), { source: shape.source, notes: shape.notes, types });
  const finite = values.size === (types.has('null') ? 1 : 0) + (types.has('boolean') ? 2 : 0);
  const onlyFiniteTypes = [...types].every((type) => type === 'null' || type === 'boolean');
  return types.size > 0 && finite && onlyFiniteTypes ? plain : alterShape(plain, { values });
}

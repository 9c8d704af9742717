import * as z from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** The type of the values that a schema accepts. Nothing changes a stored value. */
export type Stored<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>;

/** A JSON value is read-only already, and has no end. */
type DeepReadonly<T> = [JsonValue] extends [T]
  ? T
  : T extends object
    ? string extends keyof T
      ? [JsonObject] extends [T]
        ? T
        : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Any JSON value. What was parsed from JSON is one, so that nothing is left to check. */
export const jsonValue: z.ZodType<JsonValue> = z.any();

/** Any JSON object. Not a `z.record`, which loses a member `__proto__`. */
export const jsonObject = z.custom<JsonObject>(isJsonObject, 'is no object').meta({ type: 'object' });

/** A duration, a weight, a size: finite, and never negative. */
export const magnitude = z.number().nonnegative();

/** A number of things. */
export const wholeNumber = z.int().nonnegative();

/** A score or a part of a whole, in [0, 1]. */
export const share = z.number().min(0).max(1);

export const filledText = z.string().min(1);

/**
 * A guard that a schema makes. The value stays as it is: members that a later version added are kept, and so is their
 * order.
 */
export function guardOf<Schema extends z.ZodType>(schema: Schema): (value: unknown) => value is Stored<Schema> {
  return (value): value is Stored<Schema> => schema.safeParse(value).success;
}

/** The members of a value that a schema declares, in the order of the schema, which is the order of a line. */
export function inOrderOf<Shape extends z.ZodRawShape>(
  { shape }: z.ZodObject<Shape>,
  value: Stored<z.ZodObject<Shape>>,
): Stored<z.ZodObject<Shape>> {
  const ordered: Record<string, unknown> = {};
  for (const name of Object.keys(shape)) ordered[name] = (value as Record<string, unknown>)[name];
  return ordered as Stored<z.ZodObject<Shape>>;
}

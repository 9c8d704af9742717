/** The type of an object in which members that may be undefined are optional. */
export type Defined<T extends object> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** An object without its undefined members, in the same order. Returns the object itself if it has none. */
export function defined<T extends object>(object: T): Defined<T> {
  for (const name in object) if (object[name] === undefined) return copyDefined(object);
  return object;
}

function copyDefined<T extends object>(object: T): Defined<T> {
  const copy: Record<string, unknown> = {};
  for (const name in object) if (object[name] !== undefined) copy[name] = object[name];
  return copy as Defined<T>;
}

/** The type without `readonly`, for code that still fills the object. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

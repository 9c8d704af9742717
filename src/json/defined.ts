/** The type of an object in which members that may be undefined are optional. */
export type Defined<T extends object> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** An object without its undefined members, in the same order. Returns the object itself if it has none. */
export function defined<T extends object>(object: T): Defined<T> {
  // A copy takes longer than all the rest, and most objects need none: this is called ten times a cell.
  for (const name in object) if (object[name] === undefined) return copyDefined(object);
  return object;
}

function copyDefined<T extends object>(object: T): Defined<T> {
  const found: Record<string, unknown> = {};
  for (const name in object) if (object[name] !== undefined) found[name] = object[name];
  return found as Defined<T>;
}

/** The same type while it is being made. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

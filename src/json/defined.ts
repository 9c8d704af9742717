/** An object's members, those that may be undefined made optional. */
export type Defined<T extends object> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/** The members of an object that have a value, in their order: the object itself where all have one. */
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

/** A copy in which no name is found but its own: a name from outside may be `toString`. */
export function withoutInherited<T extends object>(object: T): T {
  return Object.assign(Object.create(null), object) as T;
}

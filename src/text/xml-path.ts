import type { XmlElement } from './xml.ts';

/** A step of a path such as `order/item`, `//item`, `*` or a last `@id`. */
export interface XmlStep {
  readonly name: string;
  /** Looked for at any depth. */
  readonly deep: boolean;
  readonly attribute: boolean;
}

/** Parses a path: names from the root on, `//` for any depth, `*` for any name, `@name` for an attribute at the end. */
export function parseXmlPath(path: string): readonly XmlStep[] | undefined {
  const steps: XmlStep[] = [];
  const pattern = /(\/{0,2})(@?)([^\s/@]+)/y;
  while (pattern.lastIndex < path.length) {
    const found = pattern.exec(path);
    const last = steps.at(-1);
    if (found === null || last?.attribute === true || (last !== undefined && found[1] === '')) return undefined;
    steps.push({ name: found[3] ?? '', deep: found[1] === '//', attribute: found[2] === '@' });
  }
  const [first] = steps;
  return first === undefined || (first.attribute && !first.deep) ? undefined : steps;
}

/** Whether a path leads anywhere. */
export function hasXmlPath(root: XmlElement, steps: readonly XmlStep[]): boolean {
  let current: readonly XmlElement[] = [{ name: '', attributes: [], children: [root] }];
  for (const { name, deep, attribute } of steps) {
    const reached = deep ? collectDescendants(current) : current;
    if (attribute)
      return reached.some(({ attributes }) => (name === '*' ? attributes.length > 0 : attributes.includes(name)));
    current = [...new Set(reached.flatMap(({ children }) => children))].filter(
      (child) => name === '*' || child.name === name,
    );
  }
  return current.length > 0;
}

function collectDescendants(elements: readonly XmlElement[]): readonly XmlElement[] {
  const reached = new Set(elements);
  // A set goes on to what is added while it is gone through.
  for (const element of reached) for (const child of element.children) reached.add(child);
  return [...reached];
}

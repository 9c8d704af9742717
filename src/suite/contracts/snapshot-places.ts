import { splitPointer } from '../../json/json-pointer.ts';
import type { SourceLocation } from '../../model/problem.ts';
import { childOf, itemsOf, type Located, locate, type Path, withoutExcerpt } from '../documents/locate.ts';

/** Where a file of tools holds what a finding names, as `/tools/find_order/parameters/properties/id`; else the file's start. */
export function locateInSnapshot(document: Located, pointer: string): SourceLocation {
  const [, name = '', ...rest] = splitPointer(pointer) ?? [];
  const path = findToolPath(document, name, rest);
  return withoutExcerpt(locate({ ...document, path: path ?? [] }, path === undefined ? 'value' : 'key'));
}

/** The path of a part of a tool; undefined where the file has no such tool. */
function findToolPath(document: Located, name: string, [part, ...rest]: Path): Path | undefined {
  const index = itemsOf(childOf(document, 'tools')).findIndex((tool) => childOf(tool, 'name').value === name);
  if (index === -1) return undefined;
  const tool: Path = ['tools', index];
  if (part === undefined) return [...tool, 'name'];
  return [...tool, part === 'parameters' ? 'inputSchema' : part, ...rest];
}

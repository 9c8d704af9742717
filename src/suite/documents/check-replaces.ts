import { didYouMean } from '../../text/did-you-mean.ts';
import { childOf, idsOf, itemsOf, type Located, locate, type Problems } from './locate.ts';

interface ReplacesContext {
  readonly noun: 'prompt' | 'provider';
  /** What may be replaced. */
  readonly known: readonly string[];
  readonly problems: Problems;
}

/** Reports an entry of a list whose `replaces` names nothing that it could replace, or the entry itself. */
export function checkReplaces(item: Located, list: Located, { noun, known, problems }: ReplacesContext): void {
  const replaces = childOf(item, 'replaces');
  const id = childOf(item, 'id').value;
  const { value } = replaces;
  if (typeof value !== 'string') return;
  if (!known.includes(value)) {
    const others = known.filter((other) => other !== id);
    problems.report({
      code: 'unknown-id',
      message: `the ${noun} replaces "${value}", which is not a ${noun} of this suite`,
      hint: didYouMean(value, others) ?? (others.length === 0 ? 'leave it out' : `known: ${others.join(', ')}`),
      at: locate(replaces),
    });
    return;
  }
  const next = new Map(itemsOf(list).map((other) => [childOf(other, 'id').value, childOf(other, 'replaces').value]));
  const seen = new Set<unknown>();
  for (let current: unknown = value; current !== undefined && !seen.has(current); current = next.get(current)) {
    seen.add(current);
    if (current !== id) continue;
    problems.report({
      code: 'invalid-value',
      message: `the ${noun} "${String(id)}" replaces itself${value === id ? '' : ` through other ${noun}s`}`,
      at: locate(replaces),
    });
    return;
  }
}

/** The ids of a list whose entries are ids or maps. */
export function writtenIds(list: Located): readonly string[] {
  return [...idsOf(list), ...itemsOf(list).flatMap(({ value }) => (typeof value === 'string' ? [value] : []))];
}

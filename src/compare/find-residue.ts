import type { ComparedSide } from '../model/comparison.ts';

/** What differs between two sides besides the prompt that is compared, one line each. */
export function findResidue(before: ComparedSide, after: ComparedSide): readonly string[] {
  const [baseline, candidate] = [before.recorded, after.recorded];
  const lines: string[] = [];
  const compare = (name: string, from: unknown, to: unknown) => {
    const [a, b] = [textOf(from), textOf(to)];
    if (a === b) return;
    const at = firstDifference(a, b);
    lines.push(`${name}: ${cut(a, at)} → ${cut(b, at)}`);
  };
  compare('provider', baseline.provider, candidate.provider);
  compare('model', `${baseline.adapter}:${baseline.model}`, `${candidate.adapter}:${candidate.model}`);
  compare('base URL', baseline.baseUrl, candidate.baseUrl);
  compare('model snapshot', before.models, after.models);
  for (const key of [...new Set([...Object.keys(baseline.params), ...Object.keys(candidate.params)])].sort()) {
    compare(`params.${key}`, baseline.params[key], candidate.params[key]);
  }
  return lines;
}

function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ') || 'none';
  // In the order of its members, in which it is sent.
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const maxLength = 60;
const contextLength = 20;

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

/** A long text is shown from its start, or from just before the difference where that lies further on. */
function cut(text: string, difference: number): string {
  if (text.length <= maxLength) return text;
  const start = difference < maxLength - contextLength ? 0 : difference - contextLength;
  const shown = text.slice(start, start + maxLength - 3);
  return `${start === 0 ? '' : '…'}${shown}${start + shown.length < text.length ? '…' : ''}`;
}

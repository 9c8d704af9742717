import { canonicalJson } from '../lib/canonical-json.ts';
import type { ComparedSide } from '../model/comparison.ts';

/** What differs between two sides besides the prompt that is compared, one line each. */
export function findResidue(before: ComparedSide, after: ComparedSide): readonly string[] {
  const [baseline, candidate] = [before.recorded, after.recorded];
  const lines: string[] = [];
  const compare = (name: string, from: unknown, to: unknown) => {
    const [a, b] = [textOf(from), textOf(to)];
    if (a !== b) lines.push(`${name}: ${a} → ${b}`);
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
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

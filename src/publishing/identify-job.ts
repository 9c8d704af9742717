import { sha256Hex } from '../text/sha256.ts';

/** What tells the comment and the check of one job from those of the others. */
export interface JobIdentity {
  /** Letters, digits, dots, dashes and underscores. */
  readonly id: string;
  /** The same for people: `pull-request / prompts / packages/shop`. */
  readonly label: string;
}

/** From the names of a job and its folder. Empty names are left out. */
export function identifyJob(...parts: readonly string[]): JobIdentity {
  const named = parts.filter((part) => part !== '');
  if (named.length === 0) return { id: 'default', label: '' };
  const slug = named.join('-').replaceAll(/[^\w.]+/g, '-');
  // Two jobs may differ only in signs that the slug replaces.
  return {
    id: `${slug.slice(0, maxSlugChars)}-${sha256Hex(JSON.stringify(parts)).slice(0, 8)}`,
    label: named.join(' / '),
  };
}

const maxSlugChars = 60;

import { Buffer } from 'node:buffer';

export interface SecretFinding {
  /** What it looks like, in words. */
  readonly kind: string;
  readonly text: string;
  readonly index: number;
}

interface SecretOptions {
  readonly entropy: boolean;
  readonly ignore: ReadonlySet<string>;
  readonly limit: number;
}

/** Keys in a text: by well-known prefixes, as a JWT or a PEM block, and (`entropy`) by sheer randomness. */
export function findSecrets(text: string, { entropy, ignore, limit }: SecretOptions): readonly SecretFinding[] {
  const findings: SecretFinding[] = [];
  for (const { kind, pattern, accept, marks } of entropy ? [...shapes, randomShape] : shapes) {
    if (marks?.some((mark) => text.includes(mark)) === false) continue;
    const isKnown = createOverlapSearch(findings);
    for (const match of text.matchAll(pattern)) {
      if (findings.length >= limit) return findings;
      const [found] = match;
      if (ignore.has(found) || isKnown(match.index, match.index + found.length)) continue;
      if (accept === undefined || accept(found)) findings.push({ kind, text: found, index: match.index });
    }
  }
  return findings;
}

/** Tells whether a part overlaps a finding. It must be asked for parts in their order, and then reads each finding once. */
function createOverlapSearch(findings: readonly SecretFinding[]): (start: number, end: number) => boolean {
  const sorted = findings.toSorted((a, b) => a.index - b.index);
  let next = 0;
  return (start, end) => {
    for (let known = sorted[next]; known !== undefined && known.index + known.text.length <= start; ) {
      next += 1;
      known = sorted[next];
    }
    return (sorted[next]?.index ?? Number.POSITIVE_INFINITY) < end;
  };
}

interface Shape {
  readonly kind: string;
  readonly pattern: RegExp;
  /** A text without any of these holds none: to look for them takes a tenth of the time. */
  readonly marks?: readonly string[];
  readonly accept?: (found: string) => boolean;
}

// Every pattern starts with a literal and is bounded, so that the search is linear. A lookbehind excludes matches
// inside words.
const shapes: readonly Shape[] = [
  {
    kind: 'a private key',
    marks: ['-----BEGIN '],
    pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g,
  },
  { kind: 'an Anthropic key', marks: ['sk-ant-'], pattern: shape('sk-ant-[A-Za-z0-9_-]{20,200}') },
  {
    kind: 'an OpenAI key',
    marks: ['sk-'],
    pattern: shape('sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,250}'),
    // Words joined by dashes are no key: digits are spread over random texts.
    accept: (found) => /\d.*\d/.test(found),
  },
  {
    kind: 'a GitHub token',
    marks: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    pattern: shape('(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})'),
  },
  { kind: 'a GitLab token', marks: ['glpat-'], pattern: shape('glpat-[A-Za-z0-9_-]{20,100}') },
  { kind: 'an AWS access key id', marks: ['AKIA', 'ASIA'], pattern: shape('(?:AKIA|ASIA)[A-Z2-7]{16}') },
  { kind: 'a Google API key', marks: ['AIza'], pattern: shape('AIza[A-Za-z0-9_-]{35}') },
  { kind: 'a Slack token', marks: ['xox'], pattern: shape('xox[abeoprs]-[A-Za-z0-9-]{10,250}') },
  {
    kind: 'a Slack webhook',
    marks: ['hooks.slack.com'],
    pattern: /https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{5,20}\/B[A-Z0-9]{5,20}\/[A-Za-z0-9]{16,40}/g,
  },
  { kind: 'a Stripe key', marks: ['k_live_', 'k_test_'], pattern: shape('[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}') },
  {
    kind: 'a SendGrid key',
    marks: ['SG.'],
    pattern: shape(String.raw`SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,80}`),
  },
  { kind: 'a Hugging Face token', marks: ['hf_'], pattern: shape('hf_[A-Za-z0-9]{30,60}') },
  { kind: 'an npm token', marks: ['npm_'], pattern: shape('npm_[A-Za-z0-9]{36}') },
  { kind: 'a Groq key', marks: ['gsk_'], pattern: shape('gsk_[A-Za-z0-9]{40,80}') },
  { kind: 'an xAI key', marks: ['xai-'], pattern: shape('xai-[A-Za-z0-9]{40,120}') },
  {
    kind: 'a JWT',
    marks: ['eyJ'],
    pattern: shape(String.raw`eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{0,1000}`),
    accept: isJwt,
  },
  {
    kind: 'a password in a URL',
    marks: ['://'],
    pattern: /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s:/@]{1,64}:[^\s:/@]{4,128}@[A-Za-z0-9.-]{1,255}/g,
    accept: isNoPlaceholder,
  },
];

/** Longer runs are encoded documents, not keys. */
const randomShape: Shape = {
  kind: 'a random text that may be a key',
  pattern: /(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{32,128}(?![A-Za-z0-9+/=_-])/g,
  accept: (found) =>
    // The checksum of a file, as package locks and web pages have it.
    !/^sha(?:1|256|384|512)-/.test(found) &&
    /\d\D+\d/.test(found) &&
    /[A-Z]/.test(found) &&
    /[a-z]/.test(found) &&
    measureEntropy(found) >= minEntropy,
};

/** Bits a character: words and paths stay below, hexadecimal can't exceed 4. */
const minEntropy = 4.3;

function shape(pattern: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9_-])${pattern}(?![A-Za-z0-9_])`, 'g');
}

function isJwt(found: string): boolean {
  const [header = ''] = found.split('.', 1);
  return /^\{.*"(?:alg|typ)"\s*:/s.test(Buffer.from(header, 'base64url').toString('utf8'));
}

function isNoPlaceholder(found: string): boolean {
  return !/:\/\/[^@]*:(?:\*+|x+|<.*|\$.*|\{.*|\[.*|password|pass|secret)@/i.test(found);
}

function measureEntropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const secretName = /(?:^|[-_.])(?:key|apikey|token|secret|password|passwd|sig|signature|auth|code)$/i;

/** Finds the query parameters of a URL that can only be credentials, by their names; none in a text that is no URL. */
export function findQuerySecrets(url: string): readonly { readonly name: string; readonly value: string }[] {
  if (!URL.canParse(url)) return [];
  const found: { name: string; value: string }[] = [];
  for (const [name, value] of new URL(url).searchParams) {
    if (secretName.test(name) && value !== '') found.push({ name, value });
  }
  return found;
}

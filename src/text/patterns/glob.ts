import picomatch from 'picomatch';
import { attemptOr } from '../attempt.ts';
import { DeadlineError, runWithDeadline } from '../deadline.ts';

/** Why a pattern is refused. */
export interface GlobFault {
  readonly message: string;
  readonly hint: string;
}

/** Folders that no wildcard matches. */
export const skippedFolders: ReadonlySet<string> = new Set(['node_modules', '.git', '.llmcheck', '__pycache__']);

const maxLength = 4000;
const maxStars = 20;
const maxGroups = 4;
const maxDepth = 10;
const maxNames = 1000;

/** Why a pattern could take long to compile or to match; undefined for an ordinary one. */
export function checkGlob(pattern: string): GlobFault | undefined {
  const hint = 'write several patterns';
  if (pattern.length > maxLength) return { message: `the pattern is longer than ${maxLength} characters`, hint };
  const plain = withoutEscapes(pattern);
  if (count(plain, /\*+/g) > maxStars) return { message: `the pattern has more than ${maxStars} stars`, hint };
  if (count(plain, /\(/g) > maxGroups) {
    return { message: `the pattern has more than ${maxGroups} groups in parentheses`, hint };
  }
  if (/\([^)]*\(/.test(plain)) return { message: 'the pattern has parentheses within parentheses', hint };
  const { names, depth } = countNames(plain);
  if (depth > maxDepth) return { message: `the pattern nests braces deeper than ${maxDepth}`, hint };
  if (names > maxNames) {
    return { message: `the braces make more than ${maxNames} names`, hint: 'write * or a shorter list' };
  }
  return undefined;
}

/** `checkGlob` for a pattern of `compileText`. */
export function checkTextGlob(pattern: string): GlobFault | undefined {
  return checkGlob(escapeText(pattern));
}

/** True for a pattern of files that are left out. */
export function isNegative(pattern: string): boolean {
  return pattern.startsWith('!') && pattern[1] !== '(';
}

/** Compiles a pattern of paths. A star ends at a slash, and no wildcard matches the dot at the start of a name. */
export function compilePaths(pattern: string): (path: string) => boolean {
  const isMatch = picomatch(pattern, options);
  return (path) => isMatch(path);
}

/** Compiles like `compilePaths`, but wildcards also match hidden names, except git's. */
export function compileAllPaths(pattern: string): (path: string) => boolean {
  const [isMatch, isAnyMatch] = [picomatch(pattern, options), picomatch(pattern, { ...options, dot: true })];
  return (path) => isMatch(path) || (isAnyMatch(path) && !path.split('/').includes('.git'));
}

/** Compiles a pattern of texts: a star matches any text, and parentheses and quotes match themselves. */
export function compileText(pattern: string): (text: string) => boolean {
  const isMatch = picomatch(escapeText(pattern), { ...options, bash: true, dot: true, flags: 's' });
  return (text) => isMatch(text);
}

/** True if a regex for the pattern may try many ways through one path. */
export function isSlowForPaths(pattern: string): boolean {
  const plain = withoutEscapes(pattern);
  return (
    /[!?*+@]\(/.test(plain) || count(plain, /\*\*/g) > 2 || plain.split('/').some((name) => count(name, /\*+/g) > 2)
  );
}

/** True for a pattern that may be slow on texts. They are longer than file names, and there are more of them. */
export function isSlowForTexts(pattern: string): boolean {
  return count(withoutEscapes(pattern), /\*+|\{/g) > 1;
}

/** Stops a match that takes too long. */
export function matchInTime<T>(match: () => T, limitMs: number): { readonly found: T } | { readonly fault: GlobFault } {
  const message = `the pattern takes longer than ${limitMs} ms to match`;
  const fault = { message, hint: 'write a pattern with fewer stars and groups' };
  return attemptOr(() => ({ found: runWithDeadline(match, limitMs) }), DeadlineError, { fault });
}

const options: picomatch.PicomatchOptions = {
  posix: true,
  windows: false,
  nonegate: true,
  expandRange(from: string, to: string, ...rest: readonly unknown[]) {
    const range = [from, to, ...rest.filter((part) => typeof part === 'string')].join('..');
    const names = listRange(range) ?? [`{${range}}`];
    return `(?:${names.map((name) => name.replaceAll(/[^\w\s]/g, String.raw`\$&`)).join('|')})`;
  },
};

function escapeText(pattern: string): string {
  return pattern.replaceAll(/(?<!\\)[()"]/g, String.raw`\$&`);
}

/** An escaped character or a class matches one character. */
function withoutEscapes(pattern: string): string {
  return pattern.replaceAll(/\\.|\[[^\]/]*\]/gs, 'x');
}

function count(text: string, part: RegExp): number {
  return text.match(part)?.length ?? 0;
}

/**
 * Counts the names that the braces of a pattern make, and how deep they are nested. An unclosed brace counts as closed
 * at the end.
 */
function countNames(plain: string): { readonly names: number; readonly depth: number } {
  let level = { before: 0, product: 1 };
  const outer: (typeof level)[] = [];
  let depth = 0;
  const close = () => {
    const { before, product } = level;
    level = outer.pop() ?? level;
    level.product *= before + product;
  };
  for (const part of plain.match(/\{[^{},]*\.\.[^{},]*\}|[{},]/g) ?? []) {
    if (part === '{') {
      outer.push(level);
      level = { before: 0, product: 1 };
      depth = Math.max(depth, outer.length);
    } else if (part === '}' && outer.length > 0) close();
    else if (part === ',' && outer.length > 0) level = { before: level.before + level.product, product: 1 };
    else if (part.length > 1) level.product *= parseRange(part.slice(1, -1))?.length ?? 1;
  }
  while (outer.length > 0) close();
  return { names: level.product, depth };
}

/** `1..3`, `01..10`, `a..e`, each also with a step. */
function parseRange(text: string) {
  const [from = '', to = '', step = '1', ...more] = text.split('..');
  const isNumber = [from, to].every((part) => part.trim() !== '' && !Number.isNaN(Number(part)));
  if (more.length > 0 || Number.isNaN(Number(step)) || !(isNumber || (from.length === 1 && to.length === 1))) {
    return undefined;
  }
  const [start, end] = isNumber ? [Number(from), Number(to)] : [from.charCodeAt(0), to.charCodeAt(0)];
  const stepSize = Math.max(Math.abs(Number(step)), 1);
  const length = Math.floor(Math.abs(end - start) / stepSize) + 1;
  const width = [from, to].some((part) => /^-?0\d/.test(part)) ? Math.max(from.length, to.length) : 0;
  return { start, step: end < start ? -stepSize : stepSize, length, isNumber, width };
}

function listRange(text: string): readonly string[] | undefined {
  const range = parseRange(text);
  if (range === undefined) return undefined;
  const { start, step, length, isNumber, width } = range;
  return Array.from({ length }, (_, index) => {
    const value = start + step * index;
    if (!isNumber) return String.fromCharCode(value);
    const digits = String(Math.abs(value)).padStart(value < 0 ? width - 1 : width, '0');
    return value < 0 ? `-${digits}` : digits;
  });
}

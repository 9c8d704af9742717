import { attempt } from '../attempt.ts';

/** V8's message about a pattern with valid flags; undefined if the pattern compiles. */
export function findRegexFault(pattern: string, flags = ''): string | undefined {
  const compiled = attempt(() => new RegExp(pattern, flags), SyntaxError);
  return compiled instanceof SyntaxError ? compiled.message : undefined;
}

/** The fault of a pattern that no flags can fix. */
export function findFaultOfAnyMode(pattern: string): string | undefined {
  const fault = findRegexFault(pattern);
  if (fault === undefined) return undefined;
  return ['u', 'v'].every((mode) => findRegexFault(pattern, mode) !== undefined) ? fault : undefined;
}

/** True if a regex surely matches somewhere in every text, because it matches nothing at all. */
export function matchesEveryText(source: string, flags: string): boolean {
  // Replaces escapes and classes, because an anchor inside them is not one.
  const plain = source.replace(/\\[^bB]|\[(?:\\.|[^\]\\])*\]/gs, 'x');
  if (/\\[bB]|\(\?<?[=!]/.test(plain)) return false;
  // With one kind of anchor, an end of each text matches as an empty text does.
  if (plain.includes('$') && (plain.includes('^') || flags.includes('y'))) return false;
  return new RegExp(source, flags).test('');
}

/** A pattern that matches exactly a text, also within a class. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/** Steps that a usual machine makes in a few milliseconds. */
const harmlessSteps = 10_000_000;

/**
 * True if a regex certainly ends soon on any text of that length. Recognises plain regexes. A regex that repeats a
 * group, looks around or refers back runs under the deadline. That costs about 150 µs a call.
 */
export function isHarmlessRegex(source: string, flags: string, textLength: number): boolean {
  if (source.length > 300 || flags.includes('v')) return false;
  if (known.size >= maxKnown) known.clear();
  const work = known.get(source) ?? measureWork(source);
  known.set(source, work);
  return work.choices * (textLength + 1) ** (work.unbounded + 1) <= harmlessSteps;
}

/** A cache for the regexes that a suite applies to each answer. */
const known = new Map<string, Work>();
const maxKnown = 1000;

interface Work {
  /** Steps at each place of the text; infinite for a regex that is not plain. */
  readonly choices: number;
  /** Repetitions without an upper bound. */
  readonly unbounded: number;
}

function measureWork(source: string): Work {
  // An escape or a class matches one character.
  const plain = source
    .replace(/\\[pP]\{\w+\}|\\[^pPk\d]|\[(?:\\.|[^\]\\])*\]/gsu, 'x')
    .replace(/\(\?(?::|<\w+>)/g, '(');
  if (/\\|\(\?|\)[*+?{]|\{\d*,|\{\d{3,}\}/.test(plain)) return { choices: Infinity, unbounded: 0 };
  const unbounded = plain.match(/[*+]/g)?.length ?? 0;
  const optional = plain.match(/(?<![*+?}])\?/g)?.length ?? 0;
  const groups = plain.match(/\(/g)?.length ?? 0;
  const alternatives = plain.split('|').length;
  // Each start tries each length of each repetition, for each choice that the rest allows.
  return { choices: source.length * 2 ** optional * alternatives ** (groups + 1), unbounded };
}

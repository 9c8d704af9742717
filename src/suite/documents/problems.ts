import type { Problem, ProblemDetails, SourceLocation } from '../../model/problem.ts';

/** Collects problems, so that a user sees all of them at once. */
export interface Problems {
  readonly report: (problem: ProblemDetails) => void;
  readonly warn: (problem: ProblemDetails) => void;
  /** Sorted by place, each once, with a count in place of the hundredth of a kind. */
  readonly list: () => readonly Problem[];
  readonly errorCount: () => number;
}

const MAX_OF_A_KIND = 50;

export function createProblems(): Problems {
  const kept = new Map<string, Problem>();
  const counts = new Map<string, { count: number; last: Problem }>();
  let errors = 0;

  function add(problem: Problem): void {
    const { code, severity, message, at } = problem;
    const key = `${at?.file}:${at?.line}:${at?.column}:${code}:${message}`;
    if (kept.has(key)) return;
    if (severity === 'error') errors += 1;
    const kind = `${severity}:${code}:${at?.file}`;
    const count = (counts.get(kind)?.count ?? 0) + 1;
    counts.set(kind, { count, last: problem });
    if (count <= MAX_OF_A_KIND) kept.set(key, problem);
  }

  return {
    report: (problem) => add({ ...problem, severity: 'error' }),
    warn: (problem) => add({ ...problem, severity: 'warning' }),
    errorCount: () => errors,
    list() {
      const more: Problem[] = [];
      for (const { count, last } of counts.values()) {
        if (count <= MAX_OF_A_KIND) continue;
        more.push({
          code: last.code,
          severity: last.severity,
          message: `and ${count - MAX_OF_A_KIND} more of this kind in ${last.at?.file ?? 'this project'}`,
        });
      }
      return [...hideKeys([...kept.values()].sort(comparePlaces)), ...more];
    },
  };
}

/** The excerpt of a problem nearby must not show a key that is written in the file. */
function hideKeys(problems: readonly Problem[]): readonly Problem[] {
  const keys = problems.filter(({ code }) => code === 'literal-key').flatMap(({ at }) => at ?? []);
  return problems.map((problem) => {
    const { at } = problem;
    if (at?.excerpt === undefined) return problem;
    const { startLine, lines } = at.excerpt;
    const showsKey = keys.some(
      ({ file, line }) => file === at.file && line >= startLine && line < startLine + lines.length,
    );
    return showsKey ? { ...problem, at: withoutExcerpt(at) } : problem;
  });
}

function comparePlaces({ at: a }: Problem, { at: b }: Problem): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareTexts(a.file, b.file) || a.line - b.line || a.column - b.column;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A location without its excerpt, for data that outlives loading. */
export function withoutExcerpt({ file, line, column }: SourceLocation): SourceLocation {
  return { file, line, column };
}

import picocolors from 'picocolors';
import type { Problem } from '../../model/problem.ts';
import { formatCount } from '../../text/format-amount.ts';
import { renderCodeFrame } from '../../text/line-index.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';
import type { Io } from '../io.ts';
import { version } from '../version.ts';
import { wantsColor } from './style.ts';

/** Prints problems on stderr; `hasColor` is false under `--no-color`. */
export function printProblems(problems: readonly Problem[], io: Pick<Io, 'stderr' | 'env'>, hasColor = true): void {
  if (problems.length === 0) return;
  io.stderr.write(describeProblems(problems, { color: wantsColor(io.stderr, io.env, hasColor) }));
}

/** Problems as text for stderr: errors first, each with its place, a code frame and the next step; then a count. */
export function describeProblems(problems: readonly Problem[], style: { readonly color: boolean }): string {
  if (problems.length === 0) return '';
  const colors = picocolors.createColors(style.color);
  const errors = problems.filter(({ severity }) => severity === 'error');
  const warnings = problems.filter(({ severity }) => severity === 'warning');
  const blocks = [...errors, ...warnings].map((problem) => describeProblem(problem, colors).join('\n'));
  const counts = [
    ...(errors.length > 0 ? [colors.red(formatCount(errors.length, 'error'))] : []),
    ...(warnings.length > 0 ? [colors.yellow(formatCount(warnings.length, 'warning'))] : []),
  ];
  return `${blocks.join('\n\n')}\n\n${counts.join(', ')}\n`;
}

/** `file:line:column error code: message`, the form that editors turn into a link. */
function describeProblem(problem: Problem, colors: ReturnType<typeof picocolors.createColors>): string[] {
  const { at, severity, code, message, hint } = problem;
  const place = at === undefined ? '' : `${colors.bold(clean(`${at.file}:${at.line}:${at.column}`))} `;
  const label = severity === 'error' ? colors.red('error') : colors.yellow('warning');
  const [first = '', ...rest] = cleanLines(message);
  return [
    `${place}${label} ${colors.dim(`${code}:`)} ${first}${at?.dataPath === undefined ? '' : clean(` (${at.dataPath})`)}`,
    ...rest.map((line) => `  ${line}`),
    ...(at === undefined ? [] : renderCodeFrame(at).map((line) => colors.dim(clean(line)))),
    ...(hint === undefined
      ? []
      : cleanLines(hint).map((line, index) => `  ${index === 0 ? 'hint: ' : '      '}${line}`)),
  ];
}

function clean(text: string): string {
  return sanitizeTerminal(text);
}

function cleanLines(text: string): string[] {
  return sanitizeTerminal(text, { keepNewlines: true }).split('\n');
}

/** The report of a bug in llmcheck. It names flags without their values, which may be private. */
export function describeBug(error: unknown, argv: readonly string[]): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const flags = argv.filter((argument) => argument.startsWith('-')).map((argument) => argument.replace(/=.*$/s, '=…'));
  return [
    'llmcheck: this is a bug in llmcheck, not in your suites.',
    stack,
    `llmcheck ${version}, Node ${process.version}, ${process.platform} ${process.arch}, ${[argv[0] ?? '', ...flags].join(' ')}`,
    'Please report it with the lines above at https://github.com/llmcheck/llmcheck/issues',
    '',
  ].join('\n');
}

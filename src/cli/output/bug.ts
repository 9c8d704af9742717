import { version } from '../version.ts';

/** What to send when the program itself is wrong. Arguments are named, their values may be private and are not. */
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

import type { Io } from './io.ts';
import { createProgressView, type ProgressView } from './progress.ts';

/** The progress of a run on stderr, as its terminal and CI allow. */
export function openProgress(io: Io, color: boolean, quiet: boolean): ProgressView {
  return createProgressView({
    write: (text) => io.stderr.write(text),
    isTty: io.stderr.isTty && io.env['TERM'] !== 'dumb',
    columns: () => io.stderr.columns() ?? 80,
    now: () => performance.now(),
    color,
    ci: isSet(io.env['CI']),
    quiet,
  });
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

import type { ReportStyle } from '../../model/report.ts';
import type { Io, TextSink } from '../io.ts';

/** NO_COLOR and --no-color turn colour off, FORCE_COLOR on; else a terminal that can show it decides. */
export function wantsColor(sink: TextSink, env: Io['env'], isAllowed: boolean): boolean {
  if (!isAllowed || (env['NO_COLOR'] ?? '') !== '') return false;
  if (['1', 'true'].includes(env['LLMCHECK_NO_COLOR'] ?? '')) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return sink.isTty && env['TERM'] !== 'dumb';
}

/** For stdout; a file is written without colour and at 80 columns, so that its bytes depend on the run alone. */
export function styleFor(
  io: Io,
  flags: { readonly color: boolean; readonly quiet?: boolean; readonly verbose?: boolean },
  isFile: boolean,
): ReportStyle {
  return {
    color: !isFile && wantsColor(io.stdout, io.env, flags.color),
    width: isFile ? 80 : Math.max(40, io.stdout.columns() ?? 80),
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
    ...(!isFile && canFollowLinks(io.stdout, io.env) && { linksFrom: io.cwd }),
  };
}

/** Terminals that are known to follow links; others may print what they do not know. FORCE_HYPERLINK decides where it is set. */
function canFollowLinks(sink: TextSink, env: Io['env']): boolean {
  const forced = env['FORCE_HYPERLINK'] ?? '';
  if (forced !== '') return forced !== '0';
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const term = env['TERM'] ?? '';
  // What multiplexers pass on depends on their own version and settings.
  if (!sink.isTty || term === 'dumb' || isSet('CI') || isSet('TMUX') || isSet('STY')) return false;
  return (
    ['WT_SESSION', 'KONSOLE_VERSION', 'DOMTERM', 'KITTY_WINDOW_ID', 'GHOSTTY_RESOURCES_DIR'].some(isSet) ||
    ['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper', 'Tabby', 'rio'].includes(env['TERM_PROGRAM'] ?? '') ||
    Number(env['VTE_VERSION']) >= 5000 ||
    /kitty|alacritty|ghostty|foot/.test(term)
  );
}

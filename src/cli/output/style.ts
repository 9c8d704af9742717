import { defined } from '../../json/defined.ts';
import type { ReportStyle } from '../../model/report/report.ts';
import type { Io, TextSink } from '../io.ts';

/** NO_COLOR and --no-color turn colour off, FORCE_COLOR turns it on. By default a terminal that can show it has colour. */
export function wantsColor(sink: TextSink, env: Io['env'], isAllowed: boolean): boolean {
  if (!isAllowed || (env['NO_COLOR'] ?? '') !== '') return false;
  if (['1', 'true'].includes(env['LLMCHECK_NO_COLOR'] ?? '')) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return sink.isTty && env['TERM'] !== 'dumb';
}

/** The style of stdout or of a file. Files have no colour and 80 columns, so that their bytes depend only on the run. */
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
    ...defined({ linksFrom: !isFile && canFollowLinks(io.stdout, io.env) ? io.cwd : undefined }),
  };
}

/** True for terminals that are known to support links; others may print the sequence. FORCE_HYPERLINK overrides this. */
function canFollowLinks(sink: TextSink, env: Io['env']): boolean {
  const forced = env['FORCE_HYPERLINK'] ?? '';
  if (forced !== '') return forced !== '0';
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const term = env['TERM'] ?? '';
  // Whether a multiplexer passes links on depends on its version and settings.
  if (!sink.isTty || term === 'dumb' || isSet('CI') || isSet('TMUX') || isSet('STY')) return false;
  return (
    ['WT_SESSION', 'KONSOLE_VERSION', 'DOMTERM', 'KITTY_WINDOW_ID', 'GHOSTTY_RESOURCES_DIR'].some(isSet) ||
    ['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper', 'Tabby', 'rio'].includes(env['TERM_PROGRAM'] ?? '') ||
    Number(env['VTE_VERSION']) >= 5000 ||
    /kitty|alacritty|ghostty|foot/.test(term)
  );
}

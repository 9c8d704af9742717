import { relative, resolve } from 'node:path';
import { type AffectedSuite, type AffectedSuites, findAffected } from '../../changes/find-affected.ts';
import { defined } from '../../json/defined.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import type { RunFlagValues } from '../flags/run-flags.ts';
import { packageFolder, version } from '../version.ts';

export interface SelectedSuites {
  readonly options: RunOptions;
  /** Why each suite runs or not. */
  readonly explanation: string;
}

/** Leaves out the suites that `--changed` finds unchanged, and says why. */
export function selectChanged(
  options: RunOptions,
  { changed, envFile }: RunFlagValues,
  { env, cwd }: Pick<RunPorts, 'env' | 'cwd'>,
): SelectedSuites {
  if (changed === undefined) return { options, explanation: '' };
  const { project, settings } = options;
  const affected = findAffected({
    project,
    cwd,
    env,
    baseline: settings.baseline,
    ...defined({ envFile, ref: changed === true ? undefined : changed.replace(/^git:/, '') }),
    tool: { version, ...defined({ folder: packageFolder }) },
  });
  const suites = affected.suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [] : [suite]));
  const paths = suites.map(({ path }) => relative(cwd, resolve(project.root, path)));
  return {
    explanation: describeAffected(affected),
    options: {
      ...options,
      project: { ...project, suites },
      settings: project.suites.length === 0 ? settings : { ...settings, changedSince: affected.since },
      knownSuites: project.suites,
      // A resumed run goes on with these suites, whatever git says by then.
      ...(paths.length > 0 && { invocation: { ...options.invocation, paths } }),
      notes: [summarizeAffected(affected)],
    },
  };
}

/** A line for every suite: why it runs, or that none of its files changed. */
function describeAffected({ since, suites, removed }: AffectedSuites): string {
  const running = suites.filter(({ reasons }) => reasons.length > 0).length;
  const width = Math.max(0, ...suites.map(({ suite }) => suite.id.length));
  const lines = [
    `${running} of ${formatCount(suites.length, 'suite')} changed since ${since}`,
    ...suites.map((entry) => {
      const mark = entry.reasons.length > 0 ? 'run ' : 'skip';
      return `  ${mark}  ${entry.suite.id.padEnd(width)}  ${describeReason(entry)}`;
    }),
    ...removed.map((path) => `  gone  ${path} was deleted`),
  ];
  return lines.map((line) => `${toSafeLine(line)}\n`).join('');
}

const maxReasons = 3;

function describeReason({ reasons, fileCount }: AffectedSuite): string {
  if (reasons.length === 0) return `none of its ${formatCount(fileCount, 'file')} changed`;
  const more = reasons.length - maxReasons;
  return `${reasons.slice(0, maxReasons).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const maxNamed = 20;

/** The same in a sentence, for the report. */
function summarizeAffected({ since, suites }: AffectedSuites): string {
  const skipped = suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [suite.id] : []));
  const running = suites.length - skipped.length;
  const lead = `--changed: ${running} of ${formatCount(suites.length, 'suite')} changed since ${since}`;
  if (skipped.length === 0) return lead;
  const more = skipped.length - maxNamed;
  return `${lead}; not run: ${skipped.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

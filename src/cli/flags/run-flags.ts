import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { cacheModes } from '../../model/record.ts';

/** How a flag's text becomes a value. */
type FlagKind =
  | 'switch'
  | 'text'
  | 'list'
  | 'integer'
  | 'number'
  | 'duration'
  | 'count-or-percent'
  | 'optional-text'
  | 'optional-integer';

export interface FlagDefinition {
  /** As commander takes it. */
  readonly flags: string;
  /** The option's name in camel case, which is also its key in the config's `run:`. */
  readonly key: string;
  readonly kind: FlagKind;
  readonly description: string;
  readonly choices?: readonly string[];
}

const definitions = [
  {
    flags: '-t, --filter <glob>',
    key: 'filter',
    kind: 'list',
    description: 'cases to run: suite/case, a suite or case id, or a part of one (repeatable)',
  },
  {
    flags: '--last-failed',
    key: 'lastFailed',
    kind: 'switch',
    description: 'only cases that did not pass in the last run',
  },
  { flags: '--tag <tag>', key: 'tag', kind: 'list', description: 'only cases with one of these tags' },
  { flags: '--prompt <id>', key: 'prompt', kind: 'list', description: 'only these prompt versions' },
  { flags: '--provider <id>', key: 'provider', kind: 'list', description: 'only these providers' },
  { flags: '--sample <n>', key: 'sample', kind: 'integer', description: 'a random sample of n cases of each suite' },
  {
    flags: '--seed <n>',
    key: 'seed',
    kind: 'integer',
    description: 'seed of --sample (default 0) and of the order of --early',
  },
  { flags: '--shard <i/n>', key: 'shard', kind: 'text', description: 'the i-th of n parts of the cases' },
  {
    flags: '--changed [ref]',
    key: 'changed',
    kind: 'optional-text',
    description: 'only suites whose files changed since a git ref (default: where HEAD left the default branch)',
  },
  { flags: '--trials <n>', key: 'trials', kind: 'integer', description: 'repetitions of every case' },
  {
    flags: '-j, --concurrency <n>',
    key: 'concurrency',
    kind: 'integer',
    description: 'calls in flight at most (default: from 8 on, as many as providers take)',
  },
  {
    flags: '--env-file <file>',
    key: 'envFile',
    kind: 'text',
    description: 'read variables from a file; those already set win',
  },
  { flags: '--max-cost <usd>', key: 'maxCost', kind: 'number', description: 'stop before spending more than this' },
  {
    flags: '--max-errors <n|p%>',
    key: 'maxErrors',
    kind: 'count-or-percent',
    description: 'cells that may be errored (default 0)',
  },
  { flags: '--bail [n]', key: 'bail', kind: 'optional-integer', description: 'stop after n failed cells (default 1)' },
  {
    flags: '--early',
    key: 'early',
    kind: 'switch',
    description: 'run cases in random order, and stop once the results decide the run; the rest is listed',
  },
  {
    flags: '--timeout <duration>',
    key: 'timeout',
    kind: 'duration',
    description: 'time for a call, all attempts together (default 60s)',
  },
  { flags: '--deadline <duration>', key: 'deadline', kind: 'duration', description: 'time for the whole run' },
  {
    flags: '--cache <mode>',
    key: 'cache',
    kind: 'text',
    choices: cacheModes,
    description: 'use, refresh, replay (send nothing) or off',
  },
  {
    flags: '--baseline <source>',
    key: 'baseline',
    kind: 'text',
    description: 'compare with a file, a run id or git:REF',
  },
  { flags: '--no-baseline', key: 'noBaseline', kind: 'switch', description: 'compare with nothing' },
  {
    flags: '--compare <v1,v2>',
    key: 'compare',
    kind: 'list',
    description: 'compare two prompt versions, or two providers, of this run',
  },
  {
    flags: '--swap <id=model,…>',
    key: 'swap',
    kind: 'list',
    description: 'compare models that could take the place of a provider (repeatable)',
  },
  {
    flags: '--rerun-baseline',
    key: 'rerunBaseline',
    kind: 'switch',
    description: "run the baseline's prompts too, interleaved",
  },
  {
    flags: '--drift',
    key: 'drift',
    kind: 'switch',
    description: 'look for drift: fail where answers got worse although the requests did not change',
  },
  { flags: '--update-baseline', key: 'updateBaseline', kind: 'switch', description: 'accept this run as the baseline' },
  {
    flags: '--require-conclusive',
    key: 'requireConclusive',
    kind: 'switch',
    description: 'exit 4 where the data cannot say',
  },
  { flags: '--resume [run-id]', key: 'resume', kind: 'optional-text', description: 'continue an unfinished run' },
  {
    flags: '--dry-run',
    key: 'dryRun',
    kind: 'switch',
    description: 'show cells, cache hits, tokens and cost; send nothing',
  },
  {
    flags: '--queue <url>',
    key: 'queue',
    kind: 'text',
    description: 'let workers at redis://… make the calls (llmcheck worker)',
  },
  {
    flags: '--batch',
    key: 'batch',
    kind: 'switch',
    description: "ask through the providers' batch APIs: cheaper, within a day",
  },
  { flags: '--record', key: 'record', kind: 'switch', description: "write the suites' recordings" },
  {
    flags: '--record-tools',
    key: 'recordTools',
    kind: 'switch',
    description: 'ask the real tools for calls that no stub answers, and write stubs',
  },
  {
    flags: '-r, --reporter <name[=path]>',
    key: 'reporter',
    kind: 'list',
    description: 'report format, to a file or to stdout (repeatable)',
  },
  {
    flags: '--otel [endpoint]',
    key: 'otel',
    kind: 'optional-text',
    description: 'export OpenTelemetry spans over OTLP (default: OTEL_EXPORTER_OTLP_ENDPOINT)',
  },
  { flags: '-q, --quiet', key: 'quiet', kind: 'switch', description: 'only the verdict and what failed' },
  { flags: '--verbose', key: 'verbose', kind: 'switch', description: 'every failing case, with its whole answer' },
  { flags: '--watch', key: 'watch', kind: 'switch', description: 'run again when a file changes' },
  { flags: '--allow-empty', key: 'allowEmpty', kind: 'switch', description: 'exit 0 where nothing was selected' },
] as const satisfies readonly FlagDefinition[];

/** Every flag of `run` that is a setting: also an environment variable, and a key of the config's `run:`. */
export const runFlags: readonly FlagDefinition[] = definitions;

export type CountOrFraction = { readonly count: number } | { readonly fraction: number };

type ValueOf<Kind extends FlagKind> = {
  readonly switch: boolean;
  readonly text: string;
  readonly list: readonly string[];
  readonly integer: number;
  readonly number: number;
  /** In milliseconds. */
  readonly duration: number;
  readonly 'count-or-percent': CountOrFraction;
  readonly 'optional-text': string | true;
  readonly 'optional-integer': number | true;
}[Kind];

/** The values of `run`'s flags by key; flags that were not given are absent. */
export type RunFlagValues = {
  readonly [Flag in (typeof definitions)[number] as Flag['key']]?: ValueOf<Flag['kind']>;
};

/** `maxCost` → `LLMCHECK_MAX_COST`. */
export function envNameOf(key: string): string {
  return `LLMCHECK_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Declares the flags on a command. Values stay text, since they are parsed together with environment and config. */
export function addRunFlags(command: Command): void {
  for (const { flags, description, kind, key } of runFlags) {
    const option = new Option(flags, description);
    if (kind === 'list')
      option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    // Commander stores `--no-baseline` as `baseline: false`, which would hide the other flag.
    if (flags.startsWith('--no-')) {
      option.attributeName = () => key;
      option.negate = false;
    }
    command.addOption(option);
  }
}

/** Moves flags without a value behind the paths, so that `--bail evals/x.eval.yaml` does not take the path as its value. */
export function protectOptionalValues(argv: readonly string[], cwd: string): string[] {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const kept: string[] = [];
  const moved: string[] = [];
  flags.forEach((argument, index) => {
    const next = flags[index + 1];
    // A flag before another flag moves too. Otherwise the path behind the second flag would follow the first.
    const hasValue = next !== undefined && !next.startsWith('-') && !existsSync(resolve(cwd, next));
    (flagsWithOptionalValue.has(argument) && !hasValue ? moved : kept).push(argument);
  });
  return [...kept, ...moved, ...(end === -1 ? [] : argv.slice(end))];
}

const flagsWithOptionalValue: ReadonlySet<string> = new Set(
  runFlags.filter(({ kind }) => kind.startsWith('optional-')).map(({ flags }) => flags.replace(/ .*/, '')),
);

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { cacheModes } from '../../model/run/record.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';

/** How a flag's text becomes a value. */
type FlagKind =
  | 'switch'
  | 'text'
  | 'list'
  | 'integer'
  | 'number'
  | 'duration'
  | 'count-or-percent'
  | 'budget'
  | 'optional-text'
  | 'optional-integer';

interface FlagForm {
  /** The declaration in commander's syntax. */
  readonly flags: string;
  readonly kind: FlagKind;
  readonly description: string;
  readonly choices?: readonly string[];
}

export interface FlagDefinition extends FlagForm {
  readonly key: string;
}

/** The flags by option name in camel case, which is also the key in the config's `run:`. */
const definitions = {
  filter: {
    flags: '-t, --filter <glob>',
    kind: 'list',
    description: 'cases to run: suite/case, a suite or case id, or a part of one (repeatable)',
  },
  lastFailed: {
    flags: '--last-failed',
    kind: 'switch',
    description: 'only cases that did not pass in the last run',
  },
  tag: { flags: '--tag <tag>', kind: 'list', description: 'only cases with one of these tags' },
  prompt: { flags: '--prompt <id>', kind: 'list', description: 'only these prompt versions' },
  provider: { flags: '--provider <id>', kind: 'list', description: 'only these providers' },
  sample: { flags: '--sample <n>', kind: 'integer', description: 'a random sample of n cases of each suite' },
  seed: {
    flags: '--seed <n>',
    kind: 'integer',
    description: 'seed of --sample (default 0) and of the order of --early',
  },
  shard: { flags: '--shard <i/n>', kind: 'text', description: 'the i-th of n parts of the cases' },
  changed: {
    flags: '--changed [ref]',
    kind: 'optional-text',
    description: 'only suites whose files changed since a git ref (default: where HEAD left the default branch)',
  },
  trials: { flags: '--trials <n>', kind: 'integer', description: 'repetitions of every case' },
  concurrency: {
    flags: '-j, --concurrency <n>',
    kind: 'integer',
    description: 'calls in flight at most (default: from 8 on, as many as providers take)',
  },
  envFile: {
    flags: '--env-file <file>',
    kind: 'text',
    description: 'read variables from a file; those already set win',
  },
  maxCost: { flags: '--max-cost <usd>', kind: 'number', description: 'stop before spending more than this' },
  maxErrors: {
    flags: '--max-errors <n|p%>',
    kind: 'count-or-percent',
    description: 'cells that may be errored (default 0)',
  },
  confirmBudget: {
    flags: '--confirm-budget <calls|p%>',
    kind: 'budget',
    description:
      'calls for asking again what looks worse, or a share of the planned ones (default 200%, at least 200 calls)',
  },
  bail: { flags: '--bail [n]', kind: 'optional-integer', description: 'stop after n failed cells (default 1)' },
  early: {
    flags: '--early',
    kind: 'switch',
    description: 'run cases in random order, and stop once the results decide the run; the rest is listed',
  },
  timeout: {
    flags: '--timeout <duration>',
    kind: 'duration',
    description: 'time for a call, all attempts together (default 60s)',
  },
  deadline: { flags: '--deadline <duration>', kind: 'duration', description: 'time for the whole run' },
  cache: {
    flags: '--cache <mode>',
    kind: 'text',
    choices: cacheModes,
    description: 'use, refresh, replay (send nothing) or off',
  },
  baseline: {
    flags: '--baseline <source>',
    kind: 'text',
    description: 'compare with a file, a run id or git:REF',
  },
  noBaseline: { flags: '--no-baseline', kind: 'switch', description: 'compare with nothing' },
  compare: {
    flags: '--compare <v1,v2>',
    kind: 'list',
    description: 'compare two prompt versions, or two providers, of this run',
  },
  swap: {
    flags: '--swap <id=model,…>',
    kind: 'list',
    description: 'compare models that could take the place of a provider (repeatable)',
  },
  rerunBaseline: {
    flags: '--rerun-baseline',
    kind: 'switch',
    description: "run the baseline's prompts too, interleaved",
  },
  drift: {
    flags: '--drift',
    kind: 'switch',
    description: 'look for drift: fail where answers got worse although the requests did not change',
  },
  updateBaseline: { flags: '--update-baseline', kind: 'switch', description: 'accept this run as the baseline' },
  requireConclusive: {
    flags: '--require-conclusive',
    kind: 'switch',
    description: 'exit 4 where the data cannot say',
  },
  resume: { flags: '--resume [run-id]', kind: 'optional-text', description: 'continue an unfinished run' },
  dryRun: {
    flags: '--dry-run',
    kind: 'switch',
    description: 'show cells, cache hits, tokens and cost; send nothing',
  },
  queue: {
    flags: '--queue <url>',
    kind: 'text',
    description: 'let workers at redis://… make the calls (llmcheck worker)',
  },
  batch: {
    flags: '--batch',
    kind: 'switch',
    description: "ask through the providers' batch APIs: cheaper, within a day",
  },
  record: { flags: '--record', kind: 'switch', description: "write the suites' recordings" },
  recordTools: {
    flags: '--record-tools',
    kind: 'switch',
    description: 'ask the real tools for calls that no stub answers, and write stubs',
  },
  reporter: {
    flags: '-r, --reporter <name[=path]>',
    kind: 'list',
    description: 'report format, to a file or to stdout (repeatable)',
  },
  otel: {
    flags: '--otel [endpoint]',
    kind: 'optional-text',
    description: 'export OpenTelemetry spans over OTLP (default: OTEL_EXPORTER_OTLP_ENDPOINT)',
  },
  quiet: { flags: '-q, --quiet', kind: 'switch', description: 'only the verdict and what failed' },
  verbose: { flags: '--verbose', kind: 'switch', description: 'every failing case, with its whole answer' },
  watch: { flags: '--watch', kind: 'switch', description: 'run again when a file changes' },
  allowEmpty: { flags: '--allow-empty', kind: 'switch', description: 'exit 0 where nothing was selected' },
} as const satisfies Readonly<Record<string, FlagForm>>;

/** Every flag of `run` that is a setting: also an environment variable, and a key of the config's `run:`. */
export const runFlags: readonly FlagDefinition[] = Object.entries(definitions).map(([key, form]) => ({ key, ...form }));

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
  readonly budget: ConfirmBudget;
  readonly 'optional-text': string | true;
  readonly 'optional-integer': number | true;
}[Kind];

/** The values of `run`'s flags by key; flags that were not given are absent. */
export type RunFlagValues = {
  readonly [Key in keyof typeof definitions]?: ValueOf<(typeof definitions)[Key]['kind']>;
};

/** `maxCost` → `LLMCHECK_MAX_COST`. */
export function envNameOf(key: string): string {
  return `LLMCHECK_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Declares the flags on a command. Values stay text, because they are parsed together with environment and config. */
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

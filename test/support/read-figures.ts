import { reportOnRun } from '../../src/assessing/assess-run.ts';
import { compareRecords, renderReport } from '../../src/index.ts';
import type { History } from '../../src/model/report/history.ts';
import type { ReportTotals } from '../../src/model/report/report.ts';
import { githubOutputs } from '../../src/publishing/ci-outcome.ts';
import { openViewedRuns } from '../../src/viewing/view-runs.ts';
import type { TempProject } from './temp-project.ts';

/** How many cells of each kind a place shows; what it does not show is left out. */
export type Counts = Partial<
  Pick<ReportTotals, 'planned' | 'passed' | 'failed' | 'errored' | 'skipped' | 'observed' | 'confirmations' | 'cached'>
>;

export type Amounts = Partial<
  Pick<ReportTotals, 'passRate' | 'costUsd' | 'spentUsd' | 'spentApartUsd' | 'judgeCostUsd'>
>;

export interface Figures {
  /** By the place that shows them. */
  readonly totals: Readonly<Record<string, Counts & Amounts>>;
  /** By the place, then by `suite prompt provider`. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, Counts & Amounts>>>>;
}

const files = {
  json: 'json',
  jsonl: 'jsonl',
  junit: 'xml',
  markdown: 'md',
  github: 'txt',
  html: 'html',
  ctrf: 'ctrf',
  tap: 'tap',
};

/** Shows a stored run everywhere it can be shown, and reads the numbers there. */
export async function readFigures(project: TempProject, run: string): Promise<Figures> {
  const reporters = Object.entries(files).flatMap(([name, ending]) => ['-r', `${name}=out/report.${ending}`]);
  const { stdout, stderr } = await project.run(['report', run, ...reporters]);
  if (stdout === '') throw new Error(stderr);
  const text = (name: keyof typeof files) => project.read(`out/report.${files[name]}`);
  const json = JSON.parse(text('json')) as JsonFigures;
  const lines = text('jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonLine);
  const index = readIndex(text('html'));
  const listed = await listRun(project, run);
  const viewed = openViewedRuns({ root: project.root, cwd: project.root, env: {}, now: () => new Date() });
  const report = await reportOnRun({
    path: project.path(`.llmcheck/runs/${run}.jsonl`),
    root: project.root,
    cwd: project.root,
  });
  const compared = await compareRecords({ cwd: project.root, env: {}, baseline: run, candidate: run });
  const again = JSON.parse([...(await renderReport(report, 'json'))].join('')) as JsonFigures;
  return {
    totals: {
      terminal: readCounts(stdout),
      skips: { skipped: sumOf(stdout.matchAll(/– skipped (\d+) cells?:/g)) },
      json: json.totals,
      'json, cells': countTrials(json),
      'json by the API': again.totals,
      jsonl: lines.at(-1)?.totals ?? {},
      'jsonl, cells': countLines(lines),
      junit: sumCounts(Object.values(readJunit(text('junit')))),
      markdown: readCounts(text('markdown')),
      github: readCounts(text('github')),
      html: index.totals,
      'html, words': readCounts(index.verdict.counts),
      ctrf: (JSON.parse(text('ctrf')) as { results: { extra: { llmcheck: JsonFigures } } }).results.extra.llmcheck
        .totals,
      tap: readCounts(text('tap')),
      'list runs': listed,
      view: pickCounts(viewed.list().find(({ id }) => id === run)),
      'github outputs': readOutputs(githubOutputs(report, report.exitCode)),
      report: report.totals,
      compare: compared.totals,
    },
    variants: {
      terminal: readTable(stdout),
      json: byVariant(json.suites),
      jsonl: byVariant(lines[0]?.suites ?? []),
      junit: readJunit(text('junit')),
      html: byVariant(index.suites),
      history: await readHistory(project, run),
    },
  };
}

interface JsonFigures {
  readonly totals: ReportTotals;
  readonly suites: readonly JsonSuite[];
}

interface JsonSuite {
  readonly suite: string;
  readonly variants: readonly (Counts & {
    readonly prompt: string;
    readonly provider: string;
    readonly passRate: { readonly value: number | null };
  } & Omit<Amounts, 'passRate'>)[];
  readonly cases?: readonly {
    readonly observe?: boolean;
    readonly trials: readonly JsonCell[];
    readonly acceptedTrials?: readonly JsonCell[];
  }[];
}

interface JsonCell {
  readonly status: 'passed' | 'failed' | 'errored' | 'skipped';
  readonly confirmation?: boolean;
}

type JsonLine = Partial<JsonFigures> & Partial<JsonCell> & { readonly type: string; readonly observe?: boolean };

/** The parts of `40 planned = 38 passed + …`; zeros are left out, but for what passed. */
const countedAs = {
  failed: / \+ (\d+) failed\b/,
  errored: / \+ (\d+) errored\b/,
  skipped: / \+ (\d+) skipped\b/,
  observed: / · (\d+) observed apart\b/,
  confirmations: / · (\d+) extra calls? to confirm\b/,
  cached: / · (\d+) cached\b/,
} as const;

/** `40 planned = 38 passed + …`, wherever a line was broken. */
function readCounts(text: string): Counts {
  // A comment of TAP and an annotation of GitHub begin each line in their own way.
  const line = text.replaceAll(/\s+|%0A/g, ' ');
  const found =
    /(?:^|\s)(\d+) planned = (\d+) passed((?: \+ \d+ \w+)*(?: · \d+ (?:observed apart|extra calls? to confirm|cached)\b)*)/.exec(
      line,
    );
  if (found === null) throw new Error(`no counts in:\n${text}`);
  const [, planned, passed, rest = ''] = found;
  const others = Object.entries(countedAs).map(([key, pattern]) => [key, Number(pattern.exec(rest)?.[1] ?? 0)]);
  return { planned: Number(planned), passed: Number(passed), ...Object.fromEntries(others) };
}

/** The line of each variant. */
function readTable(text: string): Record<string, Counts> {
  const rows: Record<string, Counts> = {};
  let suite = '';
  for (const line of text.split('\n')) {
    suite = /^(suite-\S+)/.exec(line)?.[1] ?? suite;
    const found = /^ {2}(v\d\S*) × mini\s+(\d+)\/(\d+) passed(.*)$/.exec(line);
    if (found === null) continue;
    const [, prompt, passed, planned, rest = ''] = found;
    const count = (word: string) => Number(new RegExp(`(\\d+) ${word}\\b`).exec(rest)?.[1] ?? 0);
    rows[`${suite} ${prompt} mini`] = {
      planned: Number(planned),
      passed: Number(passed),
      failed: count('failed'),
      errored: count('errored'),
      skipped: count('skipped'),
    };
  }
  return rows;
}

function readJunit(text: string): Record<string, Counts> {
  const found: Record<string, Counts> = {};
  for (const [, name = '', rest = '', body = ''] of text.matchAll(
    /<testsuite name="([^"]*)"([^>]*)>(.*?)<\/testsuite>/gs,
  )) {
    const count = (element: string) => body.match(new RegExp(`<${element}[ >]`, 'g'))?.length ?? 0;
    const attributes = Object.fromEntries(
      [...rest.matchAll(/ (\w+)="(\d+)"/g)].map(([, key, value]) => [key, Number(value)]),
    );
    const elements = {
      tests: count('testcase'),
      failures: count('failure'),
      errors: count('error'),
      skipped: count('skipped'),
    };
    for (const [key, value] of Object.entries(elements)) {
      if (attributes[key] !== value) throw new Error(`junit: ${name} says ${key} ${attributes[key]} and has ${value}`);
    }
    const properties = [...body.matchAll(/<property name="llmcheck\.(\w+)" value="(\d+)"/g)];
    if (properties.length === 0) continue;
    const [suite, variant = ''] = name.split(' · ');
    found[`${suite} ${variant.replace(' × ', ' ')}`] = Object.fromEntries(
      properties.map(([, key, value]) => [key, Number(value)]),
    );
  }
  return found;
}

function readIndex(text: string): JsonFigures & { readonly verdict: { readonly counts: string } } {
  const found = /<script type="application\/json" id="index">(.*?)<\/script>/s.exec(text)?.[1];
  if (found === undefined) throw new Error('a page without an index');
  return JSON.parse(found);
}

function byVariant(suites: readonly JsonSuite[]): Record<string, Counts & Amounts> {
  return Object.fromEntries(
    suites.flatMap(({ suite, variants }) =>
      variants.map(({ prompt, provider, passRate, ...variant }) => [
        `${suite} ${prompt} ${provider}`,
        { ...pickCounts(variant), ...pickAmounts(variant), passRate: passRate.value },
      ]),
    ),
  );
}

const countKeys = ['planned', 'passed', 'failed', 'errored', 'skipped', 'observed', 'confirmations', 'cached'] as const;
const amountKeys = ['costUsd', 'spentUsd', 'spentApartUsd', 'judgeCostUsd'] as const;

function pickCounts(from: Partial<Record<(typeof countKeys)[number], number | null>> | undefined): Counts {
  return Object.fromEntries(countKeys.flatMap((key) => (from?.[key] === undefined ? [] : [[key, from[key]]])));
}

function pickAmounts(from: Partial<Record<(typeof amountKeys)[number], number | null>>): Amounts {
  return Object.fromEntries(amountKeys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
}

function sumCounts(all: readonly Counts[]): Counts {
  return Object.fromEntries(
    countKeys
      .filter((key) => all.some((counts) => counts[key] !== undefined))
      .map((key) => [key, all.reduce((sum, counts) => sum + (counts[key] ?? 0), 0)]),
  );
}

/** Verdicts of planned cells; those that were not reached have no trial. */
function countTrials({ suites }: JsonFigures): Counts {
  const cells = suites.flatMap(({ cases = [] }) =>
    cases.flatMap(({ observe, trials, acceptedTrials = [] }) =>
      [...trials, ...acceptedTrials].filter(({ confirmation }) => observe !== true || confirmation === true),
    ),
  );
  return countCells(cells);
}

function countLines(lines: readonly JsonLine[]): Counts {
  return countCells(
    lines.filter(({ type, observe, confirmation }) => type === 'cell' && (observe !== true || confirmation === true)),
  );
}

function countCells(cells: readonly Partial<JsonCell>[]): Counts {
  const of = (status: JsonCell['status']) =>
    cells.filter((cell) => cell.confirmation !== true && cell.status === status).length;
  const confirmations = cells.filter(({ confirmation }) => confirmation === true).length;
  return { passed: of('passed'), failed: of('failed'), errored: of('errored'), confirmations };
}

async function listRun(project: TempProject, run: string): Promise<Counts> {
  const { stdout } = await project.run(['list', 'runs', '--json']);
  const rows = JSON.parse(stdout) as readonly (Counts & { readonly run: string })[];
  const table = (await project.run(['list', 'runs'])).stdout.split('\n').find((line) => line.includes(run)) ?? '';
  const counts = pickCounts(rows.find((row) => row.run === run));
  const shown = Object.values(counts).join('\\s+');
  if (!new RegExp(`\\s${shown}\\s`).test(table)) throw new Error(`the table says otherwise: ${table}`);
  return counts;
}

/** The points of this run in the history, which has none of a run with a filter. */
async function readHistory(project: TempProject, run: string): Promise<Record<string, Counts & Amounts>> {
  const { stdout, stderr } = await project.run(['history', '-r', 'json']);
  if (stdout === '') throw new Error(stderr);
  const { suites } = JSON.parse(stdout) as History;
  return Object.fromEntries(
    suites.flatMap(({ suite, variants }) =>
      variants.flatMap(({ prompt, provider, points }) => {
        const point = points.find((found) => found.run === run);
        if (point === undefined) return [];
        return [
          [
            `${suite} ${prompt} ${provider}`,
            { ...pickCounts(point), costUsd: point.costUsd, passRate: point.passRate.value },
          ],
        ];
      }),
    ),
  );
}

function readOutputs(outputs: Readonly<Record<string, string>>): Counts & Amounts {
  const number = (key: string) => (outputs[key] === '' ? null : Number(outputs[key]));
  const keys = ['planned', 'passed', 'failed', 'errored', 'skipped', 'passRate', 'costUsd', 'spentUsd'];
  return Object.fromEntries(keys.map((key) => [key, number(key)]));
}

function sumOf(matches: Iterable<RegExpMatchArray>): number {
  return [...matches].reduce((sum, [, digits]) => sum + Number(digits), 0);
}

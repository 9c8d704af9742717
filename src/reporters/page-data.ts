import { clipText } from '../lib/display-width.ts';
import { escapeJsonText } from '../lib/sanitize.ts';
import type { PromptFindings } from '../model/finding.ts';
import type { PageBreach, PageCase, PageCaseRow, PageCell, PageContract, PageIndex, PageSuite } from '../model/page.ts';
import type { CaseReport, Report, SuiteReport } from '../model/report.ts';
import { describeCounts, describeDecision, notesBesideWarnings } from './describe-decision.ts';
import { explainCase } from './explain-case.ts';
import { createFindStanding, type Standing } from './find-standing.ts';
import { buildPageCase, type PageLimits } from './page-case.ts';
import { buildPageVariant } from './page-variant.ts';
import { caseRanks, rankCase } from './rank-case.ts';

/** JSON of the page's data, safe to stand in HTML; blocks come first and one at a time, the index at the end. */
export type PagePiece =
  | { readonly kind: 'block'; readonly number: number; readonly json: string }
  | { readonly kind: 'index'; readonly json: string };

/** Reads each case once; memory holds a line of each and one block. */
export function* buildPageData(report: Report): Generator<PagePiece> {
  const writer = createBlockWriter();
  const trends = report.trends?.() ?? [];
  const suites: PageSuite[] = [];
  for (const suite of report.suites) {
    const findStanding = createFindStanding(report, suite);
    const rows = createRows(suite);
    for (const entry of suite.cases()) {
      const standing = findStanding(entry);
      const place = writer.place();
      rows.add(entry, standing, place);
      const block = writer.add((limits) => buildPageCase(suite.suite, entry, standing, limits));
      if (block !== undefined) yield block;
    }
    suites.push({
      suite: suite.suite,
      path: suite.path,
      variants: suite.variants.map((variant) =>
        buildPageVariant(
          variant,
          trends.find(
            ({ suite: id, prompt, provider }) =>
              id === suite.suite && prompt === variant.prompt && provider === variant.provider,
          ),
          notesBesideWarnings(report, suite, variant).map(clip),
        ),
      ),
      ...rows.list(),
    });
  }
  const last = writer.end();
  if (last !== undefined) yield last;
  yield { kind: 'index', json: renderHtmlJson(buildIndex(report, suites)) };
}

/** JSON that neither ends a script element nor holds a character that acts on a reader; a parser reads the same value. */
export function renderHtmlJson(value: unknown): string {
  return escapeJsonText(JSON.stringify(value)).replace(/[<>&]/g, (sign) => htmlSigns[sign] ?? sign);
}

const htmlSigns: Readonly<Record<string, string>> = {
  '<': String.raw`\u003c`,
  '>': String.raw`\u003e`,
  '&': String.raw`\u0026`,
};

function buildIndex(report: Report, suites: readonly PageSuite[]): PageIndex {
  const { tool, run, decision, exitCode, totals, notes, contracts = [] } = report;
  const { id, startedAt, durationMs, complete, stopReason, recordPath } = run;
  return {
    tool,
    run: {
      id,
      startedAt,
      durationMs,
      complete,
      ...(stopReason === undefined ? {} : { stopReason }),
      ...(recordPath === undefined ? {} : { recordPath }),
    },
    verdict: {
      outcome: decision.outcome,
      exitCode,
      text: describeDecision(report),
      counts: describeCounts(report),
    },
    totals,
    breaches: decision.breaches.map(
      ({ code, suite, prompt, provider, caseId, ...breach }): PageBreach => ({
        code,
        ...(suite === undefined ? {} : { suite }),
        ...(prompt === undefined ? {} : { prompt }),
        ...(provider === undefined ? {} : { provider }),
        ...(caseId === undefined ? {} : { caseId }),
        message: clip(breach.message),
      }),
    ),
    warnings: decision.warnings.map(clip),
    notes: notes.map(clip),
    suites,
    contracts: contracts.map(buildContract),
  };
}

function buildContract({ suite, prompt, against, findings, observed = [] }: PromptFindings): PageContract {
  return {
    suite,
    prompt,
    against,
    findings: findings.map(({ old: _old, new: _new, ...finding }) => ({ ...finding, message: clip(finding.message) })),
    observed: observed.map(({ message, offenders }) => ({
      message: clip(message),
      offenders: offenders.map(({ caseId, reason }) => ({ caseId, reason: clip(reason) })),
    })),
  };
}

function clip(text: string): string {
  return clipText(text, maxMessageChars);
}

const maxMessageChars = 4000;

/** Gathers what the table of a suite's cases needs, a row a case. */
function createRows(suite: SuiteReport) {
  const variants = new Map(suite.variants.map((variant, index) => [variantKey(variant), index]));
  const tagPlaces = new Map<string, number>();
  const rows: { id: string; tags?: readonly number[]; cells: PageCell[] }[] = [];
  return {
    add(entry: CaseReport, standing: Standing, place: { readonly block: number; readonly item: number }): void {
      const variant = variants.get(variantKey(entry));
      if (variant === undefined) return;
      let row = rows.at(-1);
      // Cells of a case come one after the other.
      if (row === undefined || row.id !== entry.caseId) {
        row = { id: entry.caseId, ...placeTags(entry), cells: [] };
        rows.push(row);
      }
      row.cells.push(buildCell(entry, standing, variant, place));
    },
    list: (): { tags: readonly string[]; cases: readonly PageCaseRow[] } => ({
      tags: [...tagPlaces.keys()],
      cases: rows,
    }),
  };

  function placeTags({ trials }: CaseReport): { tags?: readonly number[] } {
    const { tags = [] } = trials[0]?.asked ?? {};
    if (tags.length === 0) return {};
    for (const tag of tags) if (!tagPlaces.has(tag)) tagPlaces.set(tag, tagPlaces.size);
    return { tags: tags.map((tag) => tagPlaces.get(tag) ?? 0) };
  }
}

function variantKey({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([prompt, provider]);
}

function buildCell(
  entry: CaseReport,
  standing: Standing,
  variant: number,
  { block, item }: { readonly block: number; readonly item: number },
): PageCell {
  const { status, change, trials } = entry;
  const rank = rankCase(entry, standing);
  const planned = trials.filter(({ confirmation }) => confirmation !== true);
  const scores = planned.flatMap(({ score }) => score ?? []);
  const latencies = planned.flatMap(({ latencyMs }) => latencyMs ?? []);
  const costs = planned.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const answer = trials.find(({ output }) => output !== undefined && output !== '')?.output;
  const reason = status === 'passed' ? undefined : describeReason(entry);
  return {
    variant,
    status,
    block,
    item,
    ...(change === undefined ? {} : { change }),
    ...(rank === undefined ? {} : { rank: caseRanks.indexOf(rank) }),
    ...(standing.kind === 'tolerated' ? { tolerated: standing.reason } : {}),
    ...(scores.length === 0 ? {} : { score: round(mean(scores), 4) }),
    ...(latencies.length === 0 ? {} : { latencyMs: round(mean(latencies), 1) }),
    ...(costs.length === 0 ? {} : { costUsd: sumCosts(costs) }),
    ...(trials.length > 1
      ? { trials: [trials.filter((row) => row.status === 'passed').length, trials.length] as const }
      : {}),
    ...(answer === undefined ? {} : { answer: clipText(answer, snippetChars) }),
    ...(reason === undefined ? {} : { reason: clipText(reason, snippetChars) }),
  };
}

const snippetChars = 160;

function describeReason(entry: CaseReport): string | undefined {
  const skip = entry.trials.find((row) => row.skip !== undefined)?.skip;
  if (entry.status === 'skipped') return skip?.message ?? skip?.reason;
  const [first] = explainCase(entry).reasons;
  return first === undefined ? undefined : `${first.label}: ${first.reason}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function sumCosts(costs: readonly (number | null)[]): number | null {
  return costs.reduce<number | null>((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);
}

/** Fills blocks to a size that opens at once. What a page can hold at all is bounded: later texts are cut shorter. */
function createBlockWriter() {
  let items: string[] = [];
  let size = 0;
  let number = 0;
  let written = 0;
  return {
    place: () => ({ block: number, item: items.length }),
    add(build: (limits: PageLimits) => PageCase): PagePiece | undefined {
      const json = renderHtmlJson(build(written < generousChars ? generous : written < tightChars ? tight : bare));
      items.push(json);
      size += json.length;
      written += json.length;
      return size < blockChars ? undefined : flush();
    },
    end: () => (items.length === 0 ? undefined : flush()),
  };

  function flush(): PagePiece {
    const block: PagePiece = { kind: 'block', number, json: `[${items.join(',\n')}]` };
    items = [];
    size = 0;
    number += 1;
    return block;
  }
}

const blockChars = 100_000;
const generousChars = 40_000_000;
const tightChars = 120_000_000;
const generous: PageLimits = { answerChars: 65_536, textChars: 16_384 };
const tight: PageLimits = { answerChars: 4096, textChars: 2048 };
const bare: PageLimits = { answerChars: 512, textChars: 256 };

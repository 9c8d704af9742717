import type { PageIndex } from '../../model/report/page.ts';
import { formatCount, formatDuration, formatUsd } from '../../text/format-amount.ts';
import { Code, CopyButton, formatNumber, LineItems, SafeLine, toneOf } from '../elements.tsx';
import { usePage, useProgress } from '../page-source.ts';
import { SuiteSection } from './suite-section.tsx';
import { isAccepted, WhatBroke } from './what-broke.tsx';

/** The verdict, then the failures, then the figures of each suite. */
export function OverviewView() {
  const { index } = usePage();
  return (
    <>
      <Verdict index={index} />
      <WhatBroke />
      {index.suites.map((suite) => (
        <SuiteSection key={suite.suite} suite={suite} />
      ))}
      <Remarks title="Warnings" texts={index.warnings} />
      <Remarks title="Notes" texts={index.notes} />
    </>
  );
}

function Verdict({ index }: { readonly index: PageIndex }) {
  const { verdict, totals, run, nextStep } = index;
  const progress = useProgress();
  const isRunning = progress !== undefined;
  // A run that passed only because its change accepts regressions is not shown in green.
  const accepts = verdict.outcome === 'passed' && index.failures.entries.some(isAccepted);
  const tone = isRunning ? 'quiet' : verdict.needsReview === true ? 'warn' : toneOf(verdict.outcome);
  const done = totals.passed + totals.failed + totals.errored;
  return (
    <section class={`verdict ${tone}`} aria-labelledby="verdict">
      <h1 id="verdict">
        {isRunning ? 'Running' : capitalize(verdict.word)}
        {accepts && !isRunning ? <span class="chip">with accepted regressions</span> : null}
        {isRunning ? null : <span class="exit">exit code {verdict.exitCode}</span>}
      </h1>
      <p class="sentence">
        {isRunning ? (
          `${formatNumber(done)} of ${formatCount(totals.planned, 'cell')} so far; this page follows the record.`
        ) : (
          <SafeLine text={startSentence(verdict.text, index)} />
        )}
      </p>
      {isRunning || nextStep === undefined ? null : (
        <p class="next">
          <SafeLine text={capitalize(nextStep.replace(/: .*/s, ':'))} /> <Code text={nextStep.replace(/^.*?: /s, '')} />
          <CopyButton text={nextStep.replace(/^.*?: /s, '')} label="the command" />
        </p>
      )}
      <dl class="figures">
        <Figure label="passed" value={formatNumber(totals.passed)} />
        <Figure label="failed" value={formatNumber(totals.failed)} tone={totals.failed > 0 ? 'bad' : ''} />
        {totals.errored > 0 ? <Figure label="errored" value={formatNumber(totals.errored)} tone="warn" /> : null}
        {totals.skipped > 0 ? <Figure label="skipped" value={formatNumber(totals.skipped)} /> : null}
        {totals.observed > 0 ? <Figure label="observed apart" value={formatNumber(totals.observed)} /> : null}
        <Figure
          label="cost without the cache"
          value={totals.costUsd === null ? 'unknown' : formatUsd(totals.costUsd)}
        />
        <Figure label="spent" value={totals.spentUsd === null ? 'unknown' : formatUsd(totals.spentUsd)} />
        <Figure label="took" value={formatDuration(run.durationMs)} />
      </dl>
      <p class="when">
        <time dateTime={run.startedAt}>{formatTime(run.startedAt)}</time> · {verdict.counts}
      </p>
    </section>
  );
}

function Figure({
  label,
  value,
  tone = '',
}: {
  readonly label: string;
  readonly value: string;
  readonly tone?: string;
}) {
  return (
    <div class={tone}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Remarks({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <section class="remarks">
      <h2>{title}</h2>
      <ul>
        <LineItems texts={texts} />
      </ul>
    </section>
  );
}

function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Capitalizes a sentence unless it begins with the name of a suite. */
function startSentence(text: string, { suites }: PageIndex): string {
  return suites.some(({ suite }) => text.startsWith(suite)) ? text : capitalize(text);
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

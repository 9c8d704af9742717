import type { PageBreach, PageIndex } from '../../model/page.ts';
import { formatCount, formatDuration, formatUsd } from '../../text/format-amount.ts';
import { usePage, useProgress } from '../page-context.ts';
import { formatNumber, SafeLine } from '../safe-text.tsx';
import { toneOf } from '../status-mark.tsx';
import { BrokenList } from './broken-list.tsx';
import { SuiteSection } from './suite-section.tsx';

/** The verdict, then what broke, then the numbers behind it. */
export function OverviewView() {
  const { index } = usePage();
  return (
    <>
      <Verdict index={index} />
      <Breaches breaches={index.breaches} />
      <BrokenList />
      {index.suites.map((suite) => (
        <SuiteSection key={suite.suite} suite={suite} />
      ))}
      <Remarks title="Warnings" texts={index.warnings} />
      <Remarks title="Notes" texts={index.notes} />
    </>
  );
}

function Verdict({ index }: { readonly index: PageIndex }) {
  const { verdict, totals, run } = index;
  const progress = useProgress();
  const [word = '', ...rest] = verdict.text.split(/(?<=^\w+): ?/);
  const isRunning = progress !== undefined;
  const tone = isRunning ? 'quiet' : toneOf(verdict.outcome);
  const done = totals.passed + totals.failed + totals.errored;
  return (
    <section class={`verdict ${tone}`} aria-labelledby="verdict">
      <h1 id="verdict">
        {isRunning ? 'Running' : capitalize(word)}
        {isRunning ? null : <span class="exit">exit code {verdict.exitCode}</span>}
      </h1>
      <p class="sentence">
        {isRunning ? (
          `${formatNumber(done)} of ${formatCount(totals.planned, 'cell')} so far; this page follows the record.`
        ) : rest.length === 0 ? (
          describePassedRun(index)
        ) : (
          <SafeLine text={capitalize(rest.join(': '))} />
        )}
      </p>
      <dl class="figures">
        <Figure label="passed" value={formatNumber(totals.passed)} />
        <Figure label="failed" value={formatNumber(totals.failed)} tone={totals.failed > 0 ? 'bad' : ''} />
        <Figure label="errored" value={formatNumber(totals.errored)} tone={totals.errored > 0 ? 'warn' : ''} />
        <Figure label="skipped" value={formatNumber(totals.skipped)} />
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

/** What a run that passed has shown. */
function describePassedRun({ suites, totals }: PageIndex): string {
  const compared = suites.flatMap(({ variants }) => variants).filter(({ comparison }) => comparison !== undefined);
  if (totals.planned === 0) return 'Nothing was planned.';
  if (compared.length === 0) return 'Every limit of the gate holds. There was nothing to compare with.';
  return 'Every limit of the gate holds, those of the comparisons too.';
}

function Breaches({ breaches }: { readonly breaches: readonly PageBreach[] }) {
  const { href } = usePage();
  if (breaches.length === 0) return null;
  const shown = breaches.slice(0, maxBreaches);
  return (
    <section aria-labelledby="breaches">
      <h2 id="breaches">What the gate says</h2>
      <ul class="breaches">
        {shown.map((breach, place) => {
          const { code, suite, prompt, provider, caseId, message } = breach;
          const where = [suite, prompt === undefined ? provider : `${prompt} × ${provider ?? ''}`, caseId];
          const name = where.filter((part) => part !== undefined).join(' · ');
          const isCase = suite !== undefined && prompt !== undefined && provider !== undefined && caseId !== undefined;
          return (
            <li key={place}>
              <code class="code">{code}</code>
              <span class="what">
                <SafeLine text={message} />
                {name === '' ? null : (
                  <span class="where">
                    {isCase ? (
                      <a href={href({ name: 'case', suite, caseId, prompt, provider, filter: {} })}>
                        <SafeLine text={name} />
                      </a>
                    ) : (
                      <SafeLine text={name} />
                    )}
                  </span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
      {breaches.length > shown.length ? (
        <p class="note">and {formatNumber(breaches.length - shown.length)} more: see the json report</p>
      ) : null}
    </section>
  );
}

const maxBreaches = 50;

function Remarks({ title, texts }: { readonly title: string; readonly texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <section class="remarks">
      <h2>{title}</h2>
      <ul>
        {texts.map((text, place) => (
          <li key={place}>
            <SafeLine text={text} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

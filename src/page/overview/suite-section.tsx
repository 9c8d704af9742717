import { useId } from 'preact/hooks';
import type { PageSuite, PageVariant } from '../../model/page.ts';
import type { RateEstimate } from '../../model/summary.ts';
import { formatDuration, formatPercent, formatUsd, percentOf } from '../../text/format-amount.ts';
import { usePage } from '../page-context.ts';
import { nameOf, SafeLine } from '../safe-text.tsx';
import { StatusMark } from '../status-mark.tsx';
import { Table } from '../table.tsx';
import { LatencyChart, QualityChart, TrendChart } from './charts.tsx';
import { ClassDetail } from './class-detail.tsx';
import { Comparisons } from './comparisons.tsx';

/** One suite: a row for each variant, its comparison, and the charts. */
export function SuiteSection({ suite }: { readonly suite: PageSuite }) {
  const id = useId();
  return (
    <section class="suite" aria-labelledby={id}>
      <h2 id={id}>
        <SafeLine text={suite.suite} />
        <span class="where">
          <SafeLine text={suite.path} />
        </span>
      </h2>
      <VariantTable suite={suite} />
      <Comparisons suite={suite} />
      {suite.variants.map((variant) =>
        variant.byClass === undefined ? null : (
          <ClassDetail key={nameOf(variant)} variant={variant} classes={variant.byClass} />
        ),
      )}
      <Charts suite={suite} />
    </section>
  );
}

function VariantTable({ suite }: { readonly suite: PageSuite }) {
  return (
    <Table
      label={`Variants of ${suite.suite}`}
      kind="variants"
      headings={[
        'Variant',
        'Pass rate, 95 % interval',
        ...['Passed', 'Failed', 'Errored', 'Score', 'Cost', 'p50', 'p95'].map((number) => ({ number })),
        'Against the baseline',
      ]}
    >
      {suite.variants.map((variant) => (
        <VariantRow key={nameOf(variant)} suite={suite} variant={variant} />
      ))}
    </Table>
  );
}

function VariantRow({ suite, variant }: { readonly suite: PageSuite; readonly variant: PageVariant }) {
  const { href } = usePage();
  const { prompt, provider, passRate, score, costUsd, latencyMs, firstTokenMs, comparison, replacedBy } = variant;
  const filter = { suite: suite.suite, prompt, provider };
  return (
    <tr>
      <th scope="row">
        <a href={href({ name: 'cases', filter })}>
          <SafeLine text={prompt} />
        </a>
        <span class="where">
          <SafeLine text={provider} />
        </span>
      </th>
      <td>
        <span class="rate">
          <IntervalBar rate={passRate} />
          <span>
            <strong>{passRate.value === null ? '–' : formatPercent(passRate.value)}</strong>
            {passRate.low === null || passRate.high === null ? null : (
              <span class="interval">
                {percentOf(passRate.low)}–{percentOf(passRate.high)}
              </span>
            )}
          </span>
        </span>
      </td>
      <td class="number">{variant.passed}</td>
      <td class={`number ${variant.failed > 0 ? 'bad' : ''}`}>{variant.failed}</td>
      <td class={`number ${variant.errored > 0 ? 'warn' : ''}`}>{variant.errored}</td>
      <td class="number">{score.mean === null ? '–' : score.mean.toFixed(3)}</td>
      <td class="number">{costUsd === null ? 'unknown' : formatUsd(costUsd)}</td>
      <td class="number">{latencyMs.p50 === null ? '–' : formatDuration(latencyMs.p50)}</td>
      <td class="number">
        {latencyMs.p95 === null ? '–' : formatDuration(latencyMs.p95)}
        {firstTokenMs === undefined ? null : <span class="where">first token {formatDuration(firstTokenMs.p95)}</span>}
      </td>
      <td>
        {comparison === undefined ? (
          <span class="muted">
            {replacedBy === undefined ? (
              'nothing to compare with'
            ) : (
              <SafeLine text={`replaced by ${replacedBy}: shown, not gated`} />
            )}
          </span>
        ) : (
          <StatusMark status={comparison.outcome} />
        )}
      </td>
    </tr>
  );
}

/** The charts that have data. */
function Charts({ suite }: { readonly suite: PageSuite }) {
  const gated = suite.variants.filter(({ replacedBy }) => replacedBy === undefined);
  const trends = gated.filter(({ trend = [] }) => trend.length > 1).slice(0, maxCharts);
  const priced = suite.variants.filter(({ costUsd, passRate }) => costUsd !== null && passRate.value !== null);
  const timed = gated.filter(({ latencies }) => latencies !== undefined).slice(0, maxCharts);
  if (trends.length + timed.length === 0 && priced.length < 2) return null;
  const count = trends.length + timed.length + (priced.length < 2 ? 0 : 1);
  // Charts are folded where something failed, since people then look at answers first.
  const isOpen = suite.variants.every(({ failed, errored }) => failed + errored === 0);
  return (
    <details open={isOpen}>
      <summary>{count === 1 ? 'Chart' : `${count} charts`}</summary>
      <div class="charts">
        {trends.map((variant) => (
          <TrendChart key={`trend ${nameOf(variant)}`} variant={variant} />
        ))}
        {priced.length < 2 ? null : <QualityChart variants={priced} />}
        {timed.map(({ latencies, ...variant }) =>
          latencies === undefined ? null : (
            <LatencyChart key={`latency ${nameOf(variant)}`} name={nameOf(variant)} latencies={latencies} />
          ),
        )}
      </div>
    </details>
  );
}

const maxCharts = 4;

/** A rate as a dot on its interval, from 0 to 1. */
export function IntervalBar({ rate }: { readonly rate: RateEstimate }) {
  const { value, low, high } = rate;
  return (
    <svg class="interval-bar" width="96" height="14" viewBox="0 0 96 14" aria-hidden="true">
      <line x1="3" x2="93" y1="7" y2="7" class="track" />
      {low === null || high === null ? null : <line x1={at(low)} x2={at(high)} y1="7" y2="7" class="range" />}
      {value === null ? null : <circle cx={at(value)} cy="7" r="3.5" class="dot" />}
    </svg>
  );
}

function at(rate: number): number {
  return 3 + 90 * Math.min(1, Math.max(0, rate));
}

import { useId } from 'preact/hooks';
import type { PageSuite } from '../model/page.ts';
import { formatDuration, formatPercent, formatUsd, percentOf } from '../text/format-amount.ts';
import { ComparisonDetail } from './comparison-detail.tsx';
import { IntervalBar } from './interval-bar.tsx';
import { LatencyChart } from './latency-chart.tsx';
import { nameOf, plainName } from './names.ts';
import { usePage } from './page-context.ts';
import { QualityChart } from './quality-chart.tsx';
import { SafeLine } from './safe-text.tsx';
import { StatusMark } from './status-mark.tsx';
import { TrendChart } from './trend-chart.tsx';

/** One suite: a row a variant, what each was compared with, and the charts. */
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
      {suite.variants.map((variant) =>
        variant.comparison === undefined ? null : (
          <ComparisonDetail key={nameOf(variant)} suite={suite} variant={variant} comparison={variant.comparison} />
        ),
      )}
      <Charts suite={suite} />
    </section>
  );
}

function VariantTable({ suite }: { readonly suite: PageSuite }) {
  const { href } = usePage();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={plainName(`Variants of ${suite.suite}`)}>
      <table class="variants">
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col">Pass rate, 95 % interval</th>
            <th scope="col" class="number">
              Passed
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Errored
            </th>
            <th scope="col" class="number">
              Score
            </th>
            <th scope="col" class="number">
              Cost
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col">Against the baseline</th>
          </tr>
        </thead>
        <tbody>
          {suite.variants.map((variant) => {
            const { prompt, provider, passRate, score, costUsd, latencyMs, comparison, replacedBy } = variant;
            const filter = { suite: suite.suite, prompt, provider };
            return (
              <tr key={nameOf(variant)}>
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
                <td class="number">{latencyMs.p95 === null ? '–' : formatDuration(latencyMs.p95)}</td>
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
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Where looking beats reading; what there is nothing to see of is left out. */
function Charts({ suite }: { readonly suite: PageSuite }) {
  const gated = suite.variants.filter(({ replacedBy }) => replacedBy === undefined);
  const trends = gated.filter(({ trend = [] }) => trend.length > 1).slice(0, maxCharts);
  const priced = suite.variants.filter(({ costUsd, passRate }) => costUsd !== null && passRate.value !== null);
  const timed = gated.filter(({ latencies }) => latencies !== undefined).slice(0, maxCharts);
  if (trends.length + timed.length === 0 && priced.length < 2) return null;
  return (
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
  );
}

const maxCharts = 4;

import { useId } from 'preact/hooks';
import type { PageClasses, PageMatrix, PageSuite, PageVariant } from '../../model/report/page.ts';
import type { RateEstimate } from '../../model/run/summary.ts';
import { formatDuration, formatPercent, formatUsd, percentOf } from '../../text/format-amount.ts';
import { nameOf, SafeLine, StatusMark, Table, Where } from '../elements.tsx';
import { usePage } from '../page-source.ts';
import { LatencyChart, QualityChart, TrendChart } from './charts.tsx';
import { Comparisons } from './comparisons.tsx';

/** One suite: a row for each variant, its comparison, and the charts. */
export function SuiteSection({ suite }: { readonly suite: PageSuite }) {
  const id = useId();
  return (
    <section class="suite" aria-labelledby={id}>
      <h2 id={id}>
        <SafeLine text={suite.suite} />
        <Where text={suite.path} />
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
        <Where text={provider} />
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

function Charts({ suite }: { readonly suite: PageSuite }) {
  const gated = suite.variants.filter(({ replacedBy }) => replacedBy === undefined);
  const trends = gated.filter(({ trend = [] }) => trend.length > 1).slice(0, maxCharts);
  const priced = suite.variants.filter(({ costUsd, passRate }) => costUsd !== null && passRate.value !== null);
  const timed = gated.filter(({ latencies }) => latencies !== undefined).slice(0, maxCharts);
  if (trends.length + timed.length === 0 && priced.length < 2) return null;
  const count = trends.length + timed.length + (priced.length < 2 ? 0 : 1);
  // Charts are folded if something failed, because people then look at answers first.
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
function IntervalBar({ rate }: { readonly rate: RateEstimate }) {
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

interface ClassDetailProps {
  readonly variant: PageVariant;
  readonly classes: PageClasses;
}

/** Macro F1, moved answers, the scores of each class and the confusion matrix of a variant. */
function ClassDetail({ variant, classes }: ClassDetailProps) {
  const { macroF1, moved, scores, matrix, others } = classes;
  const name = nameOf(variant);
  return (
    <article class="comparison">
      <h3>
        <SafeLine text={name} />
        <span class="where">by class</span>
      </h3>
      <dl class="metrics">
        <div>
          <dt>macro F1</dt>
          <dd>{macroF1}</dd>
        </div>
      </dl>
      {moved.length === 0 ? null : (
        <ul>
          {moved.map(({ truth, found, change, entered }) => (
            <li key={`${truth} ${found}`}>
              <SafeLine text={truth} /> found as <ClassName name={found} /> {change}
              {entered.length === 0 ? null : (
                <>
                  : <SafeLine text={entered.join(', ')} />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      <Table
        label={`Classes of ${name}`}
        headings={['Class', { number: 'Cases' }, 'Recall', 'Precision', 'F1']}
        kind="classes"
      >
        {scores.slice(0, maxScores).map((score) => (
          <tr key={score.class}>
            <th scope="row">
              <SafeLine text={score.class} />
            </th>
            <td class="number">{score.cases}</td>
            <td>{score.recall}</td>
            <td>{score.precision}</td>
            <td>{score.f1}</td>
          </tr>
        ))}
      </Table>
      {matrix === undefined ? null : <ConfusionMatrix name={name} matrix={matrix} />}
      {others.length === 0 ? null : <OtherAnswers others={others} />}
    </article>
  );
}

function OtherAnswers({ others }: Pick<PageClasses, 'others'>) {
  return (
    <p class="note">
      Answers of none of the classes:{' '}
      {others.map(({ found, answers }, place) => (
        <span key={place}>
          {place === 0 ? '' : ', '}
          {found === undefined ? 'no class at all' : <SafeLine text={found} />} × {answers}
        </span>
      ))}
    </p>
  );
}

function ConfusionMatrix({ name, matrix }: { readonly name: string; readonly matrix: PageMatrix }) {
  const { names, rows } = matrix;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Confusion matrix of ${name}`}>
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">class ↓ found →</th>
            {names.map((found) => (
              <th key={found} scope="col" class="number">
                <SafeLine text={found} />
              </th>
            ))}
            <th scope="col" class="number">
              none of them
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ truth, counts }, row) => (
            <tr key={truth}>
              <th scope="row">
                <SafeLine text={truth} />
              </th>
              {counts.map((count, column) => (
                <td key={column} class={`number ${kindOf(count, row === column)}`}>
                  {count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function kindOf(count: string, isRight: boolean): string {
  if (count === '0') return 'muted';
  return isRight ? '' : 'bad';
}

function ClassName({ name }: { readonly name: string | undefined }) {
  return name === undefined ? <>none of them</> : <SafeLine text={name} />;
}

const maxScores = 50;

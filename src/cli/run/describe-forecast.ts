import type { VariantForecast } from '../../run/dry-run.ts';
import { formatCount, formatUsd } from '../../text/format-amount.ts';
import { sanitizeTerminal as name } from '../../text/sanitize.ts';

/** What `run --dry-run` prints: each variant, each provider where there are several, and all. */
export function describeForecast(forecasts: readonly VariantForecast[]): string {
  const variants = forecasts.map(
    (forecast) =>
      `${name(`${forecast.suite}  ${forecast.prompt} × ${forecast.provider}`)}: ${describeVariant(forecast)}`,
  );
  const providers = [...new Set(forecasts.map(({ provider }) => provider))];
  const sums = providers.map((id) => {
    const own = forecasts.filter(({ provider }) => provider === id);
    return `${name(id)}: ${formatCount(
      sum(own, ({ requests }) => requests),
      'request',
    )}, ${describeUse(own).join(', ')}`;
  });
  const all = [
    formatCount(
      sum(forecasts, ({ cells }) => cells),
      'cell',
    ),
    `${sum(forecasts, ({ answered }) => answered)} answered`,
    formatCount(
      sum(forecasts, ({ requests }) => requests),
      'request',
    ),
    ...describeCost(forecasts),
    ...describeFresh(forecasts),
    ...describeJudges(forecasts),
  ];
  return `${[
    ...variants,
    ...(providers.length > 1 ? ['', ...sums] : []),
    '',
    `dry run: ${all.join(', ')}; nothing was sent`,
  ].join('\n')}\n`;
}

function describeVariant(forecast: VariantForecast): string {
  const { cells, answered, requests, skipped } = forecast;
  return [
    formatCount(cells, 'cell'),
    `${answered} answered from the cache or recordings`,
    formatCount(requests, 'request'),
    ...describeUse([forecast]),
    ...describeFresh([forecast]),
    ...describeJudges([forecast]),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** Tokens and cost; what the baseline's answers used where it knows of all of them. */
function describeUse(forecasts: readonly VariantForecast[]): readonly string[] {
  const expected = expectedOf(forecasts);
  const tokens =
    expected === undefined
      ? `~${sum(forecasts, ({ inputTokens }) => inputTokens)} input tokens`
      : `~${Math.round(expected.inputTokens)} input and ~${Math.round(expected.outputTokens)} output tokens by the baseline's usage`;
  return [tokens, ...describeCost(forecasts)];
}

function describeCost(forecasts: readonly VariantForecast[]): readonly string[] {
  const expectedUsd = expectedOf(forecasts)?.costUsd;
  const bounds = forecasts.map(({ boundUsd }) => boundUsd).filter((bound) => bound !== undefined);
  const boundUsd = bounds.length < forecasts.length ? undefined : bounds.reduce((total, bound) => total + bound, 0);
  if (expectedUsd === undefined) {
    return [
      boundUsd === undefined
        ? 'cost unknown (no price or no limit on output tokens)'
        : `at most ${formatBound(boundUsd)}`,
    ];
  }
  return [
    `about ${formatUsd(expectedUsd).replace(/^< /, '')}`,
    boundUsd === undefined ? 'without an upper bound (no limit on output tokens)' : `at most ${formatBound(boundUsd)}`,
  ];
}

/** Confirmation trials run where cases fail. Which ones fail is not known yet, so this is the upper bound. */
function describeFresh(forecasts: readonly VariantForecast[]): readonly string[] {
  const requests = sum(forecasts, ({ retrialRequests }) => retrialRequests);
  if (requests === 0) return [];
  const bounds = forecasts.flatMap(({ boundUsd, retrialBoundUsd }) => [boundUsd, retrialBoundUsd]);
  const known = bounds.filter((bound) => bound !== undefined);
  const inAll =
    known.length < bounds.length
      ? ''
      : `: at most ${formatBound(known.reduce((total, bound) => total + bound, 0))} in all`;
  return [`up to ${requests} more to confirm failures${inAll}`];
}

function describeJudges(forecasts: readonly VariantForecast[]): readonly string[] {
  const requests = sum(forecasts, ({ judgeRequests }) => judgeRequests);
  return requests === 0 ? [] : [`up to ${formatCount(requests, 'request')} to judges, whose cost is not counted`];
}

/** Undefined where nothing is to be sent, or the baseline says nothing of a part of it. */
function expectedOf(forecasts: readonly VariantForecast[]): VariantForecast['expected'] {
  const sending = forecasts.filter(({ requests }) => requests > 0);
  const known = sending.map(({ expected }) => expected).filter((expected) => expected !== undefined);
  if (known.length === 0 || known.length < sending.length) return undefined;
  const costs = known.map(({ costUsd }) => costUsd).filter((cost) => cost !== undefined);
  const add = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    inputTokens: add(known.map(({ inputTokens }) => inputTokens)),
    outputTokens: add(known.map(({ outputTokens }) => outputTokens)),
    costUsd: costs.length < known.length ? undefined : add(costs),
  };
}

function sum(forecasts: readonly VariantForecast[], pick: (forecast: VariantForecast) => number): number {
  return forecasts.reduce((total, forecast) => total + pick(forecast), 0);
}

/** Rounded up: a bound that is rounded down is none. */
function formatBound(usd: number): string {
  const unit = usd >= 1 ? 100 : 10_000;
  return formatUsd(Math.ceil(usd * unit - 1e-6) / unit);
}

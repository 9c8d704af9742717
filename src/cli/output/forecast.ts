import type { RunForecast, VariantForecast } from '../../run/dry-run.ts';
import { sumKnown } from '../../stats/descriptive.ts';
import { formatCount, formatUsd } from '../../text/format-amount.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';

/** The output of `run --dry-run`: each variant, each provider if there are several, and the total. */
export function describeForecast({ variants: forecasts, fresh }: RunForecast): string {
  const variants = forecasts.map((forecast) => {
    const { suite, prompt, provider } = forecast;
    return `${sanitizeTerminal(`${suite}  ${prompt} × ${provider}`)}: ${describeVariant(forecast)}`;
  });
  const providers = [...new Set(forecasts.map(({ provider }) => provider))].map((id) => {
    const own = forecasts.filter(({ provider }) => provider === id);
    return `${sanitizeTerminal(id)}: ${[describeRequests(own), ...describeUse(own)].join(', ')}`;
  });
  const all = [
    formatCount(sumOf(forecasts, 'cells'), 'cell'),
    `${sumOf(forecasts, 'answered')} answered`,
    describeRequests(forecasts),
    ...describeCost(forecasts),
    ...describeFresh(forecasts, fresh),
    ...describeUncounted(forecasts),
  ];
  return `${[
    ...variants,
    ...(providers.length > 1 ? ['', ...providers] : []),
    '',
    `dry run: ${all.join(', ')}; nothing was sent`,
  ].join('\n')}\n`;
}

function describeRequests(forecasts: readonly VariantForecast[]): string {
  return formatCount(sumOf(forecasts, 'requests'), 'request');
}

function describeVariant(forecast: VariantForecast): string {
  const { cells, answered, skipped } = forecast;
  return [
    formatCount(cells, 'cell'),
    `${answered} answered from the cache or recordings`,
    formatCount(forecast.requests, 'request'),
    ...describeUse([forecast]),
    ...describeJudges([forecast]),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** Tokens and cost, estimated from the baseline's answers if it has all of them. */
function describeUse(forecasts: readonly VariantForecast[]): readonly string[] {
  const expected = expectedOf(forecasts);
  const tokens =
    expected === undefined
      ? `~${sumOf(forecasts, 'inputTokens')} input tokens`
      : `~${Math.round(expected.inputTokens)} input and ~${Math.round(expected.outputTokens)} output tokens by the baseline's usage`;
  return [tokens, ...describeCost(forecasts)];
}

function describeCost(forecasts: readonly VariantForecast[]): readonly string[] {
  const expectedUsd = expectedOf(forecasts)?.costUsd;
  const boundUsd = forecasts.length === 0 ? 0 : addThoseKnown(forecasts.map((forecast) => forecast.boundUsd));
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

/** The upper bound for fresh trials. It is not known yet which cases will look worse. */
function describeFresh(forecasts: readonly VariantForecast[], { calls, usd }: RunForecast['fresh']): readonly string[] {
  const judges = describeJudges(forecasts);
  const hasJudgeBound = addThoseKnown(forecasts.map((forecast) => forecast.judgeBoundUsd)) !== undefined;
  const ofPlan = forecasts.flatMap((forecast) => [forecast.boundUsd, forecast.judgeBoundUsd]);
  const boundUsd = addThoseKnown([...ofPlan, usd]);
  const isBounded = forecasts.some((forecast) => forecast.boundUsd !== undefined) || hasJudgeBound;
  const inAll = boundUsd === undefined || !isBounded ? '' : `: at most ${formatBound(boundUsd)} in all`;
  const again = calls === 0 ? [] : [`up to ${calls} more where something looks worse`];
  const [first = '', ...others] = hasJudgeBound ? [[...again, ...judges].join(', ')] : [...again, ...judges];
  if (first === '' || (again.length === 0 && !hasJudgeBound)) return judges;
  return [`${first}${inAll}`, ...others];
}

/** Names the variants that the amounts do not include, unless they include none. */
function describeUncounted(forecasts: readonly VariantForecast[]): readonly string[] {
  const names = namesOf(forecasts, 'uncounted');
  const isAll = forecasts.every(({ boundUsd, requests }) => requests === 0 || boundUsd === undefined);
  return names === '' || isAll ? [] : [`not counted: ${names}`];
}

function describeJudges(forecasts: readonly VariantForecast[]): readonly string[] {
  const requests = sumOf(forecasts, 'judgeRequests');
  if (requests === 0) return [];
  const uncounted = namesOf(forecasts, 'uncountedJudges');
  const why = uncounted === '' ? '' : `, whose cost is not counted (${uncounted})`;
  return [`up to ${formatCount(requests, 'request')} to judges${why}`];
}

function namesOf(forecasts: readonly VariantForecast[], key: 'uncounted' | 'uncountedJudges'): string {
  return sanitizeTerminal([...new Set(forecasts.flatMap((forecast) => forecast[key]))].join(', '));
}

/** Undefined if nothing is to be sent, or the baseline lacks a part of it. */
function expectedOf(forecasts: readonly VariantForecast[]): VariantForecast['expected'] {
  const sending = forecasts.filter(({ requests }) => requests > 0);
  const known = sending.map(({ expected }) => expected).filter((expected) => expected !== undefined);
  if (known.length === 0 || known.length < sending.length) return undefined;
  return {
    inputTokens: sumOf(known, 'inputTokens'),
    outputTokens: sumOf(known, 'outputTokens'),
    costUsd: sumKnown(known, ({ costUsd }) => costUsd),
  };
}

function sumOf<Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return items.reduce((total, item) => total + item[key], 0);
}

/** The sum of the known amounts; undefined if none is known. */
function addThoseKnown(amounts: readonly (number | undefined)[]): number | undefined {
  const known = amounts.filter((amount) => amount !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, amount) => total + amount, 0);
}

/** Rounded up, so that it is still an upper bound. */
function formatBound(usd: number): string {
  const unit = usd >= 1 ? 100 : 10_000;
  return formatUsd(Math.ceil(usd * unit - 1e-6) / unit);
}

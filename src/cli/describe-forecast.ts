import { formatUsd } from '../lib/format-amount.ts';
import { sanitizeTerminal } from '../lib/sanitize.ts';
import type { VariantForecast } from '../pipeline/dry-run.ts';

/** What `run --dry-run` prints. */
export function describeForecast(forecasts: readonly VariantForecast[]): string {
  const lines = forecasts.map((forecast) => {
    const { suite, prompt, provider, cells, answered, requests, inputTokens, boundUsd, skipped, judgeRequests } =
      forecast;
    const parts = [
      `${cells} cells`,
      `${answered} answered from the cache or recordings`,
      `${requests} requests`,
      `~${inputTokens} input tokens`,
      boundUsd === undefined
        ? 'cost unknown (no price or no limit on output tokens)'
        : `at most ${formatBound(boundUsd)}`,
      ...(judgeRequests > 0 ? [`up to ${judgeRequests} requests to judges, whose cost is not counted`] : []),
      ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ];
    return `${sanitizeTerminal(`${suite}  ${prompt} × ${provider}`)}: ${parts.join(', ')}`;
  });
  const sum = (pick: (forecast: VariantForecast) => number) =>
    forecasts.reduce((total, forecast) => total + pick(forecast), 0);
  const bounds = forecasts.map(({ boundUsd }) => boundUsd);
  const total = bounds.some((bound) => bound === undefined)
    ? 'cost unknown'
    : `at most ${formatBound(sum(({ boundUsd }) => boundUsd ?? 0))}`;
  const summary = `${sum(({ cells }) => cells)} cells, ${sum(({ answered }) => answered)} answered, ${sum(({ requests }) => requests)} requests, ${total}`;
  return `${[...lines, '', `dry run: ${summary}; nothing was sent`].join('\n')}\n`;
}

/** "< $0.0001" after "at most" would say it twice. */
function formatBound(usd: number): string {
  return formatUsd(usd).replace(/^< /, '');
}

import type { RateTrend } from '../model/history.ts';
import { mean } from '../stats/means.ts';
import { mannKendall } from '../stats/trend.ts';
import { percentOf } from '../text/format-amount.ts';

/** With fewer runs the test's normal approximation is rough, and the test has almost no power. */
const minRuns = 8;

/** Tests the pass rates of runs, the oldest first, for a trend at one-sided alpha / 2. */
export function describeTrend(
  measured: readonly { readonly run: string; readonly rate: number }[],
  alpha: number,
): RateTrend {
  const rates = measured.map(({ rate }) => rate);
  const [first] = measured;
  const third = Math.max(1, Math.floor(rates.length / 3));
  const ends =
    rates.length === 0
      ? { from: null, to: null }
      : { from: mean(rates.slice(0, third)), to: mean(rates.slice(-third)) };
  const known = { runs: rates.length, ...(first === undefined ? {} : { since: first.run }), ...ends };
  if (rates.length < minRuns) {
    const message = `no trend of the pass rate can be tested: ${rates.length} of ${minRuns} runs with new answers of the same cases`;
    return { ...known, direction: null, p: null, tau: null, message };
  }
  const { tau, pFalling, pRising } = mannKendall(rates);
  if (tau === null || pFalling === null || pRising === null) {
    return {
      ...known,
      direction: null,
      p: null,
      tau,
      message: `the pass rate is the same in all ${rates.length} runs`,
    };
  }
  const isFalling = pFalling < pRising;
  const p = Math.min(pFalling, pRising);
  const over = `over ${rates.length} runs, p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}`;
  if (p > alpha / 2) {
    return { ...known, direction: null, p, tau, message: `no trend of the pass rate is shown ${over}` };
  }
  const direction = isFalling ? 'falls' : 'rises';
  const message = `pass rate ${direction}: ${percentOf(ends.from ?? 0)} → ${percentOf(ends.to ?? 0)} % ${over}`;
  return { ...known, direction, p, tau, message };
}

import { defined } from '../json/defined.ts';
import type { Cell } from '../model/run/cell.ts';
import type { RenderedVariant } from '../model/run/plan.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import { inputBytes, maxOutputTokens } from '../plan/price-variants.ts';
import { type CellSpend, spendOfCell } from '../run/asking/fresh-cells.ts';
import { sumKnown } from '../stats/descriptive.ts';
import type { Spend } from '../verdict/confirm/choose-next.ts';

/** Upper bound on one trial: both sides' input together. */
export interface ProbeLimit extends CellSpend {
  /** False if a made prompt would send more. A loop of one side may repeat a text of the other. */
  allows(cell: Cell): boolean;
}

/** Bounds the trials of every prompt that can be made of two others. */
export function limitProbes(
  planned: PlannedRun,
  sides: readonly { readonly made: RenderedVariant; readonly cell: Cell }[],
): ProbeLimit {
  const bytes = sides.reduce((sum, { cell }) => sum + inputBytes(cell.request), 0);
  const outputs = sides.map(({ cell }) => maxOutputTokens(cell.request));
  const output = outputs.some((tokens) => tokens === undefined) ? undefined : Math.max(...outputs.map((n) => n ?? 0));
  const messages = sides.flatMap(({ cell }) => cell.request.messages);
  const tools = sides.map(({ cell }) => cell.request.params['tools'] ?? []);
  const spends = sides.map(({ made, cell }) => {
    const { n: _n, max_completion_tokens: _c, max_output_tokens: _o, ...params } = cell.request.params;
    const limited = { ...params, tools, ...defined({ max_tokens: output }) };
    return spendOfCell(planned, made.provider, { ...cell, request: { ...cell.request, messages, params: limited } });
  });
  return {
    ...mostSpend(spends),
    uncounted: [...new Set(spends.flatMap(({ uncounted }) => uncounted))],
    allows({ request }) {
      const own = maxOutputTokens(request);
      const isBounded = output === undefined || (own !== undefined && own <= output);
      return isBounded && inputBytes(request) <= bytes;
    },
  };
}

/** The largest of several amounts. The cost is undefined if one cost is unknown. */
export function mostSpend(spends: readonly Spend[]): Spend {
  const usd = spends.flatMap((spend) => spend.usd ?? []);
  return {
    calls: Math.max(0, ...spends.map(({ calls }) => calls)),
    usd: usd.length < spends.length ? undefined : Math.max(0, ...usd),
  };
}

/** The sum of several amounts. The cost is undefined if one cost is unknown. */
export function sumSpends(spends: readonly Spend[]): Spend {
  return { calls: spends.reduce((sum, { calls }) => sum + calls, 0), usd: sumKnown(spends, ({ usd }) => usd) };
}

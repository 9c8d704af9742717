import type { CompletionOutcome, LimitReport, Usage } from '../model/completion.ts';
import { createRateBudget, type RateBudget } from './rate-budget.ts';

/** Requests and tokens a minute of one key, as set by hand and as told by the server. */
export interface AccountBudgets {
  open(own: OwnRates): Spender;
  /** The server refused what its own figures allow. */
  smooth(): void;
}

/** Limits set by hand. The largest of an account is the key's own and holds for all its calls, a smaller one in addition. */
export interface OwnRates {
  readonly rpm?: number;
  readonly tpm?: number;
}

/** Tokens that a request is expected to use. */
export interface TokenEstimate {
  readonly input: number;
  readonly output: number;
}

/** Spends for the calls of one provider or judge. */
export interface Spender {
  /** False where no estimate is needed. */
  readonly countsTokens: boolean;
  /** Milliseconds until a call may be sent; 0: now. */
  waitMs(estimate: TokenEstimate, nowMs: number): number;
  /** Undefined where nothing is limited. */
  spend(estimate: TokenEstimate, nowMs: number): Receipt | undefined;
  /** Takes the true usage and the server's word. */
  settle(call: SpentCall, outcome: CompletionOutcome, nowMs: number): void;
}

export interface SpentCall {
  readonly estimate: TokenEstimate;
  readonly sentMs: number;
  readonly receipt: Receipt | undefined;
}

/** What was in use of each budget when a call was sent. */
export type Receipt = ReadonlyMap<RateBudget, { readonly unit: Unit; readonly used: number }>;

type Unit = LimitReport['unit'];

interface Purse {
  readonly unit: Unit;
  readonly budget: RateBudget;
}

const minuteMs = 60_000;
/** A limit over a longer time is no matter of pace: it is used until the server says that nothing is left. */
const longestPacedMs = 90_000;
/** A run must not sleep for hours on one header. */
const longestWaitMs = 60_000;

export function createAccountBudgets(): AccountBudgets {
  const budgets = new Map<string, RateBudget>();
  const all: OwnRates[] = [];
  /** Told last, by whatever call: what is shared with those that were told nothing yet. */
  const latest = new Map<Unit, RateBudget>();
  /** Grows with every change of what is spent from. */
  let version = 0;

  function findBudget(kind: 'set' | 'told', unit: Unit, limit: number, periodMs: number): RateBudget {
    const key = `${kind} ${unit} ${limit} ${periodMs}`;
    let budget = budgets.get(key);
    if (budget === undefined) {
      const burst = kind === 'set' ? 0.1 : 0.5;
      budget = createRateBudget({ limit, periodMs, burst, isEstimate: unit !== 'requests' });
      budgets.set(key, budget);
    }
    return budget;
  }

  function setByHand(unit: 'requests' | 'tokens', own: number | undefined, key: 'rpm' | 'tpm'): readonly Purse[] {
    const limits = all.map((rates) => rates[key]).filter((limit) => limit !== undefined);
    if (limits.length === 0) return [];
    const held = new Set([Math.max(...limits), own ?? Math.max(...limits)]);
    return [...held].map((limit) => ({ unit, budget: findBudget('set', unit, limit, minuteMs) }));
  }

  return {
    open(own) {
      all.push(own);
      version += 1;
      const told = new Map<Unit, RateBudget>();
      let purses: readonly Purse[] = [];
      let pursesVersion = 0;
      let emptyUntilMs = 0;

      function findPurses(): readonly Purse[] {
        if (pursesVersion === version) return purses;
        const known = new Map([...latest, ...told]);
        purses = [
          ...setByHand('requests', own.rpm, 'rpm'),
          ...setByHand('tokens', own.tpm, 'tpm'),
          ...[...known].map(([unit, budget]) => ({ unit, budget })),
        ];
        pursesVersion = version;
        return purses;
      }

      function learn(report: LimitReport, receipt: Receipt | undefined, nowMs: number): void {
        const { unit, limit, remaining, resetMs = 0, periodMs = minuteMs } = report;
        const isPaced = periodMs <= longestPacedMs && resetMs <= longestPacedMs;
        let budget = isPaced ? told.get(unit) : undefined;
        if (isPaced && limit !== undefined && limit > 0) {
          budget = findBudget('told', unit, limit, periodMs);
          if (told.get(unit) !== budget) {
            told.set(unit, budget);
            latest.set(unit, budget);
            version += 1;
          }
        } else if (!isPaced && told.delete(unit)) version += 1;
        // One that was told before without its limit is still the same.
        if (budget !== undefined) budget.observe(report, receipt?.get(budget)?.used ?? 0, nowMs);
        else if (remaining !== undefined && remaining < 1) emptyUntilMs = nowMs + Math.min(resetMs, longestWaitMs);
      }

      return {
        get countsTokens() {
          return findPurses().some(({ unit }) => unit !== 'requests');
        },
        waitMs(estimate, nowMs) {
          let waitMs = emptyUntilMs > nowMs ? emptyUntilMs - nowMs : 0;
          for (const { unit, budget } of findPurses()) {
            waitMs = Math.max(waitMs, budget.waitMs(amountOf(unit, estimate), nowMs));
          }
          return waitMs;
        },
        spend(estimate, nowMs) {
          const found = findPurses();
          if (found.length === 0) return undefined;
          const receipt = new Map<RateBudget, { unit: Unit; used: number }>();
          for (const { unit, budget } of found) {
            budget.spend(amountOf(unit, estimate), nowMs);
            receipt.set(budget, { unit, used: budget.used(nowMs) });
          }
          return receipt;
        },
        settle({ estimate, sentMs, receipt }, outcome, nowMs) {
          const usage = outcome.status === 'completed' ? outcome.completion.usage : undefined;
          if (usage !== undefined && receipt !== undefined) {
            for (const [budget, { unit }] of receipt) {
              if (unit === 'requests') continue;
              budget.adjust(amountOf(unit, tokensOf(usage)) - amountOf(unit, estimate), sentMs, nowMs);
            }
          }
          if (outcome.limits === undefined) return;
          for (const report of outcome.limits) learn(report, receipt, nowMs);
        },
      };
    },
    smooth() {
      for (const budget of budgets.values()) budget.smooth();
    },
  };
}

function tokensOf({ inputTokens, outputTokens }: Usage): TokenEstimate {
  return { input: inputTokens, output: outputTokens };
}

function amountOf(unit: Unit, { input, output }: TokenEstimate): number {
  switch (unit) {
    case 'requests':
      return 1;
    case 'tokens':
      return input + output;
    case 'inputTokens':
      return input;
    case 'outputTokens':
      return output;
  }
}

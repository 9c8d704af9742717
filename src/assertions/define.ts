import type * as z from 'zod';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { Completion } from '../model/completion.ts';
import type { CodeSource, OwnCode } from '../model/own-code.ts';

/** An answer as checks see it; a conversation's latency and cost are summed. */
export interface CompletionView
  extends Pick<
    Completion,
    'text' | 'reasoning' | 'refusal' | 'toolCalls' | 'finishReason' | 'rawFinishReason' | 'usage' | 'latencyMs'
  > {
  /** Undefined where no price is known. */
  readonly costUsd: number | undefined;
}

/** The part of an answer that is checked: text, or a value that was parsed or selected. */
export type Target =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown };

/** What the pipeline lends to checks. */
export interface AssertionPorts {
  /** Runs a synchronous function and throws a `DeadlineError` (lib/deadline.ts) after that many milliseconds. */
  readonly deadline: <T>(run: () => T, limitMs: number) => T;
  /** Runs the user's own code; undefined where none may run. */
  readonly ownCode?: OwnCode;
  /** Imports an optional package as the project has it; undefined where it has none. */
  readonly importPackage?: (name: string) => Promise<unknown>;
}

/** The answer that the baseline holds for the same case and trial. */
export type AcceptedAnswer = Pick<CompletionView, 'text' | 'reasoning' | 'toolCalls'>;

export interface CheckContext {
  readonly completion: CompletionView;
  readonly ports: AssertionPorts;
  /** What the check's selection picks of the accepted answer; undefined where there is none, or for a check that needs none. */
  readonly accepted?: Target | { readonly missing: string };
  /** What a check of the user's own code runs. */
  readonly code?: CodeSource;
}

export type CheckOutcome =
  | {
      readonly pass: boolean;
      /** In [0, 1]; default 1 or 0. */
      readonly score?: number;
      readonly reason: string;
      readonly diff?: { readonly expected: string; readonly found: string };
      /** There was nothing to check, so that `not` does not turn the failure into a pass. */
      readonly missing?: true;
    }
  /** The check can't be made: neither pass nor fail. */
  | { readonly error: string };

/** An assertion that looks at an answer. */
export interface CheckAssertion extends AssertionDeclaration {
  /** Set where the check looks at the accepted answer too. */
  readonly comparesAccepted?: true;
  /** Takes the parameters as `params` parsed them. */
  readonly check: (target: Target, params: unknown, context: CheckContext) => CheckOutcome | Promise<CheckOutcome>;
}

/** An assertion over the outcomes of other assertions, in their order. */
export interface Combinator extends AssertionDeclaration {
  readonly children: 'one' | 'many';
  readonly combine: (outcomes: readonly CheckOutcome[]) => CheckOutcome;
}

export type Assertion = CheckAssertion | Combinator;

interface AssertionDefinition<Params extends z.ZodType> extends AssertionDeclaration {
  readonly params: Params;
  readonly comparesAccepted?: true;
  readonly check: (
    target: Target,
    params: z.output<Params>,
    context: CheckContext,
  ) => CheckOutcome | Promise<CheckOutcome>;
}

/** Makes an assertion whose `check` is typed by its own parameter schema. */
export function defineAssertion<Params extends z.ZodType>(definition: AssertionDefinition<Params>): CheckAssertion {
  return {
    ...definition,
    // A check's parameters are what this very schema returned, which the registry's common type can't say.
    check: (target, params, context) => definition.check(target, params as z.output<Params>, context),
  };
}

/** Makes an assertion that combines the outcomes of others. */
export function defineCombinator(combinator: Combinator): Combinator {
  return combinator;
}

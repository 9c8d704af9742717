import type * as z from 'zod';
import type { JsonObject } from '../json/json.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { Completion, Message } from '../model/completion.ts';
import type { CodeSource, OwnCode } from '../model/own-code.ts';
import type { RecordedCheck } from '../model/record.ts';
import type { Vars } from '../model/suite.ts';
import type { Judgement, Verdict } from '../model/verdict.ts';

/** An answer as checks see it; a conversation's latency and cost are summed. */
export interface CompletionView
  extends Pick<
    Completion,
    'text' | 'reasoning' | 'refusal' | 'toolCalls' | 'finishReason' | 'rawFinishReason' | 'usage'
  > {
  /** Undefined where nobody measured it. */
  readonly latencyMs: number | undefined;
  /** Undefined where no price is known. */
  readonly costUsd: number | undefined;
}

/** The part of an answer that is checked: text, or a value that was parsed or selected. */
export type Target =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown };

/** What the pipeline lends to checks. */
export interface AssertionPorts {
  /** Told of each check of a cell as soon as it is made. */
  readonly onVerdict?: (verdict: Verdict) => void;
  /** Runs a synchronous function and throws a `DeadlineError` (lib/deadline.ts) after that many milliseconds. */
  readonly deadline: <T>(run: () => T, limitMs: number) => T;
  /** Runs the user's own code; undefined where none may run. */
  readonly ownCode?: OwnCode;
  /** Imports an optional package as the project has it; undefined where it has none. */
  readonly importPackage?: (name: string) => Promise<unknown>;
  /** Asks a judge or a model of embeddings; undefined where none may be asked. */
  readonly ask?: AskModel;
}

/** One question to a model that judges. It never rejects: what keeps the model from answering comes back. */
export type AskModel = (question: ModelQuestion) => Promise<ModelReply>;

export interface ModelQuestion {
  readonly kind: 'judge' | 'embeddings';
  /** The id of a judge of the suite, or of its model of embeddings. */
  readonly model: string;
  readonly messages: readonly Message[];
  /** What the reply must match, where the API can be held to it. */
  readonly schema?: JsonObject;
  /** The vote that is cast, from 0, of how many: each is a sample of its own. */
  readonly vote: number;
  readonly votes: number;
  /** Set where what the cache holds was of no use. */
  readonly isFresh?: true;
}

export type ModelReply =
  | {
      readonly text: string;
      /** The model snapshot that answered. */
      readonly model?: string;
      /** True where the model may be asked anew, since this came from the cache. */
      readonly canRefresh: boolean;
    }
  | { readonly failure: string };

/** The answer that the baseline holds for the same case and trial. */
export type AcceptedAnswer = Pick<CompletionView, 'text' | 'reasoning' | 'toolCalls'>;

export interface CheckContext {
  readonly completion: CompletionView;
  readonly ports: AssertionPorts;
  /** What the check's selection picks of the accepted answer; undefined where there is none, or for a check that needs none. */
  readonly accepted?: Target | { readonly missing: string };
  /** What a check of the user's own code runs. */
  readonly code?: CodeSource;
  /** The id of the model that the check asks. */
  readonly asks?: string;
  /** What the answer answers. */
  readonly input?: JudgedInput;
}

/** What a judge may be shown beside the answer, the same for every prompt version: the prompt itself would move its standard. */
export interface JudgedInput {
  readonly vars: Vars;
  /** What was said after the prompt's own messages, the judged answer left out. */
  readonly conversation: readonly Message[];
  /** The answer of the other side, for checks that compare two; `reference`: this one is what others are compared with. */
  readonly other?: AcceptedAnswer | 'reference';
  /** Verdicts of models on this very answer that are stored already, so that nobody has to be asked again. */
  readonly stored?: readonly RecordedCheck[];
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
      /** Shown, and without a say: the check does not concern this answer. */
      readonly isIdle?: true;
      readonly judgement?: Omit<Judgement, 'check'>;
    }
  /** The check can't be made: neither pass nor fail. */
  | { readonly error: string };

/** An assertion that looks at an answer. */
export interface CheckAssertion extends AssertionDeclaration {
  /** An answer that fails the example, so that the pages can show the reason it gives. */
  readonly failsOn?: Partial<CompletionView>;
  /** Takes the parameters as `params` parsed them. */
  readonly check: (target: Target, params: unknown, context: CheckContext) => CheckOutcome | Promise<CheckOutcome>;
}

/** An assertion over the outcomes of other assertions, in their order. */
export interface Combinator extends AssertionDeclaration {
  readonly failsOn?: Partial<CompletionView>;
  readonly children: 'one' | 'many';
  readonly combine: (outcomes: readonly CheckOutcome[]) => CheckOutcome;
}

export type Assertion = CheckAssertion | Combinator;

interface AssertionDefinition<Params extends z.ZodType> extends AssertionDeclaration {
  readonly params: Params;
  readonly failsOn?: Partial<CompletionView>;
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

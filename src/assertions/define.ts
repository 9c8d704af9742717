import type * as z from 'zod';
import type { JsonObject, JsonValue } from '../json/json.ts';
import type { CellKey } from '../model/run/cell.ts';
import type { AgentStep, Completion, Message } from '../model/run/completion.ts';
import type { Judgement, RecordedCheck, Verdict } from '../model/run/verdict.ts';
import type { AssertionDeclaration } from '../model/suite/assertion.ts';
import type { CodeSource, OwnCode } from '../model/suite/own-code.ts';
import type { Vars } from '../model/suite/suite.ts';
import type { WorkspacePort } from '../model/suite/workspace.ts';
import { isHarmlessRegex } from '../text/patterns/regex.ts';

/** An answer as checks see it; a conversation's latency, tokens and cost are summed. */
export interface CompletionView
  extends Pick<
    Completion,
    | 'text'
    | 'reasoning'
    | 'refusal'
    | 'toolCalls'
    | 'finishReason'
    | 'rawFinishReason'
    | 'usage'
    | 'firstTokenMs'
    | 'isTextAlone'
  > {
  /** Undefined if it was not measured. */
  readonly latencyMs: number | undefined;
  /** Undefined if no price is known. */
  readonly costUsd: number | undefined;
  /** The answers that led to this one, itself the last, with their tool calls and results. Absent for one answer alone. */
  readonly steps?: readonly AgentStep[];
  /** Set if a program answered and said nothing of the tools it may have called. */
  readonly isPathUnknown?: true;
  /** The final state of the case's tools. */
  readonly state?: JsonValue;
}

/** The part of an answer that is checked: text, or a value that was parsed or selected. */
export type Target =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown };

/** The part of an answer, or why the answer has none. */
export type Selected = Target | Missing;

interface Missing {
  readonly missing: string;
  /** Set if the part could not be looked for. */
  readonly isUnknown?: true;
}

/** The functions of the outside world that checks can use. */
export interface AssertionPorts {
  /** Called with the verdict of each check of a cell as soon as it is made. */
  readonly onVerdict?: (verdict: Verdict) => void;
  /** True once the run was stopped: the checks that are left are not made. Absent if nothing can stop them. */
  readonly isStopped?: () => boolean;
  /** Runs a synchronous function and throws a `DeadlineError` (text/deadline.ts) after that many milliseconds. */
  readonly deadline: <T>(run: () => T, limitMs: number) => T;
  /** Runs the user's own code; undefined if none may run. */
  readonly ownCode?: OwnCode;
  /** Looks into the workspaces that programs left; undefined if that is not possible. */
  readonly workspace?: WorkspacePort;
  /** Imports an optional package as the project has it; undefined if it has none. */
  readonly importPackage?: (name: string) => Promise<unknown>;
  /** Asks a judge or a model of embeddings; undefined if none may be asked. */
  readonly ask?: AskModel;
}

/** Asks a model one question. It never rejects: a failure comes back as a value. */
export type AskModel = (question: ModelQuestion) => Promise<ModelReply>;

export interface ModelQuestion {
  readonly kind: 'judge' | 'embeddings';
  /** The id of a judge of the suite, or of its model of embeddings. */
  readonly model: string;
  readonly messages: readonly Message[];
  /** The schema of the reply, if the API can enforce one. */
  readonly schema?: JsonObject;
  /** The number of this vote, from 0. Each vote is a sample of its own. */
  readonly vote: number;
  readonly votes: number;
  /** Set if the cached reply could not be read: ask the model again. */
  readonly isFresh?: true;
}

export type ModelReply =
  | {
      readonly text: string;
      /** The model snapshot that answered. */
      readonly model?: string;
      /** True if the reply came from the cache, so that the model may be asked again. */
      readonly canRefresh: boolean;
    }
  | { readonly failure: string };

/** The answer that the baseline holds for the same case and trial. */
export type AcceptedAnswer = Pick<CompletionView, 'text' | 'reasoning' | 'toolCalls'>;

/**
 * Finds the accepted answer of a cell; undefined if there is none, or if only its hash was kept. A trial that the
 * baseline lacks, such as a fresh trial, gets the answer of the case's first trial.
 */
export type FindAccepted = (key: CellKey) => AcceptedAnswer | undefined;

export interface CheckContext {
  readonly completion: CompletionView;
  readonly ports: AssertionPorts;
  /** The selected part of the accepted answer; undefined if there is none, or if the check needs none. */
  readonly accepted?: Target | { readonly missing: string };
  /** The user's own code that the check runs. */
  readonly code?: CodeSource;
  /** The id of the model that the check asks. */
  readonly asks?: string;
  /** The case's variables and conversation. */
  readonly input?: JudgedInput;
}

/**
 * The data for a judge besides the answer. A judge never sees the prompt, so that all prompt versions are judged alike.
 */
export interface JudgedInput {
  readonly vars: Vars;
  /** The messages after the prompt's own, without the judged answer. */
  readonly conversation: readonly Message[];
  /** The other side's answer, for checks that compare two. `reference`: other answers are compared with this one. */
  readonly other?: AcceptedAnswer | 'reference';
  /** Stored verdicts of models on this answer, so that no model has to be asked again. */
  readonly stored?: readonly RecordedCheck[];
}

export type CheckOutcome =
  | {
      readonly pass: boolean;
      /** In [0, 1]; default 1 or 0. */
      readonly score?: number;
      readonly reason: string;
      readonly diff?: { readonly expected: string; readonly found: string };
      /** There was nothing to check; `not` keeps it a failure. */
      readonly missing?: true;
      /** The check does not concern this answer: it is shown and does not count. */
      readonly isIdle?: true;
      readonly judgement?: Omit<Judgement, 'check'>;
    }
  /** The check can't be made: neither pass nor fail. */
  | { readonly error: string };

/** An outcome of a check that could be made. */
export type Made = Exclude<CheckOutcome, { readonly error: string }>;

/** The score, limited to [0, 1]. */
export function scoreOf({ pass, score }: Made): number {
  if (score === undefined || Number.isNaN(score)) return pass ? 1 : 0;
  return Math.min(1, Math.max(0, score));
}

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

interface AssertionDefinition<Params extends z.ZodType> extends Omit<AssertionDeclaration, 'findIdle'> {
  readonly params: Params;
  readonly findIdle?: (params: z.output<Params>) => string | undefined;
  readonly failsOn?: Partial<CompletionView>;
  readonly check: (
    target: Target,
    params: z.output<Params>,
    context: CheckContext,
  ) => CheckOutcome | Promise<CheckOutcome>;
}

/** Makes an assertion whose `check` is typed by its own parameter schema. */
export function defineAssertion<Params extends z.ZodType>(definition: AssertionDefinition<Params>): CheckAssertion {
  const { findIdle, ...rest } = definition;
  return {
    ...rest,
    // A check's parameters come from this same schema, which the registry's common type can't express.
    ...(findIdle && { findIdle: (params) => findIdle(params as z.output<Params>) }),
    check: (target, params, context) => definition.check(target, params as z.output<Params>, context),
  };
}

/** How long one check may compute. */
export const checkLimitMs = 500;

/**
 * Runs a function that applies a regex to a text. It runs under the deadline unless it is cheap: a deadline costs more
 * than most regexes.
 */
export function runRegex<T>(regex: RegExp, textLength: number, ports: AssertionPorts, run: () => T): T {
  return runBounded(isHarmlessRegex(regex.source, regex.flags, textLength), ports, run);
}

export function runBounded<T>(cheap: boolean, ports: AssertionPorts, run: () => T): T {
  return cheap ? run() : ports.deadline(run, checkLimitMs);
}

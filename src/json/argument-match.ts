import type { PlainStep } from './plain-path.ts';

/** What the arguments of a tool call are compared with. */
export interface ArgumentMatch {
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** `subset`: there may be further arguments. */
  readonly compare: 'subset' | 'exact';
  readonly schema?: unknown;
  /** Paths in the arguments that are not compared. */
  readonly ignore?: readonly (readonly PlainStep[])[] | undefined;
}

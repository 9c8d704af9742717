import type { Breach } from '../../model/gate.ts';
import type { UnsettledCase } from './judge-cases.ts';

/** A breach of the variant that is being judged. */
export type LocalBreach = Omit<Breach, 'suite' | 'prompt' | 'provider'>;

/** What one limit says of a variant; nothing where it is met. */
export interface LimitGate {
  readonly failure?: LocalBreach;
  readonly error?: LocalBreach;
  readonly unjudged?: LocalBreach;
  readonly undecided?: string;
  readonly unsettled?: UnsettledCase;
  readonly warning?: string;
}

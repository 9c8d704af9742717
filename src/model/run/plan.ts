import type { JsonObject } from '../../json/json.ts';
import type { PromptVersion, ProviderConfig, Suite } from '../suite/suite.ts';

/** A prompt version on a provider, with the parameters to send. */
export interface RenderedVariant {
  readonly prompt: PromptVersion;
  readonly provider: ProviderConfig;
  readonly params: JsonObject;
}

export interface PlannedVariant extends RenderedVariant {
  /** Number of cells, without cells under `observe`. */
  readonly planned: number;
  readonly observed: number;
}

export interface PlannedSuite {
  readonly suite: Suite;
  readonly variants: readonly PlannedVariant[];
  readonly filtered: boolean;
  /** Number of selected cases, on any variant. */
  readonly selectedCases: number;
}

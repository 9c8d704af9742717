import type { JsonObject } from '../json/json.ts';
import type { PromptVersion, ProviderConfig, Suite } from './suite.ts';

/** A prompt version on a provider, with what is sent beside its messages. */
export interface RenderedVariant {
  readonly prompt: PromptVersion;
  readonly provider: ProviderConfig;
  readonly params: JsonObject;
}

export interface PlannedVariant extends RenderedVariant {
  /** Cells; those under `observe` counted apart. */
  readonly planned: number;
  readonly observed: number;
}

export interface PlannedSuite {
  readonly suite: Suite;
  readonly variants: readonly PlannedVariant[];
  readonly filtered: boolean;
  /** Cases that the selection kept, on whatever variants they run. */
  readonly selectedCases: number;
}

import type { JsonObject, JsonValue } from '../json/json.ts';

/** Everything of a prompt that others rely on. */
export interface PromptContract {
  readonly promptId: string;
  /** The id of the version that this one takes the place of. */
  readonly replaces?: string;
  /** What the template reads; `order.id` stands for `order`. */
  readonly variables: readonly PromptVariable[];
  /** What the request asks for; where it does not say, a schema makes it JSON. */
  readonly outputFormat?: 'json' | 'text';
  readonly inputSchema?: JsonObject | boolean;
  readonly outputSchema?: JsonObject | boolean;
  readonly tools: readonly PromptTool[];
  readonly provider: string;
  readonly model: string;
  /** Without those that are described above, such as a response format. */
  readonly params: JsonObject;
  readonly messages: readonly { readonly role: string }[];
}

export interface PromptVariable {
  readonly name: string;
  readonly hasDefault: boolean;
  readonly default?: JsonValue;
}

export interface PromptTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: JsonObject | boolean;
}

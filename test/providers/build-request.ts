import type { JsonObject } from '../../src/json/json.ts';
import type { CompletionRequest, Message } from '../../src/model/run/completion.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';

export function buildConfig(over: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    id: 'support',
    adapter: 'openai',
    model: 'gpt-4o-mini',
    params: {},
    headers: {},
    limits: {},
    options: {},
    folder: '/project',
    ...over,
  };
}

export function buildRequest(over: {
  readonly model?: string;
  readonly messages?: readonly Message[];
  readonly params?: JsonObject;
}): CompletionRequest {
  return {
    adapter: 'openai',
    adapterVersion: 'chat-1',
    model: over.model ?? 'gpt-4o-mini',
    messages: over.messages ?? [{ role: 'user', content: 'Hello' }],
    params: over.params ?? {},
    trial: 0,
    origin: { suite: 's', prompt: 'v1', provider: 'support', caseId: 'refund' },
  };
}

import { setMaxListeners } from 'node:events';
import type { Cell } from '../../src/model/run/cell.ts';
import type {
  Completion,
  CompletionOutcome,
  CompletionRequest,
  ProviderFailure,
} from '../../src/model/run/completion.ts';
import type { CheckSpec } from '../../src/model/run/verdict.ts';
import { defaultGate, type GatePolicy } from '../../src/model/suite/gate-policy.ts';
import {
  type Case,
  type PromptVersion,
  type ProviderConfig,
  type Suite,
  type Vars,
} from '../../src/model/suite/suite.ts';

const at = { file: 'evals/triage.eval.yaml', line: 12, column: 5 };

export const neverAborted = new AbortController().signal;
setMaxListeners(0, neverAborted);

export function buildCheck(overrides: Partial<CheckSpec> = {}): CheckSpec {
  const params = { value: 'billing' };
  return { assertion: 'contains', params, weight: 1, required: false, source: { contains: 'billing' }, ...overrides };
}

export function buildCase(overrides: Partial<Case> = {}): Case {
  return {
    id: 'refund',
    vars: { email: 'I want my money back' },
    checks: [buildCheck()],
    tags: [],
    trials: 1,
    mustPass: false,
    observe: false,
    turns: [],
    caseHash: 'caseHash-refund',
    at,
    ...overrides,
  };
}

export function buildPrompt(overrides: Partial<PromptVersion> = {}): PromptVersion {
  const template = {
    source: 'Route: {{ email }}',
    variables: ['email'],
    render: (vars: Vars) => `Route: ${String(vars['email'])}`,
  };
  return { id: 'v1', messages: [{ role: 'user', template }], params: {}, ...overrides };
}

export function buildProvider(overrides: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    id: 'openai:gpt-4o-mini',
    adapter: 'openai',
    model: 'gpt-4o-mini',
    params: {},
    headers: {},
    limits: {},
    options: {},
    folder: '/project',
    ...overrides,
  };
}

export const openGate: GatePolicy = defaultGate;

export function buildSuite(cases: readonly Case[], overrides: Partial<Omit<Suite, 'cases' | 'caseCount'>> = {}): Suite {
  return {
    id: 'triage',
    path: 'evals/triage.eval.yaml',
    prompts: [buildPrompt()],
    providers: [buildProvider()],
    judges: [],
    askedModels: [],
    criteria: [],
    labels: [],
    contract: {},
    gate: openGate,
    baseline: { outputs: 'full' },
    sources: { files: ['evals/triage.eval.yaml'], missing: [], globs: [] },
    ...overrides,
    caseCount: cases.length,
    cases: () => cases,
  };
}

export function buildRequest(overrides: Partial<CompletionRequest> = {}): CompletionRequest {
  return {
    adapter: 'openai',
    adapterVersion: '1',
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'Route: I want my money back' }],
    params: {},
    trial: 0,
    origin: { suite: 'triage', prompt: 'v1', provider: 'openai:gpt-4o-mini', caseId: 'refund' },
    ...overrides,
  };
}

export function buildCell(overrides: Partial<Cell> = {}): Cell {
  return {
    key: { suite: 'triage', prompt: 'v1', provider: 'openai:gpt-4o-mini', caseId: 'refund', trial: 0 },
    request: buildRequest(),
    vars: {},
    turns: [],
    checks: [buildCheck()],
    mustPass: false,
    observe: false,
    caseHash: 'caseHash-refund',
    cellHash: 'cell-refund',
    at,
    ...overrides,
  };
}

export function buildCompletion(overrides: Partial<Completion> = {}): Completion {
  return {
    text: 'billing',
    toolCalls: [],
    finishReason: 'stop',
    usage: { inputTokens: 10, outputTokens: 2 },
    latencyMs: 100,
    ...overrides,
  };
}

export function completed(
  overrides: Partial<Completion> = {},
  call: { cached?: boolean; attempts?: number } = {},
): CompletionOutcome {
  const { cached = false, attempts = cached ? 0 : 1 } = call;
  return { status: 'completed', completion: buildCompletion(overrides), cached, attempts };
}

export function failed(
  kind: ProviderFailure['kind'],
  overrides: Partial<ProviderFailure> = {},
  attempts = 1,
): CompletionOutcome {
  return { status: 'failed', failure: { kind, message: `no luck: ${kind}`, ...overrides }, attempts };
}

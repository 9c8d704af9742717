export type { Decision, Breach } from './model/gate.ts';
export type { CellRow, RecordRow, RunHeader } from './model/record.ts';
export type { Completion, FailureKind, FinishReason, ToolCall, Usage } from './model/completion.ts';

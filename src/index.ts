export type { Completion, FailureKind, FinishReason, ToolCall, Usage } from './model/completion.ts';
export type { Breach, Decision } from './model/gate.ts';
export type { AssertionInput, AssertionModule, AssertionVerdict } from './model/own-code.ts';
export type { CellRow, RecordRow, RunHeader } from './model/record.ts';

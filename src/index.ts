export { type CheckAnswerOptions, type CheckedAnswer, checkAnswer } from './api/check-answer.ts';
export {
  type AssertionDefinition,
  defineAssertion,
  defineProvider,
  defineReporter,
  defineSuite,
  type ProviderDefinition,
} from './api/define.ts';
export type { ApiContext, RunSuitesOptions } from './api/options.ts';
export { type CompareRecordsOptions, compareRecords, renderReport } from './api/records.ts';
export { type RunEvent, runSuites, type SuiteRun } from './api/run-suites.ts';
export type { Assertion, Case, CustomAssertions, SuiteDefinition } from './api/suite-definition.ts';
export type { JsonObject, JsonValue } from './json/json.ts';
export type { BreachCode } from './model/comparison/breach.ts';
export { type ExitCode, exitCodes } from './model/comparison/exit-code.ts';
export type { Direction, FindingSeverity, PromptFindings } from './model/comparison/finding.ts';
export type { Breach, Decision } from './model/comparison/gate.ts';
export type { Problem, ProblemCode, SourceLocation } from './model/problem.ts';
export { UserError } from './model/problem.ts';
export type { CaseReport, Report, ReportStyle, SuiteReport, VariantReport } from './model/report/report.ts';
export type { CellKey, CellStatus } from './model/run/cell.ts';
export type {
  Completion,
  FailureKind,
  FinishReason,
  Message,
  ProviderFailure,
  ToolCall,
  Usage,
} from './model/run/completion.ts';
export type { RecordRow } from './model/run/deciding-lines.ts';
export type { CellRow, EndRow, ResumeRow, RunHeader } from './model/run/record.ts';
export type { Verdict } from './model/run/verdict.ts';
export type { RowClass } from './model/suite/classes.ts';
export type {
  AssertionInput,
  AssertionModule,
  AssertionPlugin,
  AssertionVerdict,
  ParamsOf,
  ParamsSchema,
  PluginCheckInput,
  ProviderAnswer,
  ProviderPlugin,
  ProviderRequest,
  SelectInput,
  TakenStep,
  ToolFunction,
  ToolsModule,
  TypedSchema,
} from './model/suite/own-code.ts';
export type { Plugin, ReporterPlugin } from './model/suite/plugin.ts';

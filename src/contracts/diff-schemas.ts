import { defined } from '../json/defined.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { ContractReport } from '../model/finding.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../schema-diff/compare-schemas.ts';
import { applyApprovals, isContractBroken } from '../schema-diff/grade-changes.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { readSchemaFile } from '../suite/contracts/contract-places.ts';

export interface DiffSchemasOptions
  extends Pick<SchemaComparisonOptions, 'direction' | 'policy' | 'ignore' | 'strictConsumers'> {
  /** As the user wrote them. */
  readonly paths: { readonly old: string; readonly replacement: string };
  readonly approved: readonly string[];
  readonly cwd: string;
}

/** Compares two schema files; throws a `UserError` with the place for one that can't be read. Nothing is fetched. */
export function diffSchemas(options: DiffSchemasOptions): ContractReport {
  const { paths, approved, cwd, ...comparison } = options;
  const old = readSchemaFile(paths.old, cwd);
  const replacement = readSchemaFile(paths.replacement, cwd);
  try {
    const findings = applyApprovals(compareSchemas(old.schema, replacement.schema, comparison), approved);
    const located = findings.map((finding) => ({ ...finding, at: withoutExcerpt(replacement.locate(finding.path)) }));
    return {
      entries: [{ against: old.file, findings: located }],
      notes: [],
      exitCode: isContractBroken(findings) ? exitCodes.failed : exitCodes.passed,
    };
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error;
    const { locate } = error.side === 'old' ? old : replacement;
    const problem: Problem = {
      code: 'invalid-schema',
      severity: 'error',
      message: error.message,
      ...defined({ hint: error.hint }),
      at: locate(error.pointer),
    };
    throw new UserError([problem], { cause: error });
  }
}

function withoutExcerpt({ file, line, column }: NonNullable<Problem['at']>) {
  return { file, line, column };
}

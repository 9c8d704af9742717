import { openBaselines, openComparedRef } from '../baseline/find-baselines.ts';
import { defined } from '../json/defined.ts';
import type { FindBaseline, VariantKey } from '../model/comparison/baseline.ts';
import { exitCodes } from '../model/comparison/exit-code.ts';
import type { ContractReport, PromptFindings } from '../model/comparison/finding.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { type Project, providersOf, type Suite, type Vars } from '../model/suite/suite.ts';
import { findOrphanBaselines } from '../plan/select-cases.ts';
import type { GitRef } from '../project/git/git-files.ts';
import { loadProjectAtRef } from '../project/project-at-ref.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../schema-diff/compare-schemas.ts';
import { applyApprovals, isContractBroken } from '../schema-diff/grade-changes.ts';
import { definitionKeywords, findWrapper } from '../schema-diff/schema/check-document.ts';
import { SchemaProblem } from '../schema-diff/schema/schema-document.ts';
import { readSchemaFile, type SchemaFile } from '../suite/contracts/contract-places.ts';
import { withoutExcerpt } from '../suite/documents/locate.ts';
import { listFirst } from '../text/format-amount.ts';
import { type AnsweredVariant, compareContracts, describeGone } from './compare-contracts.ts';
import { variantOf } from './describe-contract.ts';
import { answersOfBaseline, type StoredAnswer } from './observe-answers.ts';

export interface CheckContractsOptions {
  readonly project: Project;
  /** The selected paths. If empty, every suite is checked. */
  readonly paths: readonly string[];
  /** `git:REF`, a baseline file or a run. If undefined, the accepted baseline. */
  readonly against?: string;
  readonly configPath?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Compares every prompt's contract with its baseline's or a commit's; no call is made and nothing is fetched. */
export async function checkContracts(options: CheckContractsOptions): Promise<ContractReport> {
  const { project, against, cwd, env } = options;
  const wanted = against === undefined ? 'auto' : { source: against };
  const place = { root: project.root, cwd, env };
  const ref = openComparedRef(wanted, place);
  const findBaseline = openBaselines(wanted, { ...place, ...defined({ ref }) });
  const old = ref === undefined ? openStored(findBaseline) : await openCommit({ ...options, ref }, findBaseline);
  const compared = await compareSuites(project, old);
  if (compared.entries.length === 0 && compared.notes.length > 0) refuseOthersRecord(options);
  const orphans = against === undefined ? await findOrphanBaselines(project) : [];
  const gone = describeGoneSuites(project, old);
  const entries = [...compared.entries, ...gone.entries];
  return {
    entries,
    notes: [...compared.notes, ...orphans.map(({ message }) => message), ...gone.notes],
    exitCode: exitCodeOf(entries, options),
  };
}

interface Findings {
  readonly entries: readonly PromptFindings[];
  readonly notes: readonly string[];
}

/** Throws a `UserError` with every schema that can't be compared. */
async function compareSuites(project: Project, old: OldSide): Promise<Findings> {
  const entries: PromptFindings[] = [];
  const notes: string[] = [];
  const problems: Problem[] = [];
  for (const suite of project.suites) {
    const found = old.find(suite);
    if (found === undefined) {
      notes.push(`${suite.id}: ${old.absence(suite)}, so there is nothing to compare its contracts with`);
      continue;
    }
    try {
      const compared = await compareContracts({
        suite: suite.id,
        against: found.source,
        old: found.variants,
        replacement: variantsOf(suite, () => []),
        isPart: false,
        contract: suite.contract,
        ...defined({ locate: suite.locateContract }),
        cases: () => varsOf(suite),
      });
      entries.push(...compared);
    } catch (error) {
      if (!(error instanceof SchemaProblem)) throw error;
      problems.push(await describeFault(error, suite, found));
    }
  }
  if (problems.length > 0) throw new UserError(problems);
  return { entries, notes };
}

/** Throws a `UserError` if the given file has none of the suites. A commit may lack them, because they may be newer. */
function refuseOthersRecord({ project, against }: CheckContractsOptions): void {
  if (against === undefined || against.startsWith('git:')) return;
  const message = `${against} holds none of these suites: ${project.suites.map(({ id }) => id).join(', ')}`;
  const hint = 'name the suite that it belongs to, or a file that belongs to this one';
  throw new UserError({ code: 'record', message, hint });
}

/** Reports old suites that are gone, because their contracts are gone too. */
function describeGoneSuites(project: Project, old: OldSide): Findings {
  const gone = old.findGone(project).map(({ suite, source }) => {
    const prompts = suite.prompts.map(({ id }) => id);
    const hint = hintOfRename(suite, project, old);
    return {
      entries: describeGone({ suite: suite.id, against: source, prompts, contract: suite.contract }, project),
      note: `${suite.id} (${suite.path}) is gone, and with it the contracts of ${prompts.join(', ')}${hint}`,
    };
  });
  return { entries: gone.flatMap(({ entries }) => entries), notes: gone.map(({ note }) => note) };
}

function exitCodeOf(
  entries: readonly PromptFindings[],
  { project, paths }: CheckContractsOptions,
): ContractReport['exitCode'] {
  if (entries.some(({ findings }) => isContractBroken(findings))) return exitCodes.failed;
  // On the command line every path is named; in the config a pattern may match nothing.
  const isSelectionEmpty = (project.emptySelections ?? []).some(({ isNamed }) => isNamed || paths.length > 0);
  return isSelectionEmpty ? exitCodes.incomplete : exitCodes.passed;
}

function* varsOf(suite: Suite): Iterable<Vars> {
  for (const { vars } of suite.cases()) yield vars;
}

interface OldSuite {
  readonly source: string;
  readonly variants: readonly AnsweredVariant[];
  readonly suite?: Suite;
}

/** What the contracts of the working tree are compared with: stored baselines, or the suites of a commit. */
interface OldSide {
  /** The old state of a suite; undefined if there is none. */
  find(suite: Suite): OldSuite | undefined;
  /** Why `find` has no old state of a suite. */
  absence(suite: Suite): string;
  /** Old suites whose id and path no suite of the project has. */
  findGone(project: Project): readonly (OldSuite & { readonly suite: Suite })[];
}

function openStored(findBaseline: FindBaseline): OldSide {
  return {
    absence: () => 'no baseline yet',
    findGone: () => [],
    find(suite) {
      const found = findBaseline(suite);
      if (found === undefined) return undefined;
      const { source, baseline } = found;
      const variants = baseline.variants.map((variant) => ({
        variant,
        answers: () => answersOfBaseline(baseline, variant),
      }));
      return { source, variants };
    },
  };
}

async function openCommit(
  options: CheckContractsOptions & { readonly ref: GitRef },
  findBaseline: FindBaseline,
): Promise<OldSide> {
  const { ref } = options;
  const { suites } = await loadProjectAtRef(options);
  const source = `git:${ref.name} (${ref.commit.slice(0, 8)})`;
  const findSuite = ({ id, path }: Suite) =>
    suites.find((old) => old.id === id) ?? suites.find((old) => old.path === path);
  return {
    absence: () => `there is no such suite at git:${ref.name}`,
    find(suite) {
      const old = findSuite(suite);
      if (old === undefined) return undefined;
      const variants = variantsOf(old, (key) => {
        // Read only where a schema has changed: a baseline is far larger than a contract.
        const found = findBaseline(old);
        return found !== undefined && found.isFirst !== true ? answersOfBaseline(found.baseline, key) : [];
      });
      return { source, variants, suite: old };
    },
    findGone(project) {
      // Only suites of these paths are loaded. An old suite that seems gone may be in another path.
      if (options.paths.length > 0) return [];
      const kept = new Set(project.suites.map(findSuite));
      return suites.filter((suite) => !kept.has(suite)).map((suite) => ({ source, suite, variants: [] }));
    },
  };
}

/** Names the new suites, each of which may be the missing suite under another id and path. */
function hintOfRename({ id }: Suite, { suites }: Project, old: OldSide): string {
  const added = suites.filter((suite) => old.find(suite) === undefined).map(({ path }) => path);
  return added.length === 0 ? '' : `; if it is ${listFirst(added, 3)} now, write "suite: ${id}" there`;
}

/** Each prompt of a suite on each of its providers. */
function variantsOf(suite: Suite, answersOf: (key: VariantKey) => Iterable<StoredAnswer>): readonly AnsweredVariant[] {
  return suite.prompts.flatMap((prompt) => {
    const providers = providersOf(suite, prompt);
    return providers.map((provider) => ({
      variant: variantOf(suite, prompt, provider),
      answers: () => answersOf({ prompt: prompt.id, provider: provider.id }),
    }));
  });
}

async function describeFault(error: SchemaProblem, suite: Suite, old: OldSuite): Promise<Problem> {
  const isOld = error.side === 'old';
  const owner = isOld ? old.suite : suite;
  const { promptId = '', pointer } = error;
  const at = await owner?.locateContract?.(promptId, pointer);
  return {
    code: 'invalid-schema',
    severity: 'error',
    ...defined({ hint: error.hint }),
    message: `prompt "${promptId}"${isOld ? ` in ${old.source}` : ''}, ${pointer}: ${error.message}`,
    ...defined({ at }),
  };
}

export interface DiffSchemasOptions
  extends Pick<SchemaComparisonOptions, 'direction' | 'policy' | 'ignore' | 'strictConsumers'> {
  /** The paths as the user wrote them. */
  readonly paths: { readonly old: string; readonly replacement: string };
  readonly approved: readonly string[];
  readonly cwd: string;
}

/** Compares two schema files; throws a `UserError` with the place for one that can't be read. Nothing is fetched. */
export function diffSchemas(options: DiffSchemasOptions): ContractReport {
  const { paths, approved, cwd, ...comparison } = options;
  const old = readSchemaFile(paths.old, cwd);
  const replacement = readSchemaFile(paths.replacement, cwd);
  const wrapped = [old, replacement].flatMap((file) => describeWrapper(file) ?? []);
  if (wrapped.length > 0) throw new UserError(wrapped);
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

/** Describes a document that only wraps a schema. It restricts nothing itself, so a comparison would find nothing. */
function describeWrapper({ schema, locate }: SchemaFile): Problem | undefined {
  const wrapper = findWrapper(schema);
  if (wrapper === undefined) return undefined;
  const isOfDefinitions = definitionKeywords.includes(wrapper);
  return {
    code: 'invalid-schema',
    severity: 'error',
    message: isOfDefinitions
      ? `this schema refuses nothing: it refers to none of its "${wrapper}"`
      : `this is no JSON Schema: "${wrapper}" is none of its keywords`,
    hint: isOfDefinitions
      ? `refer to the one that counts: "$ref": "#/${wrapper}/NAME"`
      : 'compare files that hold the schema itself; tools of suites are compared by llmcheck contract check',
    at: locate(`/${wrapper}`),
  };
}

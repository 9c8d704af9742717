import { Buffer } from 'node:buffer';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { drawUnfinishedEnding } from '../files/unfinished-name.ts';
import { withStorageErrors } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { inOrderOf } from '../json/stored.ts';
import {
  type BaselineCases,
  type BaselineContent,
  type BaselineTrial,
  type BaselineVariant,
  baselineCaseSchema,
  baselineFormat,
  baselineVariantSchema,
} from '../model/comparison/baseline.ts';
import { storedChecksSchema } from '../model/run/deciding-lines.ts';
import type { CellRow } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import { checksHashOf } from '../model/suite/same-case.ts';
import { answerHashOf } from '../record/case-summaries.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { answeredModels } from '../verdict/pair-cases.ts';
import { orderVariants, readCases } from './baseline-cases.ts';

/** The longest stored answer. Of a longer answer, only the hash is kept. */
const maxKeptOutputBytes = 64 * 1024;

/**
 * The data of a suite's run for later comparisons. It does not depend on time, place or speed of the run. Rows are read
 * lazily.
 */
export function buildBaseline(
  suite: SuiteSummary,
  { readRow, checksOf }: Pick<BaselineContent, 'checksOf'> & { readonly readRow: (rowIndex: number) => CellRow },
): BaselineContent {
  const keepsOutputs = suite.recorded.outputs === 'full';
  return {
    suite: suite.recorded.suite,
    variants: suite.variants.filter(({ cases }) => cases.size > 0).map(describeVariant),
    cases: suite.variants.map((variant) => buildCases(variant, readRow, keepsOutputs)),
    checksOf,
  };
}

function describeVariant({ recorded, cases }: VariantSummary): BaselineVariant {
  const { prompt, provider, adapter, model, baseUrl, adapterVersion, params, options, messages, contract } = recorded;
  const { replaces, replacesProvider } = recorded;
  return {
    type: 'variant',
    prompt,
    provider,
    adapter,
    model,
    ...defined({ baseUrl, adapterVersion }),
    params,
    ...defined({ options }),
    messages,
    ...defined({ replaces, replacesProvider }),
    // Approvals and policies belong to a comparison, not to the baseline.
    contract: defined({ input: contract.input, output: contract.output }),
    models: answeredModels(cases.values()),
  };
}

function buildCases(
  { recorded, cases }: VariantSummary,
  readRow: (rowIndex: number) => CellRow,
  keepsOutputs: boolean,
): BaselineCases {
  const { prompt, provider } = recorded;
  const keep = (rows: readonly RowSummary[]) => rows.map(({ rowIndex }) => buildTrial(readRow(rowIndex), keepsOutputs));
  return {
    prompt,
    provider,
    *caseIds() {
      for (const found of cases.values()) if (isAcceptable(found)) yield found.caseId;
    },
    has(caseId) {
      const found = cases.get(caseId);
      return found !== undefined && isAcceptable(found);
    },
    read(caseId) {
      const found = cases.get(caseId);
      if (found === undefined) throw new RangeError(`${caseId} is no case of ${prompt} on ${provider}`);
      const { caseHash, mustPass, group, trials, confirmations } = found;
      return {
        type: 'case',
        prompt,
        provider,
        caseId,
        caseHash,
        ...defined({ mustPass: mustPass || undefined, group }),
        trials: keep(trials),
        ...defined({ confirmations: confirmations.length === 0 ? undefined : keep(confirmations) }),
      };
    },
  };
}

function isAcceptable({ observe, status }: CaseSummary): boolean {
  return !observe && status !== 'skipped';
}

function buildTrial(row: CellRow, keepsOutputs: boolean): BaselineTrial {
  const { trial, status, score, classified, checks, usage, latencyMs, steps, finishReason, answerId } = row;
  const { output, toolCalls, trajectory, state, reasoning, refusal, firstTokenMs } = row;
  const isKept = keepsOutputs && output !== undefined && Buffer.byteLength(output) <= maxKeptOutputBytes;
  return {
    trial,
    status,
    ...defined({ score, classified }),
    checks,
    ...defined({ usage, latencyMs, firstTokenMs, steps, finishReason }),
    ...(isKept ? defined({ output, toolCalls, trajectory, state, reasoning, refusal }) : {}),
    ...defined({ answerHash: answerHashOf(row), answerId }),
  };
}

/** The file's lines with their line breaks. Equal baselines give equal bytes, whatever the order of their variants. */
export function* renderBaseline(content: BaselineContent): Generator<string> {
  const { suite, pin } = content;
  yield renderLine({ type: 'baseline', format: baselineFormat, suite, pin });
  for (const row of content.variants.toSorted(orderVariants)) {
    const { params, options, contract, models } = row;
    yield renderLine({
      ...inOrderOf(baselineVariantSchema, row),
      params: new AsWritten(params),
      options: options && new AsWritten(options),
      contract: new AsWritten(contract),
      models: models.toSorted(),
    });
  }
  const hashes = new Set<string>();
  for (const row of readCases(content)) {
    hashes.add(checksHashOf(row.caseHash));
    const { trials, confirmations } = row;
    yield renderLine({
      ...inOrderOf(baselineCaseSchema, row),
      trials: sortTrials(trials),
      confirmations: confirmations && sortTrials(confirmations),
    });
  }
  for (const hash of [...hashes].sort()) {
    const checks = content.checksOf(hash);
    if (checks !== undefined) yield renderLine(inOrderOf(storedChecksSchema, checks));
  }
}

/**
 * False if the file holds these bytes already. A kill leaves the old file or the new one. The content may be read from the
 * same file while it is written. Throws a `StorageError`.
 */
export function writeBaseline(path: string, content: BaselineContent): boolean {
  return withStorageErrors('Writing', path, () => {
    const temporary = join(dirname(path), `.${basename(path)}${drawUnfinishedEnding()}`);
    try {
      writeLines(temporary, renderBaseline(content));
      const isChanged = !isSameFile(temporary, path);
      if (isChanged) renameSync(temporary, path);
      return isChanged;
    } finally {
      rmSync(temporary, { force: true });
    }
  });
}

/** A value whose members keep their order: a model writes properties in the order of their schema. */
class AsWritten {
  readonly json: string;

  constructor(value: object) {
    this.json = JSON.stringify(value);
  }
}

/**
 * The keys of the line itself are in reading order, nested ones in canonical order. Control characters are escaped, so that
 * an answer can't act on a terminal that shows a diff.
 */
function renderLine(line: object): string {
  const texts = Object.entries(line).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [`"${name}":${value instanceof AsWritten ? value.json : canonicalJson(value)}`];
  });
  return `${escapeJsonText(`{${texts.join(',')}}`)}\n`;
}

function sortTrials(trials: readonly BaselineTrial[]): BaselineTrial[] {
  return trials.toSorted((a, b) => a.trial - b.trial);
}

const blockBytes = 1 << 16;

/** Writes lines in blocks: a system call for each line would take most of the time. */
function writeLines(path: string, lines: Iterable<string>): void {
  const fd = openSync(path, 'wx');
  try {
    let block = '';
    for (const line of lines) {
      block += line;
      if (block.length < blockBytes) continue;
      writeFileSync(fd, block);
      block = '';
    }
    writeFileSync(fd, block);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Compares block by block, because the files may be too large for memory. */
function isSameFile(path: string, other: string): boolean {
  const stats = statSync(other, { throwIfNoEntry: false });
  if (stats?.size !== statSync(path).size) return false;
  const [fd, otherFd] = [openSync(path, 'r'), openSync(other, 'r')];
  try {
    const [block, otherBlock] = [Buffer.alloc(blockBytes), Buffer.alloc(blockBytes)];
    for (;;) {
      const length = readSync(fd, block);
      const otherLength = readSync(otherFd, otherBlock);
      if (!block.subarray(0, length).equals(otherBlock.subarray(0, otherLength))) return false;
      if (length === 0) return true;
    }
  } finally {
    closeSync(fd);
    closeSync(otherFd);
  }
}

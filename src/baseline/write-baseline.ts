import { Buffer } from 'node:buffer';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { drawUnfinishedEnding } from '../files/unfinished-name.ts';
import { withStorageErrors } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import {
  type BaselineCase,
  type BaselineCases,
  type BaselineContent,
  type BaselineTrial,
  type BaselineVariant,
  baselineFormat,
} from '../model/comparison/baseline.ts';
import type { StoredChecks } from '../model/run/deciding-lines.ts';
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
  yield renderLine([
    ['type', 'baseline'],
    ['format', baselineFormat],
    ['suite', content.suite],
    ['pin', content.pin],
  ]);
  for (const row of content.variants.toSorted(orderVariants)) yield renderVariant(row);
  const hashes = new Set<string>();
  for (const row of readCases(content)) {
    hashes.add(checksHashOf(row.caseHash));
    yield renderCase(row);
  }
  for (const hash of [...hashes].sort()) {
    const checks = content.checksOf(hash);
    if (checks !== undefined) yield renderChecks(checks);
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

export function renderChecks(row: StoredChecks): string {
  return renderLine([
    ['type', 'checks'],
    ['hash', row.hash],
    ['threshold', row.threshold],
    ['checks', row.checks],
  ]);
}

export function renderVariant(row: BaselineVariant): string {
  return renderLine([
    ['type', 'variant'],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['adapter', row.adapter],
    ['model', row.model],
    ['baseUrl', row.baseUrl],
    ['adapterVersion', row.adapterVersion],
    ['replaces', row.replaces],
    ['replacesProvider', row.replacesProvider],
    ['params', new AsWritten(row.params)],
    ['options', row.options === undefined ? undefined : new AsWritten(row.options)],
    ['messages', row.messages],
    ['contract', new AsWritten(row.contract)],
    ['models', row.models.toSorted()],
  ]);
}

export function renderCase(row: BaselineCase): string {
  return renderLine([
    ['type', 'case'],
    ['caseId', row.caseId],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['caseHash', row.caseHash],
    ['mustPass', row.mustPass],
    ['group', row.group],
    ['otherVariant', row.otherVariant],
    ['pooled', row.pooled],
    ['trials', sortTrials(row.trials)],
    ['confirmations', row.confirmations === undefined ? undefined : sortTrials(row.confirmations)],
  ]);
}

/** A value whose members keep their order: a model writes properties in the order of their schema. */
class AsWritten {
  readonly json: string;

  constructor(value: object) {
    this.json = JSON.stringify(value);
  }
}

/**
 * The line's own keys are in reading order, nested ones in canonical order. Control characters are escaped, so that an answer
 * can't act on a terminal that shows a diff.
 */
function renderLine(members: readonly (readonly [string, unknown])[]): string {
  const texts = members.flatMap(([name, value]) => {
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

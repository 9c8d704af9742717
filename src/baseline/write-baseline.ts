import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withStorageErrors } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import {
  type BaselineCase,
  type BaselineContent,
  type BaselineTrial,
  type BaselineVariant,
  baselineFormat,
} from '../model/baseline.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { compareVariants, readCases } from './baseline-cases.ts';

/** The file's lines with their line breaks. Equal baselines give equal bytes, whatever the order of their variants. */
export function* renderBaseline(content: BaselineContent): Generator<string> {
  yield renderLine([
    ['type', 'baseline'],
    ['format', baselineFormat],
    ['suite', content.suite],
    ['pin', content.pin],
  ]);
  for (const row of content.variants.toSorted(compareVariants)) yield renderVariant(row);
  for (const row of readCases(content)) yield renderCase(row);
}

/**
 * False where the file holds these bytes already. A kill leaves the old file or the new one. The content may be read from the
 * same file while it is written. Throws a `StorageError`.
 */
export function writeBaseline(path: string, content: BaselineContent): boolean {
  return withStorageErrors('Writing', path, () => {
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
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

function renderVariant(row: BaselineVariant): string {
  return renderLine([
    ['type', 'variant'],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['adapter', row.adapter],
    ['model', row.model],
    ['baseUrl', row.baseUrl],
    ['adapterVersion', row.adapterVersion],
    ['replaces', row.replaces],
    ['params', new AsWritten(row.params)],
    ['options', row.options === undefined ? undefined : new AsWritten(row.options)],
    ['messages', row.messages],
    ['contract', new AsWritten(row.contract)],
    ['models', row.models.toSorted()],
  ]);
}

function renderCase(row: BaselineCase): string {
  return renderLine([
    ['type', 'case'],
    ['caseId', row.caseId],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['stamp', row.stamp],
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

/** Compares block by block: either file may be larger than what should be in memory. */
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

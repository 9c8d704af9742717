import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StorageError, systemErrorCode, withStorageErrors } from '../files/storage-error.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import type { BaselineCase, BaselineContent, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import { baselineFormat } from '../model/baseline.ts';
import { escapeJsonText } from '../text/sanitize.ts';
import { compareVariants, readCases } from './baseline-order.ts';

/** The file's lines with their line breaks, one at a time. Equal baselines give equal bytes, whatever order their variants come in. */
export function* renderBaseline(content: BaselineContent): Generator<string> {
  yield renderLine([
    ['type', 'baseline'],
    ['format', baselineFormat],
    ['suite', content.suite],
  ]);
  for (const row of content.variants.toSorted(compareVariants)) yield renderVariant(row);
  for (const row of readCases(content)) yield renderCase(row);
}

/**
 * False where the file holds these bytes already. A kill leaves the old file or the new one; a full disk is a
 * `StorageError`. The content may be read from the very file while it is written.
 */
export function writeBaseline(path: string, content: BaselineContent): boolean {
  return withStorageErrors('Writing', path, () => {
    const old = openOld(path);
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
    let fresh: number | undefined;
    let sameBytes = 0;
    try {
      for (const block of byteBlocks(renderBaseline(content))) {
        if (fresh === undefined && old !== undefined && readAt(old, block.length, sameBytes).equals(block)) {
          sameBytes += block.length;
          continue;
        }
        fresh ??= beginFile(temporary, old, sameBytes);
        writeWhole(fresh, block);
      }
      if (fresh === undefined && old !== undefined && readAt(old, 1, sameBytes).length === 0) return false;
      fresh ??= beginFile(temporary, old, sameBytes);
      fsyncSync(fresh);
      closeSync(fresh);
      fresh = undefined;
      renameSync(temporary, path);
    } catch (error) {
      if (fresh !== undefined) closeSync(fresh);
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      if (old !== undefined) closeSync(old);
    }
    return true;
  });
}

const blockChars = 1 << 16;

function renderVariant(row: BaselineVariant): string {
  return renderLine([
    ['type', 'variant'],
    ['prompt', row.prompt],
    ['provider', row.provider],
    ['adapter', row.adapter],
    ['model', row.model],
    ['baseUrl', row.baseUrl],
    ['replaces', row.replaces],
    ['params', new AsWritten(row.params)],
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

/** The line's own keys stand as a reader wants them, those within in canonical order. Answers can't act on a terminal that shows a diff. */
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

/** Lines joined to blocks, since a system call a line would take most of the time. */
function* byteBlocks(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < blockChars) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function openOld(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A new file that begins like the old one, whose first bytes were found to be right. */
function beginFile(path: string, old: number | undefined, sameBytes: number): number {
  const fd = openSync(path, 'wx');
  try {
    if (old === undefined) return fd;
    for (let copied = 0; copied < sameBytes; ) {
      const bytes = readAt(old, Math.min(blockChars, sameBytes - copied), copied);
      // What was there a moment ago is gone: the file that is to be replaced is being written by somebody else.
      if (bytes.length === 0) throw new StorageError('Reading', path, 'ESTALE');
      writeWhole(fd, bytes);
      copied += bytes.length;
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readAt(fd: number, length: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

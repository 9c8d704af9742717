import { answersFromStoreOnly } from '../../calls/calls.ts';
import type { Stop } from '../../calls/stop.ts';
import { keepRecordings } from '../../calls/suite-recordings.ts';
import { withFileLock } from '../../files/file-lock.ts';
import { probeFile, readOrUndefined, replaceFile, withStorageErrors } from '../../files/write-files.ts';
import { parseJson } from '../../json/parse-json.ts';
import { UserError } from '../../model/problem.ts';
import type { ToolCall } from '../../model/run/completion.ts';
import { refusalOf, withRefusal } from '../../model/storage-problem.ts';
import { maxResultBytes, type RecordTarget } from '../../model/suite/agent.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findPullRequestSign } from '../../project/git/find-provenance.ts';
import { createMask, type Mask } from '../../secrets/mask-secrets.ts';
import { formatCount } from '../../text/format-amount.ts';
import {
  describeStubCall,
  insertStubs,
  maskResult,
  type RecordedStub,
  readWhen,
  stubKey,
} from '../../tools/recorded-stubs.ts';
import type { RecordAnswer } from '../../tools/tool-session.ts';
import { refuseArguments, type ToolOutcome } from '../../tools/tool-sources.ts';

/** Records the answers of real tools as stubs. */
export interface ToolRecorder {
  readonly record: RecordAnswer;
  /** Writes the stubs that are not written yet. Throws a `StorageError`. */
  write(): void;
  /** Notes on recorded calls, and on calls that were not recorded, with the reason. */
  notes(): readonly string[];
}

type Answered = Awaited<ReturnType<RecordAnswer>>;

/** Throws a `UserError` for tools that must not or can't be recorded. Call it before the first request. */
export function refuseToolRecording(
  { plan }: Pick<PlannedRun, 'plan'>,
  options: RunOptions,
  { env }: Pick<RunPorts, 'env'>,
): void {
  const sign = findPullRequestSign(env);
  if (sign !== undefined) {
    refuse(
      `--record-tools asks real tools, which a pull request must not: ${sign} says that this is one`,
      'record on your machine or on the default branch, and commit the stubs',
    );
  }
  const suites = new Map(plan.suites.map(({ suite }) => [suite.id, suite]));
  const targets = new Map<string, RecordTarget>();
  for (const key of plan.providerKeys) {
    for (const { agent, key: names } of plan.cells(key)) {
      if (agent?.record === undefined) continue;
      const suite = suites.get(names.suite);
      if (suite !== undefined && answersFromStoreOnly(suite, options)) {
        refuse(
          `--record-tools asks real tools, and the suite ${suite.id} is answered from its recordings`,
          'add --record, or --cache use',
        );
      }
      targets.set(agent.record.file, agent.record);
    }
  }
  if (targets.size === 0) {
    refuse(
      '--record-tools: no case of this run names real tools',
      'write tools: { file: stubs/shop.yaml, record: { module: tools/shop.ts } }',
    );
  }
  for (const { file } of targets.values()) withRefusal(() => probeFile(file));
}

function refuse(message: string, hint: string): never {
  throw new UserError({ code: 'usage', message, hint });
}

export function createToolRecorder({
  clock,
  env,
  mask: maskRun,
}: Pick<RunPorts, 'clock' | 'env' | 'mask'>): ToolRecorder {
  const files = openStubFiles(clock);
  const asked = new Map<string, Promise<Answered>>();
  const refused = new Set<string>();

  /** Masks keys, and the values of environment variables that the tools receive. */
  function maskFor({ source }: RecordTarget): Mask {
    const maskOwn = createMask((source.code.envNames ?? []).flatMap((name) => env[name] ?? []));
    return (text) => maskOwn(maskRun(text));
  }

  async function ask(target: RecordTarget, call: ToolCall, answer: Parameters<RecordAnswer>[2]): Promise<Answered> {
    const mask = maskFor(target);
    const read = readWhen(call, mask);
    if ('reason' in read) {
      const reason = `${describeStubCall(call)} is not recorded: ${read.reason}`;
      refused.add(reason);
      return { kind: 'fails', reason };
    }
    const answered = await answer();
    if (answered.kind !== 'result') {
      if (answered.kind === 'errored') refused.add(`${describeStubCall(call)} is not recorded: ${answered.message}`);
      return answered;
    }
    const result = maskResult(answered.result, call, mask);
    // The session fails the cell for a larger result. A stub with it would fail every later run.
    if (Buffer.byteLength(result.content) <= maxResultBytes) {
      const { content, isError } = result;
      const stubAnswer = isError === true ? { fails: content } : { returns: content };
      files.add(target, { name: call.name, when: read.when, answer: stubAnswer });
    }
    return { kind: 'result', result } satisfies ToolOutcome;
  }

  return {
    async record(target, call, answer) {
      // A tool with stubs gives the same error.
      if (!parseJson(call.rawArguments).ok && call.rawArguments.trim() !== '') {
        return { kind: 'result', result: refuseArguments(call) };
      }
      const read = readWhen(call, maskFor(target));
      if ('reason' in read) return ask(target, call, answer);
      const key = `${target.file}\n${stubKey(call.name, read.when)}`;
      const known = asked.get(key);
      if (known !== undefined) return known;
      const asking = ask(target, call, answer);
      asked.set(key, asking);
      const answered = await asking;
      // A failed call is not remembered, so another cell asks again.
      if (answered.kind !== 'result') asked.delete(key);
      return answered;
    },
    write: () => files.write(),
    notes: () => [...files.notes(), ...[...refused].toSorted()].map((note) => `--record-tools: ${note}`),
  };
}

interface StubFile {
  readonly shown: string;
  waiting: RecordedStub[];
  count: number;
  writtenMs: number;
}

/** The pause between two writes of a file. If the run is killed, calls since the last write are lost. */
const pauseMs = 1000;

/** Opens the files for the recorded stubs. */
function openStubFiles(clock: RunPorts['clock']) {
  const files = new Map<string, StubFile>();
  return {
    add({ file, shown }: RecordTarget, stub: RecordedStub): void {
      const open: StubFile = files.get(file) ?? { shown, waiting: [], count: 0, writtenMs: Number.NEGATIVE_INFINITY };
      files.set(file, open);
      open.waiting.push(stub);
      if (clock.now() - open.writtenMs < pauseMs) return;
      try {
        writeWaiting(file, open, clock.now());
      } catch (error) {
        // Writing at the end of the run fails again, and is reported there.
        refusalOf(error);
      }
    },
    write(): void {
      for (const [file, open] of files) writeWaiting(file, open, clock.now());
    },
    notes(): readonly string[] {
      const written = [...files.values()].filter(({ count }) => count > 0);
      return written.map(
        ({ shown, count }) => `${formatCount(count, 'stub')} written to ${shown}; review and commit it`,
      );
    },
  };
}

/** Reads the file again before writing, because another run or the user may have changed it. */
function writeWaiting(file: string, open: StubFile, nowMs: number): void {
  const stubs = open.waiting;
  if (stubs.length === 0) return;
  withFileLock(file, () => {
    const text = withStorageErrors('Reading', file, () => readOrUndefined(file));
    const inserted = insertStubs(text, stubs);
    if ('fault' in inserted) {
      const message = `${open.shown} can't be read any more: ${inserted.fault}; the recorded stubs are lost`;
      throw new UserError({ code: 'file-unreadable', message });
    }
    replaceFile(file, inserted.text);
  });
  open.count += stubs.length;
  open.waiting = [];
  open.writtenMs = nowMs;
}

/**
 * Writes the stubs after the last call, even if the run was stopped. The next run then need not ask the tools again.
 */
export function keepStubs(recorder: ToolRecorder, stop: Pick<Stop, 'hard'>, ports: Pick<RunPorts, 'onProgress'>): void {
  keepRecordings({ writeRecordings: () => recorder.write() }, stop, ports);
  for (const message of recorder.notes()) ports.onProgress({ type: 'note', message });
}

import { resolve } from 'node:path';
import { systemErrorCode } from '../files/write-files.ts';
import type { CommandOutcome, WorkspaceChanges, WorkspaceCommand, WorkspacePort } from '../model/suite/workspace.ts';
import { onAbort } from '../text/deadline.ts';
import { lastWords } from '../text/shorten.ts';
import { WorkspaceFault } from './fill-workspace.ts';
import {
  describeUnfinished,
  openProgramRunner,
  type ProgramCall,
  type ProgramResult,
  selectEnv,
  withoutNetwork,
} from './run-program.ts';
import { copyWorkspace } from './workspace-copy.ts';
import { placeFiles, readWorkspaceFolder, toWorkspaceFile, type WorkspaceFolder } from './workspace-folder.ts';

export interface WorkspaceOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops running programs and prevents new ones. */
  readonly signal?: AbortSignal;
}

const maxOutputBytes = 16 * 1024 * 1024;

/** Restores the changes of answers to their workspaces. Reads nothing before a check needs it. */
export function openWorkspaces({ root, env, signal }: WorkspaceOptions): WorkspacePort & { close(): void } {
  const programs = openProgramRunner();
  const folders = new Map<string, ReturnType<typeof readWorkspaceFolder>>();
  function find({ from, hash, placed }: WorkspaceChanges): WorkspaceFolder | { readonly fault: string } {
    const folder = folders.get(from) ?? readWorkspaceFolder(resolve(root, from), root);
    folders.set(from, folder);
    const found = 'fault' in folder || placed === undefined ? folder : placeFiles(folder, placed, root);
    if ('fault' in found) return { fault: `the workspace ${from} ${found.fault}` };
    return found.hash === hash ? found : { fault: `the workspace ${from} has changed since the answer was given` };
  }
  const close = () => programs.close();
  const stopListening = signal && onAbort(signal, close);
  return {
    readUnchanged(changes, path) {
      const original = find(changes);
      if ('fault' in original) return original;
      const file = original.files.get(path);
      return file === undefined ? { fault: `the workspace ${changes.from} has no ${path}` } : toWorkspaceFile(file);
    },
    async run(changes, command) {
      if (signal?.aborted === true) return { fault: 'was stopped' };
      const original = find(changes);
      if ('fault' in original) return { fault: `can't be run: ${original.fault}` };
      try {
        const copy = copyWorkspace(original, changes);
        try {
          const deadline = AbortSignal.timeout(command.timeoutMs);
          const call: ProgramCall = {
            argv: command.argv,
            cwd: copy.folder,
            env: { ...selectEnv(env, []), ...copy.env },
            input: '',
            signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
            maxOutputBytes,
            maxMemoryBytes: command.memoryMb * 1024 * 1024,
            endsGroup: true,
          };
          const result = await programs.run(command.network ? call : (withoutNetwork(call) ?? call));
          return describeResult(result, command, deadline.aborted);
        } finally {
          copy.remove();
        }
      } catch (error) {
        if (error instanceof WorkspaceFault) return { fault: `can't be run: the workspace ${error.message}` };
        const code = systemErrorCode(error);
        if (code === undefined) throw error;
        return { fault: `can't be run: the workspace can't be made again: ${code}` };
      }
    },
    close() {
      stopListening?.();
      close();
    },
  };
}

function describeResult(
  result: ProgramResult,
  { timeoutMs, memoryMb }: WorkspaceCommand,
  isLate: boolean,
): CommandOutcome {
  if (result.status !== 'ended') {
    const late = isLate ? `took longer than ${timeoutMs} ms` : 'was stopped';
    return { fault: describeUnfinished(result, { late, memoryMb, maxOutputBytes }) };
  }
  const { exitCode, signalName, stdout, stderr } = result;
  const tail = [stdout.slice(-4096), stderr].map((text) => lastWords(text.trim(), 400)).filter((text) => text !== '');
  return { exitCode, signalName, tail: tail.join('\n') };
}

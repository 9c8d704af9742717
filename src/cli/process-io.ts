import { createInterface } from 'node:readline';
import type { Io, TextSink, Typed } from './io.ts';

/** The real process. A reader that went away (`llmcheck run | head`) is not an error. */
export function processIo(): Io {
  return {
    stdout: streamSink(process.stdout),
    stderr: streamSink(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
    random: Math.random,
    ...(process.stdin.isTTY && process.stdout.isTTY ? { ask } : {}),
    openWatcher: async (onBatch) => (await import('./watch/file-watcher.ts')).openFileWatcher(onBatch),
    onSignal(handler) {
      let received = 0;
      const listen = (signal: 'SIGINT' | 'SIGTERM') => () => {
        received += 1;
        // The first asks for an orderly end; whoever asks again does not want to wait for it.
        if (received > 1) {
          removeAll();
          process.kill(process.pid, signal);
          return;
        }
        handler(signal);
      };
      const onInt = listen('SIGINT');
      const onTerm = listen('SIGTERM');
      process.on('SIGINT', onInt);
      process.on('SIGTERM', onTerm);
      const removeAll = () => {
        process.off('SIGINT', onInt);
        process.off('SIGTERM', onTerm);
      };
      return removeAll;
    },
  };
}

function ask(question: string): Promise<Typed> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  return new Promise((resolve) => {
    lines.once('close', () => resolve({ ended: 'input' }));
    lines.once('SIGINT', () => {
      resolve({ ended: 'interrupt' });
      lines.close();
    });
    lines.question(question, (line) => {
      resolve({ line });
      lines.close();
    });
  });
}

function streamSink(stream: NodeJS.WriteStream): TextSink {
  let broken = false;
  let fault: string | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    broken = true;
    // A reader that has seen enough loses nothing.
    if (error.code !== 'EPIPE') fault ??= error.message;
  });
  return {
    write(text) {
      if (!broken) stream.write(text);
    },
    isTty: stream.isTTY,
    columns: () => stream.columns,
    settle: () =>
      new Promise((resolve) => {
        // An error is told of after the write that it belongs to.
        const end = () => setImmediate(() => resolve(fault));
        if (broken) end();
        else stream.write('', end);
      }),
  };
}

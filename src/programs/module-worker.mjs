// Runs in a child of its own: loads the user's modules and calls their exports, one job at a time. Plain JavaScript,
// since Node 20 runs no TypeScript; the parent is module-worker.ts.
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { installModuleHooks } from './module-hooks.mjs';

installModuleHooks();

// Ends even while the user's code keeps something open: its parent no longer reads the answer.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A busy loop never handles the disconnect; a second thread notices that the parent was killed.
new Worker(`setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`, {
  eval: true,
}).unref();

process.on('message', ({ id, ...job }) => {
  void run(job).then((result) => process.send({ id, ...result }));
});
process.send({ ready: true });

async function run({ file, exportName, input, noun, maxReturnedBytes, isValue }) {
  let check;
  try {
    const module = await import(pathToFileURL(file).href);
    if (isValue) return await readValue(module, { exportName, noun, maxReturnedBytes });
    check = module[exportName];
    if (typeof check !== 'function') {
      const names = Object.keys(module).join(', ');
      return { fault: `exports no function "${exportName}"${names === '' ? '' : `, only ${names}`}` };
    }
  } catch (error) {
    return { fault: `can't be loaded: ${describe(error)}` };
  }
  try {
    const returned = await check(input);
    const json = JSON.stringify(returned);
    if (json === undefined) return { fault: `returned no ${noun} but ${typeof returned}` };
    if (json.length > maxReturnedBytes) return { fault: `returned more than ${maxReturnedBytes / 1024} KiB` };
    return { json };
  } catch (error) {
    return { fault: `threw ${describe(error)}` };
  }
}

/** Data that a module exports, or what an exported function makes. What JSON would drop or change is a fault. */
async function readValue(module, { exportName, noun, maxReturnedBytes }) {
  if (!(exportName in module)) return { fault: `has no ${exportName} export` };
  const exported = await module[exportName];
  const value = typeof exported === 'function' ? await exported() : exported;
  const json = JSON.stringify(value, function check(key, found) {
    const raw = this[key];
    if (typeof raw === 'function' || typeof raw === 'symbol' || typeof raw === 'bigint' || Number.isNaN(raw))
      throw new TypeError(`"${key}" is ${Number.isNaN(raw) ? 'NaN' : `a ${typeof raw}`}, which is no data`);
    return found;
  });
  if (json === undefined) return { fault: `exports no ${noun} but ${typeof value}` };
  if (json.length > maxReturnedBytes) return { fault: `exports more than ${maxReturnedBytes / 1024 / 1024} MiB` };
  return { json };
}

/** The message, and where in the user's files it came from. */
function describe(error) {
  if (!(error instanceof Error)) return String(error).slice(0, 400);
  const place = /\(?(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/m.exec(String(error.stack).replace(String(error.message), ''));
  return `${error.name}: ${error.message}`.slice(0, 400) + (place === null ? '' : ` (${place[1]})`);
}

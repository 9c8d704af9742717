// Runs in a child process: loads the user's modules and calls their exports, one job at a time. It is plain JavaScript
// because Node 20 runs no TypeScript. The parent is module-worker.ts.
import { hash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { installModuleHooks } from './module-hooks.mjs';

// End even if the user's code keeps something open: the parent no longer reads the answer.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A busy loop never handles the disconnect. A second thread (that of the hooks, if any) detects that the parent was
// killed.
if (!installModuleHooks(process.ppid)) {
  new Worker(`setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 1000)`, {
    eval: true,
  }).unref();
}

process.on('message', ({ id, ...job }) => {
  void run(job).then((result) => process.send({ id, ...result }));
});
process.send({ ready: true });

async function run({ file, exportName, input, noun, maxReturnedBytes, isValue, tool, prompts }) {
  let check;
  try {
    if (prompts !== undefined) fixClockAndChance(prompts.clockOffsetMs);
    const module = await import(pathToFileURL(file).href);
    if (tool === 'state') return await readState(module, maxReturnedBytes);
    if (tool !== undefined) return await callTool(module, input, maxReturnedBytes);
    if (isValue) return await readValue(module, { exportName, noun, maxReturnedBytes });
    check = module[exportName] ?? readMember(module.default, exportName);
    if (typeof check !== 'function') {
      const names = Object.keys(module).join(', ');
      return { fault: `exports no function "${exportName}"${names === '' ? '' : `, only ${names}`}` };
    }
  } catch (error) {
    return { fault: `can't be loaded: ${describe(error)}` };
  }
  if (prompts !== undefined) return makePrompts(check, input, maxReturnedBytes, prompts.wantsDigests);
  try {
    const returned = await check(input);
    // A promise that was not awaited and rejects at once ends the process here: the answer must not count.
    await new Promise((resolve) => setImmediate(resolve));
    const json = JSON.stringify(returned, refuseLost);
    if (json === undefined) return { fault: `returned no ${noun} but ${typeof returned}` };
    if (json.length > maxReturnedBytes) {
      return { fault: `returned more than ${maxReturnedBytes / 1024} KiB`, isTooLarge: true };
    }
    return { json };
  } catch (error) {
    return { fault: `threw ${describe(error)}` };
  }
}

/**
 * Calls a function with each set of variables. Returns the answers and the names read, as JSON. If only digests are
 * wanted, an answer is the hash of its text, so two processes can be compared without sending it. They read the clock
 * at different times, so hashes differ if the clock matters.
 */
async function makePrompts(build, list, maxReturnedBytes, wantsDigests) {
  const answers = [];
  for (const vars of list) {
    const reads = new Set();
    const missing = new Set();
    let answer;
    try {
      clock.isRead = false;
      const returned = await build(watchVars(vars, reads, missing));
      const json = JSON.stringify(returned, refuseNoData);
      const made = new Set([json]);
      for (const laterMs of wantsDigests && clock.isRead ? otherTimesMs : []) {
        clock.laterMs = laterMs;
        made.add(JSON.stringify(await build(watchVars(vars, reads, missing)), refuseNoData));
      }
      if (json === undefined) answer = writeFault(`returned no prompt but ${typeof returned}`);
      else answer = `"digest":"${hash('sha256', [...made].join('\n'))}"${wantsDigests ? '' : `,"returned":${json}`}`;
    } catch (error) {
      answer = writeFault(`threw ${describe(error)}`);
    }
    clock.laterMs = 0;
    answers.push(`{${answer},"reads":${JSON.stringify([...reads])},"missing":${JSON.stringify([...missing])}}`);
  }
  const json = `[${answers.join(',')}]`;
  return json.length > maxReturnedBytes
    ? { fault: `returned more than ${maxReturnedBytes / 1024 / 1024} MiB` }
    : { json };
}

/** Reads a member, also one of the value's own class, but none that every object or function has. */
function readMember(value, name) {
  if (value === undefined || value === null) return undefined;
  const isInherited = name in Object.prototype || name in Function.prototype;
  return isInherited && !Object.hasOwn(value, name) ? undefined : value[name];
}

function writeFault(fault) {
  return `"fault":${JSON.stringify(fault)}`;
}

function watchVars(vars, reads, missing) {
  return new Proxy(vars, {
    get(target, key) {
      if (typeof key === 'string') {
        if (Object.hasOwn(target, key)) reads.add(key);
        // Keys that awaiting, JSON or inspection look up are no variables.
        else if (!(key in Object.prototype) && key !== 'then' && key !== 'toJSON' && key !== 'inspect')
          missing.add(key);
      }
      return Reflect.get(target, key);
    },
    has(target, key) {
      if (Object.hasOwn(target, key)) reads.add(String(key));
      return Reflect.has(target, key);
    },
    ownKeys(target) {
      for (const key of Object.keys(target)) reads.add(key);
      return Reflect.ownKeys(target);
    },
  });
}

const clock = { isRead: false, laterMs: 0 };

/** Times in every month, on every weekday and in every part of a day. */
const otherTimesMs = Array.from({ length: 14 }, (_, index) => (index + 1) * (27 * 24 + 3) * 3_600_000);

/**
 * Shifts the clock of this process, and makes random numbers low or, with another clock, high. This exposes prompts that
 * depend on either, even rarely.
 */
function fixClockAndChance(offsetMs) {
  if (globalThis.Date.isFixed) return;
  const { Date: Clock, Math } = globalThis;
  const read = () => {
    clock.isRead = true;
    return Clock.now() + offsetMs + clock.laterMs;
  };
  globalThis.Date = class Date extends Clock {
    static isFixed = true;
    constructor(...args) {
      if (args.length === 0) super(read());
      else super(...args);
    }
    static now() {
      return read();
    }
  };
  const random = Math.random;
  Math.random = () => (offsetMs === 0 ? 0 : 0.999) + random() / 1000;
}

/** Calls a module's tool. Returns its content, an error for the model, or the names of the tools it has instead. */
async function callTool(module, { name, args }, maxReturnedBytes) {
  const tools = module.tools ?? module.default;
  if (typeof tools !== 'object' || tools === null)
    return { fault: 'exports no object of tools, as tools or as its default' };
  if (!Object.hasOwn(tools, name) || typeof tools[name] !== 'function')
    return { json: JSON.stringify({ unknown: Object.keys(tools).slice(0, 50) }) };
  if (args === undefined) return { json: JSON.stringify({ isKnown: true }) };
  let returned;
  try {
    returned = await tools[name](args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { json: JSON.stringify({ error: message.slice(0, 4000) }) };
  }
  const { text, fault } = writeReturned(returned);
  if (fault !== undefined) return { fault: `returned ${fault} from "${name}"` };
  const bytes = Buffer.byteLength(text);
  return { json: JSON.stringify(bytes > maxReturnedBytes ? { bytes } : { content: text }) };
}

/** Writes text as it is, undefined as null, and any other value as JSON. */
function writeReturned(returned) {
  if (typeof returned === 'string') return { text: returned };
  try {
    const text = JSON.stringify(returned === undefined ? null : returned, refuseLost);
    return text === undefined ? { fault: `a ${typeof returned}, which is no JSON,` } : { text };
  } catch (error) {
    return { fault: `what is no JSON (${describe(error)})` };
  }
}

/** Calls the module's `state` function; an empty object if there is none. */
async function readState(module, maxReturnedBytes) {
  if (typeof module.state !== 'function') return { json: '{}' };
  let state;
  try {
    state = await module.state();
  } catch (error) {
    return { fault: `threw ${describe(error)} in state()` };
  }
  if (state === undefined) return { json: '{}' };
  const { text, fault } = typeof state === 'string' ? { text: JSON.stringify(state) } : writeReturned(state);
  if (fault !== undefined) return { fault: `returned ${fault} from state()` };
  if (Buffer.byteLength(text) > maxReturnedBytes)
    return { fault: `returned more than ${maxReturnedBytes / 1024} KiB from state()` };
  return { json: `{"state":${text}}` };
}

/**
 * Returns a module's exported data, or the result of an exported function. A value that JSON would drop or change is a
 * fault.
 */
async function readValue(module, { exportName, noun, maxReturnedBytes }) {
  if (!(exportName in module)) return { fault: `has no ${exportName} export` };
  const exported = await module[exportName];
  const value = typeof exported === 'function' ? await exported() : exported;
  const json = JSON.stringify(value, refuseNoData);
  if (json === undefined) return { fault: `exports no ${noun} but ${typeof value}` };
  if (json.length > maxReturnedBytes) return { fault: `exports more than ${maxReturnedBytes / 1024 / 1024} MiB` };
  return { json };
}

/** JSON.stringify replacer that throws for values always written as {}, such as a Map. */
function refuseLost(key, found) {
  const [kind] = /^(?:Map|Promise|RegExp|Set)$/.exec(Object.prototype.toString.call(this[key]).slice(8, -1)) ?? [];
  if (kind !== undefined) throw new TypeError(`${key === '' ? 'it' : `"${key}"`} is a ${kind}, which is no data`);
  return found;
}

/** JSON.stringify replacer that throws for every value that JSON drops or changes. */
function refuseNoData(key, found) {
  const raw = this[key];
  // JSON writes null for NaN and Infinity.
  const isNull = typeof raw === 'number' && !Number.isFinite(raw);
  refuseLost.call(this, key, found);
  if (isNull || typeof raw === 'function' || typeof raw === 'symbol' || typeof raw === 'bigint')
    throw new TypeError(`"${key}" is ${isNull ? raw : `a ${typeof raw}`}, which is no data`);
  return found;
}

/** An error's message and its place in the user's files. */
function describe(error) {
  if (!(error instanceof Error)) return String(error).slice(0, 400);
  const place = /\(?(?:file:\/\/)?([^\s()]+:\d+:\d+)\)?$/m.exec(String(error.stack).replace(String(error.message), ''));
  return `${error.name}: ${error.message}`.slice(0, 400) + (place === null ? '' : ` (${place[1]})`);
}

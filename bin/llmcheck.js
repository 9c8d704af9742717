#!/usr/bin/env node
import module from 'node:module';
import process from 'node:process';
import v8 from 'node:v8';

// Node 22.1 and later keep compiled code between starts.
module.enableCompileCache?.();
// V8 11 (Node 20) optimises code early, on threads of its own: a run that sends nothing ends before that pays. It is as
// usual again once a connection is opened (providers/optimise-as-usual.ts), or a run is long (cli/settle-for.ts).
if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--interrupt-budget=2000000');
// By default the heap may grow to a multiple of what is alive before it is cleaned: most of what a long run took was that.
// A short one is let loose again once its size is known (cli/settle-for.ts).
v8.setFlagsFromString('--heap-growing-percent=30');
// Young objects are few here: to hand them out to several threads costs more than it saves (3 % of the CPU of 10,000 cells).
v8.setFlagsFromString('--no-parallel-scavenge');
// Cases of a small file stay, from which V8 would conclude that all do: those of a large one would be made among what is old,
// and lie there until all of it is cleaned (a tenth of the CPU of 100,000 cells from the cache).
v8.setFlagsFromString('--no-allocation-site-pretenuring');
const { main, processIo } = await import('../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2), processIo());

/**
 * The audit plants failures in small projects and looks whether llmcheck says no: `npm run audit [-- TEXT]`, where TEXT
 * picks the ways whose name holds it and shows what their commands wrote.
 *
 * A way is one entry of a list in `ways/`: what is planted, why a careless run would say yes, and where exit 0 is right
 * all the same. It is tried in every mode of `modes.ts` (with and without a baseline, cache, resume, shards and
 * `--drift`), each time beside a control: the same commands without the failure must end with 0. With a baseline the
 * prompt is edited before the failure is planted, but for `--drift`. A `Story` has commands of its own.
 * A model server on 127.0.0.1 gives every answer; the commands run in this process.
 *
 * Before it believes itself, the audit plants two failures in itself (`check-itself.ts`).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findOwnFault } from './check-itself.ts';
import { describeOutcomes } from './describe-outcomes.ts';
import { type Outcome, runAudit } from './run-audit.ts';
import { startModelServer } from './server.ts';
import { ways } from './ways/index.ts';

const [wanted = '', part] = process.argv.slice(2);
const chosen = ways.filter(({ name }) => name.includes(wanted));

if (part === undefined) await runParts(Math.min(4, availableParallelism()));
else await runPart(Number(part.split('/')[0]), Number(part.split('/')[1]));

/** Each process takes its share of the ways. */
async function runParts(count: number): Promise<void> {
  const server = await startModelServer();
  const ownFault = await findOwnFault(server);
  await server.close();
  const parts = Array.from({ length: count }, async (_, index) => {
    const child = fork(fileURLToPath(import.meta.url), [wanted, `${index}/${count}`]);
    let outcomes: readonly Outcome[] | undefined;
    child.on('message', (found: readonly Outcome[]) => {
      outcomes = found;
    });
    const [code] = await once(child, 'close');
    if (code !== 0 || outcomes === undefined) throw new Error(`a process of the audit ended with ${String(code)}`);
    return outcomes;
  });
  const outcomes = (await Promise.all(parts)).flat();
  process.stdout.write(describeOutcomes(outcomes, { ways: chosen.length, isVerbose: wanted !== '' }));
  if (ownFault !== undefined) process.stdout.write(`The audit itself is at fault: ${ownFault}\n`);
  const isRight = ownFault === undefined && chosen.length > 0 && outcomes.every(({ fault }) => fault === undefined);
  process.exitCode = isRight ? 0 : 1;
}

async function runPart(index: number, count: number): Promise<void> {
  const server = await startModelServer();
  const own = chosen.filter((_, position) => position % count === index);
  const outcomes = await runAudit(server, own);
  await server.close();
  await new Promise((resolve) => process.send?.(outcomes, resolve));
  process.disconnect?.();
}

import { firstAcceptedTrial } from '../../src/model/run/cell.ts';

export interface Place {
  readonly root: string;
  readonly port: number;
}

/** Takes out what differs between two runs of the same thing: places, durations, and the values of hashes and ids. */
export function normalise(text: string, { root, port }: Place): string {
  const placed = text
    .replaceAll(root, '<root>')
    .replaceAll(encodeURI(root), '<root>')
    .replaceAll(`127.0.0.1:${port}`, '<server>');
  const timed = placed
    // It hashes the latency too, and two answers of one millisecond may take equally long.
    .replace(/"answerId":\s*"[0-9a-f]+"/g, '"answerId":<answer>')
    // Fresh trials are numbered by a hash of what both sides ask, with the port of the server.
    .replace(/"(trial|index)":\s*\d{9,10}\b/g, (found, key: string) => {
      const number = Number(/\d+$/.exec(found)?.[0]);
      return `"${key}":${number < firstAcceptedTrial ? '<fresh>' : '<accepted>'}`;
    })
    .replace(/"(latencyMs|latencies)":\s*\{[^{}]*\}/g, '"$1":<time>')
    .replace(/("key":"latencyMs",[^{}]*"text":")[^{}]*\}/g, '$1<time>}')
    // Whether latency differed by more than chance is a matter of chance.
    .replace(/ · latency .*case by case .*$/gm, '')
    .replace(/^.*\blatency rose: .*\n/gm, '')
    .replace(/"bytes": \d+/g, '"bytes": <bytes>')
    .replace(/(removed \d+ entries, )\d+ B/g, '$1<bytes>')
    .replace(/( complete +)\d+$/gm, '$1<bytes>')
    .replace(
      /"((?:p50|p95|latency|duration|elapsed|firstToken)(?:Ms)?|wallMs|time)":\s*(?:"\d[^"]*"|-?\d[\d.e+-]*)/g,
      '"$1":<time>',
    )
    .replace(/\b(time|duration)="[\d.]+"/g, '$1="<time>"')
    .replace(/"(start|stop|duration)":\s*\d{3,}/g, '"$1":<time>')
    .replace(/\b\d+(?:\.\d+)? ?(?:ms|s|µs|min)\b(?! ago)/g, '<time>')
    .replace(/"(low|high|p|delta|value|baseline|candidate)":\s*-?\d+\.\d{9,}(?:e-?\d+)?/g, (found) => round(found));
  return (
    named(timed)
      .replace(/[ \t]+$/gm, '')
      .replace(/ {2,}/g, '  ')
      .replace(/─{3,}|-{4,}/g, '---') + '\n'
  );
}

/** The last digits of a double may differ between machines. */
function round(found: string): string {
  return found.replace(/-?\d+\.\d+(?:e-?\d+)?$/, (digits) => Number(digits).toPrecision(9));
}

/** The same hash is the same name everywhere, so that what belongs together still does. */
function named(text: string): string {
  const names = new Map<string, string>();
  return text.replace(/\b[0-9a-f]{12,64}\b/g, (hash) => {
    const name = names.get(hash) ?? `<hash ${names.size + 1}>`;
    names.set(hash, name);
    return name;
  });
}

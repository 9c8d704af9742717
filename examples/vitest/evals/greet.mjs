// Stands for a model: the request as JSON on stdin, the answer on stdout.
import { text } from 'node:stream/consumers';

const { messages } = JSON.parse(await text(process.stdin));
const name = /Greet (.+) in one line/.exec(messages.at(-1).content)?.[1] ?? 'you';
console.log(`Welcome, ${name}!`);

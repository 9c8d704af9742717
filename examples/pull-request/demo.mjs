// Plays a pull request that breaks a prompt, in a temporary folder: node examples/pull-request/demo.mjs
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const bin = resolve(import.meta.dirname, '../../bin/llmcheck.js');
const folder = mkdtempSync(join(tmpdir(), 'llmcheck-demo-'));
for (const name of ['evals', 'prompts']) cpSync(join(import.meta.dirname, name), join(folder, name), { recursive: true });
writeFileSync(join(folder, '.gitignore'), '.llmcheck/\n');

const words = {
  shipping: ['parcel', 'track', 'deliver', 'box', 'courier', 'old address'],
  account: ['log in', 'account', 'e-mail', 'codes', 'password', 'user', 'language'],
  billing: [''],
};

/** Plays the model: it knows the teams, and can only name those that the prompt allows. */
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { model, messages } = JSON.parse(body);
    const [question, ticket = ''] = messages.at(-1).content.toLowerCase().split('ticket: ');
    const [team] = Object.entries(words).find(([, found]) => found.some((word) => ticket.includes(word))) ?? ['other'];
    const answer = question.includes(team) ? team : 'other';
    const usage = { prompt_tokens: 45, completion_tokens: 1, total_tokens: 46 };
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer } }];
    const id = `chatcmpl-${Math.random().toString(36).slice(2)}`;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id, object: 'chat.completion', created: 0, model, choices, usage }));
  });
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const env = {
  ...process.env,
  OPENAI_API_KEY: 'no-key-is-needed',
  OPENAI_BASE_URL: `http://127.0.0.1:${server.address().port}/v1`,
};

console.log(`In ${folder}\n`);
git('init', '-q', '-b', 'main');
await llmcheck('run', '-q');
await llmcheck('baseline', 'accept');
git('add', '.');
git('commit', '-q', '-m', 'Sort tickets');
git('checkout', '-q', '-b', 'shorter-prompt');
const prompt = join(folder, 'prompts/ticket.md');
writeFileSync(prompt, readFileSync(prompt, 'utf8').replace('billing, shipping, account', 'billing, account'));
console.log('\n# prompts/ticket.md: the word "shipping" got lost\n');
const code = await llmcheck('run', '--baseline', 'git:main', '-r', 'terminal', '-r', 'html=report.html', '-r', 'markdown=comment.md');
console.log(`\nThe page: ${join(folder, 'report.html')}\nThe comment of the pull request: ${join(folder, 'comment.md')}`);
server.close();
process.exitCode = code;

/** Runs the program as a user would, and shows the command. */
async function llmcheck(...argv) {
  console.log(`$ llmcheck ${argv.join(' ')}`);
  const child = spawn(process.execPath, [bin, ...argv], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  return await new Promise((done) => child.on('close', done));
}

function git(...argv) {
  console.log(`$ git ${argv.join(' ')}`);
  const as = ['-c', 'user.name=Demo', '-c', 'user.email=demo@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...as, ...argv], { cwd: folder, stdio: 'ignore' });
}

import { onTestFinished } from 'vitest';
import { type ReceivedRequest, type Scripted, type ScriptedServer, startServer } from './http-server.ts';

interface FakeComment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string; readonly type?: string };
  /** Why the page shows it folded, such as `outdated`. */
  hiddenAs?: string;
}

interface FakeCheck {
  readonly id: number;
  name: string;
  readonly head_sha: string;
  readonly conclusion: string;
  readonly output: { readonly title: string; readonly summary: string };
}

export interface FakeIssue {
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  state_reason?: string;
  readonly user: { readonly login: string };
  readonly html_url?: string;
  readonly pull_request?: object;
  readonly said: string[];
}

export interface GithubServer extends ScriptedServer {
  readonly comments: FakeComment[];
  readonly checks: FakeCheck[];
  readonly issues: FakeIssue[];
  /** The newest commit of the pull request; undefined where the token may not read it. */
  head: string | undefined;
  /** Set to answer in place of GitHub; undefined lets the request through. */
  intercept: (request: ReceivedRequest, index: number) => Scripted | undefined;
}

export const robot = 'github-actions[bot]';

/** Comments and checks of `acme/shop` as GitHub's API keeps them, for a token of the robot. */
export async function startGithubServer(token: string): Promise<GithubServer> {
  const comments: FakeComment[] = [];
  const checks: FakeCheck[] = [];
  const issues: FakeIssue[] = [];
  const state: Pick<GithubServer, 'intercept' | 'head'> = { intercept: () => undefined, head: undefined };

  function reply(request: ReceivedRequest): Scripted {
    if (request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, body: { message: 'Bad credentials' } };
    const url = new URL(request.url, 'http://127.0.0.1');
    const body = request.body === '' ? {} : (JSON.parse(request.body) as Record<string, unknown>);
    const route = `${request.method} ${url.pathname}`;
    if (route === 'POST /graphql') return { body: { data: replyToGraphql(body, comments) } };
    if (route === 'GET /repos/acme/shop/issues/7/comments') {
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const from = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
      return { body: comments.slice(from, from + size).map((one) => ({ ...one, node_id: `IC_${one.id}` })) };
    }
    if (route === 'POST /repos/acme/shop/issues/7/comments') {
      if (String(body['body']).length > 65_536) return { status: 422, body: { message: 'body is too long' } };
      const comment = { id: 1000 + comments.length, body: String(body['body']), user: { login: robot } };
      comments.push(comment);
      return { status: 201, body: { ...comment, html_url: `https://github.example/c/${comment.id}` } };
    }
    const id = /^(?:PATCH|GET|DELETE) \/repos\/acme\/shop\/issues\/comments\/(\d+)$/.exec(route)?.[1];
    const found = comments.find((comment) => String(comment.id) === id);
    if (found !== undefined) {
      if (request.method === 'DELETE') {
        comments.splice(comments.indexOf(found), 1);
        return { status: 204 };
      }
      if (request.method === 'PATCH') found.body = String(body['body']);
      return { body: { ...found, html_url: `https://github.example/c/${found.id}` } };
    }
    if (route === 'GET /repos/acme/shop/pulls' && url.searchParams.get('head') === 'eve:change') {
      return { body: [{ number: 7, head: { sha: state.head }, base: { ref: 'main' } }] };
    }
    if (route === 'GET /repos/acme/shop/pulls') return { body: [] };
    if (route === 'GET /repos/acme/shop/pulls/7') {
      return state.head === undefined ? { status: 403, body: forbidden } : { body: { head: { sha: state.head } } };
    }
    return (
      replyToCheck(route, url, body, checks) ??
      replyToIssue(route, url, body, issues) ?? { status: 404, body: { message: 'Not Found' } }
    );
  }

  const server = await startServer((request, index) => state.intercept(request, index) ?? reply(request));
  onTestFinished(() => server.close());
  return Object.assign(state, { ...server, requests: server.requests, comments, checks, issues });
}

function replyToGraphql({ query, variables }: Readonly<Record<string, unknown>>, comments: FakeComment[]): object {
  const { id } = (variables ?? {}) as { id?: string };
  const found = comments.find((comment) => `IC_${comment.id}` === id);
  const [, name = 'viewer'] = /\b(minimizeComment|unminimizeComment|node)\(/.exec(String(query)) ?? [];
  if (name === 'viewer') return { viewer: { login: robot } };
  if (found === undefined) return { [name]: null };
  if (name === 'minimizeComment') found.hiddenAs = 'outdated';
  if (name === 'unminimizeComment') delete found.hiddenAs;
  const state = { isMinimized: found.hiddenAs !== undefined, minimizedReason: found.hiddenAs ?? null };
  return { [name]: name === 'node' ? state : { clientMutationId: null } };
}

const forbidden = { message: 'Resource not accessible by integration' };

function replyToCheck(
  route: string,
  url: URL,
  body: Readonly<Record<string, unknown>>,
  checks: FakeCheck[],
): Scripted | undefined {
  if (route === 'POST /repos/acme/shop/check-runs') {
    const check = { ...body, id: checks.length + 1 } as FakeCheck;
    checks.push(check);
    return { status: 201, body: { ...check, html_url: `https://github.example/k/${check.id}` } };
  }
  const [, sha] = /^GET \/repos\/acme\/shop\/commits\/(\w+)\/check-runs$/.exec(route) ?? [];
  if (sha !== undefined) {
    const name = url.searchParams.get('check_name');
    const size = Number(url.searchParams.get('per_page') ?? 30);
    const from = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
    const wanted = checks.filter((check) => check.head_sha === sha && (name === null || check.name === name));
    return { body: { check_runs: wanted.slice(from, from + size) } };
  }
  const [, id] = /^PATCH \/repos\/acme\/shop\/check-runs\/(\d+)$/.exec(route) ?? [];
  const found = checks.find((check) => String(check.id) === id);
  if (found === undefined) return undefined;
  found.name = String(body['name']);
  return { body: found };
}

/** Numbers from 20 on; the pull request of the tests is 7. */
function replyToIssue(
  route: string,
  url: URL,
  body: Readonly<Record<string, unknown>>,
  issues: FakeIssue[],
): Scripted | undefined {
  if (route === 'GET /repos/acme/shop/issues') {
    const size = Number(url.searchParams.get('per_page') ?? 30);
    const from = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
    const listed = issues.filter(({ state }) => state === url.searchParams.get('state')).toReversed();
    return { body: listed.slice(from, from + size) };
  }
  if (route === 'POST /repos/acme/shop/issues') {
    const number = 20 + issues.length;
    const html_url = `https://github.example/i/${number}`;
    const created = { title: String(body['title']), body: String(body['body']) };
    const issue: FakeIssue = { number, ...created, state: 'open', user: { login: robot }, html_url, said: [] };
    issues.push(issue);
    return { status: 201, body: issue };
  }
  const [, method, number, isComments] = /^(\w+) \/repos\/acme\/shop\/issues\/(\d+)(\/comments)?$/.exec(route) ?? [];
  const found = issues.find((issue) => String(issue.number) === number);
  if (found === undefined) return undefined;
  if (isComments !== undefined) {
    if (method === 'POST') found.said.push(String(body['body']));
    return { body: method === 'POST' ? { id: found.said.length } : found.said.map((text) => ({ body: text })) };
  }
  if (method === 'PATCH') Object.assign(found, body);
  return { body: found };
}

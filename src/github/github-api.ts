import { type ApiPorts, type ApiReply, type JsonApi, openJsonApi } from '../http/json-api.ts';

export { memberAt, numberAt, textAt } from '../http/json-api.ts';
export type GithubApi = JsonApi;
export type GithubReply = ApiReply;

export function openGithubApi(apiUrl: string, token: string, ports: ApiPorts): GithubApi {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  return openJsonApi(apiUrl, headers, ports);
}

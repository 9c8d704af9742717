import {
  type ApiPorts,
  type ApiReply,
  type JsonApi,
  memberAt,
  numberAt,
  openJsonApi,
  textAt,
} from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { MergeRequest } from './gitlab-run.ts';

export function openGitlabApi(apiUrl: string, token: string, ports: ApiPorts): JsonApi {
  return openJsonApi(apiUrl, { accept: 'application/json', 'private-token': token }, ports);
}

/** The notes of a merge request; the failed reply where GitLab does not tell whose token it is. */
export async function openNotes(api: JsonApi, { projectId, projectUrl, iid }: MergeRequest, pageSize: number) {
  const path = `/projects/${projectId}/merge_requests/${iid}`;
  const owner = await api.ask('GET', '/user');
  if (!owner.ok) return owner;
  const ownerId = numberAt(owner.value, 'id');
  const notes = `${path}/notes`;
  return {
    ok: true as const,
    async findHead() {
      const reply = await api.ask('GET', path);
      return reply.ok ? textAt(reply.value, 'sha') : undefined;
    },
    async list(page: number) {
      const reply = await api.ask('GET', `${notes}?sort=asc&order_by=created_at&per_page=${pageSize}&page=${page}`);
      if (!reply.ok) return reply;
      const found = Array.isArray(reply.value) ? reply.value : [];
      return { ok: true as const, comments: found.map((note) => readNote(note, ownerId)) };
    },
    async write(id: number | undefined, text: string) {
      const body = { body: disarm(text) };
      const reply =
        id === undefined ? await api.ask('POST', notes, body) : await api.ask('PUT', `${notes}/${id}`, body);
      return reply.ok ? { ok: true as const, ...linkOf(reply, `${projectUrl}/-/merge_requests/${iid}`) } : reply;
    },
    async remove(id: number) {
      return (await api.ask('DELETE', `${notes}/${id}`)).ok;
    },
    async read(id: number) {
      const reply = await api.ask('GET', `${notes}/${id}`);
      return reply.ok ? textAt(reply.value, 'body') : undefined;
    },
  };
}

function readNote(note: JsonValue, ownerId: number | undefined) {
  const authorId = numberAt(memberAt(note, 'author'), 'id');
  const isOwn = authorId !== undefined && authorId === ownerId && memberAt(note, 'system') !== true;
  return { id: numberAt(note, 'id') ?? 0, body: textAt(note, 'body') ?? '', isOwn };
}

function linkOf(reply: ApiReply & { readonly ok: true }, requestUrl: string) {
  const id = numberAt(reply.value, 'id');
  return defined({ id, url: id === undefined ? undefined : `${requestUrl}#note_${id}` });
}

/**
 * GitLab carries out a line that begins with a slash, such as `/merge`, in the name of the token's owner. It does so in
 * some code blocks too, so a sign without width is put before the slash.
 */
function disarm(text: string): string {
  return text.replace(/^([^\S\n]*)\//gm, '$1\u200b/');
}

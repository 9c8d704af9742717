/** Calls back with the id of each run whose record grew, until the returned function is called. */
export function onServerNews(onRun: (runId: string) => void): () => void {
  const events = new EventSource('/api/events');
  events.addEventListener('run', (event: MessageEvent<string>) => onRun(decodeURIComponent(event.data)));
  return () => events.close();
}

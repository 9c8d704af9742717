import { openHttpClient } from '../http/client.ts';
import { UserError } from '../model/problem.ts';
import type { Report } from '../model/report/report.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { createMask } from '../secrets/mask-secrets.ts';
import { openTrace } from '../telemetry/open-trace.ts';
import {
  buildExport,
  createExporter,
  describePartial,
  maxFailures,
  type OtelSettings,
  readOtelSettings,
  type Span,
} from '../telemetry/otlp-exporter.ts';
import { withoutUserinfo } from '../text/addresses/store-urls.ts';
import { runSuites } from './run.ts';

/** The destination of a run's spans, from the flag and OpenTelemetry's own variables. */
export function resolveOtel(env: RunPorts['env'], flag: string | undefined): OtelSettings {
  const settings = readOtelSettings(env, flag);
  if (!('fault' in settings)) return settings;
  const message = `--otel: not an http or https address: ${settings.fault}`;
  throw new UserError({ code: 'usage', message, hint: 'write --otel http://localhost:4318' });
}

/**
 * Runs suites and exports their spans. If the collector refuses the spans, a note says so. The decision does not
 * change.
 */
export async function traceRun(options: RunOptions, ports: RunPorts, settings: OtelSettings): Promise<Report> {
  const http = openHttpClient({ env: ports.env });
  const maskHeaders = createMask(Object.values(settings.headers));
  const mask = (text: string): string => maskHeaders(ports.mask(text));
  const scope = { name: 'llmcheck', version: options.toolVersion };
  const address = withoutUserinfo(settings.url);
  const exporter = createExporter({
    async send(spans: readonly Span[]) {
      const { status, text } = await http.send({
        url: settings.url,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...settings.headers },
        body: JSON.stringify(buildExport(spans, settings.resource, scope)),
        signal: AbortSignal.timeout(settings.timeoutMs),
      });
      return status < 300 ? describePartial(text) : `${status} ${text.slice(0, 200)}`;
    },
    onLost: (reason) =>
      ports.onProgress({ type: 'note', message: mask(`spans were not exported to ${address}: ${reason}`) }),
    // The same limit as for a collector that does not answer.
    startTimer: (giveUp) => ports.clock.startTimer(maxFailures * settings.timeoutMs, giveUp),
  });
  const offsetMs = ports.now().getTime() - ports.clock.now();
  const trace = openTrace({
    exporter,
    settings,
    mask,
    nowMs: () => offsetMs + ports.clock.now(),
    newId: (bytes) =>
      Buffer.from(Array.from({ length: bytes }, () => Math.floor(ports.random() * 256))).toString('hex'),
  });
  let report: Report | undefined;
  try {
    report = await runSuites(options, { ...ports, trace });
    return report;
  } finally {
    trace.finish(report);
    await exporter.flush();
    http.close();
  }
}

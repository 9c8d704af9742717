import { assertions } from '../assertions/index.ts';
import { buildBaselineJsonSchema } from '../baseline/baseline-schema.ts';
import { adapters } from '../providers/index.ts';
import { buildReportJsonSchema } from '../reports/json/report-schema.ts';
import { buildConfigJsonSchema, buildSuiteJsonSchema } from '../suite/schema/json-schema.ts';

/** The JSON Schema of a file format, as committed in schema/. */
export function buildSchema(name: 'suite' | 'config' | 'report' | 'baseline'): unknown {
  switch (name) {
    case 'suite':
      return buildSuiteJsonSchema({ assertions, adapters });
    case 'config':
      return buildConfigJsonSchema({ assertions, adapters });
    case 'report':
      return buildReportJsonSchema();
    case 'baseline':
      return buildBaselineJsonSchema();
  }
}

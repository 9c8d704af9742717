/** A run's id: `20261124-153012-a1b2`, UTC; it sorts by time. Two random bytes keep runs of one second apart, more are welcome. */
export function newRunId(now: Date, random: Uint8Array): string {
  const [date = '', time = ''] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${Buffer.from(random).toString('hex')}`;
}

/** The time of an id, in seconds since the epoch; undefined where it has none, as a record that was copied under another name. */
export function secondsOfRunId(id: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(id) ?? [];
  const [year, month = 1, day, hour, minute, second] = parts.map(Number);
  return year === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

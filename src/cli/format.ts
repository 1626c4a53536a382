/** Formats numbers and tables for people. */

/** A CRC-64 as 16 hexadecimal digits. */
export function formatCrc(crc: bigint): string {
  return crc.toString(16).padStart(16, "0");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A byte count such as `1.4 GiB`; whole below 1 KiB. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be rounded to "1024.0".
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A throughput such as `510.3 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(Math.round(bytesPerSecond))}/s`;
}

/** A duration such as `0.25 s`, `12 s` or `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago a time was: `3 h ago`; the largest unit that is whole. */
export function formatAge(time: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - time.getTime()) / 1000);
  if (seconds < 0) return "in the future";
  const [count, unit] = seconds < 60
    ? [seconds, "s"]
    : seconds < 3600
    ? [Math.floor(seconds / 60), "min"]
    : seconds < 48 * 3600
    ? [Math.floor(seconds / 3600), "h"]
    : [Math.floor(seconds / 86_400), "d"];
  return `${count} ${unit} ago`;
}

/** A time in UTC, with its age. */
export function formatTime(time: Date, now: Date): string {
  return `${time.toISOString()} (${formatAge(time, now)})`;
}

/** A time in the local time zone, such as `2026-01-31 12:30:05 +01:00`. */
export function formatLocalTime(time: Date): string {
  const pad = (part: number) => String(part).padStart(2, "0");
  const offset = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + offset * 60_000).toISOString();
  const [hours, minutes] = [
    Math.floor(Math.abs(offset) / 60),
    Math.abs(offset) % 60,
  ];
  const zone = `${offset < 0 ? "-" : "+"}${pad(hours)}:${pad(minutes)}`;
  return `${local.slice(0, 19).replace("T", " ")} ${zone}`;
}

/** A whole number with commas, such as `1,000,000`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString("en-US");
}

/** A number of things, such as `1 server` or `3 servers`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How a column's cells line up. */
export type Alignment = "left" | "right";

/** Rows as lines, with the columns lined up and two spaces between them. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): string[] {
  const widths = alignments.map((_, column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return alignments[column] === "right"
        ? cell.padStart(width)
        : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
}
